"""How a page is described, in English and Chinese; every wording was written for this project."""

import random
from collections.abc import Sequence
from typing import Any

from redraft.tasks.page.content import COLOURS, Spec
from redraft.tasks.problem import Language

__all__ = ["describe"]

_OPENINGS: dict[Language, tuple[str, ...]] = {
    "en": (
        'Make a page with the heading "{heading}".',
        'An HTML page called "{heading}".',
        'Write a small web page. Its heading is "{heading}".',
        'HTML page, heading "{heading}".',
        'Please write a page "{heading}".',
    ),
    "zh": (
        "写一个网页，标题是“{heading}”。",
        "做一个 HTML 页面，标题“{heading}”。",
        "请写一个标题为“{heading}”的页面。",
    ),
}

_MAIN: dict[tuple[str, Language], tuple[str, ...]] = {
    ("counter", "en"): (
        "It has a counter that starts at {start} and {parts}.",
        "A counter from {start}, with {parts}.",
    ),
    ("counter", "zh"): ("有一个从 {start} 开始的计数器，{parts}。", "计数器从 {start} 开始，{parts}。"),
    ("list", "en"): ("It shows {a} list: {items}.", "List these, {order}: {items}."),
    ("list", "zh"): ("列出（{order}）：{items}。", "内容是{order}列表：{items}。"),
    ("colour", "en"): ("It has {parts}.", "Add {parts}."),
    ("colour", "zh"): ("有{parts}。", "加上{parts}。"),
    ("clock", "en"): ("It shows the time, new every second.", "With a clock that goes on every second.", "A clock."),
    ("clock", "zh"): ("显示时间，每秒更新。", "有一个时钟。", "页面上是当前时间，每秒变一次。"),
    ("form", "en"): (
        'A form with {parts} and a button "{submit}".',
        'It asks for {parts}, and a button "{submit}" sends it.',
    ),
    ("form", "zh"): ("有一个表单：{parts}，按钮“{submit}”。", "表单里有{parts}，按钮是“{submit}”。"),
    ("toggle", "en"): (
        'A button "{button}" shows or hides the text "{text}".',
        'The text is "{text}"; the button "{button}" hides it and shows it again.',
    ),
    ("toggle", "zh"): ("文字是“{text}”，按钮“{button}”把它隐藏或显示。",),
    ("greeting", "en"): (
        'One types a name, presses "{button}" and reads "{word}, NAME!".',
        'A field for the name and a button "{button}" that writes "{word}, NAME!" below.',
    ),
    ("greeting", "zh"): ("输入名字，按“{button}”，显示“{word}, 名字!”。",),
    ("adder", "en"): (
        'A field and a button "{button}" that adds its text to a list.',
        'What one types goes to the end of a list when "{button}" is pressed.',
    ),
    ("adder", "zh"): ("一个输入框和按钮“{button}”，按下后把文字加到列表里。",),
    ("table", "en"): ("A table with the columns {columns} and the rows {rows}.", "Table: {columns}; {rows}."),
    ("table", "zh"): ("表格的列是{columns}，行是{rows}。",),
}

_STYLE: dict[Language, tuple[str, ...]] = {
    "en": ("The background is {0}, the text {1}.", "Use {1} text on {0}.", "Colours: {0} background, {1} text."),
    "zh": ("背景{0}，文字{1}。", "用{0}背景和{1}文字。"),
}


def describe(spec: Spec, language: Language, rng: random.Random) -> str:
    """A description that tells everything the page must have.

    Args:
        spec: The page.
        language: Of the description.
        rng: Chooses words.

    Returns:
        One to three sentences.
    """
    named: dict[str, Any] = {**spec, "parts": "", "items": "", "a": "", "order": "", "columns": "", "rows": ""}
    joined = _joined(language)
    if "buttons" in spec:
        named["parts"] = joined([_button(row, spec, language, rng) for row in spec["buttons"]])
    elif "fields" in spec:
        named["parts"] = joined([_field(*row, language=language) for row in spec["fields"]])
    elif spec["kind"] == "list":
        named["items"] = (", " if language == "en" else "、").join(spec["items"])
        named["a"] = "a numbered" if spec["ordered"] else "a bulleted"
        english, chinese = ("numbered", "有编号的") if spec["ordered"] else ("bulleted", "无编号的")
        named["order"] = english if language == "en" else chinese
    elif spec["kind"] == "table":
        named["columns"] = joined(spec["columns"])
        named["rows"] = "; ".join(" | ".join(row) for row in spec["rows"])
    sentences = [rng.choice(_OPENINGS[language]), rng.choice(_MAIN[spec["kind"], language])]
    texts = [sentence.format(**named) for sentence in sentences]
    if "style" in spec:
        colours = spec["style"] if language == "en" else [COLOURS[name] for name in spec["style"]]
        texts.append(rng.choice(_STYLE[language]).format(*colours))
    return (" " if language == "en" else "").join(texts)


def _joined(language: Language) -> Any:
    return _english_list if language == "en" else "、".join


def _english_list(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _button(row: Sequence[Any], spec: Spec, language: Language, rng: random.Random) -> str:
    label, does = row
    if spec["kind"] == "colour":
        english = f'a button "{label}" that makes the page {does}'
        return english if language == "en" else f"按钮“{label}”把页面变成{COLOURS[does]}"
    if does is None:
        english = rng.choice((f"sets it back to {spec['start']}", "resets it"))
        chinese = f"把它变回 {spec['start']}"
    else:
        english = f"{'adds' if does > 0 else 'subtracts'} {abs(does)}"
        chinese = f"{'加' if does > 0 else '减'} {abs(does)}"
    return f'a button "{label}" that {english}' if language == "en" else f"按钮“{label}”{chinese}"


def _field(label: str, kind: str, is_required: bool, *, language: Language) -> str:
    if language == "en":
        return f"{label} ({kind}{', required' if is_required else ''})"
    return f"{label}（{kind}{'，必填' if is_required else ''}）"
