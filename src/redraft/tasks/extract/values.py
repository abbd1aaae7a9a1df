"""Values of records: how they are drawn, and how a text writes them."""

import random

from redraft.tasks.rewrite import english_words as words
from redraft.tasks.rewrite.chinese import CHINESE_AXES, numeral
from redraft.tasks.rewrite.forms import ENGLISH_AXES, NUMBER_WORDS
from redraft.tasks.rewrite.pieces import listed

__all__ = ["Value", "draw", "shown", "shown_in_form"]

Value = str | int | float | bool | list[str] | None
"""What a field can hold."""

_SURNAMES = listed(
    "Miller Smith Brown Taylor Wilson Clark Lewis Walker Hall Young King Wright Scott Green Baker Adams Nelson Carter "
    "Parker Evans Collins Stewart Morris Cook Bell Ward Cox Gray Kelly Price Wood Ross Long Foster"
)
_TOPICS = listed(
    "budget,new office,summer party,website,garden,annual report,school trip,price list,next sale,tests", ","
)
_ROOMS = listed("library,blue room,main hall,garden house,office,canteen,red room,classroom,kitchen,small hall", ",")
_DISHES = listed(
    "onion soup,rice salad,fish cake,apple pie,pasta bake,bean stew,tomato soup,egg curry,fruit salad", ","
)
_HOTELS = listed("Park Hotel,Hotel Adler,Sea View,Old Mill,Grand Hotel,Hotel Luna,Green House,City Inn,Lake House", ",")
_COMPANIES = listed("Novak,Orbit,Lumen,Bergmann,Tidal,Kestrel,Arvo,Pinewood,Solis,Hartwell,Meridian,Quill", ",")
_ANIMALS = listed("dog cat horse rabbit goat parrot hamster sheep donkey turtle")
_COLOURS = listed("red blue green brown black white grey yellow")
_CHINESE = {
    "surname": listed("王 李 白 高 方 张 马 文 黄 金 江 田"),
    "given": listed("明 红 雪 文 花 天 春 小雨 小明 星 小风 新 爱国 大山 一天 月 思 白 水生 冬"),
    "city": listed("北京 上海 天津 南京 西安 大同 长春 三明 重庆 成都"),
    "job": listed("老师 学生 工人 作家 画家 医生 司机 程序员"),
    "item": listed("书包 手表 电话 红花 白纸 电脑 雨伞 地图 花瓶 画 笔 风车 水杯 球"),
    "topic": listed("学习 工作 价格 网页 生活 新书 春天的活动 语言 考试"),
    "room": listed("学校 家里 北京 教室 书店 三号楼 图书馆 红房子 门口"),
    "title_first": listed("红 小 老 白 大 长 新 春天的 冬天的 北京的 雪中的 山上的 一个人的"),
    "title_second": listed("花 猫 路 山 世界 家 学校 生活 早上 雨 树 风 明天 书"),
}


def draw(kind: str, rng: random.Random, language: str) -> Value:
    """A random value of a kind."""
    if kind.startswith("int:"):
        low, high = kind.removeprefix("int:").split(":")
        return rng.randint(int(low), int(high))
    if kind == "price":
        return round(rng.randint(2, 250) + rng.choice((0.25, 0.5, 0.75, 0.9, 0.99, 0.49)), 2)
    if kind == "weight":
        return round(rng.randint(1, 80) + rng.randint(1, 9) / 10, 1)
    if kind == "bool":
        return rng.random() < 0.5
    if kind == "date":
        return f"{rng.randint(1990, 2030)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    if kind == "time":
        return f"{rng.randint(0, 23):02}:{rng.choice((0, 5, 10, 15, 20, 30, 40, 45, 50)):02}"
    if kind == "names":
        people = words.NAMES if language == "en" else [f"小{name}" for name in "明红雪文花天春风雨星月"]
        return rng.sample(people, rng.randint(2, 3))
    return _text(kind, rng) if language == "en" else _chinese_text(kind, rng)


def _text(kind: str, rng: random.Random) -> Value:
    if kind == "foods":
        return rng.sample(words.FOODS, rng.randint(2, 4))
    if kind == "person":
        return f"{rng.choice(words.NAMES)} {rng.choice(_SURNAMES)}"
    if kind == "email":
        user = f"{rng.choice(words.NAMES)}.{rng.choice(_SURNAMES)}".lower()
        return f"{user}@example.{rng.choice(('com', 'org', 'net'))}"
    if kind == "title":
        return f"The {rng.choice(words.ADJECTIVES).capitalize()} {rng.choice(words.NOUNS).capitalize()}"
    if kind == "item":
        return rng.choice((f"{rng.choice(words.ADJECTIVES)} {rng.choice(words.NOUNS)}", rng.choice(words.NOUNS)))
    lists = {"city": words.CITIES, "job": words.ROLES, "first": words.NAMES, "topic": _TOPICS, "room": _ROOMS}
    lists |= {"dish": _DISHES, "hotel": _HOTELS, "company": _COMPANIES, "animal": _ANIMALS, "colour": _COLOURS}
    return rng.choice(lists[kind])


def _chinese_text(kind: str, rng: random.Random) -> Value:
    if kind == "person":
        return rng.choice(_CHINESE["surname"]) + rng.choice(_CHINESE["given"])
    if kind == "title":
        return rng.choice(_CHINESE["title_first"]) + rng.choice(_CHINESE["title_second"])
    return rng.choice(_CHINESE[kind])


def shown(value: Value, kind: str, rng: random.Random, language: str) -> str:
    """A value as a sentence writes it."""
    if isinstance(value, list):
        if language == "zh":
            return "、".join(value[:-1]) + "和" + value[-1]
        return ", ".join(value[:-1]) + " and " + value[-1]
    if kind == "date":
        return _date(str(value), rng, language)
    if kind == "price":
        dollars, yuan = (f"${value:.2f}", f"{value:.2f} dollars"), (f"{value:.2f}元",)
        return rng.choice(dollars if language == "en" else yuan)
    if kind == "weight":
        return f"{value} {rng.choice(('kg', 'kilograms'))}"
    if isinstance(value, int) and value <= 20 and rng.random() < 0.4:
        return NUMBER_WORDS[value] if language == "en" else numeral(value)
    if isinstance(value, int) and value >= 10_000 and language == "en" and rng.random() < 0.5:
        return f"{value:,}"
    return str(value)


def shown_in_form(value: Value, kind: str, rng: random.Random, language: str) -> str:
    """A value as a form writes it."""
    if isinstance(value, bool):
        return rng.choice((("no", "yes"), ("No", "Yes")) if language == "en" else (("不是", "是"), ("否", "是")))[value]
    if isinstance(value, list):
        return (", " if language == "en" else "、").join(value)
    if kind in ("price", "weight"):
        return f"{value:.2f}" if kind == "price" else str(value)
    return _date(str(value), rng, language) if kind == "date" else str(value)


def _date(iso: str, rng: random.Random, language: str) -> str:
    parts = tuple(int(part) for part in iso.split("-"))
    axes, forms = (
        (ENGLISH_AXES, ("iso", "day_first", "month_first"))
        if language == "en"
        else (CHINESE_AXES, ("iso", "characters"))
    )
    return axes["date"][rng.choice(forms)](parts)
