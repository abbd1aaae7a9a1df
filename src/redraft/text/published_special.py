"""Which tokens of a published checkpoint are no text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from redraft.errors import CheckpointError
from redraft.text.published_files import TokenizerFiles

__all__ = ["PublishedSpecial", "read_special"]

_LOOKS_CONTROLLING = re.compile(r"<\|[^<>|]+\|>|\|<[^<>|]+>\|")
"""Some checkpoints forget to mark these; the second form is the mask of Fast-dLLM v2, ``|<MASK>|``."""

_MASK_TEXTS = ("<|mdm_mask|>", "<|mask|>", "<|MASK|>", "|<MASK>|", "[MASK]")
"""Masks of LLaDA, of Dream and LLaDA2.x, of SDAR, of Fast-dLLM v2; asked only where no configuration names the mask."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedSpecial:
    """Ids of the tokens that are no text, as far as a checkpoint has them."""

    mask: int | None
    """An open position of a canvas; None in families without a mask."""
    end_of_text: int
    """Ends an answer; the first of ``ends``."""
    ends: tuple[int, ...]
    """Every id that ends an answer."""
    pad: int | None
    """Fills a batch."""
    bos: int | None
    """Opens a context, where the model wants that; chat templates write it themselves."""
    ids: tuple[int, ...]
    """All control tokens, ascending, those without a meaning here included."""


def read_special(files: TokenizerFiles, mask: int | None, ends: Sequence[int], folder: Path) -> PublishedSpecial:
    """Return the special ids: what the caller knows goes before what the configurations say.

    Args:
        files: The tokenizer's files.
        mask: The mask, if the caller knows it.
        ends: What ends an answer, likewise.
        folder: Where the files came from, for the message.

    Returns:
        The ids.

    Raises:
        CheckpointError: Nothing ends an answer, or a control token is a single character.
    """
    id_of = {token.text: token.id for token in files.added}
    if mask is None:
        mask = files.id_named("mask")
    if mask is None:
        mask = next((id_of[text] for text in _MASK_TEXTS if text in id_of), None)
    found = tuple(ends) or files.ends
    if not found:
        raise CheckpointError(f"{folder} names no end of text: neither its configurations nor its tokenizer has an eos")
    pad, bos = files.id_named("pad"), files.id_named("bos")
    ids = {token.id for token in files.added if token.is_special or _LOOKS_CONTROLLING.fullmatch(token.text)}
    ids |= {id_of[text] for text in files.named.values() if text in id_of}
    lone = next((t.text for t in files.added if t.id in ids and len(t.text) == 1), None)
    if lone is not None:
        raise CheckpointError(f"{folder}: its control token {lone!r} is a single character, which every text may hold")
    ids |= {*found, *(token for token in (mask, pad, bos) if token is not None)}
    return PublishedSpecial(mask=mask, end_of_text=found[0], ends=found, pad=pad, bos=bos, ids=tuple(sorted(ids)))
