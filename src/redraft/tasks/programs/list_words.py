"""The nouns of the operations on lists."""

__all__ = ["NUMBER_LIST_WORDS", "WORD_LIST_WORDS"]

NUMBER_LIST_WORDS: dict[str, tuple[str, str]] = {
    "keep": ("the numbers in @ that {0} | only the numbers of @ that {0}", "@中{0}的数"),
    "map": ("a list of {0} in @ | {0} in @", "@中{0}组成的列表 | @中{0}"),
    "mapif": (
        "@ with the numbers that {0} replaced by {1} and all others by {2}",
        "@中{0}的数换成{1}、其余换成{2}的列表",
    ),
    "up": ("@ in ascending order | @ sorted from small to large", "@升序排列的结果 | @从小到大排序的结果"),
    "down": ("@ in descending order | @ sorted from large to small", "@降序排列的结果 | @从大到小排序的结果"),
    "reverse": ("@ in reverse order | @ reversed", "@的倒序 | @反转后的列表"),
    "first": ("the first {0} elements of @ | the first {0} of @", "@的前 {0} 个"),
    "last": ("the last {0} elements of @ | the last {0} of @", "@的后 {0} 个"),
    "skip": ("@ without the first {0} | all but the first {0} of @", "@去掉前 {0} 个后的结果"),
    "every": ("one in every {0} elements of @ from the first on", "@从第一个起每 {0} 个取一个的结果"),
    "unique": ("@ without repeats | the distinct numbers of @ in order", "@去重后的结果 | @中不重复的数"),
    "gaps": ("the differences of neighbours in @ | each number of @ minus the one before it", "@中相邻两数的差"),
    "sums": ("the running sums of @ | the cumulative sums of @", "@的前缀和 | @的累计和"),
    "while": ("the numbers at the start of @ for as long as they {0}", "@开头连续{0}的数"),
    "place": ("each number of @ times its index", "@中每个数乘以其下标的结果"),
    "sum": ("the sum of @ | the total of @", "@的和 | @的总和"),
    "product": ("the product of @ | all numbers of @ multiplied together", "@的乘积 | @所有数的积"),
    "max": (
        "the largest of @ ({0} if there is none) | the maximum of @, or {0} if it is empty",
        "@的最大值（空则为 {0}）",
    ),
    "min": (
        "the smallest of @ ({0} if there is none) | the minimum of @, or {0} if it is empty",
        "@的最小值（空则为 {0}）",
    ),
    "count": ("the length of @ | the number of elements in @", "@的长度 | @的个数"),
    "kinds": ("how many different numbers are in @ | the number of distinct values in @", "@中不同数的个数"),
    "range": ("the largest minus the smallest of @ (0 if it is empty)", "@的最大值减最小值（空则为 0）"),
    "find": ("the first of the numbers in @ that {0} ({1} if there are none)", "@中第一个{0}的数（没有则为 {1}）"),
    "alternate": (
        "the alternating sum of @ | the first minus the second plus the third and so on of @",
        "@的加减交替和",
    ),
    "horner": (
        "what {0} becomes when for each number of @ it is multiplied by {1} and the number is added",
        "从 {0} 开始、对@的每个数先乘 {1} 再加该数的结果",
    ),
    "score": (
        "the total over @ of {1} where the numbers {0}, minus {2} for every other",
        "@的得分（{0}的数加上{1}，其余每个减 {2}）",
    ),
    "longest": ("the length of the longest run of numbers in @ that {0}", "@中连续{0}的数的最大长度"),
    "any": ("whether there are any numbers in @ that {0} | True if any numbers of @ {0}", "@中是否有{0}的数"),
    "all": ("whether all numbers in @ {0} | True if all numbers of @ {0}", "@中是否所有数都{0}"),
    "rising": ("whether @ is in ascending order | True if @ is sorted", "@是否为升序"),
    "repeats": ("whether any number occurs more than once in @ | True if @ has duplicates", "@中是否有重复的数"),
    "contains": ("whether {0} is in @ | True if @ contains {0}", "@中是否有 {0}"),
    "strings": ("the numbers in @ as strings | @ with each number turned into a string", "@转为字符串后的列表"),
    "tally": ("a dict of how often each number occurs in @ | a count of each number in @", "@中每个数出现次数的字典"),
    "groups": ("a dict from each remainder modulo {0} to the numbers of @ with it", "@按除以 {0} 的余数分组的字典"),
}
"""Of whole numbers."""

WORD_LIST_WORDS: dict[str, tuple[str, str]] = {
    "keep": ("the words in @ that {0} | only the words of @ that {0}", "@中{0}的词"),
    "map": ("a list of {0} in @ | {0} in @", "@中{0}组成的列表 | @中{0}"),
    "mapif": (
        "@ with the words that {0} replaced by {1} and all others by {2}",
        "@中{0}的词换成{1}、其余换成{2}的列表",
    ),
    "up": ("@ in alphabetical order | @ sorted", "@按字典序排列的结果 | @排序后的结果"),
    "down": ("@ in reverse alphabetical order | @ sorted in descending order", "@按字典序倒排的结果"),
    "bylength": ("@ sorted by length | @ from short to long", "@按长度排序的结果 | @从短到长排序的结果"),
    "reverse": ("@ in reverse order | @ reversed", "@的倒序 | @反转后的列表"),
    "first": ("the first {0} elements of @ | the first {0} of @", "@的前 {0} 个"),
    "last": ("the last {0} elements of @ | the last {0} of @", "@的后 {0} 个"),
    "unique": ("@ without repeats | the distinct words of @ in order", "@去重后的结果 | @中不重复的词"),
    "lengths": ("the lengths of the words in @ | a list of the lengths of @", "@中每个词的长度"),
    "letters": ("how often '{0}' occurs in each word of @", "@中每个词里 '{0}' 的个数"),
    "join": ("@ joined with '{0}' | one string of @ with '{0}' between", "@用 '{0}' 连接成的字符串"),
    "initials": ("the first letters of @ as one string | the initials of @ joined", "@的首字母连成的字符串"),
    "longest": (
        "the longest of @ ('' if there is none) | the first longest word of @, or ''",
        "@中最长的词（没有则为空串）",
    ),
    "shortest": (
        "the shortest of @ ('' if there is none) | the first shortest word of @, or ''",
        "@中最短的词（没有则为空串）",
    ),
    "least": ("the alphabetically first of @ ('' if there is none)", "@中字典序最小的词（没有则为空串）"),
    "count": ("the number of words in @ | the length of the list of @", "@的个数"),
    "total": ("the total number of characters in @ | the sum of the lengths of @", "@的总字符数 | @的长度之和"),
    "any": ("whether there are any words in @ that {0} | True if any words of @ {0}", "@中是否有{0}的词"),
    "all": ("whether all words in @ {0} | True if all words of @ {0}", "@中是否所有词都{0}"),
    "sizes": ("a dict from each word in @ to its length", "@中每个词到其长度的字典"),
    "places": ("a dict from each word in @ to its last index", "@中每个词到其最后下标的字典"),
    "tally": ("a dict of how often each word occurs in @ | a count of each word in @", "@中每个词出现次数的字典"),
    "bysize": ("a dict from each length to the words in @ that have it", "@按长度分组的字典"),
    "byletter": ("a dict from each first letter to the words in @ that have it", "@按首字母分组的字典"),
}
"""Of words."""
