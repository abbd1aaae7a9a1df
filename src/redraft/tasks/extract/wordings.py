"""How an extraction is asked for, in English and Chinese; every wording was written for this project."""

from redraft.tasks.problem import Language

__all__ = ["MISSING", "WORDINGS"]

WORDINGS: dict[Language, tuple[str, ...]] = {
    "en": (
        "Extract {keys} as JSON: {text}",
        "Extract {keys} as JSON.\n\n{text}",
        "{text}\n\nReturn JSON with the keys {keys}.",
        "Give me {keys} as JSON: {text}",
        "JSON with {keys}:\n{text}",
        "Read the text and fill in {keys} as a JSON object.\n{text}",
        "Turn this into JSON ({keys}):\n{text}",
        "What are {keys}? Answer in JSON.\n{text}",
        "{text}\n\nkeys: {keys}",
    ),
    "zh": (
        "提取 {keys}，用 JSON 回答：{text}",
        "{text}\n\n请用 JSON 写出 {keys}。",
        "从下面的文字中提取 {keys}，返回 JSON：\n{text}",
        "把这段文字改写成 JSON（{keys}）：\n{text}",
        "请给出 {keys} 的 JSON：{text}",
    ),
}
"""``{keys}`` is the list of keys, ``{text}`` what is read."""

MISSING: dict[Language, tuple[str, ...]] = {
    "en": ("Use null for what is missing.", "Write null if the text doesn't say."),
    "zh": ("没有的写 null。", "文字里没有的用 null。"),
}
"""Stands before some requests, whether or not anything is missing."""
