"""What a training recipe may say: one frozen record per section of the TOML file.

The ``[model]`` section is ``redraft.denoiser.TransformerConfig``; its vocabulary comes from the tokenizer. This module
knows no file format (``recipe`` does).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from redraft.denoiser import TransformerConfig
from redraft.errors import ConfigError
from redraft.training.arms import ArmRecipe
from redraft.training.form_config import EditRecipe, GapRecipe

__all__ = ["DataRecipe", "MixtureEntry", "NoiseRecipe", "OptimizerRecipe", "Recipe", "TrainRecipe"]


def _check_shares(record: object, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if not 0.0 <= value <= 1.0:
            raise ConfigError(f"{name}={value} is not a share; use a value in [0, 1]")


def _check_at_least(record: object, least: float, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if not value >= least:
            raise ConfigError(f"{name}={value} is too small; use {least:g} or more")


def _check_choice(name: str, value: str, *choices: str) -> None:
    if value not in choices:
        raise ConfigError(f"{name}={value!r} is unknown; use one of {', '.join(choices)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class MixtureEntry:
    """One kind of example in the stream."""

    task: str
    """Name of a task in ``redraft.tasks``."""

    weight: float = 1.0
    """Relative frequency at the start of the run."""

    final_weight: float | None = None
    """Relative frequency from ``data.anneal`` on, reached linearly; left out: ``weight`` throughout."""

    begin: float = 0.0
    """Progress of the run from which the entry is used at all; before it the others share its weight."""

    slack_share: float | None = None
    """``data.slack_share`` for this entry; left out: the common one."""

    derivation_first: float = 0.0
    """Share of examples that derive before they answer; the rest answer first."""

    form: str = "answer"
    """How the problem's answer stands on the canvas: "answer", written on an open one; "gap", with gaps in it (see
    ``data.gap``); "edit", as a draft to be revised (see ``data.edit``)."""

    dials: Mapping[str, Any] = field(default_factory=dict)
    """Difficulty and phrasing settings, the task's own affair."""

    def __post_init__(self) -> None:
        _check_at_least(self, 0.0, "weight")
        if self.final_weight is not None:
            _check_at_least(self, 0.0, "final_weight")
        if self.slack_share is not None:
            _check_shares(self, "slack_share")
        _check_shares(self, "begin", "derivation_first")
        _check_choice("form", self.form, "answer", "gap", "edit")


@dataclass(frozen=True, kw_only=True, slots=True)
class DataRecipe:
    """Which examples, in which shape of batch."""

    mixture: tuple[MixtureEntry, ...]
    """The kinds of examples."""

    seed: int = 0
    """Names the stream: example i is a function of (seed, i) and of the run's progress when it was drawn."""

    anneal: float = 0.7
    """Share of the run over which mixture weights move from ``weight`` to ``final_weight``; 0 uses the final ones."""

    units: str = "pieces"
    """What texts are cut into: "pieces", a word with the space before it; "words", the space apart, so that a word has
    the same pieces wherever it stands, for models that copy; "characters", for models that change letter by letter."""

    canvas_length: int = 104
    """Longest canvas; an example whose answer does not fit is skipped."""

    canvas_multiple: int = 8
    """Canvases are padded with end-of-text to a multiple of this."""

    context_length: int = 256
    """Longest prompt, in tokens; an example whose prompt does not fit is skipped."""

    slack_share: float = 0.3
    """Share of examples whose canvas is of any length up to ``canvas_length``, as when decoding; the rest are tight."""

    cut_share: float = 0.0
    """Share of examples whose canvas ends before their text does, as it may in a narrow first pass (``first_width``);
    gaps and drafts are never cut."""

    first_width: int = 0
    """Positions that a first pass takes when the model answers, later ones following the predicted end; goes with the
    model as its default. 0: the whole canvas. Only for models that have seen such canvases (``cut_share``)."""

    batch_tokens: int = 6000
    """Context and canvas positions per step, padding included; bounds time and memory of a step."""

    pool_examples: int = 2048
    """Examples drawn and sorted by length at once: larger means less padding and a coarser curriculum."""

    num_workers: int = 0
    """Processes that draw pools ahead, for a device faster than one core draws; 0: the run draws its own. A pool that
    was drawn ahead has the curriculum of the time when it was asked for."""

    end_tokens: int = 2
    """End-of-text tokens after the first that are supervised in every example."""

    far_end_tokens: int = 3
    """Further end-of-text tokens, at random places of the slack, that are supervised."""

    gap: GapRecipe = field(default_factory=GapRecipe)
    """How gaps are cut, for entries of form "gap"."""

    edit: EditRecipe = field(default_factory=EditRecipe)
    """How drafts are made, for entries of form "edit"."""

    def __post_init__(self) -> None:
        if not self.mixture:
            raise ConfigError("data.mixture is empty; add a [[data.mixture]] table that names a task")
        if not any(entry.weight > 0 for entry in self.mixture):
            raise ConfigError("every weight in data.mixture is 0; give at least one a positive weight")
        if not any(entry.weight > 0 and entry.begin == 0.0 for entry in self.mixture):
            raise ConfigError("no entry of data.mixture is used at the start; give one a positive weight and begin = 0")
        finals = [(e.begin, e.weight if e.final_weight is None else e.final_weight) for e in self.mixture]
        if not any(weight > 0 for _, weight in finals):
            raise ConfigError("every final_weight in data.mixture is 0; give at least one a positive final_weight")
        if not any(weight > 0 and begin <= self.anneal for begin, weight in finals):
            raise ConfigError(
                f"no entry of data.mixture is used at progress {self.anneal} (data.anneal); let one with a positive "
                "final_weight begin by then"
            )
        _check_choice("data.units", self.units, "pieces", "words", "characters")
        _check_at_least(self, 0.0, "end_tokens", "far_end_tokens", "num_workers")
        _check_at_least(self, 1.0, "canvas_length", "canvas_multiple", "context_length", "pool_examples")
        _check_shares(self, "anneal", "cut_share", "slack_share")
        if self.first_width and not (self.cut_share and 0 < self.first_width <= self.canvas_length):
            raise ConfigError(
                f"data.first_width={self.first_width} is not allowed; use 0, or up to canvas_length="
                f"{self.canvas_length} with data.cut_share above 0"
            )
        if self.canvas_length % self.canvas_multiple:
            raise ConfigError(
                f"canvas_length={self.canvas_length} is not a multiple of canvas_multiple={self.canvas_multiple}"
            )
        if self.edit.shows_draft and self.context_length < self.canvas_length:
            raise ConfigError(
                f"edit.shows_draft=true puts drafts into the context, but context_length={self.context_length} is "
                f"less than canvas_length={self.canvas_length}; raise it"
            )
        if self.batch_tokens < self.canvas_length + self.context_length:
            raise ConfigError(
                f"batch_tokens={self.batch_tokens} does not hold one example of canvas_length={self.canvas_length} "
                f"and context_length={self.context_length}; use {self.canvas_length + self.context_length} or more"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class NoiseRecipe:
    """How a clean canvas becomes the state that the model sees."""

    all_mask_share: float = 0.25
    """Share of rows that are masked throughout: where decoding starts."""

    low_time: float = 0.02
    """Least noise time of the other rows, which are drawn uniformly from [low_time, 1]."""

    line_share: float = 0.3
    """Share of the rows not all masked that look like decoding line by line: earlier lines visible, later ones not."""

    result_share: float = 0.0
    """Share of the rows neither all masked nor line by line in which results are hidden and what leads to them is not:
    what follows the equals sign of a line, and lines without one, the answer's above all."""

    confident_share: float = 0.0
    """Share of the rows not all mask and not uniform that show what the model is surest of and hide the rest."""

    answer_share: float = 0.0
    """Share of the rows neither all masked nor led by confidence that hide the answer and nothing else, so that it is
    read off the derivation; set apart before line and result rows are."""

    drop_context_share: float = 0.0
    """Share of result and answer rows that don't see their prompt either, so that what is hidden can only be worked out
    on the canvas."""

    hide_answer_share: float = 0.9
    """Share of the line rows, answer first, whose answer line is masked too."""

    corrupt_share: float = 0.5
    """Share of the rows not all masked in which some visible tokens are wrong."""

    max_corrupt: float = 0.25
    """Largest share of visible tokens that are replaced in such a row; drawn uniformly from [0, max_corrupt]."""

    same_class_share: float = 0.7
    """Share of replaced digits and empty slots that become another digit or empty slot."""

    own_predictions_share: float = 0.5
    """Share of the corrupted rows that get the model's own guesses instead of random tokens (OPUT)."""

    own_predictions_after: float = 0.3
    """Progress from which the model's own guesses are used."""

    max_own_predictions: float = 0.5
    """Largest share of masked tokens filled with guesses; drawn uniformly from [0, max_own_predictions]."""

    uniform_share: float = 0.0
    """Share of rows under uniform noise, with no mask at all: lets the uniform sampler run on the same weights."""

    clean_weight: float = 0.1
    """Weight of clean visible tokens in the loss; teaches the model to keep what is right."""

    is_keep_calibrated: bool = False
    """Whether the logit of a visible token is lowered by -log(clean_weight) inside the loss, so that outside of it the
    model's probability that the token is right is what it says, whatever ``clean_weight`` is."""

    edit_plain_share: float = 0.4
    """Share of drafts that the model sees as they are; the others are partly fixed. No effect without entries of form
    "edit"."""

    edit_masked_share: float = 0.3
    """Share of drafts, partly fixed, in which some positions are open too. No effect without entries of form "edit"."""

    edit_anew_share: float = 0.0
    """Share of those in which what is right is open as often as what is wrong, in a third of them everywhere: the text
    is written anew. What stood there can be read in the context only, so this goes with ``data.edit.shows_draft``."""

    is_complementary: bool = False
    """Whether each partly masked row is seen again under the inverse of its mask, so that every token is predicted
    once. ``data.batch_tokens`` counts a row once, so a step costs up to twice as much."""

    certainty_weight: float = 0.0
    """Weight of the certainty loss: the mean entropy at masked positions whose likeliest token is the right one
    (dParallel, arXiv 2509.26488). For a second stage, from trained weights; 0 is off."""

    certainty_temperature: float = 0.5
    """Temperature at which that entropy is taken. No effect without ``certainty_weight``."""

    def __post_init__(self) -> None:
        _check_shares(self, "all_mask_share", "low_time", "line_share", "result_share", "answer_share")
        _check_shares(self, "drop_context_share", "confident_share", "hide_answer_share", "corrupt_share")
        _check_shares(self, "max_corrupt", "same_class_share", "own_predictions_share", "own_predictions_after")
        _check_shares(self, "max_own_predictions", "uniform_share", "clean_weight")
        _check_shares(self, "edit_plain_share", "edit_masked_share", "edit_anew_share")
        _check_at_least(self, 0.0, "certainty_weight")
        if self.all_mask_share + self.uniform_share > 1.0:
            raise ConfigError("all_mask_share and uniform_share add up to more than 1; lower one of them")
        if self.edit_plain_share + self.edit_masked_share > 1.0:
            raise ConfigError("edit_plain_share and edit_masked_share add up to more than 1; lower one of them")
        if self.is_keep_calibrated and self.clean_weight == 0.0:
            raise ConfigError("is_keep_calibrated=true needs tokens that are kept: set clean_weight above 0")
        if self.certainty_temperature <= 0.0:
            raise ConfigError(
                f"certainty_temperature={self.certainty_temperature} is no temperature; use a positive number"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class OptimizerRecipe:
    """Muon for the matrices inside the layers, AdamW for everything else."""

    muon_lr: float = 0.02
    """Peak learning rate of the matrices; the update's root mean square is near this times sqrt(1 / columns). At 0 Adam
    trains the matrices too, at ``adamw_lr``, which suits weights that Adam made."""

    muon_momentum: float = 0.95
    """Momentum of Muon, Nesterov's."""

    muon_weight_decay: float = 0.1
    """Decoupled decay of the matrices, per unit of learning rate."""

    newton_schulz_steps: int = 5
    """Iterations of the orthogonalisation."""

    adamw_lr: float = 0.003
    """Peak learning rate of embeddings, head and scalars."""

    adamw_betas: tuple[float, ...] = (0.9, 0.95)
    """Decay rates of AdamW's moments."""

    warmup_steps: int = 100
    """Steps over which the learning rates rise from near 0 to their peaks."""

    cooldown: float = 0.5
    """Share of the run over which the learning rates fall linearly to ``final_lr`` times their peaks."""

    final_lr: float = 0.0
    """Learning rate at the end, relative to the peak."""

    clip_norm: float = 1.0
    """Largest norm of the whole gradient; larger ones are scaled down."""

    ema_decay: float = 0.999
    """Decay per step of the averaged weights, which are what is validated and exported; 0 switches averaging off."""

    def __post_init__(self) -> None:
        _check_at_least(self, 0.0, "muon_lr", "muon_weight_decay", "adamw_lr", "warmup_steps", "final_lr")
        _check_at_least(self, 1.0, "newton_schulz_steps")
        _check_shares(self, "muon_momentum", "cooldown", "ema_decay")
        if self.ema_decay >= 1.0 or self.muon_momentum >= 1.0:
            raise ConfigError("ema_decay and muon_momentum must be below 1; 1 never takes anything in")
        if self.clip_norm <= 0:
            raise ConfigError(f"clip_norm={self.clip_norm} stops all learning; use a positive number")
        if len(self.adamw_betas) != 2 or not all(0.0 <= beta < 1.0 for beta in self.adamw_betas):
            raise ConfigError(f"adamw_betas={self.adamw_betas} is not a pair of values in [0, 1)")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainRecipe:
    """How long, on what, and what is written when."""

    seed: int = 0
    """Fixes the initial weights and, with the step number, every random draw of a step."""

    start_from: str = ""
    """Name of a shipped model or path of a model folder whose weights the run starts from; empty: random ones."""

    max_steps: int = 0
    """Length of the run in steps; 0: no such limit."""

    max_seconds: float = 0.0
    """Length of the run in seconds of training, over all resumes; 0: no such limit. Progress is the larger of both."""

    num_threads: int = 1
    """Threads of torch on a CPU. More threads change the order of sums, so runs compare bit for bit at equal counts."""

    num_processes: int = 1
    """Processes on a CPU, each with batches of its own; a step takes the mean of their gradients."""

    device: str = "auto"
    """"auto" (CUDA if there is one), "cpu" or "cuda"."""

    dtype: str = "auto"
    """"float32", "bfloat16" (by autocast) or "auto": bfloat16 on GPUs and on CPUs with AMX."""

    compile: bool = False
    """Whether torch.compile is used: two minutes at each start, about a tenth faster afterwards (``docs/log.md``)."""

    log_seconds: float = 10.0
    """Time between progress lines on the terminal; the metrics file has every step."""

    checkpoint_seconds: float = 120.0
    """Time between checkpoints; 0 with ``checkpoint_steps`` 0 writes only the last."""

    checkpoint_steps: int = 0
    """Steps between checkpoints; 0: by time only."""

    keep_checkpoints: int = 2
    """Newest checkpoints that stay on disk."""

    validate_seconds: float = 600.0
    """Time between validations; 0: by steps only."""

    validate_steps: int = 0
    """Steps between validations; 0: by time only."""

    validate_batches: int = 8
    """Batches of held-out examples in the loss that each validation measures; 0: none."""

    plot: str = "auto"
    """Loss plot: "auto" (if matplotlib is there), "always" or "never"."""

    def __post_init__(self) -> None:
        _check_at_least(self, 0.0, "max_steps", "max_seconds", "log_seconds", "checkpoint_seconds", "checkpoint_steps")
        _check_at_least(self, 0.0, "validate_seconds", "validate_steps", "validate_batches")
        _check_at_least(self, 1.0, "num_threads", "num_processes", "keep_checkpoints")
        if not (self.max_steps or self.max_seconds):
            raise ConfigError("the run has no end; set train.max_steps or train.max_seconds")
        _check_choice("train.device", self.device, "auto", "cpu", "cuda")
        _check_choice("train.dtype", self.dtype, "auto", "float32", "bfloat16")
        _check_choice("train.plot", self.plot, "auto", "always", "never")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A whole training run."""

    model: TransformerConfig
    """Shape of the network."""

    data: DataRecipe
    """Examples and batches."""

    noise: NoiseRecipe
    """States that the model is trained on."""

    optimizer: OptimizerRecipe
    """Learning."""

    train: TrainRecipe
    """Length, hardware and output."""

    arm: ArmRecipe = field(default_factory=ArmRecipe)
    """Diffusion, or what it is compared with."""

    def __post_init__(self) -> None:
        for name, value in self.arm.sight.items():
            if getattr(self.model, name) != value:
                raise ConfigError(f"model.{name} follows from arm.name={self.arm.name!r}; leave it out")
        formed = {entry.form for entry in self.data.mixture} - {"answer"}
        if formed and self.arm.name != "diffusion":
            raise ConfigError(f"form={formed.pop()!r} is for diffusion; arm.name={self.arm.name!r} writes answers only")
        if self.data.canvas_length > self.model.canvas_length:
            raise ConfigError(
                f"data.canvas_length={self.data.canvas_length} is longer than model.canvas_length="
                f"{self.model.canvas_length}; raise the latter"
            )
        if self.data.context_length > self.model.context_length:
            raise ConfigError(
                f"data.context_length={self.data.context_length} is longer than model.context_length="
                f"{self.model.context_length}; raise the latter"
            )
