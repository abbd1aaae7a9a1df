"""`page`: a description and the small HTML page that fits it."""

import json
import random
from dataclasses import dataclass

from redraft.tasks.dials import check_range, read_dials
from redraft.tasks.holdout import split_of
from redraft.tasks.page.content import KINDS, draw_spec
from redraft.tasks.page.dom import PageError
from redraft.tasks.page.judging import check_page
from redraft.tasks.page.wordings import describe
from redraft.tasks.page.writing import write_page
from redraft.tasks.problem import MAX_LENGTH, Dials, Language, Order, Problem, Split, Verdict
from redraft.text.slots import Field

__all__ = ["Page", "PageDials"]

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
        language = language or rng.choice(("en", "en", "en", "zh"))
        kind = rng.choice(KINDS)
        for _ in range(MAX_ATTEMPTS):
            spec = draw_spec(rng, language, kind, max_parts=dials.max_parts, style_percent=dials.style_percent)
            key = f"{self.name}:{json.dumps(spec, ensure_ascii=False, sort_keys=True)}"
            if split is not None and split_of(key) != split:
                continue
            text = write_page(spec)
            if sum(1 if character.isascii() else 3 for character in text) <= dials.max_characters:
                return Problem(
                    task=self.name,
                    key=key,
                    prompt=describe(spec, language, rng),
                    fields=(Field(text),),
                    language=language,
                    order=order,
                    num_steps=max(len(spec.get(part, "-")) for part in ("buttons", "items", "fields", "rows")),
                )
        raise AssertionError(f"no problem of the split {split} in {MAX_ATTEMPTS} draws")

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
