"""`page`: a description and the small HTML page that fits it."""

import json
import random
import re
from dataclasses import dataclass
from typing import Any

from redraft.tasks.dials import check_range, read_dials
from redraft.tasks.holdout import draw_from_split
from redraft.tasks.page.content import KINDS, draw_spec
from redraft.tasks.page.dom import PageError
from redraft.tasks.page.judging import check_page
from redraft.tasks.page.wordings import describe
from redraft.tasks.page.writing import write_page
from redraft.tasks.problem import MAX_LENGTH, Dials, Language, Order, Problem, Split, Verdict, rough_length
from redraft.text.slots import COPIED_MULTIPLE, Field

__all__ = ["Page", "PageDials"]

_TEXT_BETWEEN_TAGS = re.compile(r"(?<=>)([^<>\n]+)(?=<)")

MAX_ATTEMPTS = 10_000
"""Draws before a split is reported as unreachable; one page in twenty is held out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageDials:
    """How much is on a page."""

    max_parts: int = 3
    """Most buttons, items, fields or rows; lists have one more."""
    style_percent: int = 20
    """Share of pages whose colours are asked for."""
    max_characters: int = 400
    """Longest page; a Chinese character counts as three."""

    def __post_init__(self) -> None:
        check_range("page max_parts", 1, self.max_parts, least=1, most=8)
        check_range("page style_percent", 0, self.style_percent, least=0, most=100)
        check_range("page max_characters", 300, self.max_characters, least=300, most=4000)


class Page:
    """Generator and verifier; see ``docs/tasks.md`` for the distribution."""

    name = "page"

    def make_dials(self, **table: object) -> PageDials:
        """The generator's settings from a recipe's table."""
        return read_dials(PageDials, table, self.name)

    def generate(
        self,
        rng: random.Random,
        *,
        split: Split | None = "train",
        order: Order = "answer_first",
        language: Language | None = None,
        dials: Dials | None = None,
    ) -> Problem:
        """A random problem of one split (None: of any); the order says nothing here, as there is no derivation."""
        dials = dials or PageDials()
        assert isinstance(dials, PageDials), f"not PageDials but {type(dials).__name__}"
        wanted: Language = language or rng.choice(("en", "en", "en", "zh"))
        kind, settings = rng.choice(KINDS), dials

        def draw() -> dict[str, Any] | None:
            spec = draw_spec(rng, wanted, kind, max_parts=settings.max_parts, style_percent=settings.style_percent)
            return spec if rough_length(write_page(spec)) <= settings.max_characters else None

        spec = draw_from_split(draw, _key, split, attempts=MAX_ATTEMPTS)
        return Problem(
            task=self.name,
            key=_key(spec),
            prompt=describe(spec, wanted, rng),
            fields=_fields(write_page(spec)),
            language=wanted,
            order=order,
            num_steps=max(len(spec.get(part, "-")) for part in ("buttons", "items", "fields", "rows")),
        )

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Judges any text whatever: what it shows and does counts, not how it is written; no browser is asked."""
        try:
            check_page(json.loads(problem.key.removeprefix(f"{self.name}:")), text[:MAX_LENGTH])
            reason = ""
        except PageError as error:
            reason = str(error)
        except RecursionError:
            reason = "nested too deeply"
        return Verdict(
            answer_is_correct=not reason,
            is_derivation_valid=not reason,
            num_lines=1,
            num_true_lines=int(not reason),
            reason=reason,
        )


def _fields(page: str) -> tuple[Field, ...]:
    """The page in pieces: runs of tags as long as they are, each text between tags with a slot of its own."""
    pieces = _TEXT_BETWEEN_TAGS.split(page)
    return tuple(Field(piece, multiple=COPIED_MULTIPLE if place % 2 else 1) for place, piece in enumerate(pieces))


def _key(spec: dict[str, Any]) -> str:
    return f"{Page.name}:{json.dumps(spec, ensure_ascii=False, sort_keys=True)}"
