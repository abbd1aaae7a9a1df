"""Rules of the house that a machine can hold: sizes, forbidden calls, words, paths and docstrings."""

import ast
import re
import statistics
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src" / "redraft").rglob("*.py"))
TEXT_SUFFIXES = {".py", ".md", ".toml", ".txt", ".json", ".jsonl", ".html", ".css", ".js", ".ts", ""}
TREES = ["src", "tests", "docs", "recipes", "requirements", "benchmarks", ".ci"]

MAX_FILE_LINES = 500
MAX_MEDIAN_LINES = 120
MAX_FUNCTION_LINES = 60

FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "marshal", "dill", "joblib", "shelve", "cloudpickle"}
FORBIDDEN_NAMES = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_CALLS = {"torch.load", "torch.save", "numpy.load", "np.load", "os.system"}
FORBIDDEN_FOLDERS = {"utils", "util", "common", "helpers", "helper", "misc"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def text_files() -> Iterator[Path]:
    candidates = [path for tree in TREES for path in sorted((ROOT / tree).rglob("*"))]
    candidates += sorted(path for path in ROOT.iterdir() if path.is_file())
    for path in candidates:
        if path.is_file() and path.suffix in TEXT_SUFFIXES and "__pycache__" not in path.parts and path.name != ".git":
            yield path


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for an attribute chain on a name, else an empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""


def forbidden_in(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if module.partition(".")[0] in FORBIDDEN_MODULES:
                found.append(module)
            found += [name for alias in node.names if (name := f"{module}.{alias.name}") in FORBIDDEN_CALLS]
        elif isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in FORBIDDEN_NAMES or name.removeprefix("builtins.") in FORBIDDEN_NAMES or name in FORBIDDEN_CALLS:
                found.append(f"line {node.lineno}: {name}")
    return found


def test_the_package_is_found() -> None:
    assert len(SOURCES) > 20


def test_no_file_is_too_long() -> None:
    sizes = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {name: size for name, size in sizes.items() if size > MAX_FILE_LINES} == {}


def test_half_the_files_are_short() -> None:
    sizes = [len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES]
    assert statistics.median(sizes) < MAX_MEDIAN_LINES


def lines_of_code(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines from `def` to the end, without the docstring: explaining must not cost anything."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is None:
        return total
    return total - ((first.end_lineno or first.lineno) - first.lineno + 1)


def test_no_function_is_too_long() -> None:
    sizes = {
        f"{name_of(path)}:{node.lineno} {node.name}": lines_of_code(node)
        for path in SOURCES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: size for name, size in sizes.items() if size >= MAX_FUNCTION_LINES} == {}


def test_nothing_is_unpickled_evaluated_or_executed() -> None:
    found = {name_of(path): forbidden_in(tree_of(path)) for path in SOURCES}
    assert {name: calls for name, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "import torch; torch.load('x')",
        "from torch import load",
        "eval('1')",
        "import builtins; builtins.exec('1')",
    ],
)
def test_what_is_forbidden_is_seen(code: str) -> None:
    assert forbidden_in(ast.parse(code)) != []


def assigned_in(tree: ast.Module) -> set[str]:
    """Return the names that a module assigns at its top level."""
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def test_every_module_says_what_it_is_and_what_it_offers() -> None:
    assert [name_of(path) for path in SOURCES if not ast.get_docstring(tree_of(path))] == [], "no module docstring"
    offering = [path for path in SOURCES if not path.name.startswith("_") or path.name == "__init__.py"]
    assert [name_of(path) for path in offering if "__all__" not in assigned_in(tree_of(path))] == [], "no __all__"


def test_no_room_for_leftovers() -> None:
    assert [name_of(path) for path in SOURCES if {path.stem, *path.parent.parts} & FORBIDDEN_FOLDERS] == []


def test_no_unfinished_words() -> None:
    words = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
    found = [
        f"{name_of(path)}:{number}"
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if words.search(line)
    ]
    assert found == []


def test_no_paths_of_one_machine() -> None:
    folders = ["work", "root", "home", "tmp", "Users", "opt"]
    paths = re.compile(r"(?<![\w.}*])/(?:" + "|".join(folders) + r")/[\w.]")
    found = [
        f"{name_of(path)}:{number}: {line.strip()[:100]}"
        for path in text_files()
        if path.suffix not in {".json", ".jsonl"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if paths.search(line)
    ]
    assert found == []


def test_documents_that_the_source_names_exist() -> None:
    named = re.compile(r"\b(?:docs|tests|recipes)/[\w/-]+\.(?:md|py|toml)\b")
    found = {
        f"{name_of(path)}: {reference}"
        for path in SOURCES
        for reference in named.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / reference).is_file()
    }
    assert found == set()


@pytest.mark.parametrize("name", ["lock.txt", "bench.txt"])
def test_the_lock_pins_exact_versions_and_nothing_else(name: str) -> None:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []
    names = [line.partition("==")[0].lower() for line in pins]
    assert names == sorted(set(names))


def test_the_lock_agrees_with_the_project() -> None:
    def normal(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def locked_in(file: str) -> dict[str, str]:
        lines = (ROOT / "requirements" / file).read_text(encoding="utf-8").splitlines()
        return {normal(line.partition("==")[0]): line.partition("==")[2] for line in lines if not line.startswith("#")}

    extras = project["optional-dependencies"]
    # What bench adds is built from source, so it stands in a file of its own, which agrees with the other.
    apart, lock = locked_in("bench.txt"), locked_in("lock.txt")
    assert {name: lock[name] for name in apart.keys() & lock.keys()}.items() <= apart.items()
    wanted = [(pin, lock) for pin in project["dependencies"]]
    wanted += [(pin, apart if extra == "bench" else lock) for extra, pins in extras.items() for pin in pins]
    for pin, locked in wanted:
        name, separator, version = pin.partition("==")
        if normal(name) == "redraft":
            continue
        assert separator, f"{pin} is not exact"
        assert locked.get(normal(name)) == version, f"{pin} in pyproject.toml, {locked.get(normal(name))} in the lock"


def test_ci_runs_what_people_run() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111, ".ci/run is not executable"
    text = script.read_text(encoding="utf-8")
    assert "set -euo pipefail" in text
    assert re.search(r"^make check\b", text, re.MULTILINE)
    assert text.rstrip().splitlines()[-1].startswith("make test")
