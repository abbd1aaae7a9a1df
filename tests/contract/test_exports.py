"""What each module offers is exactly what it says in `__all__`, in order."""

import ast
import importlib
import pkgutil
import types
from pathlib import Path

import pytest

import redraft

MODULES = [
    "redraft",
    *(
        info.name
        for info in pkgutil.walk_packages(redraft.__path__, "redraft.")
        if not info.name.rpartition(".")[2].startswith("_")
    ),
]


def sort_key(name: str) -> tuple[int, str]:
    """Order constants first, then classes, then the rest: as ruff's RUF022 writes them."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def source_of(module: types.ModuleType) -> ast.Module:
    assert module.__file__ is not None
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))


def defined_in(tree: ast.Module) -> set[str]:
    """Return the public names that the module itself defines at its top level."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def imported_from_redraft(tree: ast.Module) -> set[str]:
    nodes = [
        node for node in tree.body if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("redraft")
    ]
    return {alias.asname or alias.name for node in nodes for alias in node.names}


@pytest.mark.parametrize("name", MODULES)
def test_all_is_sorted_complete_and_true(name: str) -> None:
    module = importlib.import_module(name)
    tree = source_of(module)
    offered = list(module.__all__)
    assert offered == sorted(set(offered), key=sort_key)
    assert [entry for entry in offered if not hasattr(module, entry)] == []
    is_package = hasattr(module, "__path__")
    expected = defined_in(tree) | (imported_from_redraft(tree) if is_package else set())
    assert expected - set(offered) == set(), "public, but not in __all__; add it or give it a leading underscore"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_offers_only_its_own(name: str) -> None:
    module = importlib.import_module(name)
    if hasattr(module, "__path__"):
        return
    assert set(module.__all__) - defined_in(source_of(module)) == set()


def test_the_version_is_the_project_s() -> None:
    root = Path(__file__).resolve().parents[2]
    line = next(
        line
        for line in (root / "pyproject.toml").read_text(encoding="utf-8").splitlines()
        if line.startswith("version")
    )
    assert redraft.__version__ == line.split('"')[1]
