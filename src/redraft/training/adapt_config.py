"""What a recipe for adapting a public block-diffusion model may say; ``optimizer`` is that of every other recipe."""

from dataclasses import dataclass

from redraft.errors import ConfigError
from redraft.training.config import OptimizerRecipe, TrainRecipe

__all__ = ["AdaptRecipe", "AdaptTrainRecipe", "BlockNoiseRecipe", "TextRecipe"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TextRecipe:
    """Which texts, in which shape of batch."""

    folder: str
    """Holds the texts, in sub-folders too: each .txt is one, each line of a .jsonl is one under its key "text"."""

    seed: int = 0
    """Fixes the order of the texts."""

    row_length: int = 1024
    """Tokens of a row, into which texts are packed; a multiple of the block length."""

    batch_rows: int = 32
    """Rows of a step."""

    pool_documents: int = 1024
    """Texts that are packed and shuffled at once."""

    held_out_share: float = 0.01
    """Share of the texts that are never trained on; at least one if there are two, unless 0."""

    end_tokens: int = 2
    """Ends of text after the first, in what is left of a text's last block, that are supervised."""

    def __post_init__(self) -> None:
        if not self.folder:
            raise ConfigError("data.folder is empty; name a folder of .txt or .jsonl files")
        for name in ("row_length", "batch_rows", "pool_documents"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)} is too small; use 1 or more")
        if not 0.0 <= self.held_out_share < 1.0:
            raise ConfigError(f"held_out_share={self.held_out_share} is out of range; use a value in [0, 1)")
        if self.end_tokens < 0:
            raise ConfigError(f"end_tokens={self.end_tokens} is too small; use 0 or more")


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockNoiseRecipe:
    """How a clean row becomes the states that the model sees."""

    block_length: int = 32
    """Positions of a block; that of the checkpoint, said here so that a recipe is complete."""

    low_time: float = 0.0
    """Least share of a block that is masked on average; each block draws its own, evenly up to ``high_time``."""

    high_time: float = 1.0
    """Greatest such share (BD3-LM, arXiv 2503.09573, clips both ends against variance)."""

    all_mask_share: float = 0.0
    """Share of blocks that are masked throughout, which is where decoding starts; their complement is all clean."""

    is_complementary: bool = True
    """Whether each row is seen under a mask and under its inverse (Fast-dLLM v2, arXiv 2509.26328), so that every token
    is scored exactly once; both share one clean copy."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.low_time <= self.high_time <= 1.0 or self.high_time == 0.0:
            raise ConfigError(
                f"low_time={self.low_time}, high_time={self.high_time} is no interval of shares; "
                "use 0 <= low_time <= high_time <= 1, and high_time above 0"
            )
        if not 0.0 <= self.all_mask_share <= 1.0:
            raise ConfigError(f"all_mask_share={self.all_mask_share} is not a share; use a value in [0, 1]")


@dataclass(frozen=True, kw_only=True, slots=True)
class AdaptTrainRecipe(TrainRecipe):
    """How long, from where, on what, and what is written when."""

    start_from: str = ""
    """Folder of the block-diffusion checkpoint to go on from; ``redraft convert --to block-diffusion`` makes one."""

    micro_rows: int = 0
    """Rows that go through the model at once, for memory's sake: a step is the sum of its parts; 0: all rows."""

    def __post_init__(self) -> None:
        TrainRecipe.__post_init__(self)
        if not self.start_from:
            raise ConfigError("train.start_from is empty; name the folder of a block-diffusion checkpoint")
        if self.micro_rows < 0:
            raise ConfigError(f"micro_rows={self.micro_rows} is too small; use 0 for all rows, or 1 or more")


@dataclass(frozen=True, kw_only=True, slots=True)
class AdaptRecipe:
    """A whole run that starts from somebody's weights."""

    data: TextRecipe
    """Texts and batches."""

    noise: BlockNoiseRecipe
    """States that the model is trained on."""

    optimizer: OptimizerRecipe
    """Learning."""

    train: AdaptTrainRecipe
    """Start, length, hardware and output."""

    def __post_init__(self) -> None:
        if self.data.row_length % self.noise.block_length:
            raise ConfigError(
                f"data.row_length={self.data.row_length} is not a multiple of "
                f"noise.block_length={self.noise.block_length}"
            )
