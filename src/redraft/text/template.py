"""Chat templates of published checkpoints: programs from somebody else, run where they can do nothing but write text.

A published template is a Jinja program that turns a list of messages into one text. Engines that ran it in a plain
environment were taken over (SGLang, CVE-2026-5760; llama-cpp-python and vLLM before it). Here it is held four times:

1. Only statements and expressions that chat templates need are compiled; nothing that loads another file.
2. It runs in Jinja's immutable sandbox, narrowed to the methods, filters and functions that ``sandbox`` lists.
3. Steps, seconds, and the size of every string and list are bounded, whatever makes them (``budget``).
4. It sees messages and special tokens as plain strings, and what it writes is text and nothing else.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from redraft.errors import CheckpointError, DependencyError, PromptError
from redraft.text.budget import MAX_CHARS, Budget, budget_of_run, refusal

if TYPE_CHECKING:
    from jinja2 import nodes

__all__ = ["ChatTemplate"]

_MAX_SOURCE_CHARS = 1 << 16
"""The longest published templates have 20,000 characters, most of it for tools."""

_MAX_NODES = 8000
"""Of the parsed program, on which the time to compile it depends; those templates have 3,000."""

_MAX_COMPLAINT_CHARS = 300

_STATEMENTS = (
    "Template Output TemplateData For If Macro CallBlock FilterBlock Assign AssignBlock With Scope Break Continue"
)
_EXPRESSIONS = (
    "Name NSRef Const List Dict Pair Tuple Keyword CondExpr Filter Test Call Getitem Getattr Slice Concat Compare "
    "Operand Add Sub Mul Div FloorDiv Mod Pow And Or Not Neg Pos"
)
_ALLOWED = frozenset((*_STATEMENTS.split(), *_EXPRESSIONS.split()))


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
        except ImportError as error:
            raise DependencyError("chat templates need Jinja; run pip install 'redraft[hub]'") from error
        environment = make_environment()
        self._template = _guarded(lambda: environment.from_string(_checked(environment.parse(source))), "can't be read")

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


def _checked(tree: "nodes.Template") -> "nodes.Template":
    """Refuse what a template may not say, and have it ask the budget wherever it can make much out of little."""
    from jinja2 import nodes

    for count, node in enumerate(tree.find_all(nodes.Node)):
        if count == _MAX_NODES:
            raise refusal(f"has more than {_MAX_NODES} parts")
        kind = type(node).__name__
        if kind not in _ALLOWED or (isinstance(node, nodes.For) and node.recursive):
            raise refusal(f"uses {kind} in line {node.lineno}, which no chat template needs")
    for node in list(tree.find_all((nodes.For, nodes.Macro, nodes.CallBlock))):
        weight = nodes.Const(1 + sum(1 for _ in node.find_all(nodes.Output))).set_lineno(node.lineno)
        if isinstance(node, nodes.For):
            node.iter = _call("passes", [node.iter, weight], node.lineno)
        else:
            node.body.insert(0, nodes.Output([_call("spend", [weight], node.lineno)]).set_lineno(node.lineno))
    _replace_inside(tree)
    return tree


def _replace_inside(node: "nodes.Node") -> None:
    """Put measured calls in the place of lists, dictionaries, ``~`` and slices, wherever they stand."""
    from jinja2 import nodes

    for name, value in node.iter_fields():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, nodes.Node):
                _replace_inside(child)
        if isinstance(value, list):
            setattr(node, name, [_replaced(item) for item in value])
        else:
            setattr(node, name, _replaced(value))


def _replaced(node: Any) -> Any:
    from jinja2 import nodes

    if isinstance(node, nodes.Concat):
        return _call("joined", node.nodes, node.lineno)
    if isinstance(node, nodes.List | nodes.Dict) or (isinstance(node, nodes.Tuple) and node.ctx == "load"):
        return _call("measured", [node], node.lineno)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        bounds = [bound or nodes.Const(None) for bound in (node.arg.start, node.arg.stop, node.arg.step)]
        return _call("sliced", [node.node, *bounds], node.lineno)
    return node


def _call(name: str, arguments: list[Any], lineno: int) -> "nodes.Call":
    """Return a call of a method of the environment, which no name in a template can shadow."""
    from jinja2 import nodes

    call = nodes.Call(nodes.EnvironmentAttribute(name), arguments, [], None, None)
    call.set_lineno(lineno, override=True)
    return call
