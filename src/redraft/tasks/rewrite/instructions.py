"""What a revision is asked for with, in English and Chinese; every wording was written for this project."""

import random
from collections.abc import Sequence

from redraft.tasks.problem import Language

__all__ = ["CLAUSES", "SENTENCES", "UMBRELLA", "clause", "instruction"]

CLAUSES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "typos": (
        ("fix the typos", "correct the spelling", "fix the spelling mistakes"),
        ("改正错别字", "修正拼写错误", "修改错字"),
    ),
    "marks": (
        ("fix the punctuation", "correct the punctuation marks", "put the punctuation right"),
        ("修正标点", "改正标点符号", "把标点改对"),
    ),
    "casing": (
        ("fix the capital letters", "correct the casing", "put the capitals right"),
        ("修正大小写", "改正大小写错误"),
    ),
    "spacing": (
        ("fix the spacing", "correct the spaces", "clean up the spaces"),
        ("修正空格", "改正多余或缺少的空格", "整理空格"),
    ),
    "date/iso": (
        ("write the dates as YYYY-MM-DD", "put every date into the form 2024-05-31", "use ISO dates"),
        ("把日期写成 YYYY-MM-DD", "日期改成 2024-05-31 的格式"),
    ),
    "date/day_first": (
        ("write the dates like 31 May 2024", "put the day first, then the month's name, in every date"),
        ("把日期写成 31 May 2024 的样子",),
    ),
    "date/month_first": (
        ("write the dates like May 31, 2024", "put the month's name first in every date"),
        ("把日期写成 May 31, 2024 的样子",),
    ),
    "date/slashes": (
        ("write the dates as DD/MM/YYYY", "put every date into the form 31/05/2024"),
        ("把日期写成 DD/MM/YYYY",),
    ),
    "date/characters": (
        ("write the dates like 2024年5月31日",),
        ("把日期写成 2024年5月31日", "日期用年月日写"),
    ),
    "date/slashes_zh": (
        ("write the dates like 2024/5/31",),
        ("把日期写成 2024/5/31", "日期改成 2024/5/31 的格式"),
    ),
    "clock/24h": (
        ("use the 24-hour clock", "write the times like 15:30", "turn the times into 24-hour times"),
        ("时间用 24 小时制", "把时间写成 15:30 的样子"),
    ),
    "clock/12h": (
        ("use the 12-hour clock", "write the times with am and pm"),
        ("时间用 12 小时制", "把时间写成上午、下午的样子"),
    ),
    "small/digits": (
        ("write the numbers in digits", "use digits for the numbers"),
        ("数字用阿拉伯数字写", "把数字写成 1、2、3"),
    ),
    "small/words": (
        ("write the numbers in words", "spell the numbers out"),
        ("数字用汉字写", "把数字写成文字"),
    ),
    "big/commas": (
        ("put commas into the large numbers", "write large numbers like 12,500"),
        ("大的数字加上千分位逗号", "把大数写成 12,500 的样子"),
    ),
    "big/plain": (
        ("take the commas out of the numbers", "write large numbers like 12500"),
        ("去掉数字里的逗号", "把大数写成 12500 的样子"),
    ),
    "percent/sign": (("use the percent sign", "write percentages like 20%"), ("用百分号", "把百分数写成 20% 的样子")),
    "percent/word": (("write percent as a word", "spell out the percent sign"), ("把百分号写成文字", "不要用百分号")),
    "money/sign": (("use the currency sign", "write the prices with the sign"), ("价格用货币符号", "钱数用货币符号写")),
    "money/word": (
        ("write the currency as a word", "spell out the currency sign"),
        ("货币单位写成文字", "不要用货币符号"),
    ),
    "unit/short": (("abbreviate the units", "write the units short"), ("单位用缩写", "把单位写短")),
    "unit/long": (("write the units in full", "spell out the units"), ("单位写全", "单位不要用缩写")),
    "tone/formal": (
        ("make it formal", "use a formal tone", "write it formally", "make the tone formal"),
        ("改成正式的语气", "写得正式一些", "用正式的语言"),
    ),
    "tone/informal": (
        ("make it informal", "use a casual tone", "write it casually"),
        ("改成口语", "用随便的语气", "写得口语一些"),
    ),
    "tense/past": (("put it into the past tense", "use the past tense"), ("改成过去时", "用过去时")),
    "tense/present": (("put it into the present tense", "use the present tense"), ("改成现在时", "用现在时")),
    "tense/future": (("put it into the future tense", "use the future tense with will"), ("改成将来时", "用将来时")),
    "polite/please": (("make it polite", "add please to the request"), ("写得礼貌一些", "加上“请”", "改得有礼貌")),
    "upper": (("write everything in capitals", "make it all upper case"), ("全部改成大写", "都用大写字母")),
    "lower": (("write everything in lower case", "make it all lower case"), ("全部改成小写", "都用小写字母")),
    "spaces/pep8": (
        ("put spaces around the operators and after the commas", "format it as PEP 8 does", "tidy the spaces"),
        ("运算符两边和逗号后面加空格", "按 PEP 8 整理空格"),
    ),
    "quotes/double": (("use double quotes", "change the quotes to double quotes"), ("用双引号", "把引号改成双引号")),
    "quotes/single": (("use single quotes", "change the quotes to single quotes"), ("用单引号", "把引号改成单引号")),
    "naming/snake": (("use snake_case", "write the names in snake_case"), ("变量名用 snake_case",)),
    "naming/camel": (("use camelCase", "write the names in camelCase"), ("变量名用 camelCase",)),
    "replace": (
        ('replace "{a}" with "{b}"', 'change "{a}" to "{b}"', '"{a}" should be "{b}"', "replace {a} by {b}"),
        ("把“{a}”换成“{b}”", "将“{a}”改为“{b}”", "用“{b}”替换“{a}”"),
    ),
    "delete": (
        ('delete the word "{a}"', 'remove "{a}"', "take out {a}"),
        ("删除“{a}”", "去掉“{a}”这个词"),
    ),
    "insert": (
        ('insert "{b}" before "{a}"', 'put "{b}" in front of "{a}"', 'add "{b}" before "{a}"'),
        ("在“{a}”前面插入“{b}”", "在“{a}”前加上“{b}”"),
    ),
    "rename": (
        ("rename {a} to {b}", "rename the variable {a} to {b}", "call the variable {a} {b} instead"),
        ("把变量 {a} 改名为 {b}", "将 {a} 重命名为 {b}"),
    ),
    "order/swap": (
        ("swap the first two arguments of {a}", "exchange the first and the second argument of {a}"),
        ("交换 {a} 的前两个参数", "把 {a} 的第一个和第二个参数对换"),
    ),
    "order/reverse": (
        ("reverse the arguments of {a}", "put the arguments of {a} in reverse order"),
        ("把 {a} 的参数倒过来", "将 {a} 的参数按相反的顺序写"),
    ),
    "order/last": (
        ("move the last argument of {a} to the front", "make the last argument of {a} the first"),
        ("把 {a} 的最后一个参数移到最前面",),
    ),
    "order/sort": (
        ("put the arguments of {a} in alphabetical order", "sort the arguments of {a}"),
        ("把 {a} 的参数按字母顺序写", "将 {a} 的参数排序"),
    ),
}
"""By revision: wordings in English, and in Chinese."""

UMBRELLA: dict[Language, tuple[str, ...]] = {
    "en": (
        "Repair what is wrong.",
        "Correct this text.",
        "Fix all the mistakes.",
        "Proofread this.",
        "Fix it.",
        "Clean this up.",
        "Correct any mistakes.",
        "Please correct the text.",
    ),
    "zh": ("改正错误。", "请修改错误。", "修正这段文字。", "请改正文本中的所有错误。", "修复错误。"),
}
"""For any mixture of typos, marks, casing and spacing."""

SENTENCES: dict[Language, tuple[str, ...]] = {
    "en": ("{c}.", "{c}", "Please {d}.", "Can you {d}?", "{c} and change nothing else."),
    "zh": ("{c}。", "{c}", "请{c}。", "请{c}，别的不要改。", "帮我{c}。"),
}
"""``{c}`` is the clauses with a capital in front, ``{d}`` without."""

_AND: dict[Language, tuple[str, ...]] = {"en": (" and ", ", then ", ", and "), "zh": ("，并", "，再", "，然后")}


def clause(revision: str, language: Language, rng: random.Random, **named: str) -> str:
    """A wording of one revision."""
    english, chinese = CLAUSES[revision]
    return rng.choice(english if language == "en" else chinese).format(**named)


def instruction(clauses: Sequence[str], language: Language, rng: random.Random) -> str:
    """Join clauses to one instruction."""
    *first, last = clauses
    joined = rng.choice(_AND[language]).join(
        [", ".join(first) if language == "en" else "，".join(first), last] if first else [last]
    )
    # A clause that begins with a word in quotes is no request that "please" could stand before.
    choices = [text for text in SENTENCES[language] if "{d}" not in text or not joined.startswith('"')]
    return rng.choice(choices).format(c=joined[0].upper() + joined[1:], d=joined)
