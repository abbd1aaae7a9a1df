"""A prompt goes to the model that learned such prompts."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from redraft.engine import catalog
from redraft.engine.catalog import TRAINED_ON
from redraft.engine.routing import ROUTES_NAME, Routes, features, route, route_edit
from redraft.errors import CheckpointError
from redraft.evaluation.routes import learn_routes, learn_shipped_routes, prompts_of, to_json
from redraft.tasks import get_task, task_names


@pytest.fixture
def shelf(tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder where every model of the table ships, all of them the tiny one."""
    for name in TRAINED_ON:
        (tmp_path / name).symlink_to(tiny_checkpoint)
    (tmp_path / ROUTES_NAME).symlink_to(catalog.shipped_folder() / ROUTES_NAME)
    monkeypatch.setattr(catalog, "shipped_folder", lambda: tmp_path)
    return tmp_path


@pytest.mark.usefixtures("shelf")
def test_held_out_prompts_go_to_the_model_of_their_task() -> None:
    right = {
        task: sum(route(prompt) == catalog.model_for(task) for prompt in prompts_of(task, 50, seed=1, split="test"))
        for task in task_names()
    }
    # Short sentences to be rewritten are the hardest to tell from those of records and pages.
    assert right.pop("rewrite") >= 42
    # What a function should do is said in the words that ask for one; `redraft edit` knows that one is there.
    assert right.pop("repair") >= 40
    assert min(right.values()) >= 48
    assert sum(right.values()) >= 0.99 * 50 * len(right)


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("prompt", "model"),
    [
        ("2 + 3", "nano"),
        ("(√81 × 2/3)² − 15 ÷ 3", "nano"),
        ("how many primes between 150 and 250? the count first, then the list", "nano"),
        ("write a function that doubles every number of a list", "coder"),
        ("fix the syntax error in line 2 of the function", "fixer"),
        ("solve this sudoku\n1...\n..1.\n.1..\n...1", "solver"),
        ("reach 24 with 4, 7 and 8", "solver"),
        ("a web page with a counter", "writer"),
        ("Bob is 12 years old. Give me name and age as JSON.", "writer"),
        ("", "nano"),
        ("ᚠᚢᚦ", "nano"),
    ],
)
def test_prompts_in_other_words(prompt: str, model: str) -> None:
    assert route(prompt) == model


@pytest.mark.usefixtures("shelf")
def test_held_out_drafts_go_to_the_model_of_their_task() -> None:
    for task, model in (("repair", "fixer"), ("rewrite", "editor")):
        rng = random.Random(f"1/{task}")
        problems = [get_task(task).generate(rng, split="test") for _ in range(80)]
        chosen = [route_edit(problem.draft or "", problem.prompt) for problem in problems]
        assert chosen.count(model) >= 76, task
        if task == "repair":
            assert [route_edit(problem.draft or "", None) for problem in problems].count("fixer") == 80


def test_texts_and_programs_are_told_apart(shelf: Path) -> None:
    function = "def double(values):\n    return [2 * value for value in value]"
    assert route_edit(function, None) == "fixer"
    assert route_edit("Teh report is late.\nPlease send it.", None) == "editor"
    assert route_edit("Teh report is late.", "fix the syntax error in the function") == "editor"
    (shelf / "fixer").unlink()
    assert route_edit(function, None) == "editor"


def test_only_what_ships_is_chosen(shelf: Path) -> None:
    (shelf / "solver").unlink()
    assert route("solve this sudoku\n1...\n..1.\n.1..\n...1") != "solver"


def test_the_scores_are_log_likelihoods() -> None:
    routes = learn_routes({"one": ["a b", "a"], "two": ["b"]}, least_count=1)
    # Half a prompt is added: "a" in 2 of 2 prompts and in 0 of 1, to a tenth of a nat.
    assert routes.log_shares["a"] == (-0.2, -1.4)
    assert routes.scores("a ? a") == {"one": -0.2, "two": -1.4}
    assert routes.scores("") == {"one": 0.0, "two": 0.0}


def test_numbers_are_one_word_and_signs_are_words() -> None:
    assert features("12 3") == {"0", "0 0"}
    assert features("数独 Go_1") == {"数", "独", "go", "_", "0", "数 独", "独 go", "go _", "_ 0"}
    assert features("x" * 5000) == {"x" * 4000}


@pytest.mark.slow
def test_the_table_that_ships_is_what_the_tasks_say_today() -> None:
    path = catalog.shipped_folder() / ROUTES_NAME
    assert path.read_text(encoding="utf-8") == to_json(learn_shipped_routes()), (
        "run python -m redraft.evaluation.routes"
    )


@pytest.mark.parametrize(
    "text", ["", "{}", '{"models": 1, "log_shares": {}}', '{"models": [], "log_shares": {"a": "x"}}']
)
def test_a_damaged_table_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    (tmp_path / ROUTES_NAME).write_text(text)
    monkeypatch.setattr(catalog, "shipped_folder", lambda: tmp_path)
    with pytest.raises(CheckpointError, match=r"routes\.json"):
        route("2 + 3")


def test_routing_needs_no_torch() -> None:
    program = "import sys; from redraft.engine import route; route('2 + 3'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0


def test_tables_survive_the_file() -> None:
    routes = Routes(models=("a", "b"), log_shares={'"': (-1.5, 0.0), "数 独": (-2.0, -3.1)})
    read = json.loads(to_json(routes))
    assert read == {"models": ["a", "b"], "log_shares": {'"': [-1.5, 0.0], "数 独": [-2.0, -3.1]}}
