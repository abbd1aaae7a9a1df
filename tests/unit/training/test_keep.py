import itertools
import math

import pytest
import torch

from redraft.errors import ConfigError
from redraft.training import NoiseRecipe
from redraft.training.certainty import certainty_loss
from redraft.training.keep import KeepFigures, choose_threshold, keep_error, lower_visible, measure_keep, unweighted
from redraft.training.scoring import score

MASK = 3


def best_keep(recipe: NoiseRecipe, share_right: float) -> float:
    """Minimise the loss of one position over both outcomes: token 0 stands there and is right that often, else 1 is."""
    logits = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    seen, right, wrong = torch.tensor([0]), torch.tensor([0]), torch.tensor([1])
    optimizer = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-10, line_search_fn="strong_wolfe")
    weight = recipe.clean_weight

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        # The expectation over both outcomes, with the weights that a batch of such rows would have.
        parts = [score(logits, truth, seen, truth != seen, recipe, MASK).total for truth in (right, wrong)]
        loss = share_right * weight * parts[0] + (1 - share_right) * parts[1]
        loss.backward()
        return loss

    optimizer.step(closure)  # pyright: ignore[reportArgumentType]
    return float(torch.softmax(logits, dim=-1)[0, 0].detach())


@pytest.mark.parametrize("weight", [0.1, 0.5])
@pytest.mark.parametrize("share_right", [0.5, 0.9, 0.98])
def test_a_calibrated_loss_is_least_at_the_truth(weight: float, share_right: float) -> None:
    plain = best_keep(NoiseRecipe(clean_weight=weight), share_right)
    calibrated = best_keep(NoiseRecipe(clean_weight=weight, is_keep_calibrated=True), share_right)
    assert calibrated == pytest.approx(share_right, abs=2e-3)
    assert plain == pytest.approx(weight * share_right / (weight * share_right + 1 - share_right), abs=2e-3)
    assert float(unweighted(torch.tensor([plain]), weight)[0]) == pytest.approx(share_right, abs=4e-3)


def test_only_the_visible_token_is_lowered() -> None:
    logits = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    seen, is_visible = torch.tensor([0, 4, 2, 2]), torch.tensor([True, True, False, True])
    difference = lower_visible(logits, seen, is_visible, 0.1) - logits
    expected = torch.zeros(4, 5)
    expected[0, 0] = expected[1, 4] = expected[3, 2] = math.log(0.1)
    torch.testing.assert_close(difference, expected)


def test_off_the_loss_is_the_plain_one() -> None:
    logits = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    truth, seen = torch.tensor([0, 1, 2, 0, 1, 2]), torch.tensor([0, 1, MASK, 1, MASK, 2])
    off = score(logits, truth, seen, truth != seen, NoiseRecipe(), MASK)
    on = score(logits, truth, seen, truth != seen, NoiseRecipe(certainty_weight=2.0), MASK)
    extra = certainty_loss(logits, truth, seen == MASK, 0.5)
    assert float(on.total) == pytest.approx(float(off.total) + 2.0 * float(extra))
    assert float(on.corrupted_nats) == float(off.corrupted_nats)


def test_certainty_counts_masked_positions_that_are_right_already() -> None:
    """Against a sum written out by hand."""
    logits = torch.tensor([[2.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 3.0, 0.0]])
    truth = torch.tensor([0, 1, 1, 1])
    is_masked = torch.tensor([True, True, False, True])

    def entropy(values: list[float]) -> float:
        weights = [math.exp(value / 0.5) for value in values]
        return -sum(w / sum(weights) * math.log(w / sum(weights)) for w in weights)

    expected = (entropy([2.0, 0.0, 0.0]) + entropy([0.0, 3.0, 0.0])) / 2
    assert float(certainty_loss(logits, truth, is_masked, 0.5)) == pytest.approx(expected, rel=1e-5)
    assert float(certainty_loss(logits, truth, torch.zeros(4, dtype=torch.bool), 0.5)) == 0.0


def test_thresholds_against_the_rule_by_hand() -> None:
    # Positions: kept right, damaged, repaired, edited into another error, left wrong.
    probabilities = torch.tensor(
        [[0.7, 0.3, 0.0], [0.2, 0.8, 0.0], [0.1, 0.9, 0.0], [0.05, 0.0, 0.95], [0.6, 0.4, 0.0]]
    )
    seen, truth = torch.zeros(5, dtype=torch.long), torch.tensor([0, 0, 1, 1, 1])
    low, middle, high = measure_keep(probabilities.clamp_min(1e-9).log(), seen, truth, (0.5, 0.85, 0.92))
    assert (low.damage, low.repair) == (0.5, pytest.approx(1 / 3))
    assert (middle.damage, middle.repair) == (0.0, pytest.approx(1 / 3))
    assert (high.damage, high.repair) == (0.0, 0.0)
    assert choose_threshold([high, middle, low], 0.01) == middle
    assert choose_threshold([low], 0.01) == low, "the highest of all where none does little enough damage"
    assert choose_threshold([KeepFigures(threshold=0.5, damage=0.01, repair=1.0)], 0.01).threshold == 0.5


def test_calibration_error() -> None:
    assert keep_error(torch.tensor([]), torch.tensor([], dtype=torch.bool)) == 0.0
    keep = torch.tensor([0.95] * 20 + [0.05] * 20)
    is_right = torch.tensor([True] * 19 + [False] + [False] * 19 + [True])
    assert keep_error(keep, is_right) == pytest.approx(0.0, abs=1e-6)
    assert keep_error(keep, ~is_right) == pytest.approx(0.9, abs=1e-6)
    for said, holds in itertools.product((0.25, 0.85), (True, False)):
        assert keep_error(torch.tensor([said]), torch.tensor([holds])) == pytest.approx(abs(said - holds), abs=1e-6)


def test_options_are_checked() -> None:
    with pytest.raises(ConfigError, match="set clean_weight above 0"):
        NoiseRecipe(is_keep_calibrated=True, clean_weight=0.0)
    with pytest.raises(ConfigError, match="no temperature"):
        NoiseRecipe(certainty_temperature=0.0)
    with pytest.raises(ConfigError, match="edit_plain_share and edit_masked_share"):
        NoiseRecipe(edit_plain_share=0.8, edit_masked_share=0.4)
