"""Words and sentences that the tokenizer's sample is made of, written for it.

In a template ``{w}`` stands for an English word, ``{z}`` for a Chinese one, ``{n}`` for a number.
"""

__all__ = [
    "CHINESE_WORDS",
    "EDIT_INSTRUCTIONS",
    "ENGLISH_SENTENCES",
    "ENGLISH_WORDS",
    "HTML_TEMPLATES",
    "MATHS_QUESTIONS",
    "PYTHON_TEMPLATES",
]

_CHINESE_WORDS = """
    的 是 有 个 和 到 在 为 与 之 从 以 及 或 不 了 把 将 被 对 于 中 上 下 大 小 多 少 几 零 一 二 三 四 五 六 七 八
    九 十 百 千 万 两 先 再 后 前 每 各 共 只 都 也 还 就 请 求 算 加 减 乘 除 数 式 值 列 写 出 给 得 用 能 会 要 可
    这 那 它 他 她 我 你 们 人 年 月 日 时 分 天 来 去 说 看 做 改 增 删 间 内 外 里 最 更 很 所 其 步 题 答 文 字 名
    好 过 起 开 走 吃 喝 家 水 火 车 路 手 头 心 口 想 见 听 问 找 回 点 面 边 样 事 物 本 法 比 长 高 新 老 快 慢 早 晚
    春 夏 秋 冬 雪 雨 风 山 花 树 狗 猫 鱼 鸟 书 话 气 色 红 白 空 位 次 条 件 电 太 又 才 着 第 成 行 进 动 发 当 正 直
    无 同 相 由 意 思 爱 让 孩 男 女 爸 妈 短 错 短 换 句 段 页 星 期 岁 块 钱 买 卖 和 吗 呢 吧

    多少 计算 请问 之间 质数 素数 给出 答案 列出 等于 结果 步骤 然后 最后 首先 写出 算式 表达式 下面 下列 数字 整数
    平方 立方 平方根 根号 分数 分之 加上 减去 乘以 除以 括号 数量 总数 一共 所有 全部 哪些 什么 多少个 几个 如何 怎么
    推导 过程 证明 解释 大于 小于 不是 可以 需要 应该

    修改 改写 修正 修复 错误 文本 句子 段落 文字 翻译 总结 提取 替换 删除 添加 插入 代码 函数 变量 程序 文件 页面 标题
    按钮 内容 格式 问题 回答 中文 英文 语言 名字 名称 颜色 列表 返回

    我们 你们 他们 自己 今天 明天 昨天 现在 时间 地方 东西 朋友 学生 老师 学校 工作 学习 喜欢 知道 因为 所以 但是 如果
    没有 还是 已经 一个 这个 那个 一些 很多 生活 世界 中国 北京
"""

CHINESE_WORDS: tuple[str, ...] = tuple(dict.fromkeys(_CHINESE_WORDS.split()))
"""Common enough to be one token each."""

_MATHS_QUESTIONS_ENGLISH = (
    "Compute {expression}.",
    "Calculate {expression}",
    "What is {expression}?",
    "Evaluate {expression}.",
    "Please work out {expression}.",
    "Find the value of {expression}.",
    "Simplify the expression {expression} and give the result.",
    "Give the answer first, then each step: {expression}",
    "Solve {expression} step by step, answer first.",
    "How much is {expression}?",
    "What is the value of the following expression? {expression}",
    "List the primes between {low} and {high}.",
    "How many prime numbers are there between {low} and {high}? List them.",
    "Find all prime numbers from {low} to {high}. First the count, then the list.",
    "Which numbers between {low} and {high} are prime? Give the number of primes first.",
    "Count the primes in the range {low} to {high}, then name them.",
)

_MATHS_QUESTIONS_CHINESE = (
    "计算 {expression}。",
    "请计算{expression}的值。",
    "{expression}等于多少？",
    "{expression} = ?",
    "{expression}的结果是多少？",
    "求{expression}。",
    "求下面算式的值：{expression}",
    "请算出 {expression}，先给出答案，再写出步骤。",
    "先给出答案，再一步一步推导：{expression}",
    "请先写答案，然后给出计算过程：{expression}",
    "列出{low}到{high}之间的所有质数。",
    "{low}和{high}之间有多少个质数？请列出。",
    "{low}到{high}之间有几个素数？先给出个数，再列出它们。",
    "请找出 {low} 与 {high} 之间的全部素数，先写数量。",
    "从{low}到{high}，哪些数是质数？一共有多少个？",
)

MATHS_QUESTIONS = _MATHS_QUESTIONS_ENGLISH + _MATHS_QUESTIONS_CHINESE
"""With slots for an expression or two bounds."""

EDIT_INSTRUCTIONS = (
    "Rewrite the following text in a more formal tone.",
    "Rewrite this sentence so that it is shorter.",
    "Make the paragraph friendlier and easier to read.",
    "Fix the spelling and grammar mistakes in the text.",
    "Correct the typos. Change nothing else.",
    "Repair the function so that the test passes.",
    "There is a bug in this code. Find it and fix it.",
    "Rename the variable {w} to {w} everywhere.",
    "Replace every {w} with {w}.",
    "Extract the names and the dates as JSON.",
    "Extract all numbers from the text and return a list.",
    "Summarize the text in one sentence.",
    "Translate the sentence into Chinese.",
    "Translate the sentence into English.",
    "Turn the list into a table.",
    "Add a docstring and type hints to the function.",
    "Remove the comments and format the code.",
    "Insert the missing line.",
    "Fill in the missing words.",
    "Change the color of the button to {w}.",
    "Add a heading and a link to the page.",
    "Write a web page with a title, a button and a list of {n} items.",
    "Write a Python function that returns the {w} of a list.",
    "Write a short story about a {w} and a {w}.",
    "Continue the text.",
    "Answer the question in one word.",
    "Sort the lines by {w} and delete duplicates.",
    "Keep the meaning, but use simple words.",
    "Explain step by step why this is true.",
)
"""What a user asks an editor to do."""

ENGLISH_SENTENCES = (
    "The {w} was {w} and the {w} had been there for {n} years.",
    "She said that they would {w} before they {w} again.",
    "I don't know what you {w}, but it's the best {w} we have.",
    "There is a {w} between the {w} and the other {w}.",
    "He could not {w} because his {w} was too {w} for him.",
    "When the {w} comes, we will have to {w} it with our {w}.",
    "Please send me the {w} of the {w} by {n}.",
    "It has been a long {w}; nobody wants to {w} any more.",
    "This is one of the most {w} {w} that I have ever seen.",
    "You should {w} your {w} if you want to make it {w}.",
    "They were going to {w} into the {w} from where she came.",
    "Each {w} is used for {w} only when its {w} is not {w}.",
    "Which {w} can be found under the {w}, and how much does it cost?",
    "After that, the {w} {w} will be about {n} percent {w} than before.",
    "Thank you for your {w}. We are looking forward to your {w}.",
    "Some people think {w} is {w}; others just {w} through it.",
    "Once upon a time there was a little {w} who liked to {w} every day.",
    "What would happen if all of these {w} did {w} at the same time?",
    "Let's {w} the {w}, then {w} out what they mean.",
    "Dear {w}, I hope this {w} finds you well.",
    "{w} {w} {w} {w}, {w} {w} {w}.",
)
"""Frames that carry the common function words of English."""

ENGLISH_WORDS: tuple[str, ...] = tuple(
    """
    able about above accept account across act action active add address after again age agree air all allow
    almost alone along already also always among amount animal answer any appear apple apply area argument arm
    around arrive art ask attention author away baby back bad bag balance ball bank base basic battle beach bear
    beautiful because become bed before begin behavior behind believe best better between big bird birthday
    black block blood blue board body book both bottom box boy branch bread break bridge bright bring brother
    brown build building business button buy call camera can car card care carry case cat catch cause center
    century certain chair chance change character charge check child children choice choose church circle city
    class clean clear client clock close cloud code coffee cold collect color column come common community
    company compare complete computer concern condition connect consider contain content continue control cook
    cool copy corner correct cost could count country couple course cover create cross cry cup current customer
    cut dance dark data date daughter day dead deal dear death decide deep default define degree delete deliver
    describe design detail develop device did die difference different difficult dinner direct direction doctor
    document dog door down draw dream dress drink drive drop dry during early earth east easy eat edge edit
    education effect egg eight either element else email empty end enemy energy engine enjoy enough enter entire
    entry equal error even evening event ever every evidence example except expect experience explain expression
    eye face fact fail fall false family famous far farm fast father favorite feature feel feet few field fight
    figure file fill final find fine finger finish fire first fish five floor flower fly follow food foot force
    foreign forest forget form forward found four free fresh friend from front fruit full fun function future
    game garden gate general gentle get gift girl give glad glass go gold good government grass great green
    ground group grow guess guide hair half hall hand happen happy hard hat have head health hear heart heat
    heavy height hello help her here high hill him history hold hole home hope horse hospital hot hotel hour
    house how however human hundred hungry husband ice idea image imagine important include increase index
    inside instead interest into invite iron island issue item job join journey judge jump just keep key kind
    king kitchen knife know lady land language large last late laugh law lead learn least leave left leg length
    less letter level library lie life light like line link list listen little live local long look lose lost
    lot love low lower lunch machine main make man manager many map mark market matter maybe mean measure meat
    meet meeting member memory message method middle might milk million mind minute miss mistake model modern
    moment money month moon more morning most mother mountain mouth move movie much music must name nation
    nature near need never new news next nice night nine north nose note nothing notice number object ocean
    offer office often old once one only open order orange other our out outside over own page paint pair paper
    parent park part party pass past path pay peace people perhaps period person phone photo picture piece place
    plan plant play please point police poor popular position possible power prepare present president pretty
    price prime print private problem process produce product program project promise proper protect provide
    public pull purpose push put quality question queen quick quiet quite radio rain raise range reach read
    ready real reason receive record red region remain remember remove repeat replace reply report request
    require rest result return review rich ride right ring rise river road rock room round row rule run sad safe
    same sand save say school science score sea search season seat second secret section see seem select sell
    send sense sentence separate series serious serve service set seven several shape share she shine ship shirt
    shoe shop short should shoulder show shut sick side sign silver similar simple since sing single sister sit
    site six size skill skin sky sleep slow small smart smile snow social society soft soldier some son song
    soon sorry sort sound south space speak special speed spend spring square staff stage stand star start state
    station stay step still stone stop store storm story straight strange street string strong student study
    style subject success such sugar sum summer sun support sure surprise sweet swim symbol system table take
    talk tall task teach teacher team tell ten term test text than thank that their them then there these they
    thick thin thing think third this those though thought thousand three through throw time tired title today
    together tomorrow tonight too tool top total touch toward tower town trade train travel tree trip trouble
    true trust try turn twenty two type under understand unit until update upon use user usual valley value
    various very video view village visit voice wait walk wall want war warm was wash watch water wave way weak
    wear weather week weight welcome well west wet what wheel when where which while white who whole why wide
    wife wild will win wind window winter wish with without woman wonder wood word work world worry worse would
    write wrong year yellow yes yesterday yet you young your zero
    """.split()  # noqa: SIM905 - a thousand words read better as text
)
"""Common words of English."""

HTML_TEMPLATES = (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n  <meta charset="utf-8">\n  <title>{w} {w}</title>\n'
    '  <meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '  <link rel="stylesheet" href="{w}.css">\n</head>\n<body>\n</body>\n</html>',
    '<div class="{w}">\n  <h1>{w} {w}</h1>\n  <p>{w} {w} {w}.</p>\n</div>',
    "<ul>\n  <li>{w}</li>\n  <li>{w} {w}</li>\n  <li>{n}</li>\n</ul>",
    "<ol>\n    <li>{w}</li>\n    <li>{z}</li>\n</ol>",
    '<a href="https://www.example.com/{w}.html" target="_blank">{w}</a>',
    '<button id="{w}" type="button" onclick="{w}()">{w}</button>',
    '<img src="{w}.png" alt="{w} {w}" width="{n}" height="{n}"><br>',
    "<table>\n  <tr><th>{w}</th><th>{w}</th></tr>\n  <tr><td>{n}</td><td>{w}</td></tr>\n</table>",
    '<form action="/{w}" method="post">\n  <label for="{w}">{w}</label>\n  <input type="text" name="{w}" id="{w}" '
    'placeholder="{w}">\n  <input type="submit" value="{w}">\n</form>',
    "<style>\n  body { font-family: sans-serif; margin: 0; padding: {n}px; background: #fff; color: #333; }\n"
    "  .{w} { display: flex; border: 1px solid #ccc; border-radius: 4px; font-size: {n}px; }\n"
    "  #{w} { width: 100%; height: auto; text-align: center; background-color: red; }\n</style>",
    '<script>\n  const {w} = document.getElementById("{w}");\n  let count = 0;\n'
    '  {w}.addEventListener("click", () => {\n    count += 1;\n    {w}.textContent = `{w}: ${count}`;\n  });\n'
    "  function {w}() {\n    return document.querySelector('.{w}');\n  }\n</script>",
    '<nav>\n  <a href="#{w}">{w}</a>\n  <a href="#{w}">{w}</a>\n</nav>',
    '<section id="{w}">\n  <h2>{w} {w}</h2>\n  <p><strong>{w}</strong> {w} <em>{w}</em>.</p>\n</section>',
    '<header class="header"><h1>{z}</h1></header>\n<main class="container">\n  <p>{z}{z}</p>\n</main>\n'
    "<footer><span>{w} {n}</span></footer>",
    '<select name="{w}">\n  <option value="{w}">{w}</option>\n  <option value="{n}" selected>{n}</option>\n</select>',
    '<svg viewBox="0 0 {n} {n}" fill="none">\n  <circle cx="{n}" cy="{n}" r="{n}" stroke="black" />\n'
    '  <rect x="{n}" y="{n}" width="{n}" height="{n}" />\n</svg>',
    '<div style="display: grid; gap: {n}px; color: blue;">\n  <span class="{w} {w}">{w}</span>\n</div>',
    '<textarea rows="{n}"></textarea>\n<!-- {w} {w} -->\n<hr>',
)
"""Snippets of pages."""

PYTHON_TEMPLATES = (
    "def {w}({w}: list[int]) -> int:\n    total = 0\n    for i in range(len({w})):\n        total += {w}[i]\n"
    "    return total\n",
    'def {w}({w}):\n    """Return the {w} of {w}."""\n    if not {w}:\n        return None\n    return max({w})\n',
    "def is_prime(n: int) -> bool:\n    if n < 2:\n        return False\n    for i in range(2, int(n ** 0.5) + 1):\n"
    "        if n % i == 0:\n            return False\n    return True\n",
    "class {w}:\n    def __init__(self, {w}, {w}=None):\n        self.{w} = {w}\n        self.{w} = {w}\n\n"
    "    def {w}(self):\n        return self.{w}\n",
    "import math\nimport sys\nfrom {w} import {w}\n\nx = math.sqrt({n})\nprint(x, file=sys.stderr)\n",
    'for key, value in {w}.items():\n    print(f"{w}: {key} = {value}")\n',
    "{w} = [x * x for x in range({n}) if x % 2 == 0]\nprint(sum({w}))\n",
    'with open("{w}.txt", "r", encoding="utf-8") as f:\n    lines = f.read().split("\\n")\n',
    "try:\n    {w} = int(input())\nexcept ValueError as error:\n    raise {w}(str(error)) from error\n",
    "while {w} != {w} and {w} <= {n}:\n    {w} += 1\n    if {w} is None or {w} >= {n}:\n        break\n"
    "    else:\n        continue\n",
    'if __name__ == "__main__":\n    main()\n',
    "assert {w}({n}) == {n}\nassert {w}([1, 2, 3]) == [3, 2, 1]\n",
    "@dataclass(frozen=True)\nclass {w}:\n    {w}: int = 0\n    {w}: str | None = None\n    {w}: dict[str, float]\n",
    "{w} = sorted({w}, key=lambda x: x[1], reverse=True)\nreturn {w}[:{n}]\n",
    "result = []\nfor item in {w}:\n    if item not in result:\n        result.append(item)\nreturn result\n",
    "def {w}(a, b):\n    # {w} {w}\n    while b:\n        a, b = b, a % b\n    return a\n",
    "import torch\nimport numpy as np\n\nx = torch.zeros({n}, {n})\ny = np.array([{n}, {n}])\n",
)
"""Small programs."""
