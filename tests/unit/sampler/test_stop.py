import pytest
import torch

from redraft.errors import ConfigError
from redraft.sampler.stop import AllSettled, StableAndConfident, fingerprint, is_repeated


def finished(rule: AllSettled, was: bool, now: bool, revised: bool, passes: int, least: float = 1.0) -> bool:
    return bool(
        rule(
            was_settled=torch.tensor([was]),
            is_settled=torch.tensor([now]),
            has_revised=torch.tensor([revised]),
            settled_passes=torch.tensor([passes]),
            least_confidence=torch.tensor([least]),
        )
    )


def test_without_verification_settled_is_enough() -> None:
    rule = AllSettled(verify_passes=0)
    assert finished(rule, was=False, now=True, revised=False, passes=1)
    assert not finished(rule, was=False, now=False, revised=False, passes=0)


def test_verification_ends_when_a_pass_revises_nothing_or_patience_does() -> None:
    rule = AllSettled(verify_passes=2)
    assert not finished(rule, was=False, now=True, revised=False, passes=1)
    assert finished(rule, was=True, now=True, revised=False, passes=2)
    assert not finished(rule, was=True, now=True, revised=True, passes=2)
    assert finished(rule, was=True, now=True, revised=True, passes=3)
    assert not finished(rule, was=True, now=False, revised=True, passes=3)


def test_what_settles_surely_beside_tokens_that_stand_needs_no_verification() -> None:
    rule = AllSettled(verify_passes=2, sure_threshold=0.9)
    assert finished(rule, was=False, now=True, revised=False, passes=1, least=0.9)
    assert not finished(rule, was=False, now=True, revised=False, passes=1, least=0.89)
    assert not finished(rule, was=False, now=True, revised=True, passes=1, least=0.99)
    assert not finished(rule, was=False, now=False, revised=False, passes=0, least=0.99)
    assert finished(rule, was=True, now=True, revised=False, passes=2), "a pass that settles nothing verifies as ever"


def test_stable_and_confident() -> None:
    rule = StableAndConfident(stability_threshold=2, max_entropy=0.1)
    judged = torch.tensor([[True, True, False]])
    best = torch.tensor([[1, 2, 3]])
    count = rule.stable_for(best, torch.full_like(best, -1), judged, torch.tensor([0]))
    assert count.tolist() == [0]
    count = rule.stable_for(best, torch.tensor([[1, 2, 9]]), judged, count)
    assert count.tolist() == [1], "only judged positions count"
    assert rule.stable_for(best, torch.tensor([[1, 5, 3]]), judged, count).tolist() == [0]
    calm, restless = torch.tensor([[0.0, 0.1, 9.0]]), torch.tensor([[0.1, 0.1, 0.0]])
    assert not bool(rule(stable_for=torch.tensor([1]), entropy=calm, judged=judged))
    assert bool(rule(stable_for=torch.tensor([2]), entropy=calm, judged=judged))
    assert not bool(rule(stable_for=torch.tensor([2]), entropy=restless, judged=judged)), "strictly below"


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(ConfigError, match="verify_passes"):
        AllSettled(verify_passes=-1)
    with pytest.raises(ConfigError, match="stability_threshold"):
        StableAndConfident(stability_threshold=0, max_entropy=0.1)
    with pytest.raises(ConfigError, match="stop_entropy"):
        StableAndConfident(stability_threshold=1, max_entropy=float("nan"))


def test_fingerprints_tell_canvases_apart() -> None:
    rng = torch.Generator().manual_seed(0)
    canvases = torch.randint(0, 3, (2000, 12), generator=rng)
    numbers = fingerprint(canvases)
    assert len(set(numbers.tolist())) == len({tuple(row) for row in canvases.tolist()})
    assert is_repeated(numbers[:2], torch.stack([numbers[1:3], numbers[:2]], dim=1)).tolist() == [True, True]
    assert is_repeated(numbers[:1], numbers[1:2].unsqueeze(1)).tolist() == [False]
