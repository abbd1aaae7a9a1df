"""Training: recipes, the endless stream of examples, noise, optimiser, crash-safe state and the loop.

It knows nothing of sampling or evaluation; held-out figures beyond the loss come in as a callback.
"""

from redraft.training.config import DataRecipe, MixtureEntry, NoiseRecipe, OptimizerRecipe, Recipe, TrainRecipe
from redraft.training.recipe import build_recipe, load_recipe, recipe_to_dict
from redraft.training.trainer import Trainer, TrainResult, Validate, train

__all__ = [
    "DataRecipe",
    "MixtureEntry",
    "NoiseRecipe",
    "OptimizerRecipe",
    "Recipe",
    "TrainRecipe",
    "TrainResult",
    "Trainer",
    "Validate",
    "build_recipe",
    "load_recipe",
    "recipe_to_dict",
    "train",
]
