"""The command line keeps its promises: help, exit status, JSON fields, same bytes, no odd prompt kills it."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pexpect
import pytest

import redraft
from redraft.engine.catalog import shipped_folder
from redraft.engine.published import DtypeName
from redraft.engine.routing import ROUTES_NAME
from redraft.evaluation.suites import SUITE_NAMES
from redraft.interfaces import cli
from redraft.interfaces.help_page import help_page
from redraft.interfaces.output import harmless
from redraft.sampler.settings import Effort
from redraft.tasks import task_names
from redraft.tasks.problem import Order, Split

ROOT = Path(__file__).resolve().parents[2]

FIELDS = {
    "id": str,
    "text": str,
    "model": str,
    "seed": int,
    "finish_reason": str,
    "prompt_tokens": int,
    "completion_tokens": int,
    "nfe": int,
    "tokens_per_forward": float,
    "revised_tokens": int,
    "seconds": dict,
    "tokens_per_second": float,
}


class Ran:
    """What a command printed and returned."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a command in this process."""
    monkeypatch.delenv("REDRAFT_DEBUG", raising=False)

    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        status = cli.main(arguments)
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return call


def process(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "redraft", *arguments],
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
        env=os.environ | environment,
    )


# -- help -------------------------------------------------------------------------------------------------------------


def test_the_help_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert page == help_page(), "run `python -m redraft.interfaces.help_page > docs/cli.md`"


def test_the_choices_are_those_of_the_rooms_below() -> None:
    assert get_args(cli.EffortName) == get_args(Effort)
    assert get_args(cli.WeightsName) == get_args(DtypeName)
    assert get_args(cli.SuiteName) == SUITE_NAMES
    assert get_args(cli.OrderName) == get_args(Order)
    assert get_args(cli.SplitName) == get_args(Split)


def test_the_version(run: Any) -> None:
    assert run("--version").out == f"redraft {redraft.__version__}\n"


def test_without_a_command_there_is_help(run: Any) -> None:
    assert run().out == run("--help").out
    assert run().status == 0


# -- exit status and errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["imagine"], "imagine"),
        (["generate"], "PROMPT"),
        (["generate", "x", "--prompts", "y"], "either"),
        (["generate", "x", "--colour"], "--colour"),
        (["generate", "x", "--seed", "y"], "--seed"),
        (["generate", "x", "--effort", "maximal"], "instant"),
        (["generate", "x", "--model", "nanno"], "nanno"),
        (["generate", "x", "--model", "./nowhere"], "./nowhere"),
        (["generate", "--prompts", "/nowhere.jsonl"], "/nowhere.jsonl"),
        (["train"], "RECIPE"),
        (["train", "nowhere.toml"], "nowhere.toml"),
        (["eval"], "SUITE"),
        (["eval", "poetry"], "arithmetic"),
        (["eval", "primes", "--count", "0"], "count=0"),
        (["eval", "primes", "--order", "x"], "answer_first"),
        (["models", "x"], "x"),
        (["models", "inspect"], "MODEL"),
        (["models", "inspect", "nanno"], "nano"),
        (["models", "inspect", "./nowhere"], "./nowhere"),
        (["models", "--json", "inspect", "nano"], "after the command"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(run: Any, arguments: list[str], words: str) -> None:
    ran = run(*arguments)
    assert ran.status == 2, ran.err
    assert ran.out == ""
    assert ran.err.startswith("redraft: ")
    assert ran.err.count("\n") == 1
    assert words in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([""], "empty"),
        (["1" * 300], "256"),
        (["x", "--seed", "-1"], "seed=-1"),
        (["x", "--seed", str(1 << 63)], "seed"),
        (["x", "--steps", "0"], "max_steps"),
        (["x", "--threshold", "2"], "threshold"),
        (["x", "--threshold", "nan"], "threshold"),
        (["x", "--temperature", "-1"], "temperature"),
        (["x", "--max-tokens", "0"], "max_new_tokens"),
        (["x", "--max-tokens", "1000"], "max_new_tokens"),
        (["\udcff"], "surrogate"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(
    run: Any, tiny_checkpoint: Path, arguments: list[str], words: str
) -> None:
    ran = run("generate", "--model", str(tiny_checkpoint), *arguments)
    assert ran.status == 2, ran.err
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert words in ran.err


def test_a_damaged_model_is_one_line_and_status_1(run: Any, tiny_checkpoint: Path, tmp_path: Path) -> None:
    for file in tiny_checkpoint.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[: 1000 if file.suffix == ".safetensors" else None])
    ran = run("generate", "x", "--model", str(tmp_path))
    assert ran.status == 1
    assert ran.err.count("\n") == 1
    assert "model.safetensors" in ran.err


def test_a_fault_of_ours_is_one_line_unless_debugging(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr("redraft.interfaces.models.shipped", broken)
    ran = run("models")
    assert ran.status == 1
    assert ran.err == "redraft: internal error, ZeroDivisionError: oh no (REDRAFT_DEBUG=1 shows where)\n"
    monkeypatch.setenv("REDRAFT_DEBUG", "1")
    ran = run("models")
    assert ran.status == 1
    assert "Traceback" in ran.err


@pytest.mark.parametrize("error", [KeyboardInterrupt, BrokenPipeError])
def test_interrupts_and_closed_pipes_end_without_a_traceback(
    run: Any, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def stop() -> None:
        raise error

    monkeypatch.setattr("redraft.interfaces.models.shipped", stop)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    ran = run("models")
    assert ran.status == 1
    assert ran.err == ("redraft: interrupted\n" if error is KeyboardInterrupt else "")


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_error(tiny_checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"prompt": "1 + 1"}\n' * 2000)
    command = f"{sys.executable} -m redraft generate --model {tiny_checkpoint} --prompts {tmp_path}/p.jsonl | head -n 1"
    ran = subprocess.run(command, shell=True, capture_output=True, timeout=120, check=True)
    assert json.loads(ran.stdout)["id"] == 1
    assert ran.stderr == b""


_RESTORED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from redraft.interfaces.cli import main
raise SystemExit(main({words!r}))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_ctrl_c_ends_a_process_without_a_traceback(tiny_checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"prompt": "1 + 1"}\n' * 100_000)
    words = ["generate", "--model", str(tiny_checkpoint), "--prompts", str(tmp_path / "p.jsonl")]
    # Where the tests run in the background of a script, Ctrl-C is ignored, and a child would inherit that.
    own_command = [sys.executable, "-c", _RESTORED.format(words=words)]
    with subprocess.Popen(own_command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        _, complaint = child.communicate(timeout=60)
    assert child.returncode == 1
    assert complaint == b"redraft: interrupted\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line_and_status_1() -> None:
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "redraft", "models"], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert ran.returncode == 1
    assert b"No space left on device" in ran.stderr
    assert b"Traceback" not in ran.stderr


# -- generate ---------------------------------------------------------------------------------------------------------


def test_json_has_the_documented_fields_and_nothing_else(run: Any, tiny_checkpoint: Path) -> None:
    ran = run("generate", "1 + 2", "--json", "--model", str(tiny_checkpoint), "--seed", "3", "--max-tokens", "9")
    (record,) = ran.records
    assert ran.status == 0
    assert ran.err == ""
    assert list(record) == list(FIELDS)
    assert all(isinstance(record[name], kind) for name, kind in FIELDS.items())
    assert record["seed"] == 3
    assert record["completion_tokens"] <= 9
    assert list(record["seconds"]) == ["tokenize", "prefill", "denoise", "filter", "detokenize", "total"]


@pytest.mark.slow
def test_text_json_and_prompts_agree(run: Any, tiny_checkpoint: Path, tmp_path: Path) -> None:
    prompts = ["1 + 2", "质数", "primes between 10 and 20"]
    lines = [json.dumps({"id": f"p{i}", "prompt": prompt}) for i, prompt in enumerate(prompts)]
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    flags = ["--model", str(tiny_checkpoint), "--seed", "5", "--temperature", "0.8"]
    many = run("generate", "--prompts", str(tmp_path / "p.jsonl"), *flags).records
    assert [record["id"] for record in many] == ["p0", "p1", "p2"]
    for prompt, record in zip(prompts, many, strict=True):
        (alone,) = run("generate", prompt, "--json", *flags).records
        assert run("generate", prompt, *flags).out == alone["text"] + "\n"
        assert alone["text"] == record["text"]
        assert alone["nfe"] == record["nfe"]


def test_a_prompt_from_standard_input(run: Any, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ["--model", str(tiny_checkpoint)]
    wanted = run("generate", "1 + 2", *flags).out
    for raw in (b"1 + 2", b"1 + 2\n", b"1 + 2\r\n"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
        assert run("generate", "-", *flags).out == wanted
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    ran = run("generate", "-", *flags)
    assert ran.status == 2, ran.err
    assert "UTF-8" in ran.err
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"prompt": "1 + 2"}\n')))
    assert run("generate", "--prompts", "-", *flags).records[0]["text"] + "\n" == wanted


@pytest.mark.slow
def test_odd_prompts_each_get_text_or_one_clear_error(
    run: Any, tiny_checkpoint: Path, tmp_path: Path, odd_prompts: tuple[str, ...]
) -> None:
    assert len(odd_prompts) >= 200
    lines = [json.dumps({"id": i, "prompt": prompt}) for i, prompt in enumerate(odd_prompts)]
    halves = ['{"id": "half", "prompt": "\\ud800"}', "not json", '{"id": "x"}', '{"id": "\\udfff", "prompt": "1"}']
    (tmp_path / "p.jsonl").write_text("\n".join([*lines, *halves]) + "\n")
    flags = ["--model", str(tiny_checkpoint), "--effort", "instant", "--steps", "2"]
    ran = run("generate", "--prompts", str(tmp_path / "p.jsonl"), *flags)
    assert ran.status == 0
    assert ran.err == ""
    records = ran.records
    assert [record["id"] for record in records] == [*range(len(odd_prompts)), "half", None, "x", "\udfff"]
    for prompt, record in zip(odd_prompts, records, strict=False):
        if "error" in record:
            assert record.keys() == {"id", "error"}
            assert record["error"]["type"] == ("ContextLengthError" if prompt else "PromptError")
            assert not prompt or len(prompt.encode()) > 200
        else:
            assert list(record) == list(FIELDS)
    assert [record["error"]["type"] for record in records[-4:-1]] == ["PromptError"] * 3
    # A second time, and in other company, all but the clock is the same.
    (tmp_path / "p.jsonl").write_text("\n".join(lines[::-9]) + "\n")
    again = run("generate", "--prompts", str(tmp_path / "p.jsonl"), *flags).records
    for first, second in zip(records[: len(odd_prompts)][::-9], again, strict=True):
        clock = {name: second[name] for name in ("seconds", "tokens_per_second") if name in second}
        assert first | clock == second


# -- a process of its own ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_locale_does_not_matter(tiny_checkpoint: Path) -> None:
    ran = process(
        "generate", "质数", "--model", str(tiny_checkpoint), LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    )
    assert ran.returncode == 0, ran.stderr
    ran.stdout.decode()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_on_a_terminal_the_canvas_settles_and_the_answer_stays(run: Any, tiny_checkpoint: Path) -> None:
    flags = ["generate", "1 + 2", "--model", str(tiny_checkpoint), "--pace", "5"]
    wanted = run(*flags).out
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "120"}
    child = pexpect.spawn(sys.executable, ["-m", "redraft", *flags], env=environment, dimensions=(40, 120), timeout=60)
    child.expect(pexpect.EOF)
    child.close()
    shown = child.before.decode()
    assert child.exitstatus == 0
    assert "░" in shown
    assert "pass 1 " in shown
    assert "tokens per pass" in shown
    assert harmless(wanted).rstrip("\n").replace("\n", "\r\n") in shown


@pytest.mark.slow
def test_light_commands_do_not_wait_for_torch() -> None:
    program = (
        "import sys; from redraft.interfaces.cli import main; status = main(sys.argv[1:]); "
        "sys.exit(status or 'torch' in sys.modules)"
    )
    for arguments in (["--help"], ["models"], ["models", "--json"], ["generate", "--help"]):
        ran = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stderr


# -- models, eval, train ----------------------------------------------------------------------------------------------


@pytest.fixture
def four_models(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the models that ship be four names of the tiny one."""
    for name in ("coder", "editor", "filler", "nano"):
        (tmp_path / name).symlink_to(tiny_checkpoint)
    (tmp_path / ROUTES_NAME).symlink_to(shipped_folder() / ROUTES_NAME)
    monkeypatch.setattr("redraft.engine.catalog.shipped_folder", lambda: tmp_path)


@pytest.mark.usefixtures("four_models")
def test_models_as_a_table_and_as_json(run: Any) -> None:
    (record,) = run("models", "--json").records
    assert [entry["name"] for entry in record["models"]] == ["coder", "editor", "filler", "nano"]
    rows = run("models").out.splitlines()[1:]
    assert [(row.split()[0], row.partition("(")[2]) for row in rows] == [
        ("coder", ""),
        ("editor", "edit)"),
        ("filler", "infill)"),
        ("nano", "default)"),
    ]


@pytest.mark.usefixtures("four_models")
def test_each_command_takes_the_model_that_ships_for_it(run: Any, tmp_path: Path) -> None:
    (tmp_path / "draft.txt").write_text("7")
    asked = {
        "nano": (["generate", "1 + 1"], ["eval", "primes", "--count", "1"]),
        "editor": (
            ["edit", str(tmp_path / "draft.txt"), "--effort", "instant"],
            ["eval", "rewrite", "--count", "1", "--effort", "instant"],
        ),
        "filler": (["infill", "--prefix", "7", "--effort", "instant"],),
        "coder": (
            ["generate", "write a function that doubles every number of a list"],
            ["eval", "code", "--count", "1", "--effort", "instant"],
        ),
    }
    for name, commands in asked.items():
        for command in commands:
            assert run(*command, "--json").records[0]["model"] == name


@pytest.mark.slow
@pytest.mark.parametrize("suite", task_names())
def test_eval_reports_with_its_command(run: Any, tiny_checkpoint: Path, suite: str) -> None:
    flags = ["eval", suite, "--count", "6", "--seed", "7", "--effort", "instant", "--model", str(tiny_checkpoint)]
    ran = run(*flags, "--json")
    (report,) = ran.records
    assert ran.status == 0
    assert report["suite"] == suite
    assert report["command"] == " ".join(["redraft", *flags, "--json"])
    assert report["answer_accuracy"]["total"] == 6
    assert len(report["model_digest"]) == 64
    assert "all" in run(*flags).out


def test_eval_turns_the_dials(run: Any, tiny_checkpoint: Path) -> None:
    flags = ["eval", "arithmetic", "--count", "4", "--effort", "instant", "--model", str(tiny_checkpoint)]
    (report,) = run(*flags, "--dial", "min_steps=3", "--dial", "max_steps=3", "--json").records
    assert report["dials"] == {"min_steps": 3, "max_steps": 3}
    assert [row["num_steps"] for row in report["by_num_steps"]] == [3]
    for bad in ("max_steps", "max_steps=x", "max_steps=-1", "=3", "max_stps=3", "max_steps=99"):
        ran = run(*flags, "--dial", bad)
        assert (ran.status, ran.out) == (2, ""), bad
    assert "given twice" in run(*flags, "--dial", "max_steps=4", "--dial", "max_steps=5").err


def test_eval_of_several_tasks_refuses_what_has_no_effect(run: Any, tiny_checkpoint: Path, tmp_path: Path) -> None:
    flags = ["--count", "1", "--effort", "instant", "--model", str(tiny_checkpoint)]
    for bad in (
        ["correction", "--dial", "max_steps=4"],
        ["arithmetic", "--plot", str(tmp_path / "a.png")],
        ["passes", "--plot", str(tmp_path / "nowhere" / "a.png")],
    ):
        ran = run("eval", *bad, *flags)
        assert (ran.status, ran.out) == (2, ""), bad
        assert ran.err.count("\n") == 1
    ran = run("eval", "correction", *flags, "--json")
    assert (ran.status, ran.out) == (2, "")
    assert "on a canvas of 24" in ran.err, "the tiny checkpoint has no room for an answer"


@pytest.mark.model
@pytest.mark.slow
def test_eval_plants_errors_in_the_answers_of_several_tasks(run: Any) -> None:
    flags = ["eval", "correction", "--count", "1", "--effort", "instant"]
    (report,) = run(*flags, "--json").records
    assert sorted(report["tasks"]) == ["arithmetic", "primes"]
    assert report["command"] == " ".join(["redraft", *flags, "--json"])
    assert len(report["model_digest"]) == 64
    assert "planted" in run(*flags).out


@pytest.mark.slow
def test_train_makes_a_model_that_generate_takes(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redraft.interfaces.train._PROBLEMS_PER_TASK", 2)
    (tmp_path / "r.toml").write_text(
        "[model]\nwidth = 32\nnum_heads = 2\nnum_prelude_layers = 1\ncanvas_length = 112\n"
        '[[data.mixture]]\ntask = "primes"\n'
        '[train]\nmax_steps = 3\nplot = "never"\nvalidate_batches = 0\ndevice = "cpu"\n'
    )
    flags = ["train", str(tmp_path / "r.toml"), "--run-dir", str(tmp_path / "run")]
    assert run(*flags, "--set", "train.max_stps=2").status == 2
    ran = run(*flags, "--set", "train.max_steps=2")
    assert ran.status == 0, ran.err
    assert "accuracy/primes" in ran.out
    assert run("generate", "x", "--model", str(tmp_path / "run" / "model"), "--effort", "instant").status == 0
    config = json.loads((tmp_path / "run" / "model" / "config.json").read_bytes())
    assert config["extra"]["sampler"] == {"canvas_length": 104, "max_new_tokens": 104}
