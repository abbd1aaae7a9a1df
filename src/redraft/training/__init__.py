"""Training: recipes, the endless stream of examples, noise, optimiser, crash-safe state and the loop.

It knows nothing of sampling or evaluation; held-out figures beyond the loss come in as a callback.
"""

from redraft.training.adapt_config import AdaptRecipe, AdaptTrainRecipe, BlockNoiseRecipe, TextRecipe
from redraft.training.config import DataRecipe, MixtureEntry, NoiseRecipe, OptimizerRecipe, Recipe, TrainRecipe
from redraft.training.data import tokenizer_of
from redraft.training.launch import train
from redraft.training.recipe import (
    build_adapt_recipe,
    build_recipe,
    is_adaptation,
    load_recipe,
    read_table,
    recipe_to_dict,
)
from redraft.training.trainer import Trainer, TrainResult, Validate

__all__ = [
    "AdaptRecipe",
    "AdaptTrainRecipe",
    "BlockNoiseRecipe",
    "DataRecipe",
    "MixtureEntry",
    "NoiseRecipe",
    "OptimizerRecipe",
    "Recipe",
    "TextRecipe",
    "TrainRecipe",
    "TrainResult",
    "Trainer",
    "Validate",
    "build_adapt_recipe",
    "build_recipe",
    "is_adaptation",
    "load_recipe",
    "read_table",
    "recipe_to_dict",
    "tokenizer_of",
    "train",
]
