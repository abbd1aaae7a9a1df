"""The reference page of a record: as short as a clean page can be."""

from html import escape

from redraft.tasks.page.content import Spec

__all__ = ["write_page"]

_CLOCK = """<p id="t"></p>
<script>
function show() { t.textContent = new Date().toLocaleTimeString() }
show()
setInterval(show, 1000)
</script>"""

_ADDER = """<input id="a">
<button onclick="add()">{button}</button>
<ul id="l"></ul>
<script>
function add() {{
  const i = document.createElement('li')
  i.textContent = a.value
  l.append(i)
}}
</script>"""

_GREETING = """<input id="a">
<button onclick="p.textContent = '{word}, ' + a.value + '!'">{button}</button>
<p id="p"></p>"""

_TOGGLE = """<p id="p">{text}</p>
<button onclick="p.hidden = !p.hidden">{button}</button>"""


def write_page(spec: Spec) -> str:
    """Return the page."""
    kind = spec["kind"]
    heading = escape(spec["heading"], quote=False)
    if kind in _WRITERS:
        body = "\n".join(_WRITERS[kind](spec))
    else:
        template = {"clock": _CLOCK, "adder": _ADDER, "greeting": _GREETING, "toggle": _TOGGLE}[kind]
        body = template if kind == "clock" else template.format(**spec)
    body = f"<h1>{heading}</h1>\n{body}"
    if "style" in spec:
        background, colour = spec["style"]
        body = f'<body style="background: {background}; color: {colour}">\n{body}\n</body>'
    return f"<!doctype html>\n<title>{heading}</title>\n{body}"


def _counter(spec: Spec) -> list[str]:
    lines = [f'<p id="n">{spec["start"]}</p>']
    for label, step in spec["buttons"]:
        if step is None:
            action = f"n.textContent = {spec['start']}"
        elif abs(step) == 1:
            action = "n.textContent++" if step > 0 else "n.textContent--"
        elif step < 0:
            action = f"n.textContent -= {-step}"
        else:
            # Plus joins two texts, unless the first is made a number.
            action = f"n.textContent = +n.textContent + {step}"
        lines.append(f'<button onclick="{action}">{label}</button>')
    return lines


def _list(spec: Spec) -> list[str]:
    tag = "ol" if spec["ordered"] else "ul"
    return [f"<{tag}>", *(f"<li>{item}</li>" for item in spec["items"]), f"</{tag}>"]


def _colour(spec: Spec) -> list[str]:
    return [
        f"<button onclick=\"document.body.style.background = '{colour}'\">{label}</button>"
        for label, colour in spec["buttons"]
    ]


def _form(spec: Spec) -> list[str]:
    fields = [
        f'<label>{label} <input type="{kind}"{" required" if is_required else ""}></label>'
        for label, kind, is_required in spec["fields"]
    ]
    return ["<form>", *fields, f"<button>{spec['submit']}</button>", "</form>"]


def _table(spec: Spec) -> list[str]:
    head = "".join(f"<th>{column}</th>" for column in spec["columns"])
    rows = ["".join(f"<td>{cell}</td>" for cell in row) for row in spec["rows"]]
    return ["<table>", f"<tr>{head}</tr>", *(f"<tr>{row}</tr>" for row in rows), "</table>"]


_WRITERS = {"counter": _counter, "list": _list, "colour": _colour, "form": _form, "table": _table}
