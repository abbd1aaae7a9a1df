"""Every arm is asked the same: few questions are the first of many, and long prompts keep to their room."""

from dataclasses import replace

from redraft.evaluation.bench.workload import Workload, choose_tasks, draw_workload
from redraft.text import Tokenizer, encode_segment

WORKLOAD = Workload(tasks=("arithmetic", "primes"), count=4, seed=3, prompt="short", long_tokens=200)


def test_short_prompts_are_the_problem_alone_and_the_tasks_take_turns(tokenizer: Tokenizer) -> None:
    asked = draw_workload(WORKLOAD, tokenizer)
    assert [question.problem.task for question in asked] == ["arithmetic", "primes"] * 2
    for question in asked:
        assert [segment.text for segment in question.segments] == [question.problem.prompt]
        assert question.num_answer_tokens == len(tokenizer.encode(question.problem.answer_text))
    more = draw_workload(replace(WORKLOAD, count=7), tokenizer)
    assert more[:4] == asked
    assert len(more) == 7


def test_long_prompts_put_earlier_turns_before_the_same_problems(tokenizer: Tokenizer) -> None:
    short, long = draw_workload(WORKLOAD, tokenizer), draw_workload(replace(WORKLOAD, prompt="long"), tokenizer)
    assert [question.problem for question in long] == [question.problem for question in short]
    for question in long:
        roles = [segment.role for segment in question.segments]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
        length = sum(len(encode_segment(tokenizer, segment)) for segment in question.segments)
        assert 100 < length <= 200
        assert question.segments[-1].text == question.problem.prompt
    assert long[0].segments[0] != long[1].segments[0], "no two share a beginning that could be kept"


def test_order_and_dials_reach_the_generator(tokenizer: Tokenizer) -> None:
    workload = Workload.from_dict(
        {
            "tasks": ["arithmetic"],
            "count": 20,
            "seed": 3,
            "prompt": "short",
            "long_tokens": 200,
            "order": "derivation_first",
            "dials": [["min_steps", 3], ["max_steps", 3], ["max_value", 100]],
        }
    )
    for question in draw_workload(workload, tokenizer):
        assert (question.problem.order, question.problem.num_steps) == ("derivation_first", 3)


def test_what_a_model_was_not_trained_on_is_left_out() -> None:
    assert choose_tasks(["primes", "arithmetic", "largest"]) == ("arithmetic",)
    assert choose_tasks(["code", "arithmetic"]) == ("arithmetic", "code")
    assert choose_tasks(["primes", "no-such-task"]) == ("primes",)
    assert choose_tasks(None) == ("arithmetic", "code")
    assert choose_tasks(["no-such-task"]) == ("arithmetic", "code")
    assert choose_tasks(["arithmetic"], ["sudoku"]) == ("sudoku",)
