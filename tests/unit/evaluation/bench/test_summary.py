"""Figures are made of turns: medians with their spread, ratios within a repeat, shares with counts."""

from typing import Any

import pytest

from redraft.evaluation.bench.spread import Spread, ratio
from redraft.evaluation.bench.summary import Cell, accuracy_rows, speed_rows
from redraft.evaluation.bench.turn import STAGES, Turn


def turn(tokens: int, wall_s: float, **changes: Any) -> Turn:
    values: dict[str, Any] = {
        "wall_s": wall_s,
        "num_answers": 2,
        "prompt_tokens": 20,
        "completion_tokens": tokens,
        "nfe": 10,
        "stage_s": dict.fromkeys(STAGES, 0.5),
        "first_draft_s": (0.25,),
        "right": {"arithmetic": (1, 0, 2)},
    }
    return Turn(**values | changes)


def cell(arm: str, *turns: Turn) -> Cell:
    return Cell(arm=arm, effort="medium" if arm == "diffusion" else "", prompt="short", batch=1, turns=turns)


def test_ratios_are_taken_within_a_repeat() -> None:
    # The machine was half as fast in the second repeat: it met both arms, and the ratio does not see it.
    ours = cell("diffusion", turn(100, 1.0), turn(100, 2.0), turn(100, 1.0))
    theirs = cell("autoregressive", turn(50, 1.0), turn(50, 2.0), turn(50, 1.25))
    row, baseline = speed_rows([ours, theirs])
    assert row["tokens_per_second"] == {"median": 100.0, "low": 50.0, "high": 100.0, "n": 3}
    assert row["over_autoregressive"] == {"median": 2.0, "low": 2.0, "high": 2.5, "n": 3}
    assert baseline["over_autoregressive"]["median"] == 1.0
    assert "over_llama" not in row, "an arm that took no part is no baseline"


def test_a_row_holds_what_an_answer_took() -> None:
    (row,) = speed_rows([cell("diffusion", turn(100, 1.0), turn(100, 1.0))])
    assert (row["arm"], row["effort"], row["prompt"], row["batch"]) == ("diffusion", "medium", "short", 1)
    assert (row["answers"], row["completion_tokens_mean"], row["nfe_mean"]) == (4, 50.0, 5.0)
    assert row["tokens_per_forward"] == 10.0
    assert row["stage_s_mean"] == dict.fromkeys(STAGES, 0.25)
    assert row["first_draft_s"]["n"] == 2
    (row,) = speed_rows([cell("diffusion", turn(100, 1.0, first_draft_s=()))])
    assert row["first_draft_s"] is None


def test_shares_are_by_task_and_of_all() -> None:
    right = {"arithmetic": (3, 2, 4), "code": (1, 1, 4)}
    rows = accuracy_rows([cell("diffusion", turn(1, 1.0, right=right))])
    assert [row["task"] for row in rows] == ["arithmetic", "code", "all"]
    assert (rows[2]["answer_accuracy"]["successes"], rows[2]["accuracy"]["successes"]) == (4, 3)
    assert rows[2]["accuracy"]["total"] == 8


def test_turns_travel(tmp_path: Any) -> None:
    one = turn(7, 2.0)
    assert Turn.from_dict(one.to_dict()) == one
    assert turn(1, 0.0).tokens_per_second == 0.0


def test_a_spread_of_nothing_is_a_mistake() -> None:
    assert Spread.of([4.0]).to_dict() == {"median": 4.0, "low": 4.0, "high": 4.0, "n": 1}
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])
