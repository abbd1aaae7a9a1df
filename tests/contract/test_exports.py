"""What each module offers is exactly what it says in `__all__`, in order."""

import ast
import importlib
import re
from pathlib import Path

import redraft

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "redraft"


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__main__.py"}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}
MODULES = [name for name in SOURCES if not name.rpartition(".")[2].startswith("_")]


def sort_key(name: str) -> tuple[int, list[str | int]]:
    """Order constants first, then classes, then the rest, numbers by value: as ruff's RUF022 writes them."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def offered_by(name: str) -> list[str]:
    for node in TREES[name].body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            value = node.value
            assert isinstance(value, ast.List), f"{name}: write __all__ as a plain list"
            return [ast.literal_eval(entry) for entry in value.elts]
    raise AssertionError(f"{name} has no __all__")


def public_parts_of(name: str) -> set[str]:
    """Return the public functions and classes that a module defines, and what a package takes from its modules."""
    tree = TREES[name]
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    names = {node.name for node in tree.body if isinstance(node, kinds)}
    if SOURCES[name].name == "__init__.py":
        imports = [
            node for node in tree.body if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(name)
        ]
        names |= {alias.asname or alias.name for node in imports for alias in node.names}
    return {part for part in names if not part.startswith("_")}


def uses() -> list[tuple[str, str, str]]:
    """Return who imports what from which module of the package, wherever in the file it stands."""
    return [
        (user, node.module, alias.name)
        for user, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in TREES
        for alias in node.names
    ]


def test_the_modules_are_found() -> None:
    assert len(MODULES) > 20


def test_all_is_in_order() -> None:
    wanted = {name: sorted(set(offered_by(name)), key=sort_key) for name in MODULES}
    assert {name: order for name, order in wanted.items() if offered_by(name) != order} == {}


def test_all_is_complete() -> None:
    missing = {name: public_parts_of(name) - set(offered_by(name)) for name in MODULES}
    found = {name: parts for name, parts in missing.items() if parts}
    assert found == {}, "add it to __all__, or begin its name with _"


def test_all_is_true() -> None:
    lacking = [
        f"{name}.{entry}"
        for name in MODULES
        for module in [importlib.import_module(name)]
        for entry in offered_by(name)
        if not hasattr(module, entry)
    ]
    assert lacking == []


def test_what_others_use_is_offered() -> None:
    missing = [
        f"{user} takes {part} from {owner}"
        for user, owner, part in uses()
        if part not in offered_by(owner) and f"{owner}.{part}" not in TREES
    ]
    assert missing == []


def test_the_version_is_the_project_s() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    assert redraft.__version__ == next(line.split('"')[1] for line in lines if line.startswith("version = "))
