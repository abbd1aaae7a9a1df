"""The canvas on a terminal while it settles.

It reads the frames that the engine yields and changes nothing about them. Told apart by style, not by colour alone:
settled text is bold, what the model would write now is dim, and an open position is a ``░``.
"""

import time
from collections.abc import Iterable
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from redraft.engine import Frame, Result
from redraft.interfaces.output import harmless

__all__ = ["LiveCanvas", "draw", "summary", "watch"]

_LEAST_SECONDS_PER_PAINT = 1 / 30
"""A terminal shows no more, and painting takes time from the passes."""

_STYLES = {"settled": "bold", "provisional": "dim", "open": "dim"}


class LiveCanvas:
    """Paints frames on a terminal, at most thirty a second, and takes itself away at the end.

    Args:
        console: The terminal.
        pace_ms: Least time that a pass stays on it, so that a human can follow.
    """

    def __init__(self, console: Console, *, pace_ms: float) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._height = console.height
        self._pace_s = pace_ms / 1000
        self._painted_at = 0.0

    def __enter__(self) -> "LiveCanvas":
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, frame: Frame) -> None:
        """Paint a frame if it is due, then wait until the pace is kept."""
        started = time.monotonic()
        if frame.result is not None or started - self._painted_at >= _LEAST_SECONDS_PER_PAINT:
            self._live.update(draw(frame, height=self._height), refresh=True)
            self._painted_at = started
        if self._pace_s:
            time.sleep(max(0.0, self._pace_s - (time.monotonic() - started)))


def draw(frame: Frame, *, height: int) -> Group:
    """Return a frame as styled text and a status line; of a long text the end, which is where it grows."""
    lines = frame.text_before.splitlines(keepends=True)
    text = Text()
    text.append(harmless("".join(lines[-max(1, height // 2) :])), style=_STYLES["settled"])
    for piece in frame.pieces():
        text.append(harmless(piece.text), style=_STYLES[piece.state])
    speed = frame.num_settled / frame.seconds if frame.seconds > 0 else 0.0
    status = f"pass {frame.step.index + 1} · NFE {frame.nfe} · {frame.num_settled} settled · {speed:.0f} tokens/s"
    return Group(text, Text(status, style="dim"))


def watch(frames: Iterable[Frame], console: Console, *, pace_ms: float) -> Result:
    """Show frames until the last and return its result."""
    result = None
    with LiveCanvas(console, pace_ms=pace_ms) as canvas:
        for frame in frames:
            canvas.show(frame)
            result = frame.result
    assert result is not None, "the last frame carries the result"
    return result


def summary(result: Result) -> str:
    """One line of figures.

    Args:
        result: The answer.

    Returns:
        Tokens, passes, tokens per pass, revisions if any, and the end-to-end speed.
    """
    revised = f" · {result.revised_tokens} revised" if result.revised_tokens else ""
    return (
        f"{result.completion_tokens} tokens · {result.nfe} passes · {result.tokens_per_forward:.1f} tokens per pass"
        f"{revised} · {result.seconds.total:.2f} s · {result.tokens_per_second:.0f} tokens/s"
    )
