"""What a chat template may say, and where it is made to ask its budget. Needs Jinja."""

from typing import Any

from jinja2 import nodes

from redraft.text.budget import refusal

__all__ = ["guarded_program"]

_MAX_NODES = 8000
"""Of the parsed program, on which the time to compile it depends; those templates have 3,000."""

_STATEMENTS = (
    "Template Output TemplateData For If Macro CallBlock FilterBlock Assign AssignBlock With Scope Break Continue"
)
_EXPRESSIONS = (
    "Name NSRef Const List Dict Pair Tuple Keyword CondExpr Filter Test Call Getitem Getattr Slice Concat Compare "
    "Operand Add Sub Mul Div FloorDiv Mod Pow And Or Not Neg Pos"
)
_ALLOWED = frozenset((*_STATEMENTS.split(), *_EXPRESSIONS.split()))


def guarded_program(tree: nodes.Template) -> nodes.Template:
    """Refuse what a template may not say, and have it ask the budget wherever it can make much out of little.

    Args:
        tree: The parsed template; it is changed.

    Returns:
        The same, ready to be compiled.

    Raises:
        CheckpointError: It uses what chat templates don't need, or is too large.
    """
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


def _replace_inside(node: nodes.Node) -> None:
    """Put measured calls in the place of lists, dictionaries, ``~`` and slices, wherever they stand."""
    for name, value in node.iter_fields():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, nodes.Node):
                _replace_inside(child)
        if isinstance(value, list):
            setattr(node, name, [_replaced(item) for item in value])
        else:
            setattr(node, name, _replaced(value))


def _replaced(node: Any) -> Any:
    if isinstance(node, nodes.Concat):
        return _call("joined", node.nodes, node.lineno)
    if isinstance(node, nodes.List | nodes.Dict) or (isinstance(node, nodes.Tuple) and node.ctx == "load"):
        return _call("measured", [node], node.lineno)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        bounds = [bound or nodes.Const(None) for bound in (node.arg.start, node.arg.stop, node.arg.step)]
        return _call("sliced", [node.node, *bounds], node.lineno)
    return node


def _call(name: str, arguments: list[Any], lineno: int) -> nodes.Call:
    """Return a call of a method of the environment, which no name in a template can shadow."""
    call = nodes.Call(nodes.EnvironmentAttribute(name), arguments, [], None, None)
    call.set_lineno(lineno, override=True)
    return call
