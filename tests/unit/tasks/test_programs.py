"""Programs: their meaning, their text and their spelling agree, and each step matters."""

import random

import pytest

from redraft.tasks.code import Code, CodeDials
from redraft.tasks.programs import (
    OPERATIONS,
    Program,
    Step,
    canonical,
    count_programs,
    describe,
    draw_program,
    draw_signature,
    grading_inputs,
    noun,
    outcomes,
    probes,
    read_program,
    render,
)
from redraft.tasks.programs.expressions import CHANGES, TESTS, read
from redraft.tasks.sandbox import default_sandbox, spelled

ALL = [operation for table in OPERATIONS.values() for operation in table.values()]


def draw_many(count: int, seed: int, max_steps: int = 3) -> list[Program]:
    rng = random.Random(seed)
    drawn = (draw_program(rng, min_steps=1, max_steps=max_steps, guard_percent=20) for _ in range(3 * count))
    return [program for program in drawn if program is not None][:count]


@pytest.mark.slow
@pytest.mark.parametrize("operation", ALL, ids=lambda operation: f"{operation.takes}-{operation.name}")
def test_each_operation_means_what_its_python_does(operation) -> None:
    """Ours is computed in this process from our own functions; theirs is the text, run in the sandbox."""
    rng = random.Random(operation.name)
    inputs = [*probes(operation.takes), *grading_inputs(operation.takes, operation.name, 5)]
    for _ in range(2):
        program = Program(takes=operation.takes, guard="", steps=(Step(operation, operation.draw(rng)),))
        text = render(program, "f", draw_signature(operation.takes, rng).argument)
        trial = default_sandbox().run(text, "f", [(value,) for value in inputs])
        assert trial.outputs == tuple(spelled(program.run(value)) for value in inputs), text
        assert trial.fault == ""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_operation_has_words_that_name_all_its_parts(language) -> None:
    rng = random.Random(3)
    for operation in [each for each in ALL for _ in range(6)]:
        parts = operation.draw(rng)
        words = noun(operation, parts, language=language, source="SOURCE", rng=rng)
        assert not set(words) & set("@{}|")
        for part in operation.readings(parts):
            constant = part if isinstance(part, str) else part.constant
            assert constant in words
        if operation.name not in ("map", "mapif") or operation.takes != "number":
            assert "SOURCE" in words


def test_chains_of_operations_mean_what_their_python_does() -> None:
    rng = random.Random(4)
    for program in draw_many(40, seed=4, max_steps=5):
        argument = draw_signature(program.takes, rng).argument
        inputs = probes(program.takes)
        trial = default_sandbox().run(render(program, "f", argument), "f", [(value,) for value in inputs])
        assert trial.outputs == tuple(spelled(program.run(value)) for value in inputs), str(program)


def test_a_spelling_is_read_back_and_no_step_can_be_left_out() -> None:
    for program in draw_many(80, seed=5):
        again = read_program(str(program))
        assert again == program
        assert outcomes(again) == outcomes(program)
        for place, step in enumerate(program.steps):
            if step.operation.takes == step.operation.gives and len(program.steps) > 1:
                rest = program.steps[:place] + program.steps[place + 1 :]
                shorter = Program(takes=program.takes, guard=program.guard, steps=rest)
                assert outcomes(shorter) != outcomes(program)


def test_steps_that_may_change_places_have_one_canonical_order() -> None:
    one, other = (read_program(f"ints>{steps}") for steps in ("keep even>down>sum", "down>keep even>sum"))
    assert canonical(one) == canonical(other)
    first, second = (read_program(f"ints>{steps}") for steps in ("keep even>first 3", "first 3>keep even"))
    assert canonical(first) != canonical(second)
    for program in draw_many(60, seed=6):
        assert outcomes(canonical(program)) == outcomes(program)
        assert canonical(canonical(program)) == canonical(program)


def test_comprehensions_join_as_a_person_would_write_them() -> None:
    def text(spelling: str) -> str:
        return render(read_program(spelling), "f", "xs").partition("\n    ")[2]

    assert text("ints>keep even>map square>sum") == "return sum(x * x for x in xs if x % 2 == 0)"
    assert text("ints>keep even>keep gt 3") == "return [x for x in xs if x % 2 == 0 and x > 3]"
    assert text("ints>map square>keep even").startswith("xs = [x * x for x in xs]\n    return [x for x in xs if")
    assert text("ints>keep even>max -1") == "return max((x for x in xs if x % 2 == 0), default=-1)"
    assert text("ints -1>up>first 3") == "if not xs:\n        return -1\n    xs = sorted(xs)\n    return xs[:3]"


def test_names_on_the_way_never_hide_one_another() -> None:
    spelling = "ints>sums>while gt 3>product>repeat 2,3,1>digit>tally"
    program = read_program(spelling)
    text = render(program, "f", "xs")
    trial = default_sandbox().run(text, "f", [(value,) for value in probes("ints")])
    assert trial.outputs == tuple(spelled(program.run(value)) for value in probes("ints")), text


def test_constants_are_numbers_in_code_and_meaning() -> None:
    assert read(TESTS, "gt 3").run(4) is True
    assert read(CHANGES, "from 100").code("x") == "100 - x"
    assert read(CHANGES, "from 100").run(1) == 99


def test_descriptions_have_one_to_four_sentences_and_the_signature() -> None:
    rng = random.Random(7)
    for program in draw_many(60, seed=7):
        signature = draw_signature(program.takes, rng)
        for language in ("en", "zh"):
            text = describe(program, signature, language, rng)
            assert str(signature) in text
            assert text == text.strip()
            assert "  " not in text.replace("'  '", "")
            assert text.count("。" if language == "zh" else ". ") <= 5


def test_there_are_many_programs() -> None:
    assert count_programs(1, 1) > 10_000
    assert count_programs(1, 2) > 10_000_000
    keys = {Code().generate(random.Random(seed), dials=CodeDials(min_steps=2)).key for seed in range(100)}
    assert len(keys) > 95
