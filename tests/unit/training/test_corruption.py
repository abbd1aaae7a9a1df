from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from redraft.text import Tokenizer
from redraft.training import MixtureEntry, NoiseRecipe, Recipe
from redraft.training.corruption import Noised, TokenTable, corrupt, line_mask, result_mask, substitutes
from redraft.training.data import Batch, BatchStream, ExampleStream

PLAIN = NoiseRecipe(all_mask_share=0.0, line_share=0.0, corrupt_share=0.0)


@pytest.fixture
def table(tokenizer: Tokenizer) -> TokenTable:
    return TokenTable.of(tokenizer)


@pytest.fixture
def batch(make_recipe: Callable[..., Recipe], tokenizer: Tokenizer) -> Batch:
    recipe = make_recipe(data={"batch_tokens": 20_000, "pool_examples": 200}).data
    return BatchStream(ExampleStream(recipe, tokenizer)).next(0.0)


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def noise(batch: Batch, table: TokenTable, recipe: NoiseRecipe, seed: int = 0) -> Noised:
    return corrupt(batch, recipe, table, torch.Generator().manual_seed(seed), progress=0.0, guess=None)


def test_the_table_knows_the_vocabulary(table: TokenTable, tokenizer: Tokenizer) -> None:
    assert int(table.is_place.sum()) == 11
    newline, comma, digit = tokenizer.encode("\n") + tokenizer.encode(",") + tokenizer.encode("7")
    assert table.is_separator[[newline, comma, digit, table.mask]].tolist() == [True, True, False, False]
    signs = [token for text in (" = ", "=", " -> ", " == ", " × ") for token in tokenizer.encode(text)]
    assert table.is_equals[signs].tolist() == [True, True, True, False, False]


def test_all_mask_rows_are_all_mask(batch: Batch, table: TokenTable) -> None:
    noised = noise(batch, table, replace(PLAIN, all_mask_share=1.0))
    assert bool((noised.canvas == table.mask).all())
    assert bool(noised.is_corrupted.all())


def test_plain_rows_hold_the_truth_or_a_mask(batch: Batch, table: TokenTable) -> None:
    noised = noise(batch, table, PLAIN)
    is_masked = noised.canvas == table.mask
    assert bool((is_masked == noised.is_corrupted).all())
    assert noised.canvas[~is_masked].equal(batch.canvas[~is_masked])
    # Times are spread evenly over [0.02, 1], so the share of masks is near their mean.
    assert float(is_masked.float().mean()) == pytest.approx(0.51, abs=0.04)


def test_wrong_tokens_stand_only_at_visible_supervised_places(batch: Batch, table: TokenTable) -> None:
    recipe = replace(PLAIN, corrupt_share=1.0, max_corrupt=1.0, low_time=0.0)
    noised = noise(batch, table, recipe)
    is_wrong = noised.is_corrupted & (noised.canvas != table.mask)
    assert bool(batch.is_supervised[is_wrong].all())
    visible = (noised.canvas != table.mask) & batch.is_supervised
    assert 0.2 < float(is_wrong[visible].float().mean()) < 0.6
    assert not bool((noised.canvas == table.mask)[is_wrong].any())


def test_a_digit_mostly_becomes_a_digit_or_an_empty_slot(batch: Batch, table: TokenTable, rng: torch.Generator) -> None:
    drawn = substitutes(batch, replace(PLAIN, same_class_share=1.0), table, rng)
    is_place = table.is_place[batch.canvas]
    assert bool(table.is_place[drawn[is_place]].all())
    assert not bool(table.is_place[drawn[~is_place]].all())


def test_uniform_rows_have_no_mask(batch: Batch, table: TokenTable) -> None:
    noised = noise(batch, table, replace(PLAIN, uniform_share=1.0))
    assert not bool((noised.canvas == table.mask).any())
    assert 0.3 < float(noised.is_corrupted.float().mean()) < 0.6


def test_line_masks_look_like_decoding_line_by_line(batch: Batch, table: TokenTable) -> None:
    recipe = replace(PLAIN, hide_answer_share=1.0)
    is_separator = table.is_separator[batch.canvas] & batch.is_content
    line = is_separator.cumsum(dim=1) - is_separator.long()
    whole_lines_seen = 0
    for seed in range(8):
        is_masked = line_mask(batch, recipe, table, torch.Generator().manual_seed(seed))
        for row in range(len(batch.entries)):
            hidden = [bool(is_masked[row, line[row] == number].all()) for number in range(int(line[row].max()) + 1)]
            if bool(batch.is_answer_first[row]):
                assert hidden.pop(0), "the answer comes last"
            # After the first line that is hidden, or partly visible, nothing is visible. Short lines may be hidden by
            # extra masks, so look from the end: the visible lines are a prefix, plus one line in progress.
            seen = [number for number, is_hidden in enumerate(hidden) if not is_hidden]
            whole_lines_seen += len(seen)
            if seen:
                tail = torch.tensor([n > seen[-1] + int(bool(batch.is_answer_first[row])) for n in line[row].tolist()])
                assert bool(is_masked[row, tail].all())
    assert whole_lines_seen > len(batch.entries)


def test_the_answer_line_stays_visible_where_asked(batch: Batch, table: TokenTable, rng: torch.Generator) -> None:
    is_masked = line_mask(batch, replace(PLAIN, hide_answer_share=0.0), table, rng)
    is_separator = table.is_separator[batch.canvas] & batch.is_content
    in_first = (is_separator.cumsum(dim=1) - is_separator.long() == 0) & batch.is_answer_first[:, None]
    assert float(is_masked[in_first].float().mean()) < 0.2, "only extra masks fall on it"


def test_result_masks_hide_what_is_worked_out_and_nothing_else(batch: Batch, table: TokenTable) -> None:
    num_hidden = num_results = 0
    num_between = {True: 0, False: 0}
    for seed in range(4):
        is_masked = result_mask(batch, table, torch.Generator().manual_seed(seed))
        assert bool(is_masked[~batch.is_content].all()), "where the text ends is not given away"
        for row, (ids, hidden) in enumerate(zip(batch.canvas.tolist(), is_masked.tolist(), strict=True)):
            for line in _lines_of(ids, batch.is_content[row].tolist(), table):
                marks = [hidden[place] for place in line]
                signs = [index for index, place in enumerate(line) if bool(table.is_equals[ids[place]])]
                if not signs:
                    assert all(marks), "a line that works nothing out is hidden whole"
                    continue
                end = len(line) - int(bool(table.is_separator[ids[line[-1]]]))
                assert not any(marks[: signs[0] + 1])
                assert not any(marks[end:])
                assert len(set(marks[signs[-1] + 1 : end])) == 1, "a result is hidden whole or not at all"
                num_results += 1
                num_hidden += marks[signs[-1] + 1]
                if len(signs) == 2 and marks[signs[-1] + 1]:
                    between = set(marks[signs[0] + 1 : signs[1] + 1])
                    assert len(between) == 1, "so is what stands between two equals signs"
                    num_between[between.pop()] += 1
    assert min(num_between.values()) > 10, "it is hidden in some rows and shown in others"
    assert num_results > 100
    assert 0.65 < num_hidden / num_results < 0.85, "the hidden share is uniform between a half and all"


def test_of_a_line_with_a_total_half_of_the_rows_hide_that_alone(
    make_recipe: Callable[..., Recipe], tokenizer: Tokenizer, table: TokenTable
) -> None:
    mixture = [{"task": "multiplication", "dials": {"max_digits": 2, "min_other_digits": 2, "max_other_digits": 2}}]
    data = {"batch_tokens": 8000, "pool_examples": 100, "canvas_length": 88, "mixture": mixture}
    recipe = make_recipe(data=data, model={"canvas_length": 88}).data
    batch = BatchStream(ExampleStream(recipe, tokenizer)).next(0.0)
    arrow = tokenizer.encode(" -> ")
    num_rows = {True: 0, False: 0}
    for row, hidden in enumerate(result_mask(batch, table, torch.Generator().manual_seed(0)).tolist()):
        ids = batch.canvas[row].tolist()
        *_, last = _lines_of(ids, batch.is_content[row].tolist(), table)
        places = [place for place in last if [ids[place]] == arrow]
        if places and hidden[places[0] + 1]:
            num_rows[hidden[places[0] - 1]] += 1
    assert min(num_rows.values()) > 5


def _lines_of(ids: list[int], is_content: list[bool], table: TokenTable) -> list[list[int]]:
    """Places of each line, its separator at its end; end of text belongs to the last."""
    lines: list[list[int]] = [[]]
    for place, token in enumerate(ids):
        if is_content[place]:
            lines[-1].append(place)
            if bool(table.is_separator[token]):
                lines.append([])
    return [line for line in lines if line]


def test_the_share_of_result_rows_is_kept(batch: Batch, table: TokenTable) -> None:
    noised = noise(batch, table, replace(PLAIN, result_share=1.0))
    is_hidden = noised.canvas == table.mask
    assert bool(is_hidden[~batch.is_content].all())
    for ids, content, hidden in zip(batch.canvas.tolist(), batch.is_content.tolist(), is_hidden.tolist(), strict=True):
        for line in _lines_of(ids, content, table):
            signs = [place for place in line if bool(table.is_equals[ids[place]])]
            assert not signs or not hidden[signs[0]]


@pytest.mark.slow
def test_a_hidden_prompt_leaves_something_to_go_by(
    make_recipe: Callable[..., Recipe], tokenizer: Tokenizer, table: TokenTable
) -> None:
    mixture = (MixtureEntry(task="arithmetic"), MixtureEntry(task="primes"))
    data = replace(make_recipe(data={"batch_tokens": 20_000, "pool_examples": 150}).data, mixture=mixture)
    batch = BatchStream(ExampleStream(data, tokenizer)).next(0.0)
    recipe = replace(PLAIN, result_share=1.0)
    assert bool(noise(batch, table, recipe).sees_context.all())
    has_equals = (table.is_equals[batch.canvas] & batch.is_content).any(dim=1)
    dropped = ~noise(batch, table, replace(recipe, drop_context_share=1.0)).sees_context
    assert bool((dropped == has_equals).all())
    assert 0 < int(dropped.sum()) < len(dropped), "sums have equals signs, primes have none"
    half = ~noise(batch, table, replace(recipe, drop_context_share=0.5)).sees_context
    assert 0.3 < int(half.sum()) / int(has_equals.sum()) < 0.7
    other = replace(PLAIN, drop_context_share=1.0)
    assert bool(noise(batch, table, other).sees_context.all()), "only rows of hidden results lose their prompt"


@pytest.mark.slow
@pytest.mark.parametrize("derivation_first", [0.0, 1.0])
def test_an_answer_is_hidden_alone_and_may_lose_its_prompt(
    make_recipe: Callable[..., Recipe], tokenizer: Tokenizer, table: TokenTable, derivation_first: float
) -> None:
    """A count must be read off the list that stands there, held-out lists included."""
    mixture = (MixtureEntry(task="primes", derivation_first=derivation_first),)
    data = replace(make_recipe(data={"batch_tokens": 20_000, "pool_examples": 150}).data, mixture=mixture)
    batch = BatchStream(ExampleStream(data, tokenizer)).next(0.0)
    recipe = replace(PLAIN, answer_share=1.0, line_share=1.0)
    noised = noise(batch, table, replace(recipe, drop_context_share=1.0))
    is_hidden = noised.canvas == table.mask
    for ids, content, hidden in zip(batch.canvas.tolist(), batch.is_content.tolist(), is_hidden.tolist(), strict=True):
        answer = _lines_of(ids, content, table)[-1 if derivation_first else 0]
        assert [place for place, is_masked in enumerate(hidden) if is_masked] == answer
    assert not bool(noised.sees_context.any())
    assert bool(noise(batch, table, recipe).sees_context.all())
    shares = [noise(batch, table, replace(recipe, answer_share=share)).canvas for share in (0.0, 0.5)]
    num_alone = [int(((canvas == table.mask) == is_hidden).all(dim=1).sum()) for canvas in shares]
    assert num_alone[0] < 0.1 * batch.num_rows < 0.4 * batch.num_rows < num_alone[1] < 0.7 * batch.num_rows


def test_a_line_in_progress_may_show_its_left_side_alone(batch: Batch, table: TokenTable) -> None:
    """Operands are copied and settle first; the result is worked out with them in sight."""
    num_left_sides = 0
    for seed in range(8):
        is_masked = line_mask(batch, PLAIN, table, torch.Generator().manual_seed(seed))
        for row, (ids, hidden) in enumerate(zip(batch.canvas.tolist(), is_masked.tolist(), strict=True)):
            for line in _lines_of(ids, batch.is_content[row].tolist(), table):
                signs = [index for index, place in enumerate(line) if bool(table.is_equals[ids[place]])]
                if signs:
                    left = [hidden[place] for place in line[: signs[0] + 1]]
                    right = [hidden[place] for place in line[signs[0] + 1 :]]
                    num_left_sides += not any(left) and all(right)
    assert num_left_sides > len(batch.entries) / 2


def test_own_guesses_are_put_at_masked_places_and_scored_by_truth(batch: Batch, table: TokenTable) -> None:
    recipe = replace(PLAIN, corrupt_share=1.0, own_predictions_share=1.0, own_predictions_after=0.5)
    asked: list[tuple[Tensor, Tensor, Tensor]] = []

    def guess(rows: Tensor, canvas: Tensor, wanted: Tensor) -> Tensor:
        asked.append((rows, canvas, wanted))
        assert bool((canvas[rows][wanted] == table.mask).all()), "only masked places are asked for"
        logits = torch.full((int(wanted.sum()), len(table.is_place)), -50.0)
        logits[:, 65] = 0.0
        logits[:, table.mask] = 50.0
        return logits

    rng = torch.Generator().manual_seed(0)
    early = corrupt(batch, recipe, table, rng, progress=0.49, guess=guess)
    assert not asked, "before its time the model is not asked"
    assert early.canvas.shape == batch.canvas.shape
    noised = corrupt(batch, recipe, table, torch.Generator().manual_seed(0), progress=0.5, guess=guess)
    ((rows, before, wanted),) = asked
    places = torch.zeros_like(batch.is_supervised)
    places[rows] = wanted
    assert bool((noised.canvas[places] == 65).all()), "the sample is in place, and never a mask"
    assert noised.canvas[~places].equal(before[~places])
    assert bool(batch.is_supervised[places].all())
    assert bool(noised.is_corrupted.equal(noised.canvas != batch.canvas))


def test_the_same_seed_gives_the_same_noise(batch: Batch, table: TokenTable) -> None:
    one, again, other = (noise(batch, table, NoiseRecipe(), seed) for seed in (1, 1, 2))
    assert one.canvas.equal(again.canvas)
    assert not one.canvas.equal(other.canvas)
