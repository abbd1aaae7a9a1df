"""The nouns of the operations on dicts."""

__all__ = ["DICT_WORDS"]

DICT_WORDS: dict[str, tuple[str, str]] = {
    "keep": ("the entries of @ whose values {0} | @ with only the values that {0}", "@中值{0}的项"),
    "map": ("@ with each value replaced by {0} | the dict @ with {0}", "@的值换成{0}的字典"),
    "mapif": (
        "@ with the values that {0} replaced by {1} and all others by {2}",
        "@中{0}的值换成{1}、其余换成{2}的字典",
    ),
    "more": (
        "a copy of @ with {1} added to the value of '{0}' (0 if missing)",
        "@中 '{0}' 的值加 {1} 的新字典（没有则从 0 起）",
    ),
    "keys": ("the keys of @ in order | the sorted keys of @", "@的键的升序列表"),
    "best": ("the keys of @ from the largest value to the smallest", "@的键按值从大到小的列表"),
    "which": ("the keys of @ whose values {0}", "@中值{0}的键"),
    "values": ("the values of @ as a list | a list of the values of @", "@的值的列表"),
    "sorted": ("the values of @ in ascending order | the sorted values of @", "@的值的升序列表"),
    "top": ("the key of @ with the largest value ('' if it is empty)", "@中值最大的键（空则为空串）"),
    "bottom": ("the key of @ with the smallest value ('' if it is empty)", "@中值最小的键（空则为空串）"),
    "sum": ("the sum of the values of @ | the total of @", "@的值的和"),
    "max": ("the largest value of @ (0 if it is empty)", "@中最大的值（空则为 0）"),
    "get": ("the value of '{0}' in @, or {1} if it is missing", "@中 '{0}' 的值（没有则为 {1}）"),
    "how": ("how many values of @ {0} | the number of values of @ that {0}", "@中{0}的值的个数"),
    "contains": ("whether '{0}' is a key of @ | True if @ has the key '{0}'", "@中是否有键 '{0}'"),
    "all": ("whether all values of @ {0} | True if all values of @ {0}", "@的值是否都{0}"),
    "invert": ("@ with keys and values swapped | a dict from the values of @ to its keys", "@的键值互换后的字典"),
    "groups": ("a dict from each value of @ to the list of keys that have it", "@中每个值到其所有键的列表的字典"),
}
"""Of dicts from words to whole numbers."""
