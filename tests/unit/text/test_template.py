"""Chat templates: real ones render as in the published pipeline, hostile ones are one clear error and cost nothing."""

import json
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from redraft.errors import CheckpointError, PromptError
from redraft.text import budget
from redraft.text.template import ChatTemplate

TURNS = [
    {"role": "system", "content": " Be brief. "},
    {"role": "user", "content": "1 < 2 & 质数\n"},
    {"role": "assistant", "content": "<think>hm</think>yes"},
    {"role": "user", "content": "why?"},
]

REAL = {
    "chatml": (
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' "
        "+ '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    ),
    "thinking": """
        {%- if tools %}{{- raise_exception('no tools') }}{%- endif %}
        {%- set ns = namespace(multi=true, last=messages|length - 1) %}
        {%- for message in messages[::-1] %}
            {%- set index = (messages|length - 1) - loop.index0 %}
            {%- if ns.multi and message.role == "user" and message.content is string
                   and not (message.content.startswith('<tool>') and message.content.endswith('</tool>')) %}
                {%- set ns.multi = false %}
                {%- set ns.last = index %}
            {%- endif %}
        {%- endfor %}
        {%- for message in messages %}
            {%- set content = message.content if message.content is string else '' %}
            {%- if message.role == 'assistant' and '</think>' in content %}
                {%- set content = content.split('</think>')[-1].lstrip('\n') %}
            {%- endif %}
            {{- '<|im_start|>' ~ message.role ~ '\n' ~ content | trim ~ '<|im_end|>\n' }}
            {%- if loop.last and add_generation_prompt %}{{- '<|im_start|>assistant\n' }}
                {%- if enable_thinking is defined and enable_thinking is false %}
                    {{- '<think>\n\n</think>\n\n' }}
                {%- endif %}
            {%- endif %}
        {%- endfor %}""",
    "macros": """
        {%- macro turn(role, text='', tag=None) -%}
            [{{ role | upper }}{% if tag %}:{{ tag }}{% endif %}] {{ text | trim | replace('\n', ' ') }}
        {%- endmacro -%}
        {{ bos_token }}{% set first = messages[0] %}
        {%- if first['role'] == 'system' %}{% set rest = messages[1:] %}{% else %}{% set rest = messages %}{% endif %}
        {%- for m in rest if m['content'] %}
        {{ turn(m.role, m.content, tag=loop.index) }}{% if not loop.last %};{% endif %}
        {%- endfor %}
        {{ {'a': [1, 2.5, true, none, 'é']} | tojson }} {{ [3, 1, 2] | sort | join(', ') }}
        {{ 7 // 2 + 2 ** 3 - 9 % 4 }}
        {%- set block %}{% generation %}x{{ rest | map(attribute='role') | list | length }}{% endgeneration %}
        {%- endset %}
        {{ block * 2 }} {{ "a,b".split(",") | reverse | list }} {{ missing | default('none') }}
        {{ range(2, 9, 3) | list }}
        {%- for key, value in {'k': 'v'}.items() %} {{ key }}={{ value }}{% endfor %}
        {%- for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}
        {% if i > 3 %}{% break %}{% endif %}{{ i }}{% endfor %}
        {%- for x in messages | selectattr('role', 'equalto', 'user') %} {{ x.content | length }}{% endfor %}
        {{ 'a\nb' | indent(2) }} {{ strftime_now('%Y')[:2] }} {{ dict(a=1) }}
        {{ 1 if messages else 2 }} {{ -3 | abs }}""",
}


def rendered_by_transformers(source: str, **variables: Any) -> str:
    from transformers.utils.chat_template_utils import render_jinja_template

    texts, _ = render_jinja_template(
        [TURNS],
        chat_template=source,
        **variables,
    )
    return texts[0]


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("thinks", [True, False])
def test_real_templates_render_as_published(name: str, thinks: bool) -> None:
    variables = {"bos_token": "<s>", "add_generation_prompt": True, "enable_thinking": thinks}
    wanted = rendered_by_transformers(REAL[name], **variables)
    template = ChatTemplate(REAL[name])
    assert template.render(TURNS, tools=None, documents=None, **variables) == wanted
    assert template.render(TURNS, tools=None, documents=None, **variables) == wanted


def test_a_template_may_refuse_a_conversation() -> None:
    template = ChatTemplate(
        "{% if messages[0].role != 'user' %}{{ raise_exception('roles\n\nalternate') }}{% endif %}ok"
    )
    assert template.render(TURNS[1:]) == "ok"
    with pytest.raises(PromptError, match="refuses this conversation: roles alternate"):
        template.render(TURNS)


def test_a_long_conversation_fits() -> None:
    turns = [{"role": ("user", "assistant")[i % 2], "content": "word " * 40} for i in range(1000)]
    for source in (REAL["chatml"], REAL["thinking"]):
        assert len(ChatTemplate(source).render(turns, add_generation_prompt=True)) > 200_000


def test_threads_have_budgets_of_their_own() -> None:
    template = ChatTemplate("{% for i in range(3000) %}{{ messages[0].content }}{% endfor %}")
    texts: list[str] = []
    threads = [
        threading.Thread(target=lambda i=i: texts.append(template.render([{"role": "user", "content": str(i)}])))
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts) == [str(i) * 3000 for i in range(4)]


CURIOUS = {
    "class": "{{ ''.__class__ }}",
    "subclasses": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "subscript": "{{ ''['__class__'] }}",
    "globals of messages": "{{ messages.__init__.__globals__ }}",
    "globals of a function": "{{ range.__globals__ }}",
    "globals of a macro": "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "globals of a type": "{{ namespace.__init__.__globals__ }}",
    "cycler": "{{ cycler.__init__.__globals__.os }}",
    "lipsum": "{{ lipsum.__globals__ }}",
    "joiner": "{{ joiner() }}",
    "loop": "{% for x in [1] %}{{ loop._iterator }}{% endfor %}",
    "loop class": "{% for x in [1] %}{{ loop.__class__ }}{% endfor %}",
    "format": "{{ '{0.__class__}'.format(1) }}",
    "format map": "{{ '{a.__class__}'.format_map({'a': 1}) }}",
    "attr": "{{ ''|attr('__class__') }}",
    "attr by map": "{{ ['a']|map('attr', '__class__')|list }}",
    "attribute by map": "{{ ['a']|map(attribute='__class__')|list }}",
    "attribute by sort": "{{ ['a', 'b']|sort(attribute='__class__') }}",
    "tuple attribute": "{{ ['a']|map(attribute='__class__.__mro__')|list }}",
    "context": "{{ self._TemplateReference__context }}{{ self.x() }}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}",
    "from import": "{% from 'os' import system %}",
    "extends": "{% extends '/etc/passwd' %}",
    "block": "{% block x %}{{ self.x() }}{% endblock %}",
    "autoescape": "{% autoescape true %}x{% endautoescape %}",
    "trans": "{% trans %}x{% endtrans %}",
    "debug": "{% debug %}",
    "do": "{% do messages.append(1) %}",
    "append": "{{ messages.append(1) }}",
    "clear": "{{ messages[0].clear() }}",
    "pop": "{{ messages[0].pop('role') }}",
    "update": "{{ messages[0].update({'role': 'system'}) }}",
    "namespace": "{% set n = namespace() %}{{ n }}",
    "namespace in a list": "{% set n = namespace() %}{{ [n] }}",
    "a function as text": "{{ range }}",
    "a macro as text": "{% macro m() %}{% endmacro %}{{ m ~ '' }}",
    "unknown name": "{{ a.b.c }}",
    "unknown call": "{{ system('id') }}",
    "unknown filter": "{{ 1|xmlattr }}",
    "unknown test": "{{ 1 is callable }}",
    "syntax": "{% for %}",
    "unclosed": "{{ 1",
    "zero": "{{ 1 / 0 }}",
    "types": "{{ 1 + 'a' }}",
    "printf": "{{ '%s' % 1 }}",
    "encode": "{{ 'a'.encode('utf-8') }}",
    "translate": "{{ 'a'.translate({97: 'b'}) }}",
}

FOR60 = "{% for i in range(60) %}"
GREEDY = {
    "range": "{% for i in range(100000000000) %}x{% endfor %}",
    "long range": "{{ range(0, 10 ** 18) | length }}",
    "loops in loops": "{% for i in range(9999) %}" * 3 + "{% endfor %}" * 3,
    "loop over a text": "{% for x in 'a' * 1000000 %}{% endfor %}",
    "recursive loop": "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "macro without end": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "macro that doubles": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "repeated text": "{{ 'a' * 10000000000 }}",
    "repeated text, turned": "{{ 10000000000 * 'a' }}",
    "repeated list": "{{ [0] * 10000000000 }}",
    "repeated tuple": "{{ (0, 1) * 10000000000 }}",
    "power": "{{ 10 ** 10 ** 10 }}",
    "power of floats": "{{ 1e300 ** 50 }}",
    "squares": "{% set n = namespace(x=3) %}" + FOR60 + "{% set n.x = n.x * n.x %}{% endfor %}",
    "doubling": "{% set n = namespace(x='aaaaaaaa') %}" + FOR60 + "{% set n.x = n.x + n.x %}{% endfor %}",
    "doubling by tilde": "{% set n = namespace(x='aa') %}" + FOR60 + "{% set n.x = n.x ~ n.x %}{% endfor %}",
    "doubling by set": "{% set n = namespace(x='aa') %}"
    + FOR60
    + "{% set b %}{{ n.x }}{{ n.x }}{% endset %}{% set n.x = b %}{% endfor %}",
    "doubling lists": "{% set n = namespace(x=[1]) %}" + FOR60 + "{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "doubling tuples": "{% set n = namespace(x=1) %}" + FOR60 + "{% set n.x = (n.x, n.x) %}{% endfor %}{{ n.x }}",
    "doubling tables": "{% set n = namespace(x=1) %}" + FOR60 + "{% set n.x = {1: n.x, 2: n.x} %}{% endfor %}",
    "doubling by dict": "{% set n = namespace(x=1) %}" + FOR60 + "{% set n.x = dict(a=n.x, b=n.x) %}{% endfor %}",
    "doubling sums": "{% set n = namespace(x=[1]) %}" + FOR60 + "{% set n.x = n.x + n.x %}{% endfor %}",
    "doubling by map": "{% set n = namespace(x=[1]) %}"
    + FOR60
    + "{% set n.x = [n.x, n.x] | map('list') | list %}{% endfor %}{{ n.x | string }}",
    "replace": "{{ ('a' * 100000).replace('', 'b' * 100000) }}",
    "replace filter": "{{ ('a' * 100000)|replace('', 'b' * 100000) }}",
    "join": "{{ ('b' * 100000).join([''] * 10000) }}",
    "join of letters": "{{ ('b' * 100000).join('a' * 100000) }}",
    "join of keys": "{{ ('b' * 100000).join(dict(a=1, b=1, c=1, d=1, e=1, f=1, g=1, h=1, i=1, j=1, k=1).keys()) }}",
    "join filter": "{{ ([''] * 10000)|join('b' * 100000) }}",
    "sum of lists": "{{ ([[0] * 100] * 190)|sum(start=[]) * 2 }}",
    "split": "{{ ('a ' * 400000).split() }}",
    "list of letters": "{{ ('ab' * 400000)|list }}",
    "sorted letters": "{{ ('ab' * 400000)|sort }}",
    "center": "{{ 'a'|center(1000000000) }}",
    "center method": "{{ 'a'.center(1000000000) }}",
    "ljust": "{{ 'a'.ljust(1000000000) }}",
    "zfill": "{{ 'a'.zfill(1000000000) }}",
    "expandtabs": "{{ '\t'.expandtabs(1000000000) }}",
    "printf width": "{{ '%1000000000d' % 1 }}",
    "printf filter": "{{ '%1000000000d'|format(1) }}",
    "format width": "{{ '{:1000000000}'.format(1) }}",
    "indent": "{{ 'a\nb'|indent(1000000000) }}",
    "json indent": "{{ [1]|tojson(indent=1000000000) }}",
    "batch": "{{ [1]|batch(1000000000, 0)|list }}",
    "slice": "{{ [1]|slice(1000000000)|list }}",
    "lipsum": "{{ lipsum(n=1000000) }}",
    "strftime": "{{ strftime_now('%1000000000d') }}",
    "long strftime": "{{ strftime_now('%Y' * 100000) }}",
    "output": "{% set b = 'a' * 1000000 %}{% for i in range(9999) %}{{ b }}{% endfor %}",
    "output of a macro": "{% macro m() %}{% for i in [1] * 99 %}{{ 'a' * 1000000 }}{% endfor %}{% endmacro %}{{ m() }}",
    "output of literals": "{% for i in range(19999) %}" + "x" * 60_000 + "{% endfor %}",
    "literals in a set": "{% set b %}{% for i in range(19999) %}" + "x" * 60_000 + "{% endfor %}{% endset %}",
    "many texts": "{% set b = ('a' * 1000000) ~ '😀' %}" + "".join(f"{{% set a{i} = b[1:] %}}" for i in range(900)),
    "many lists": "{% set b = range(19000) %}" + "".join(f"{{% set a{i} = b[1:] %}}" for i in range(900)),
    "many parts": "".join(f"{{% if b %}}{{% set a{i} = 1 %}}{{% endif %}}" for i in range(1900)),
    "a long number": "{{ " + "9" * 60_000 + " }}",
    "a long program": " " * 70_000,
}

DEEP = {
    "brackets": "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
    "lists": "{{ " + "[" * 20_000 + "]" * 20_000 + " }}",
    "dots": "{{ a" + ".b" * 20_000 + " }}",
    "sums": "{{ 1" + "+1" * 20_000 + " }}",
    "tildes": "{{ " + "~".join(["(1"] * 5_000) + ")" * 5_000 + " }}",
    "not": "{{ " + "not " * 15_000 + "1 }}",
    "minus": "{{ " + "-" * 30_000 + "1 }}",
    "filters": "{{ 1" + "|abs" * 12_000 + " }}",
    "if": "{% if 1 %}" * 3_000,
    "closed ifs": "{% if 1 %}" * 120 + "{% endif %}" * 120,
    "for": "{% for i in [1] %}" * 40 + "{% endfor %}" * 40,
    "open prints": "{{" * 30_000,
    "open comments": "{#" * 30_000,
    "raw": "{% raw %}" * 7_000,
    "dashes": ("\n" * 100 + "{%- ") * 600,
    "a backslash": "{{ '" + "\\" * 60_000,
}


@pytest.mark.parametrize("source", [pytest.param(v, id=k) for k, v in CURIOUS.items()])
def test_curious_templates_are_one_clear_error(source: str) -> None:
    turns = [dict(turn) for turn in TURNS]
    with pytest.raises(CheckpointError) as caught:
        ChatTemplate(source).render(turns, tools=None)
    message = str(caught.value)
    assert message.startswith("the chat template ")
    assert "\n" not in message
    assert len(message) < 500
    assert turns == TURNS


@pytest.mark.parametrize(
    "source",
    ["{{ environment }}{{ context }}{{ config }}{{ os }}{{ __builtins__ }}", "{{ messages.x }}{{ messages[99] }}"],
)
def test_what_is_not_there_reads_as_nothing(source: str) -> None:
    assert ChatTemplate(source).render(TURNS) == ""


def test_messages_are_data() -> None:
    text = "{{ ''.__class__ }}{% include 'x' %}{{ raise_exception('x') }}"
    assert ChatTemplate("{{ messages[0].content }}").render([{"role": "user", "content": text}]) == text


def test_the_clock_stops_what_the_steps_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1, 10_000))
    monkeypatch.setattr(budget.time, "monotonic", lambda: float(next(ticks)))
    with pytest.raises(CheckpointError, match="longer than 5 s"):
        ChatTemplate("{% for i in range(100) %}{{ i }}{% endfor %}").render(TURNS)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_greedy_templates_are_one_clear_error_and_take_little_memory_and_time() -> None:
    """Each in turn, in a process that may take half a gibibyte more than it has."""
    program = """
        import json, resource, sys, time
        from pathlib import Path
        from redraft.errors import CheckpointError
        from redraft.text.template import ChatTemplate
        ChatTemplate("x").render([])
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + (512 << 20),) * 2)
        for name, source in json.loads(sys.stdin.read()).items():
            since = time.process_time()
            try:
                message = "rendered " + ChatTemplate(source).render([{"role": "user", "content": "x"}])[:100]
            except CheckpointError as error:
                message = str(error)
            print(json.dumps([name, message, time.process_time() - since]))
    """
    hostile = GREEDY | DEEP
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        input=json.dumps(hostile),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    results = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [name for name, _, _ in results] == list(hostile)
    for name, message, seconds in results:
        assert message.startswith("the chat template "), (name, message)
        assert ("MemoryError" in message) <= (name in DEEP), (name, message)  # Python's parser says so of deep programs
        assert "\n" not in message
        assert len(message) < 500
        assert seconds < 15, (name, seconds)
