import pytest
import torch

from redraft.errors import ConfigError, InputError
from redraft.noise import Hybrid, Linear, Masked, MixtureProcess, Process, Uniform

MASKED = Masked(schedule=Linear(), vocab_size=5, mask_token_id=4)
UNIFORM = Uniform(schedule=Linear(), vocab_size=5)
HYBRID = Hybrid(schedule=Linear(), vocab_size=5, mask_token_id=4, uniform_share=0.3)
EVERY = pytest.mark.parametrize("process", [MASKED, UNIFORM, HYBRID], ids=["masked", "uniform", "hybrid"])


def _belief(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).mul(2).softmax(-1)


@EVERY
def test_they_are_processes(process: MixtureProcess) -> None:
    assert isinstance(process, Process)


@EVERY
def test_same_generator_state_same_tokens(process: MixtureProcess) -> None:
    x_0, t = torch.arange(40).reshape(4, 10) % 4, torch.linspace(0.2, 0.9, 4)
    draws = [process.corrupt(x_0, t, torch.Generator().manual_seed(6)) for _ in range(2)]
    assert torch.equal(*draws)
    assert not torch.equal(draws[0], process.corrupt(x_0, t, torch.Generator().manual_seed(7)))


@EVERY
def test_corrupt_leaves_its_input_and_type_alone(process: MixtureProcess) -> None:
    x_0 = torch.ones(2, 50, dtype=torch.int32)
    x_t = process.corrupt(x_0, torch.tensor([1.0, 1.0]), torch.Generator().manual_seed(0))
    assert (x_0 == 1).all()
    assert x_t.dtype == torch.int32
    assert not torch.equal(x_t, x_0)


@EVERY
def test_the_same_time_changes_nothing(process: MixtureProcess) -> None:
    x_t = torch.tensor([[0, 1, 4], [2, 4, 3]])
    for time in (0.0, 0.4, 1.0):
        t = torch.full((2,), time)
        probs = process.posterior(x_t, _belief(1, 2, 3, 5), t, t)
        torch.testing.assert_close(probs, torch.nn.functional.one_hot(x_t, 5).float())


@EVERY
def test_going_to_time_zero_gives_the_belief(process: MixtureProcess) -> None:
    x_t = torch.full((1, 2), 4)
    belief = process.clean_probs(_belief(2, 1, 2, 5))
    torch.testing.assert_close(process.posterior(x_t, belief, torch.zeros(1), torch.tensor([0.6])), belief)


@EVERY
def test_each_row_has_its_own_times(process: MixtureProcess) -> None:
    x_t, belief = torch.tensor([[4, 0], [4, 0]]), _belief(3, 1, 2, 5).repeat(2, 1, 1)
    s, t = torch.tensor([0.1, 0.5]), torch.tensor([0.4, 0.9])
    together = process.posterior(x_t, belief, s, t)
    for row in range(2):
        one = slice(row, row + 1)
        torch.testing.assert_close(together[one], process.posterior(x_t[one], belief[one], s[one], t[one]))
    assert not torch.allclose(together[0], together[1])


@EVERY
def test_float32_keeps_its_digits_near_the_clean_end(process: MixtureProcess) -> None:
    # Taken in float32, 1 - alpha would have one digit at t = 1e-6 and none at 1e-8, and x_t would pass for clean.
    x_t, belief = torch.tensor([[0, 1, 4]]), _belief(4, 1, 3, 5)
    for time in (1e-9, 1e-6, 1e-3):
        s, t = torch.tensor([time / 3]), torch.tensor([time])
        exact = process.posterior(x_t, belief.double(), s.double(), t.double())
        torch.testing.assert_close(process.posterior(x_t, belief, s, t), exact.float(), rtol=1e-5, atol=1e-7)


def test_a_curve_that_rises_by_rounding_makes_no_negative_probability() -> None:
    class Wobbling(Linear):
        def alpha(self, t: torch.Tensor) -> torch.Tensor:
            return 1.0 - t + 1e-15 * (t == 0.5)

    process = Hybrid(schedule=Wobbling(), vocab_size=5, mask_token_id=4, uniform_share=0.3)
    s, t = torch.tensor([0.5 - 2**-53], dtype=torch.float64), torch.tensor([0.5], dtype=torch.float64)
    assert process.schedule.alpha(t) > process.schedule.alpha(s)
    for x_t in range(5):
        assert (process.posterior(torch.tensor([[x_t]]), _belief(8, 1, 1, 5).double(), s, t) >= 0).all()


@EVERY
def test_nothing_of_the_text_is_kept_at_time_one(process: MixtureProcess) -> None:
    # With this seed one of the draws is exactly 0, the only one that "not above alpha" would keep.
    rng = torch.Generator().manual_seed(146)
    assert (torch.rand(1, 2**16, generator=rng) == 0).any()
    noised = [
        process.corrupt(torch.full((1, 2**16), token), torch.ones(1), torch.Generator().manual_seed(146))
        for token in (0, 1)
    ]
    assert torch.equal(*noised)


@EVERY
def test_bfloat16_belief_is_worked_on_in_float32(process: MixtureProcess) -> None:
    x_t, belief = torch.tensor([[0, 1, 4]]), _belief(5, 1, 3, 5).bfloat16()
    s, t = torch.tensor([0.3]), torch.tensor([0.31])
    probs = process.posterior(x_t, belief, s, t)
    assert probs.dtype == torch.bfloat16
    assert torch.equal(probs, process.posterior(x_t, belief.float(), s, t).bfloat16())


@pytest.mark.parametrize("process", [MASKED, HYBRID], ids=["masked", "hybrid"])
def test_a_mask_is_never_believed_clean(process: MixtureProcess) -> None:
    belief = torch.tensor([[[0.1, 0.2, 0.1, 0.1, 0.5]]])
    without = torch.tensor([[[0.2, 0.4, 0.2, 0.2, 0.0]]])
    s, t, x_t = torch.tensor([0.2]), torch.tensor([0.7]), torch.tensor([[4]])
    torch.testing.assert_close(process.posterior(x_t, belief, s, t), process.posterior(x_t, without, s, t))


def test_masked_keeps_a_visible_token_whatever_the_belief() -> None:
    probs = MASKED.posterior(torch.tensor([[1]]), _belief(6, 1, 1, 5), torch.tensor([0.2]), torch.tensor([0.9]))
    assert probs.tolist() == [[[0.0, 1.0, 0.0, 0.0, 0.0]]]


def test_uniform_and_hybrid_doubt_a_visible_token() -> None:
    belief = torch.tensor([[[1.0, 0.0, 0.0, 0.0, 0.0]]])
    for process in (UNIFORM, HYBRID):
        probs = process.posterior(torch.tensor([[1]]), belief, torch.tensor([0.1]), torch.tensor([0.9]))
        assert probs[0, 0, 0] > 0.5


def test_no_vocabulary_squared_is_needed() -> None:
    # A table [length, vocab, vocab] of this size would take 512 GB.
    process = Uniform(schedule=Linear(), vocab_size=20000)
    probs = process.posterior(
        torch.zeros(1, 320, dtype=torch.long),
        torch.full((1, 320, 20000), 5e-5),
        torch.tensor([0.4]),
        torch.tensor([0.5]),
    )
    torch.testing.assert_close(probs.sum(-1), torch.ones(1, 320))


@EVERY
@pytest.mark.parametrize(
    "bad", [[0.0, 0.0, 0.0, 0.0, 0.0], [1.5, -0.5, 0.0, 0.0, 0.0], [float("nan"), 0.5, 0.0, 0.0, 0.0]]
)
def test_what_is_no_distribution_is_refused(process: MixtureProcess, bad: list[float]) -> None:
    with pytest.raises(InputError, match="softmax"):
        process.posterior(torch.tensor([[4]]), torch.tensor([[bad]]), torch.tensor([0.1]), torch.tensor([0.2]))


def test_belief_in_the_mask_alone_is_refused() -> None:
    with pytest.raises(InputError, match=r"beside the mask \(id 4\)"):
        MASKED.posterior(
            torch.tensor([[4]]), torch.tensor([[[0.0, 0, 0, 0, 1]]]), torch.tensor([0.1]), torch.tensor([0.2])
        )


@EVERY
def test_times_in_the_wrong_order_are_refused(process: MixtureProcess) -> None:
    x_t, belief = torch.tensor([[0], [0]]), _belief(7, 2, 1, 5)
    with pytest.raises(InputError, match=r"s=0.75 lies after t=0.5"):
        process.posterior(x_t, belief, torch.tensor([0.1, 0.75]), torch.tensor([0.5, 0.5]))


@pytest.mark.parametrize("mask_token_id", [-1, 5])
def test_a_mask_outside_the_vocabulary_is_refused(mask_token_id: int) -> None:
    for build in (
        lambda: Masked(schedule=Linear(), vocab_size=5, mask_token_id=mask_token_id),
        lambda: Hybrid(schedule=Linear(), vocab_size=5, mask_token_id=mask_token_id, uniform_share=0.1),
    ):
        with pytest.raises(ConfigError, match=f"mask_token_id={mask_token_id}"):
            build()


def test_other_bad_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="vocab_size=1"):
        Uniform(schedule=Linear(), vocab_size=1)
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(ConfigError, match=f"uniform_share={share}"):
            Hybrid(schedule=Linear(), vocab_size=5, mask_token_id=4, uniform_share=share)
