"""The sandbox against hostile programs: nothing leaves it, nothing stays, no other verdict can be touched."""

import json
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from redraft.tasks.sandbox import Limits, Sandbox, spelled
from redraft.tasks.sandbox.inside.plain import decoded
from redraft.tasks.sandbox.launch import has_bubblewrap
from redraft.tasks.sandbox.system_calls import filter_program

DOUBLE = "def f(x):\n    return x * 2\n"
is_filtered = bool(filter_program())
needs_filter = pytest.mark.skipif(not is_filtered, reason="no filter of system calls on this system")


@pytest.fixture(scope="module", params=[False, True], ids=["limits", "bubblewrap"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    if request.param and not has_bubblewrap():
        pytest.skip("bubblewrap is not installed, or may not make namespaces here")
    box = Sandbox(Limits(seconds=1.0), uses_bubblewrap=request.param)
    yield box
    box.close()


def body(*lines: str) -> str:
    return "def f(x):\n" + "".join(f"    {line}\n" for line in lines)


def test_it_returns_what_each_call_returns(sandbox: Sandbox) -> None:
    trial = sandbox.run(DOUBLE, "f", [(2,), ("a",), ([1],), (None,), ((1, 2.5),)])
    assert trial.outputs == ("4", '"aa"', spelled([1, 1]), None, spelled((1, 2.5, 1, 2.5)))
    assert trial.fault == "TypeError"


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("", "NameError"),
        ("f = 3", "NameError"),
        ("def f(x:\n", "SyntaxError"),
        ("\x00", "SyntaxError"),
        ("\ud800", "UnicodeEncodeError"),
        ("import sys\nsys.exit(0)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import os\nos._exit(0)", "ended"),
        ("import os\nos.abort()", "ended"),
        (body("raise SystemExit"), "SystemExit"),
        (body("import os", "os._exit(0)"), "ended"),
        (body("return f(x)"), "RecursionError"),
        (body("return object()"), "ValueError"),
        (body("return print"), "ValueError"),
        (body("a = []", "a.append(a)", "return a"), "ValueError"),
        (body("return 10 ** 5000"), "ValueError"),
        (
            "class List(list):\n    def __eq__(self, other):\n        return True\ndef f(x):\n    return List()",
            "ValueError",
        ),
        (body("return 'a' * 1000000"), "output"),
    ],
)
def test_what_ends_badly_ends_as_a_fault(sandbox: Sandbox, source: str, fault: str) -> None:
    trial = sandbox.run(source, "f", [(1,)])
    assert trial.outputs == (None,)
    assert trial.fault == fault
    assert sandbox.run(DOUBLE, "f", [(4,)]).outputs == ("8",)


@pytest.mark.parametrize("source", ["while True: pass", body("while True: pass"), "import time\ntime.sleep(60)"])
def test_what_never_ends_is_ended(sandbox: Sandbox, source: str) -> None:
    since = time.monotonic()
    assert sandbox.run(source, "f", [(1,)]).fault == "time"
    assert time.monotonic() - since < 10


@pytest.mark.parametrize(
    "source",
    ["x = 'a' * 10**10", "x = [0]\nwhile True: x = x + x", "x = bytearray(1 << 33)", "x = list(range(10**9))"],
)
def test_memory_is_bounded(sandbox: Sandbox, source: str) -> None:
    assert sandbox.run(source, "f", [(1,)]).fault in ("MemoryError", "time", "ended")


@pytest.mark.parametrize(
    "line",
    [
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "__import__('_thread').start_new_thread(print, ())",
        "os.kill(os.getpid(), 0)",
        "os.kill(1, 9)",
        "os.killpg(0, 9)",
        "open('file', 'w')",
        "os.mkdir('folder')",
        "open('/dev/null', 'w')",
        "os.memfd_create('m')",
        "__import__('_socket').socket()",
        "os.execv('/bin/true', ['true'])",
        "os.setuid(0)",
        "os.truncate('/dev/null', 0)",
        "__import__('resource').prlimit(os.getpid(), 7, (9, 9))",
        "os.getppid() > 0 or 1 / 0",
    ],
)
@needs_filter
def test_the_kernel_refuses_all_but_computing(sandbox: Sandbox, line: str) -> None:
    trial = sandbox.run(f"import os\ndef f(x):\n    if {line} is not None:\n        return 1\n", "f", [(1,)])
    assert trial.outputs == (None,)
    assert trial.fault != "ended"
    assert sandbox.run(DOUBLE, "f", [(4,)]).outputs == ("8",)


def test_a_fork_bomb_gets_nowhere(sandbox: Sandbox) -> None:
    trial = sandbox.run(
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass", "f", [(1,)]
    )
    assert trial.fault == "time"
    assert sandbox.run(DOUBLE, "f", [(4,)]).outputs == ("8",)


def test_printing_says_nothing(sandbox: Sandbox) -> None:
    fake = json.dumps({"outputs": ["8"], "fault": ""})
    for stream in ("stdout", "stderr", "__stdout__"):
        source = f"import sys\ndef f(x):\n    sys.{stream}.write({fake!r})\n    sys.{stream}.flush()\n    return 3"
        assert sandbox.run(source, "f", [(4,)]).outputs == ("3",)


def test_every_channel_that_it_has_carries_its_own_values_only(sandbox: Sandbox) -> None:
    """Forging a reply on every open file is no more than returning these values: what is right was never told."""
    fake = json.dumps({"outputs": ["7", "7"], "fault": ""}).encode()
    lines = [
        "for i in range(64):",
        "    try:",
        f"        os.write(i, {fake!r})",
        "    except OSError: pass",
        "os._exit(0)",
    ]
    trial = sandbox.run("import os\n" + body(*lines), "f", [(3,), (4,)])
    assert trial.outputs == ("7", "7")
    frame = struct.pack(">I", len(fake) + 1) + b"d" + fake
    lines[2] = f"        os.write(i, {frame!r} * 3)"
    assert sandbox.run("import os\n" + body(*lines), "f", [(3,), (4,)]).fault == "ended"
    for number in range(5):
        assert sandbox.run(DOUBLE, "f", [(number,), (5,)]).outputs == (str(number * 2), "10")


@pytest.mark.parametrize(
    "reply",
    ["[]", "{}", "nonsense", "[" * 100000, '{"outputs": 3, "fault": ""}', '{"outputs": [[1]], "fault": ""}', "\x00"],
)
def test_nonsense_for_a_reply_is_a_fault(sandbox: Sandbox, reply: str) -> None:
    lines = [
        "for i in range(3, 64):",
        "    try:",
        f"        os.write(i, {reply.encode()!r})",
        "    except OSError: pass",
    ]
    trial = sandbox.run("import os\n" + body(*lines, "os._exit(0)"), "f", [(3,)])
    assert trial.outputs == (None,)


def test_what_it_changes_in_python_ends_with_it(sandbox: Sandbox) -> None:
    source = """
import builtins, json, os, sys
json.dumps = lambda *_, **__: '{"outputs": ["99"], "fault": ""}'
os.write = os._exit = builtins.len = builtins.isinstance = lambda *_: 99
for module in list(sys.modules.values()):
    for name in ("spelled", "_tagged", "decoded"):
        if hasattr(module, name):
            setattr(module, name, lambda *_: "99")
def f(x):
    return x * 2
"""
    assert sandbox.run(source, "f", [(4,)]).outputs in (("8",), ("99",), (None,))
    assert sandbox.run(DOUBLE, "f", [(4,)]).outputs == ("8",)


@pytest.mark.slow
def test_it_sees_no_secret_and_an_empty_folder(sandbox: Sandbox) -> None:
    os.environ["REDRAFT_TEST_SECRET"] = "swordfish"
    try:
        sandbox.close()
        trial = sandbox.run("import os\n" + body("return [str(dict(os.environ)), os.listdir('.')]"), "f", [(1,)])
    finally:
        del os.environ["REDRAFT_TEST_SECRET"]
    environment, files = decoded(trial.outputs[0] or "")
    assert "swordfish" not in environment
    assert files == []
    assert sandbox.run("import os\n" + body("return os.getuid()"), "f", [(1,)]).outputs != ("0",)


@needs_filter
def test_the_server_s_memory_is_out_of_reach(sandbox: Sandbox) -> None:
    """The process that forks may be found by its number, and yet neither be read nor written."""
    lines = ["found = []", "for name in os.listdir('/proc'):", "    if name.isdigit() and name != str(os.getpid()):"]
    lines += [
        "        for mode in ('rb', 'r+b'):",
        "            try: found.append(open(f'/proc/{name}/mem', mode).read(1))",
    ]
    lines += ["            except OSError: pass", "return len(found)"]
    assert sandbox.run("import os\n" + body(*lines), "f", [(1,)]).outputs == ("0",)


@pytest.mark.skipif(not has_bubblewrap(), reason="bubblewrap is not installed, or may not make namespaces here")
def test_bubblewrap_shows_no_file_of_the_machine() -> None:
    box = Sandbox(uses_bubblewrap=True)
    lines = [f"return [os.path.exists(name) for name in ('/etc/passwd', '/var', {__file__!r}, '/sys')]"]
    assert box.run("import os\n" + body(*lines), "f", [(1,)]).outputs == (spelled([False] * 4),)
    box.close()


def test_without_a_filter_no_process_grades_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redraft.tasks.sandbox.host.filter_program", lambda: b"")
    box = Sandbox(uses_bubblewrap=False)
    for number in (3, 4):
        assert box.run(DOUBLE, "f", [(number,)]).outputs == (str(number * 2),)
        assert box._process is None
    trial = box.run("import os\n" + body("return os.fork()"), "f", [(1,)])
    assert trial.outputs == (None,), "a process of nobody's may not fork at all"


def test_a_server_that_is_killed_is_replaced() -> None:
    box = Sandbox(uses_bubblewrap=False)
    assert box.run(DOUBLE, "f", [(1,)]).outputs == ("2",)
    assert box._process is not None
    box._process.kill()
    assert box.run(DOUBLE, "f", [(2,)]).outputs == ("4",)
    thread = threading.Thread(target=box.close)
    thread.start()
    thread.join()
    assert box.run(DOUBLE, "f", [(3,)]).outputs == ("6",)
    box.close()


def test_nothing_is_left_behind_at_the_end() -> None:
    code = (
        "from redraft.tasks.sandbox import default_sandbox\n"
        "box = default_sandbox()\nbox.run('f = abs', 'f', [(1,)])\nprint(box._process.pid, box._folder.name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    number, folder = done.stdout.split()
    assert done.stderr == ""
    assert not os.path.exists(folder)
    with pytest.raises(ProcessLookupError):
        os.kill(int(number), 0)


@pytest.mark.parametrize(
    "value", [None, True, 1, 1.0, -0.0, "1", [], (), set(), {}, {1: [2]}, {(1, "a"): {3, 2}}, "é\ud800"]
)
def test_a_spelling_tells_values_and_types_apart(value: object) -> None:
    assert decoded(spelled(value)) == value
    assert type(decoded(spelled(value))) is type(value)
    others: list[object] = [None, True, 1, 1.0, "1", [], (), set(), {}]
    assert sum(spelled(value) == spelled(other) for other in others) == sum(
        value == other and type(value) is type(other) for other in others
    )


def test_order_counts_in_lists_alone() -> None:
    assert spelled({1: 2, 3: 4}) == spelled({3: 4, 1: 2})
    assert spelled({1, 2, 30}) == spelled({30, 2, 1})
    assert spelled([1, 2]) != spelled([2, 1])
    with pytest.raises(ValueError, match="nested"):
        spelled([[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]])


def test_other_machines_have_a_list_or_none() -> None:
    for machine in ("x86_64", "aarch64"):
        assert len(filter_program(machine)) // 8 < 200
    assert filter_program("riscv64") == b""
