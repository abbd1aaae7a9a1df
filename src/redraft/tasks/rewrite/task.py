"""`rewrite`: a text in place and what is to be changed; the text after, exactly."""

import hashlib
import random
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial

from redraft.errors import ConfigError, did_you_mean
from redraft.tasks.dials import check_range, read_dials
from redraft.tasks.holdout import split_of
from redraft.tasks.problem import MAX_LENGTH, Dials, Language, Order, Problem, Split, Verdict, rough_length
from redraft.tasks.rewrite.instructions import UMBRELLA, clause, instruction
from redraft.tasks.rewrite.revisions import DOMAINS, Revision, choose_kinds, revise
from redraft.text.slots import Field

__all__ = ["Rewrite", "RewriteDials"]

MAX_ATTEMPTS = 100_000
"""Draws before a split is reported as unreachable; one text in a hundred is both held out and right already."""

RIGHT_SHARE = 0.2
"""Share of all texts that are only ever shown right already."""

_COPIED = frozenset({"replace", "insert", "delete", "rename"})
_KINDS = frozenset(kind for domain in DOMAINS.values() for kind in domain.weights)
_FAULTS = frozenset({"typos", "marks", "casing", "spacing"})
_WORD = re.compile(r"\w+|[^\w\s]|\s+")


@dataclass(frozen=True, kw_only=True, slots=True)
class RewriteDials:
    """How long the texts are and what is asked of them."""

    min_kinds: int = 1
    """Fewest kinds of revision asked for at once."""
    max_kinds: int = 3
    """Most of them; the number is uniform between the two, but for what doesn't go together."""
    min_sentences: int = 1
    """Fewest sentences of a text, or statements of code."""
    max_sentences: int = 2
    """Most of them, but that every slot that is asked for has its sentence."""
    max_characters: int = 110
    """Longest draft and longest revision; a Chinese character counts as three."""
    max_faults: int = 2
    """Most faults of one kind."""
    right_percent: int = 10
    """Share of drafts that are already right and have to stay."""
    chinese_percent: int = 15
    """Share of Chinese texts."""
    code_percent: int = 20
    """Share of code."""
    copied_percent: int = 0
    """Share of texts whose only kinds of revision take words from the instruction, or take such words out."""
    kinds: tuple[str, ...] = ()
    """The only kinds of revision that are asked for, in texts that know one of them; none named: all kinds."""

    def __post_init__(self) -> None:
        check_range("rewrite kinds", self.min_kinds, self.max_kinds, least=1, most=4)
        check_range("rewrite sentences", self.min_sentences, self.max_sentences, least=1, most=8)
        check_range("rewrite max_characters", 60, self.max_characters, least=60, most=2000)
        check_range("rewrite max_faults", 1, self.max_faults, least=1, most=9)
        for name in ("right_percent", "chinese_percent", "code_percent", "copied_percent"):
            check_range(f"rewrite {name}", 0, getattr(self, name), least=0, most=100)
        if self.chinese_percent + self.code_percent > 100:
            raise ConfigError(
                f"rewrite chinese_percent={self.chinese_percent} and code_percent={self.code_percent} are more than "
                "100 together; lower one of them"
            )
        for kind in self.kinds:
            if kind not in _KINDS:
                raise ConfigError(f"rewrite knows no kind of revision {kind!r}; {did_you_mean(kind, sorted(_KINDS))}")
        if self.kinds and not self.domains:
            raise ConfigError(
                f"rewrite kinds={list(self.kinds)}: no text that chinese_percent and code_percent allow knows one of "
                "them; change the kinds or the percentages"
            )

    @property
    def domains(self) -> dict[str, int]:
        """Texts that know a kind of revision that may be asked for, with their percentages; none is 0."""
        shares = {"chinese": self.chinese_percent, "code": self.code_percent}
        shares["english"] = 100 - sum(shares.values())
        knows = {name: not self.kinds or bool(set(self.kinds) & set(DOMAINS[name].weights)) for name in shares}
        return {name: share for name, share in shares.items() if share and knows[name]}


class Rewrite:
    """Generator and verifier; see ``docs/tasks.md`` for the distribution."""

    name = "rewrite"

    def make_dials(self, **table: object) -> RewriteDials:
        """The generator's settings from a recipe's table."""
        return read_dials(RewriteDials, table, self.name)

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
        dials = dials or RewriteDials()
        assert isinstance(dials, RewriteDials), f"not RewriteDials but {type(dials).__name__}"
        is_right = rng.random() * 100 < dials.right_percent
        domain, count = _domain(rng, dials), rng.randint(dials.min_kinds, dials.max_kinds)
        # Drawn only where it is asked for, so that other dials keep their draws.
        is_copied = bool(dials.copied_percent) and rng.random() * 100 < dials.copied_percent
        only = _COPIED if is_copied else frozenset(dials.kinds) or None
        head = f"{self.name}:{'right:' if is_right else ''}"
        accepts = partial(_is_wanted, head=head, is_right=is_right, split=split)
        for _ in range(MAX_ATTEMPTS):
            drawn = revise(
                DOMAINS[domain],
                choose_kinds(DOMAINS[domain], rng, count, only=only),
                rng,
                num_sentences=rng.randint(dials.min_sentences, dials.max_sentences),
                max_faults=dials.max_faults,
                is_right=is_right,
                accepts=accepts,
            )
            if drawn is not None and max(rough_length(drawn.draft), rough_length(drawn.target)) <= dials.max_characters:
                return self._problem(drawn, head + drawn.key_text, rng, order, language or _language(rng, domain))
        raise ConfigError(
            f"these dials leave no problem of the split {split}: none in {MAX_ATTEMPTS} draws; widen the dials"
        )

    def _problem(self, drawn: Revision, key: str, rng: random.Random, order: Order, language: Language) -> Problem:
        return Problem(
            task=self.name,
            key=key,
            prompt=_prompt(drawn, rng, language),
            draft=drawn.draft,
            fields=(Field(drawn.target),),
            language=language,
            order=order,
            num_steps=0 if drawn.draft == drawn.target else len(drawn.asked),
        )

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Judges any text whatever: it must be the one right revision, but for newlines at its end."""
        text = text[:MAX_LENGTH].rstrip("\n")
        target = problem.answer_text
        is_correct = text == target
        wanted, found = _WORD.findall(target), _WORD.findall(text)
        blocks = SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks()
        reason = ""
        if not is_correct:
            first = next((i for i, (a, b) in enumerate(zip(text, target, strict=False)) if a != b), None)
            place = min(len(text), len(target)) if first is None else first
            reason = f"at character {place} stands {text[place : place + 20]!r}, not {target[place : place + 20]!r}"
        return Verdict(
            answer_is_correct=is_correct,
            is_derivation_valid=is_correct,
            num_lines=len(wanted),
            num_true_lines=sum(block.size for block in blocks),
            reason=reason,
        )


def _domain(rng: random.Random, dials: RewriteDials) -> str:
    shares = dials.domains
    return rng.choices(list(shares), weights=list(shares.values()))[0]


def _language(rng: random.Random, domain: str) -> Language:
    """Mostly that of the text; code has either."""
    share = {"chinese": 0.9, "code": 0.3, "english": 0.12}[domain]
    return "zh" if rng.random() < share else "en"


def _prompt(drawn: Revision, rng: random.Random, language: Language) -> str:
    asked = list(drawn.asked)
    if {entry for entry, _ in asked} <= _FAULTS and rng.random() < 0.4:
        return rng.choice(UMBRELLA[language])
    rng.shuffle(asked)
    return instruction([clause(entry, language, rng, **named) for entry, named in asked], language, rng)


def _is_wanted(key_text: str, *, head: str, is_right: bool, split: Split | None) -> bool:
    return _stays(key_text) == is_right and (split is None or split_of(head + key_text) == split)


def _stays(key_text: str) -> bool:
    """Whether a text is one of those that are only shown right: the text alone decides, so no key says both."""
    digest = hashlib.sha256(f"stays/{key_text}".encode()).digest()
    return digest[0] < RIGHT_SHARE * 256
