"""The words around the longer puzzles, in English and Chinese, written for this project as those in ``phrasing``.

``{a}`` and ``{b}`` are factors, ``{numbers}`` and ``{target}`` what a countdown starts from and must reach, ``{grid}``
a sudoku, ``{boxes}`` the size of its boxes, ``{edges}`` a graph, ``{start}`` and ``{goal}`` two of its nodes.
"""

from redraft.tasks.phrasing import Phrasings

__all__ = ["COUNTDOWN", "MULTIPLICATION", "PLANNING", "SUDOKU"]

MULTIPLICATION: Phrasings = {
    ("answer_first", "en"): (
        "Multiply {a} by {b}.",
        "Multiply {a} by {b}: the product first, then the partial products.",
        "{a} times {b}, with the partial products after the answer",
        "What is {a} times {b}?",
        "Long multiplication, product first: {a} × {b}",
        "Find the product of {a} and {b}, then show the partial products.",
        "product of {a} and {b}",
        "Multiply {a} * {b}. Answer first, then one line per digit.",
    ),
    ("answer_first", "zh"): (
        "{a} 乘以 {b} 等于多少？",
        "求 {a} 与 {b} 的积。",
        "{a} 乘 {b}，先写积，再写各位的部分积。",
        "竖式乘法，先给出答案：{a} × {b}",
        "请先写出 {a} 和 {b} 的乘积，再逐位列出。",
    ),
    ("derivation_first", "en"): (
        "Write the partial products of {a} times {b}, then the product.",
        "Multiply {a} by {b} digit by digit; the product comes last.",
        "Long multiplication, partial products first: {a} × {b}",
    ),
    ("derivation_first", "zh"): (
        "{a} 乘以 {b}，先逐位列出部分积，最后写积。",
        "竖式乘法，先写部分积，再写答案：{a} × {b}",
    ),
}
"""For ``multiplication``."""

COUNTDOWN: Phrasings = {
    ("answer_first", "en"): (
        "Make {target} from {numbers}.",
        "Use {numbers} to reach {target}. The expression first, then each step.",
        "Countdown: {numbers}. Target: {target}.",
        "Numbers {numbers}, each at most once: get {target}.",
        "How can you get {target} out of {numbers} with + - * /?",
        "Write an expression for {target} with the numbers {numbers}, then work it out.",
        "reach {target} with {numbers}",
    ),
    ("answer_first", "zh"): (
        "用 {numbers} 算出 {target}。",
        "用数字 {numbers}，每个最多用一次，得到 {target}。",
        "数字：{numbers}。目标：{target}。先写算式，再写步骤。",
        "怎样用 {numbers} 通过加减乘除得到 {target}？",
    ),
    ("derivation_first", "en"): (
        "Reach {target} with {numbers}: the steps first, then the whole expression.",
        "Make {target} from {numbers} step by step, and write the expression last.",
    ),
    ("derivation_first", "zh"): (
        "用 {numbers} 一步一步算出 {target}，最后写出完整算式。",
        "先写步骤，再写算式：用 {numbers} 得到 {target}。",
    ),
}
"""For ``countdown``."""

SUDOKU: Phrasings = {
    ("answer_first", "en"): (
        "Solve this sudoku:\n{grid}",
        "Fill in the grid; every row, column and {boxes} box holds each digit once.\n{grid}",
        "Complete the sudoku with {boxes} boxes.\n{grid}",
        "sudoku\n{grid}",
        "What is the solution of this sudoku?\n{grid}",
        "{grid}\nFill in what is missing.",
    ),
    ("answer_first", "zh"): (
        "解这个数独：\n{grid}",
        "填满数独，宫为 {boxes}：\n{grid}",
        "数独\n{grid}",
        "请补全下面的数独。\n{grid}",
        "{grid}\n填上空格。",
    ),
    ("derivation_first", "en"): (
        "Solve this sudoku. Name each cell as you fill it (row letter, column, digit), then write the grid.\n{grid}",
        "Which cells first? List row, column and digit of each, and the whole grid at the end.\n{grid}",
    ),
    ("derivation_first", "zh"): (
        "解数独：先依次写出每个空格（行字母、列、数字），最后写出整个盘面。\n{grid}",
        "先逐格填写，再给出完整的数独：\n{grid}",
    ),
}
"""For ``sudoku``."""

PLANNING: Phrasings = {
    ("answer_first", "en"): (
        "Edges: {edges}. What is the shortest path from {start} to {goal}?",
        "Shortest path from {start} to {goal} in this graph: {edges}. Its length first, then the path.",
        "How many steps is it from {start} to {goal}? Roads: {edges}",
        "Roads go both ways: {edges}. Get from {start} to {goal} with as few roads as possible.",
        "{edges}\nFrom {start} to {goal}: length, then path.",
        "Plan the quickest way from {start} to {goal}: {edges}",
    ),
    ("answer_first", "zh"): (
        "边：{edges}。从 {start} 到 {goal} 的最短路径是什么？",
        "图中有边 {edges}，求 {start} 到 {goal} 的最短路，先写长度，再写路径。",
        "从 {start} 到 {goal} 最少走几步？道路：{edges}",
        "道路是双向的：{edges}。怎样从 {start} 最快到 {goal}？",
    ),
    ("derivation_first", "en"): (
        "Edges: {edges}. Write the shortest path from {start} to {goal}, then its length.",
        "From {start} to {goal}, the path first and its length last: {edges}",
    ),
    ("derivation_first", "zh"): (
        "边：{edges}。先写出从 {start} 到 {goal} 的最短路径，再写长度。",
        "求 {start} 到 {goal} 的最短路，先路径后长度：{edges}",
    ),
}
"""For ``planning``."""
