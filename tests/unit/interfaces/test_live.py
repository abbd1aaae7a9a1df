"""The canvas on a terminal: styles, pace, and nothing that the terminal would obey."""

import io
import time
from dataclasses import replace

import pytest
from rich.console import Console

from redraft.engine import Engine, Frame, Request
from redraft.interfaces.live import draw, summary, watch


def frames_of(engine: Engine) -> list[Frame]:
    return list(engine.stream(Request.from_prompt("2 + 2", settings=engine.settings("low"))))


def terminal(**options: object) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=80, height=20, **options)  # pyright: ignore


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_states_are_told_apart_without_colour(tiny_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = terminal()
    for frame in frames_of(tiny_engine):
        console.print(draw(frame, height=20))
    shown = text_of(console)
    assert "\x1b[1m" in shown
    assert "\x1b[2m░" in shown
    assert not any(f"\x1b[{colour}" in shown for colour in ("3", "4", "9"))


def test_a_watch_ends_with_the_result_and_leaves_nothing(tiny_engine: Engine) -> None:
    console = terminal()
    frames = frames_of(tiny_engine)
    assert watch(iter(frames), console, pace_ms=0.0) == frames[-1].result
    assert text_of(console).endswith("\x1b[?25h") or "\x1b[?25h" in text_of(console)


def test_the_pace_is_a_least_time_per_pass(tiny_engine: Engine) -> None:
    frames = frames_of(tiny_engine)
    frames = [*frames[:2], frames[-1]]
    started = time.monotonic()
    watch(iter(frames), terminal(), pace_ms=40.0)
    assert time.monotonic() - started >= 0.12


def test_control_characters_never_reach_the_terminal(tiny_engine: Engine) -> None:
    frame = replace(frames_of(tiny_engine)[-1], text_before="\x1b[2J\x07\r evil")
    console = terminal(color_system=None)
    console.print(draw(frame, height=20))
    assert "\\x1b[2J\\x07\\x0d evil" in text_of(console)
    assert "\x07" not in text_of(console)


def test_of_a_long_text_the_end_is_shown(tiny_engine: Engine) -> None:
    frame = replace(frames_of(tiny_engine)[-1], text_before="".join(f"line {n}\n" for n in range(1000)))
    console = terminal(color_system=None)
    console.print(draw(frame, height=20))
    assert "line 999" in text_of(console)
    assert "line 900" not in text_of(console)


def test_the_summary_has_the_figures(tiny_engine: Engine) -> None:
    result = frames_of(tiny_engine)[-1].result
    assert result is not None
    assert f"{result.completion_tokens} tokens · {result.nfe} passes" in summary(result)
    assert "3 revised" in summary(replace(result, revised_tokens=3))
