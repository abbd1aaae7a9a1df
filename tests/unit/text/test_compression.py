"""The vocabulary has room for every domain: bytes per token on texts that the builder never saw."""

import pytest

from redraft.text import Tokenizer

TEXTS = {
    "maths": """请先写出结果，再逐步推导 (√(144) − 5)² ÷ 7 + 3 × (18 − 4³)
(sqrt(144) - 5)^2 / 7 + 3 * (18 - 4^3)
√(144) = 12
12 − 5 = 7
7² = 49
49 ÷ 7 = 7
4³ = 64
18 − 64 = −46
3 × −46 = −138
7 + −138 = −131
The primes between 20 and 50 are 23, 29, 31, 37, 41, 43, 47; there are 7 of them.
20 到 50 之间的质数有 7 个：23, 29, 31, 37, 41, 43, 47
""",
    "python": '''def merge_intervals(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge overlapping intervals and return them in order."""
    merged = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


class Stack:
    def __init__(self, items=None):
        self._items = list(items or [])

    def push(self, item):
        self._items.append(item)

    def pop(self):
        if not self._items:
            raise IndexError("pop from an empty stack")
        return self._items.pop()


if __name__ == "__main__":
    stack = Stack([1, 2, 3])
    while True:
        try:
            print(f"popped {stack.pop()}")
        except IndexError:
            break
''',
    "html": """<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Bird watching club</title>
  <style>
    body { font-family: sans-serif; margin: 2em; background: #fafafa; }
    .card { border: 1px solid #ddd; padding: 16px; border-radius: 8px; }
  </style>
</head>
<body>
  <h1>Spring walk</h1>
  <div class="card">
    <p>Meet us at the <a href="map.html">north gate</a> on Sunday.</p>
    <ul>
      <li>Bring water</li>
      <li>Wear good shoes</li>
    </ul>
    <button id="join" onclick="join()">Join</button>
  </div>
  <script>
    let guests = 0;
    function join() {
      guests += 1;
      document.getElementById("join").textContent = `Guests: ${guests}`;
    }
  </script>
</body>
</html>
""",
    "json": """{"id": "a7", "title": "Order for two chairs", "paid": true, "total": 149, "items": [{"name": "oak chair",
"count": 2, "tags": ["wood", "garden"]}], "customer": {"name": "Lena", "city": "Graz", "phone": null}}
""",
    "english": """The ferry left the harbour an hour late, and by then most of the passengers had gone back to the
little cafe on the hill. Nobody complained. The old woman who ran the place brought out bread and cheese, asked each of
them where they were going, and told a story about the winter when the whole bay froze. "You could walk to the islands,"
she said, "if you were brave enough." A boy wanted to know whether she had ever tried it herself. She smiled and poured
him another glass of milk instead of giving an answer. Please rewrite this paragraph so that it sounds more formal,
correct the spelling mistakes, and keep the names unchanged.
""",
    "chinese": """去年冬天，我们全家坐火车去看望住在北方的爷爷奶奶。路上下了很大的雪，车开得很慢，
可是孩子们一点也不着急，他们一直看着窗外白色的田野。到家的时候已经是晚上，奶奶做好了热汤等着我们。请把上面这段话改写得更简短，并修正其中的错别字。
写一个函数，返回列表中最大的数，如果列表是空的就返回零。页面上要有一个标题和三个按钮，点击按钮后改变文字的颜色。
""",
}
"""Written for this test."""


@pytest.mark.parametrize(
    ("domain", "least"),
    [("maths", 1.7), ("python", 2.4), ("html", 2.2), ("json", 1.8), ("english", 2.5), ("chinese", 2.6)],
)
def test_bytes_per_token(domain: str, least: float) -> None:
    text = TEXTS[domain]
    assert len(text.encode()) / len(Tokenizer.builtin().encode(text)) >= least
