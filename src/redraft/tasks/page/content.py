"""What pages are about: drawn as a plain record, which is also the key of the problem."""

import random
from typing import Any

from redraft.tasks.problem import Language
from redraft.tasks.rewrite import english_words as words
from redraft.tasks.rewrite.chinese import CHINESE_AXES, chinese_text
from redraft.tasks.rewrite.chinese_templates import LISTS
from redraft.tasks.rewrite.english import english_text
from redraft.tasks.rewrite.forms import ENGLISH_AXES
from redraft.tasks.rewrite.pieces import listed, render

__all__ = ["COLOURS", "KINDS", "Spec", "draw_spec"]

Spec = dict[str, Any]
"""Kind, heading and what else the kind has; only texts, numbers, claims and lists of them."""

KINDS = ("counter", "list", "colour", "clock", "form", "toggle", "greeting", "adder", "table")
"""What pages there are."""

COLOURS: dict[str, str] = {
    "red": "红色",
    "blue": "蓝色",
    "green": "绿色",
    "yellow": "黄色",
    "orange": "橙色",
    "purple": "紫色",
    "pink": "粉色",
    "gray": "灰色",
    "black": "黑色",
    "white": "白色",
    "brown": "棕色",
    "navy": "深蓝色",
    "teal": "青色",
    "gold": "金色",
}
"""CSS names and what they are called in Chinese."""

_LABELS: dict[Language, dict[str, tuple[str, ...]]] = {
    "en": {
        "plus": listed("Add,More,Up,Plus,Count,One more,Higher", ","),
        "minus": listed("Less,Down,Minus,Take away,Lower", ","),
        "reset": listed("Reset,Clear,Again,Start over", ","),
        "toggle": listed("Show,Hide,Toggle,Details,Show or hide,More", ","),
        "greet": listed("Greet,Say hello,Go,Hello", ","),
        "add": listed("Add,New,Put on the list,Append", ","),
        "submit": listed("Send,Save,Sign up,Submit,Order,Register", ","),
        "words": listed("Hello,Welcome,Good morning,Hi,Good evening", ","),
        "columns": listed("Name,Price,City,Age,Colour,Day,Number,Place", ","),
    },
    "zh": {
        "plus": listed("加 增加 多 上 加一个 更多"),
        "minus": listed("减 减少 少 下 更少"),
        "reset": listed("重来 回到开始 再来"),
        "toggle": listed("显示 内容 看 更多 开关"),
        "greet": listed("问好 开始 你好"),
        "add": listed("添加 增加 新的"),
        "submit": listed("发送 保存 提交 开始"),
        "words": listed("你好 早上好 晚上好"),
        "columns": listed("名字 价格 城市 年龄 颜色 日期 数字"),
    },
}

_FIELDS: dict[Language, dict[str, str]] = {
    "en": {
        "Name": "text",
        "City": "text",
        "Street": "text",
        "Email": "email",
        "Age": "number",
        "Guests": "number",
        "Password": "password",
        "Birthday": "date",
        "Day": "date",
        "Phone": "tel",
    },
    "zh": {
        "名字": "text",
        "城市": "text",
        "年龄": "number",
        "人数": "number",
        "日期": "date",
        "生日": "date",
        "电话": "tel",
        "密码": "password",
    },
}


def draw_spec(rng: random.Random, language: Language, kind: str, *, max_parts: int, style_percent: int) -> Spec:
    """Draw what a page of a kind holds.

    Args:
        rng: Chooses.
        language: Of the page's own words.
        kind: One of ``KINDS``.
        max_parts: Most buttons, items, fields or rows.
        style_percent: Share of pages whose colours are asked for.

    Returns:
        The record.
    """
    labels = _LABELS[language]
    spec: Spec = {"kind": kind, "heading": _heading(rng, language)}
    if kind == "counter":
        spec |= {"start": rng.choice((0, 0, rng.randint(1, 50))), "buttons": _counter_buttons(rng, labels, max_parts)}
    elif kind == "list":
        spec |= {"ordered": rng.random() < 0.4, "items": _items(rng, language, rng.randint(2, max(2, max_parts + 1)))}
    elif kind == "colour":
        chosen = rng.sample(list(COLOURS), rng.randint(1, min(3, max_parts)))
        spec["buttons"] = [[name.capitalize() if language == "en" else COLOURS[name], name] for name in chosen]
    elif kind == "form":
        fields = rng.sample(list(_FIELDS[language].items()), rng.randint(1, max_parts))
        spec["fields"] = [[label, type_, rng.random() < 0.4] for label, type_ in fields]
        spec["submit"] = rng.choice(labels["submit"])
    elif kind == "toggle":
        spec |= {"text": _sentence(rng, language), "button": rng.choice(labels["toggle"])}
    elif kind == "greeting":
        spec |= {"word": rng.choice(labels["words"]), "button": rng.choice(labels["greet"])}
    elif kind == "adder":
        spec["button"] = rng.choice(labels["add"])
    elif kind == "table":
        columns = rng.sample(labels["columns"], 2)
        count = rng.randint(1, min(3, max_parts))
        spec |= {"columns": columns, "rows": [_items(rng, language, 2) for _ in range(count)]}
    if kind != "colour" and rng.random() * 100 < style_percent:
        background, text = rng.sample(list(COLOURS), 2)
        spec["style"] = [background, text]
    return spec


def _counter_buttons(rng: random.Random, labels: dict[str, tuple[str, ...]], max_parts: int) -> list[list[Any]]:
    """Buttons with what each adds; null sets the counter back."""
    rows: list[list[Any]] = [[rng.choice(labels["plus"]), rng.choice((1, 1, rng.randint(2, 12)))]]
    if max_parts > 1 and rng.random() < 0.5:
        rows.append([rng.choice(labels["minus"]), -rng.choice((1, 1, rng.randint(2, 12)))])
    if len(rows) < max_parts and rng.random() < 0.4:
        rows.append([rng.choice(labels["reset"]), None])
    return rows


def _heading(rng: random.Random, language: Language) -> str:
    if language == "zh":
        return rng.choice(LISTS["name"]) + "的" + rng.choice(LISTS["noun"])
    thing = f"{rng.choice(words.ADJECTIVES)} {rng.choice(words.NOUNS)}"
    return rng.choice((thing.title(), thing.capitalize(), f"{rng.choice(words.NAMES)}'s {thing}"))


def _items(rng: random.Random, language: Language, count: int) -> list[str]:
    pool = (*words.NOUNS, *words.FOODS, *words.NAMES, *words.CITIES)
    chinese = (*LISTS["noun"], *LISTS["food"], *LISTS["name"], *LISTS["place"])
    return rng.sample(tuple(dict.fromkeys(pool if language == "en" else chinese)), count)


def _sentence(rng: random.Random, language: Language) -> str:
    """A sentence without quotes, short enough for a small page."""
    axes = ENGLISH_AXES if language == "en" else CHINESE_AXES
    while True:
        pieces = english_text(rng, 1, ()) if language == "en" else chinese_text(rng, 1, ())
        forms = ["" if isinstance(piece, str) else next(iter(axes[piece.axis])) for piece in pieces]
        text = render(pieces, axes, forms, is_prose=language == "en")
        if len(text) <= 45 and "'" not in text:
            return text
