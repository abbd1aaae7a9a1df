import pytest
import torch

from redraft.errors import ConfigError
from redraft.sampler.propose import Proposal
from redraft.sampler.random import Draws
from redraft.sampler.revise import FillWithMask, NoRevision, Remask, Renoise, TokenEdit

DRAWS = Draws(seeds=(1,), block=0, step=0, length=4, device=torch.device("cpu"))
# The likeliest tokens are 0, 1, 2, 2 with probability 0.8, 0.9, 0.5 and 0.95.
PROBS = torch.tensor([[[0.8, 0.1, 0.1], [0.05, 0.9, 0.05], [0.25, 0.25, 0.5], [0.04, 0.01, 0.95]]])
PROPOSAL = Proposal(PROBS.log(), temperature=0.0, top_p=1.0, draws=DRAWS)
TOKENS = torch.tensor([[1, 1, 0, 0]])
EVERYWHERE = torch.ones(1, 4, dtype=torch.bool)


def test_no_revision() -> None:
    revision = NoRevision()(PROPOSAL, TOKENS, EVERYWHERE)
    assert not bool((revision.is_edited | revision.is_reopened).any())


def test_token_edit() -> None:
    revision = TokenEdit(threshold=0.7)(PROPOSAL, TOKENS, EVERYWHERE)
    assert revision.is_edited.tolist() == [[True, False, False, True]]
    assert not bool(revision.is_reopened.any())
    pinned = EVERYWHERE & torch.tensor([[False, True, True, True]])
    assert TokenEdit(threshold=0.7)(PROPOSAL, TOKENS, pinned).is_edited.tolist() == [[False, False, False, True]]
    assert not bool(TokenEdit(threshold=1.0)(PROPOSAL, TOKENS, EVERYWHERE).is_edited.any())


def test_remask() -> None:
    revision = Remask(threshold=0.15)(PROPOSAL, TOKENS, EVERYWHERE)
    assert revision.is_reopened.tolist() == [[True, False, False, True]]
    assert not bool(revision.is_edited.any())
    assert not bool(Remask(threshold=0.0)(PROPOSAL, TOKENS, EVERYWHERE).is_reopened.any())


def test_fills() -> None:
    is_open = torch.tensor([[True, False, True, False]])
    assert FillWithMask(mask_token_id=9)(TOKENS, is_open, DRAWS).tolist() == [[9, 1, 9, 0]]
    noised = Renoise(10, (9, 0, 1, 2))(TOKENS, is_open, DRAWS)
    assert noised[0, [1, 3]].tolist() == [1, 0]
    assert bool(((noised[0, [0, 2]] >= 3) & (noised[0, [0, 2]] <= 8)).all())


@pytest.mark.parametrize("rule", [TokenEdit, Remask])
@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_bad_thresholds_are_refused(rule: type[TokenEdit] | type[Remask], threshold: float) -> None:
    with pytest.raises(ConfigError, match="not a probability"):
        rule(threshold=threshold)
