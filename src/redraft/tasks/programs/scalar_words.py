"""The nouns of the operations on one text or one whole number."""

__all__ = ["NUMBER_WORDS", "TEXT_WORDS"]

TEXT_WORDS: dict[str, tuple[str, str]] = {
    "keep": ("the characters of @ that {0} | only those characters of @ that {0}", "@中{0}的字符"),
    "upper": ("@ in upper case | @ in capitals", "@的大写 | @转为大写"),
    "lower": ("@ in lower case | @ in small letters", "@的小写 | @转为小写"),
    "title": ("@ in title case", "@中每个单词首字母大写的结果"),
    "swap": ("@ with upper and lower case swapped", "@大小写互换后的结果"),
    "reverse": ("@ reversed | @ backwards", "@的倒序 | @反转后的结果"),
    "replace": ("@ with each '{0}' replaced by '{1}'", "@中 '{0}' 换成 '{1}' 后的结果"),
    "first": ("the first {0} characters of @", "@的前 {0} 个字符"),
    "last": ("the last {0} characters of @", "@的后 {0} 个字符"),
    "every": ("one in every {0} characters of @ from the first on", "@从第一个字符起每 {0} 个取一个的结果"),
    "repeat": ("@ repeated {0} times", "@重复 {0} 次的结果"),
    "squeeze": ("@ with single spaces between words", "@中单词之间只留一个空格的结果"),
    "turn": ("@ with its words in reverse order", "@中单词顺序倒过来的结果"),
    "double": ("@ with the characters doubled that {0}", "@中{0}的字符各写两遍的结果"),
    "split": ("the words of @ | @ split at spaces", "@按空格拆分的词 | @中的单词"),
    "characters": ("the characters of @ as a list | a list of the characters of @", "@的字符列表"),
    "count": ("the length of @ | the number of characters in @", "@的长度 | @的字符数"),
    "letter": ("how often '{0}' occurs in @ | the number of '{0}' in @", "@中 '{0}' 的个数 | '{0}' 在@中出现的次数"),
    "how": ("how many characters of @ {0} | the number of characters of @ that {0}", "@中{0}的字符个数"),
    "numwords": ("the number of words in @ | how many words @ has", "@的单词数"),
    "kinds": ("how many different characters are in @ | the number of distinct characters of @", "@中不同字符的个数"),
    "mirror": ("whether @ is a palindrome | True if @ reads the same backwards", "@是否为回文"),
    "contains": ("whether '{0}' is in @ | True if @ contains '{0}'", "@中是否有 '{0}' | @是否包含 '{0}'"),
    "starts": ("whether @ starts with '{0}' | True if @ begins with '{0}'", "@是否以 '{0}' 开头"),
    "any": ("whether there are any characters in @ that {0}", "@中是否有{0}的字符"),
    "all": ("whether all characters in @ {0} | True if all characters of @ {0}", "@中是否所有字符都{0}"),
    "tally": (
        "a dict of how often each character occurs in @ | a count of each character in @",
        "@中每个字符出现次数的字典",
    ),
}
"""Of texts."""

NUMBER_WORDS: dict[str, tuple[str, str]] = {
    "map": ("{0}", "{0}"),
    "mapif": ("{1} if it {0}, else {2}", "如果{0}则为{1}否则为{2}的值"),
    "digits": ("the sum of the digits of @", "@各位数字之和"),
    "flip": ("the digits of @ in reverse as a number", "@各位数字倒过来的数"),
    "repeat": (
        "what @ becomes when it is {0} times multiplied by {1} and then increased by {2}",
        "@先乘 {1} 再加 {2} 共做 {0} 次的结果",
    ),
    "sum": ("the sum of {1} for the numbers from 1 to @ that {0}", "从 1 到@中{0}的数的{1}之和"),
    "factorial": ("the factorial of @ | the product of all numbers from 1 to @", "@的阶乘 | 从 1 到@所有数的积"),
    "steps": (
        "how many steps @ takes down to 1 if even numbers are halved and odd ones become 3 times themselves plus 1",
        "@到 1 的步数（偶数减半，奇数乘 3 加 1）",
    ),
    "upto": ("the numbers from 1 to @ | a list of the integers from 1 to @", "从 1 到@的数"),
    "below": ("the multiples of {0} from 0 to below @", "从 0 起小于@的 {0} 的倍数"),
    "divisors": ("the divisors of @ | all positive divisors of @ in order", "@的约数 | @的所有正约数"),
    "digit": ("the digits of @ as a list | a list of the digits of @", "@各位数字的列表"),
    "multiples": ("@ times each of the numbers from 1 to below {0}", "@乘以从 1 到 {0}（不含）各数的结果"),
    "halves": (
        "@ and what is left each time it is divided by {0}, rounded down, while it is positive",
        "@不断除以 {0} 取整、直到 0 为止的各数",
    ),
    "string": ("@ as a string | @ turned into a string", "@转为字符串"),
    "binary": ("the binary digits of the absolute value of @", "@绝对值的二进制"),
    "is": ("whether @ {0} | True if @ {0}", "@是否{0}"),
    "prime": ("whether @ is prime | True if @ is a prime number", "@是否为质数"),
    "table": ("a dict from each number from 1 to @ to {0}", "从 1 到@的每个数到{0}的字典"),
}
"""Of whole numbers."""
