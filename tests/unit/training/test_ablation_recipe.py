"""The recipe of the ablations, and every change of it that its script names."""

import re
from pathlib import Path

from redraft.training import load_recipe, recipe_to_dict
from redraft.training.recipe import differing_keys

FOLDER = Path(__file__).resolve().parents[3] / "recipes" / "ablations"


def test_every_change_changes_the_noise_and_nothing_else() -> None:
    script = (FOLDER / "run.sh").read_text(encoding="utf-8")
    named = dict(re.findall(r"^    ([a-z-]+)\) (?:echo ([^;]+))?;;", script, re.MULTILINE))
    (everything,) = re.findall(r"\$\{\*:-([a-z -]+)\}", script)
    assert set(everything.split()) == set(named)
    base = recipe_to_dict(load_recipe(FOLDER / "base.toml"))
    for name, changes in named.items():
        changed = recipe_to_dict(load_recipe(FOLDER / "base.toml", changes.split()))
        keys = differing_keys(base, changed)
        assert set(keys) == {change.partition("=")[0] for change in changes.split()}, name
        assert all(key.startswith("noise.") for key in keys)
        assert bool(keys) == (name != "base")
