"""What an effort means for each public family: the rules that its own authors decode with, and how the dial turns them.

At medium effort every family has its published rule with its published numbers; ``docs/families`` names the sources.
Where those draw at random, the likeliest token is taken here, Dream excepted, whose published text depends on it.
Nothing is filled behind an end of text, because the published samplers fill nothing there.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from redraft.denoiser.families import DiffusionGemmaRules, FamilySpec
from redraft.errors import ConfigError
from redraft.sampler import SamplerSettings

__all__ = ["ANSWER_LENGTH", "family_preset", "gemma_preset"]

ANSWER_LENGTH = 128
"""Most tokens of an answer where nobody says: LLaDA's and SDAR's own ``gen_length``."""

_BLOCK_OF_FULL = 32
"""LLaDA's ``block_length`` in its own example, for models without blocks of their own."""

_SUB_BLOCK = 8
"""Fast-dLLM v2's ``small_block_size``."""

_POST_STEPS = 16
"""LLaDA2.1's ``max_post_steps``: most passes of editing after a block is full."""

_EFFORTS = ("instant", "low", "medium", "high")
_THRESHOLDS: Mapping[str, tuple[float, ...]] = {
    "llada": (0.5, 0.7, 0.9),  # 0.9: Fast-dLLM (arXiv 2505.22618), section 4
    "llada_moe": (0.5, 0.7, 0.9),
    "sdar": (0.5, 0.7, 0.85),  # 0.85: SDAR generate.py, default of confidence_threshold
    "llada2_moe": (0.5, 0.7, 0.95, 0.95),  # LLaDA2.1: speed mode, quality mode, the default of generate
    "fast_dllm_v2": (0.5, 0.7, 0.9),  # 0.9: Fast-dLLM v2 (arXiv 2509.26328), section 4
}
"""By effort; where there are three, high effort settles one token a pass."""

_EDIT_THRESHOLDS = (0.0, 0.5, 0.9, 0.9)
"""LLaDA2.1's ``editing_threshold`` by effort, beside the thresholds above."""

_SHARES_OF_PASSES = (8, 2, 1, 1)
"""Dream by effort: positions for each pass. 1 is its README's own, ``steps`` equal to ``max_new_tokens``."""


def family_preset(spec: FamilySpec, effort: str, values: Mapping[str, Any]) -> SamplerSettings:
    """The rules of a masked family.

    >>> from redraft.denoiser.families import detect_family
    >>> sdar = detect_family({"architectures": ["SDARForCausalLM"], "block_size": 4})
    >>> settings = family_preset(sdar, "medium", {"max_new_tokens": 100})
    >>> settings.commit, settings.threshold, settings.canvas_length, settings.max_steps
    ('above_threshold', 0.85, 4, 4)

    Args:
        spec: The family.
        effort: instant, low, medium or high.
        values: Settings that were asked for by name; the canvas's length follows from the answer's.

    Returns:
        The settings, those that were asked for left out.

    Raises:
        ConfigError: There is no such effort.
    """
    turn = _turn(effort)
    length = _whole(values, "max_new_tokens", ANSWER_LENGTH)
    if spec.attention == "block":
        assert spec.block_length is not None, "a family with blocks has a length of theirs"
        canvas = spec.block_length
    else:
        canvas = _whole(values, "canvas_length", length)
    # One token a pass at least, so that this many passes are always enough.
    plain = SamplerSettings(
        canvas_length=canvas,
        max_new_tokens=length,
        max_steps=canvas,
        edit_threshold=None,
        verify_passes=0,
        fill_after_end=False,
    )
    if spec.name == "dream":
        # Dream README: alg="entropy", temperature=0.2, top_p=0.95.
        passes = -(-canvas // _SHARES_OF_PASSES[turn])
        return replace(plain, commit="least_entropy", plan="timesteps", temperature=0.2, top_p=0.95, max_steps=passes)
    if spec.attention == "full":
        plain = replace(plain, block_length=_BLOCK_OF_FULL)
    if spec.name == "fast_dllm_v2" and canvas % _SUB_BLOCK == 0:
        plain = replace(plain, block_length=_SUB_BLOCK)
    if spec.name == "llada2_moe":
        plain = replace(
            plain,
            edit_threshold=_EDIT_THRESHOLDS[turn],
            verify_passes=_POST_STEPS,
            # One more than a block can take, so that none of them is the forced last one.
            max_steps=canvas + _POST_STEPS + 1,
            max_revisions=canvas + _POST_STEPS + 1,
        )
    thresholds = _THRESHOLDS[spec.name]
    if turn < len(thresholds):
        return replace(plain, threshold=thresholds[turn])
    return replace(plain, commit="most_confident")


def gemma_preset(rules: DiffusionGemmaRules) -> Callable[[str, Mapping[str, Any]], SamplerSettings]:
    """The rules of a DiffusionGemma checkpoint, as its files have them; the dial turns the number of passes.

    Args:
        rules: What the checkpoint says.

    Returns:
        From effort and wishes to settings.
    """
    medium = SamplerSettings(**rules.sampler_settings())

    def preset(effort: str, values: Mapping[str, Any]) -> SamplerSettings:
        del values
        most = rules.max_denoising_steps
        passes = (max(1, most // 12), max(1, most // 3), most, 2 * most)[_turn(effort)]
        return replace(medium, max_steps=passes)

    return preset


def _turn(effort: str) -> int:
    if effort not in _EFFORTS:
        raise ConfigError(f"effort={effort!r} is unknown; use one of {', '.join(_EFFORTS)}")
    return _EFFORTS.index(effort)


def _whole(values: Mapping[str, Any], name: str, default: int) -> int:
    """A wish that others follow from; a wrong one is refused where it is set."""
    value = values.get(name, default)
    return value if type(value) is int and value >= 1 else default
