"""The words of `repair`: what is wrong with a function, what it should do, and a call that goes wrong."""

from redraft.tasks.problem import Language
from redraft.tasks.programs.mutations import Fault

__all__ = ["BROKEN", "EXAMPLES", "WANTED"]

BROKEN: dict[tuple[Fault, Language], tuple[str, ...]] = {
    ("syntax", "en"): (
        "Fix the syntax error.",
        "This does not parse. Fix it.",
        "There is a syntax error in line {line}. Fix it.",
        "SyntaxError near line {line}; repair the function.",
        "Python refuses {name}. Correct the syntax and nothing else.",
        "fix the syntax",
    ),
    ("syntax", "zh"): (
        "修正语法错误。",
        "这段代码无法解析，请修好。",
        "第 {line} 行有语法错误，请改正。",
        "函数 {name} 有语法错误，请修复。",
    ),
    ("name", "en"): (
        "Calling it raises a NameError. Fix it.",
        "A name is misspelled. Fix it.",
        "NameError in line {line}: correct the name.",
        "{name} uses a name that does not exist. Repair it.",
    ),
    ("name", "zh"): (
        "调用时出现 NameError，请修正。",
        "有一个变量名写错了，请改正。",
        "第 {line} 行的名字写错了，请修好。",
    ),
}
"""Of faults that the text itself shows."""

WANTED: dict[Language, tuple[str, ...]] = {
    "en": (
        "{sig} should return {what}{guard}. Fix it.",
        "Fix the bug: {sig} must return {what}{guard}.",
        "This function is wrong. It should return {what}{guard}.",
        "Repair {sig}, which is meant to return {what}{guard}.",
    ),
    "zh": (
        "{sig} 应该返回{what}{guard}。请修正。",
        "修复错误：{sig} 要返回{what}{guard}。",
        "这个函数不对，它应返回{what}{guard}。",
    ),
}
"""Of functions that do something else."""

EXAMPLES: dict[Language, tuple[str, ...]] = {
    "en": (
        " {call} gives {given} instead of {wanted}.",
        " For example, {call} should be {wanted}, not {given}.",
        " {call} must be {wanted}.",
    ),
    "zh": (" {call} 得到 {given}，应为 {wanted}。", " 例如 {call} 应该是 {wanted}。"),
}
"""A call that goes wrong."""
