"""`page`: any page that shows and does what was asked for is right, however it is written; and no other is."""

import json
import random

import pytest

from redraft.errors import ConfigError
from redraft.tasks import Page, Problem, split_of
from redraft.tasks.page.content import KINDS, Spec
from redraft.tasks.page.dom import PageError, parse_page
from redraft.tasks.page.judging import check_page
from redraft.tasks.page.script_run import Runtime
from redraft.tasks.page.writing import write_page

TASK = Page()
COUNTER: Spec = {"kind": "counter", "heading": "Points", "start": 3, "buttons": [["Up", 2], ["Back", None]]}
UP = '<button onclick="n.textContent -= -2">Up</button>'
BACK = '<button onclick="n.textContent = 3">Back</button>'
HEAD = "<!doctype html><title>t</title><h1>Points</h1>"


def problems(count: int, seed: int, **dials: int) -> list[Problem]:
    rng = random.Random(seed)
    return [TASK.generate(rng, split=None, dials=TASK.make_dials(**dials)) for _ in range(count)]


def judged(spec: Spec, text: str) -> str:
    try:
        check_page(spec, text)
    except PageError as error:
        return str(error)
    return ""


def test_every_problem_is_answered_by_its_own_answer() -> None:
    for problem in problems(100, 1):
        verdict = TASK.verify(problem, problem.answer_text)
        assert verdict.is_correct, (verdict.reason, problem)


def test_mutated_answers_are_refused() -> None:
    for problem in problems(50, 2):
        answer = problem.answer_text
        spec = json.loads(problem.key.removeprefix("page:"))
        mutations = [
            answer.removeprefix("<!doctype html>"),
            answer.replace("</h1>", ""),
            answer.replace("</h1>", "</h2>"),
            answer.replace("<h1>", "<h1>The "),
            answer.replace("</title>", "</title><h1>Other</h1>"),
            answer + "</p>",
            answer + "<b>",
            answer + "<button>Other</button>" if "<button" in answer else "",
            answer + '<script src="https://example.com/x.js"></script>',
            answer + "<script>f(</script>",
            answer + "<script>other()</script>",
            answer.replace("<button ", "<b ")
            .replace("</button>", "</b>")
            .replace("<li>", "<p>")
            .replace("</li>", "</p>")
            if spec["kind"] not in ("clock", "table", "form", "adder")
            else "",
            answer.replace("Interval", "Timeout").replace("<td>", "<td>x").replace(' type="', ' type="x')
            if spec["kind"] in ("clock", "table", "form")
            else "",
        ]
        for text in mutations:
            verdict = TASK.verify(problem, text)
            assert not verdict.is_correct, text
            assert verdict.reason


@pytest.mark.parametrize(
    "body",
    [
        '<p id="n">3</p><button onclick="n.textContent = Number(n.textContent) + 2">Up</button>'
        '<button onclick="n.innerText = 3">Back</button>',
        '<b id=c>3</b><button onclick="go(2)">Up</button>'
        "<button onclick=\"document.getElementById('c').innerHTML = '3'\">Back</button><script>function go(k) "
        "{ let v = parseInt(c.textContent); c.textContent = v + k; }</script>",
        '<body><div><span id="s">3</span></div><button id="u">Up</button> <button id="b">Back</button><script>\n'
        'let n = 3;\nconst show = () => { document.querySelector("#s").textContent = n };\n'
        'u.addEventListener("click", () => { n += 2; show() });\nb.onclick = function () { n = 3; show() }\n'
        "</script></body>",
    ],
)
def test_a_counter_may_be_written_in_many_ways(body: str) -> None:
    assert judged(COUNTER, HEAD + body) == ""


@pytest.mark.parametrize(
    "body",
    [
        # Plus joins texts.
        f'<p id="n">3</p><button onclick="n.textContent += 2">Up</button>{BACK}',
        f'<p id="n">3</p>{UP}{BACK.replace("3", "0")}',
        f'<p id="n">0</p>{UP}{BACK}',
        f'<p id="n">3</p>{UP}',
        f'<p id="n">3</p>{UP.replace("n.", "m.")}{BACK}',
        '<p id="n">3</p><p>5</p><button>Up</button><button>Back</button>',
    ],
)
def test_a_counter_that_counts_otherwise_is_refused(body: str) -> None:
    assert judged(COUNTER, HEAD + body) != ""


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ("p.textContent = 1 + 2 * 3 - 4 / 2", "5"),
        ("p.textContent = '1' + 2", "12"),
        ("p.textContent = '5' - 2", "3"),
        ("p.textContent = 1 < 2 && !false ? 'yes' : 'no'", "yes"),
        ("let a = 0; function f(x) { if (x > 3) { return; } a++; f(x + 1) } f(0); p.textContent = a", "4"),
        ("const f = (a, b) => a % b\np.textContent = f(7, 4)", "3"),
        ("p.textContent = ' x '.trim().length", "1"),
        ("p.textContent = 0.5 + 0.25 // done", "0.75"),
        ("p.textContent = 1 == '1' && 1 !== '1'", "true"),
    ],
)
def test_scripts_do_what_browsers_do(script: str, shown: str) -> None:
    runtime = Runtime(parse_page(f'<!doctype html><p id="p"></p><script>{script}</script>'))
    runtime.load()
    assert next(runtime.document.nodes("p")).text == shown


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "<script>function f() { f() } f()</script>",
        "<script>" + "(" * 3000 + "</script>",
        "<script>" + "-" * 3000 + "1</script>",
        "<script>a b</script>",
        "<script>let a = 'x'; " + "a += a; " * 40 + "</script>",
        "<script>new Function('x')</script>",
        "<script>document.append(document)</script>",
        "<script>document.cookie()</script>",
        "<script>null.x</script>",
        "<script>1 = 2</script>",
        "<script>let s = 1; s.style.color = 'x'</script>",
        "<b>" * 2000,
        "<p a=1 a=2></p>",
        "<![x",
        "<!--",
        "&#99999999999;",
        "\ud800\x00",
        "<div/>",
        '<p id="p"></p><button onclick="p.append(p)">x</button>',
    ],
)
def test_no_text_makes_the_judge_stumble(text: str) -> None:
    for problem in problems(9, 3):
        for page in (text, "<!doctype html>" + text, problem.answer_text + text):
            verdict = TASK.verify(problem, page)
            assert verdict.is_correct == (not verdict.reason)


def test_random_damage_never_raises() -> None:
    rng = random.Random(4)
    signs = "<>/\"'=(){};+-.,!?: \nabnpt01#&"
    for problem in problems(60, 5):
        text = list(problem.answer_text)
        for _ in range(12):
            text[rng.randrange(len(text))] = rng.choice(signs)
            TASK.verify(problem, "".join(text))


def test_splits_share_no_key() -> None:
    rng = random.Random(6)
    keys = {split: {TASK.generate(rng, split=split).key for _ in range(60)} for split in ("train", "dev", "test")}
    for split, found in keys.items():
        assert {split_of(key) for key in found} == {split}


def test_the_description_says_everything() -> None:
    for problem in problems(200, 7):
        spec = json.loads(problem.key.removeprefix("page:"))
        parts = [label for label, *_ in spec.get("buttons", [])] + [label for label, *_ in spec.get("fields", [])]
        parts += [spec["heading"], *spec.get("items", []), spec.get("submit", ""), spec.get("text", "")]
        assert [part for part in parts if part not in problem.prompt] == []
        assert write_page(spec) == problem.answer_text


def test_dials() -> None:
    found = problems(150, 8, max_parts=1, style_percent=100)
    assert all(problem.num_steps <= 2 for problem in found)
    assert {json.loads(problem.key.removeprefix("page:"))["kind"] for problem in found} == set(KINDS)
    for table in ({"max_parts": 0}, {"style_percent": 101}, {"parts": 2}):
        with pytest.raises(ConfigError):
            TASK.make_dials(**table)
    assert problems(20, 9) == problems(20, 9)
