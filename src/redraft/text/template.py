"""Chat templates of published checkpoints: programs from somebody else, run where they can do nothing but write text.

A published template is a Jinja program that turns a list of messages into one text. Engines that ran it in a plain
environment were taken over (SGLang, CVE-2026-5760; llama-cpp-python and vLLM before it). Here it is held four times:

1. Only statements and expressions that chat templates need are compiled; nothing that loads another file.
2. It runs in Jinja's immutable sandbox, narrowed to the methods, filters and functions that ``sandbox`` lists.
3. Steps, seconds, and the size of every string and list are bounded, whatever makes them (``budget``).
4. It sees messages and special tokens as plain strings, and what it writes is text and nothing else.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from redraft.errors import CheckpointError, DependencyError, PromptError
from redraft.text.budget import MAX_CHARS, Budget, budget_of_run, refusal

__all__ = ["ChatTemplate"]

_MAX_SOURCE_CHARS = 1 << 16
"""The longest published templates have 20,000 characters, most of it for tools."""

_MAX_COMPLAINT_CHARS = 300


class ChatTemplate:
    """A checked and compiled chat template.

    >>> template = ChatTemplate("{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}{{ eos }}{% endfor %}")
    >>> template.render([{"role": "user", "content": " 1 + 1 "}], eos="<|end|>")
    '<|user|>1 + 1<|end|>'
    >>> ChatTemplate("{% include '/etc/passwd' %}")
    Traceback (most recent call last):
    redraft.errors.CheckpointError: the chat template uses Include in line 1, which no chat template needs; ...

    Args:
        source: The program.

    Raises:
        CheckpointError: It is no template, too long, or uses what chat templates don't need.
        DependencyError: Jinja is not installed.
    """

    def __init__(self, source: str) -> None:
        if len(source) > _MAX_SOURCE_CHARS:
            raise refusal(f"has {len(source)} characters; at most {_MAX_SOURCE_CHARS} are allowed")
        self.source = source
        try:
            from redraft.text.sandbox import make_environment
            from redraft.text.template_program import guarded_program
        except ImportError as error:
            raise DependencyError("chat templates need Jinja; run pip install 'redraft[hub]'") from error
        environment = make_environment()
        self._template = _guarded(
            lambda: environment.from_string(guarded_program(environment.parse(source))), "can't be read"
        )

    def render(self, messages: Iterable[Mapping[str, str]], **variables: str | bool | None) -> str:
        """Return the text of a conversation.

        Args:
            messages: Turns, each with a ``role`` and a ``content``.
            **variables: What else the template may look at: special tokens by name, ``add_generation_prompt``.

        Returns:
            The text.

        Raises:
            CheckpointError: The template fails, or wants more steps, room or time than any template needs.
            PromptError: The template itself refuses the conversation.
        """
        turns = [dict(message) for message in messages]
        budget = Budget()
        pieces: list[str] = []

        def run() -> str:
            budget.take(turns)
            length = 0
            for piece in self._template.generate(messages=turns, **variables):
                length += len(piece)
                # Not the sum of all lengths so far: each piece is charged once, and the text when it is joined.
                budget.spend_chars(len(piece))
                pieces.append(piece)
                if length > MAX_CHARS:
                    raise refusal(f"writes more than {MAX_CHARS} characters")
            return "".join(pieces)

        token = budget_of_run.set(budget)
        try:
            return _guarded(run, "fails")
        finally:
            budget_of_run.reset(token)


def _guarded(work: Callable[[], Any], verb: str) -> Any:
    """Do work for a template; whatever it raises becomes one clear error."""
    try:
        return work()
    except (CheckpointError, PromptError, DependencyError):
        raise
    # What a template does wrong comes as any of Python's own errors, so that no list of them would be complete.
    except Exception as error:
        reason = " ".join(str(error).split())[:_MAX_COMPLAINT_CHARS]
        raise CheckpointError(f"the chat template {verb} ({type(error).__name__}: {reason})") from error
