import random
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from redraft.errors import ConfigError
from redraft.tasks.problem import Problem
from redraft.text import Field, Tokenizer, with_slack, without_slack
from redraft.training import NoiseRecipe, Recipe
from redraft.training.corruption import Noised, TokenTable, corrupt
from redraft.training.damage import Damage, slip
from redraft.training.data import Batch, BatchStream, ExampleStream
from redraft.training.drafts import Drafts
from redraft.training.form_config import EditRecipe
from redraft.training.guess import ChosenMask, Rows
from redraft.training.laid import Laid
from redraft.types import Tokens

MIXTURE = [{"task": "arithmetic", "form": "edit", "dials": {"min_steps": 1, "max_steps": 1}}]
ALWAYS_GIVEN = EditRecipe(right_share=0.0, damaged_share=0.0)
PROBLEM = Problem(
    task="rewrite",
    key="k",
    prompt="Fix the typos.",
    fields=(Field("The cat sat on the mat."),),
    language="en",
    order="answer_first",
    num_steps=1,
    draft="The cta sat on on mat.",
)


def lay(recipe: EditRecipe, seed: int = 0, problem: Problem = PROBLEM) -> tuple[Laid, bool]:
    laid = Drafts(Tokenizer.builtin(), recipe, 80).lay(random.Random(seed), problem)
    assert laid is not None
    return laid


def batch_of(make_recipe: Callable[..., Recipe], tokenizer: Tokenizer, **edit: float) -> Batch:
    data = {"mixture": MIXTURE, "batch_tokens": 20_000, "pool_examples": 120, "edit": edit}
    return BatchStream(ExampleStream(make_recipe(data=data).data, tokenizer)).next(0.0)


def noise(batch: Batch, recipe: NoiseRecipe) -> Noised:
    table = TokenTable.of(Tokenizer.builtin())
    return corrupt(batch, recipe, table, torch.Generator().manual_seed(0), progress=1.0, guess=None)


def test_a_draft_stands_on_the_canvas_and_the_text_is_laid_onto_it() -> None:
    tokenizer = Tokenizer.builtin()
    laid, sees_prompt = lay(ALWAYS_GIVEN)
    assert sees_prompt, "what has to change can't be known without being told"
    assert laid.form == "edit"
    assert laid.start == with_slack(tokenizer.encode(PROBLEM.draft or ""), tokenizer.special.null)
    assert without_slack(laid.target, tokenizer.special.null) == tokenizer.encode(PROBLEM.answer_text)
    assert len(laid.target) == len(laid.start) == len(laid.is_open)


@pytest.mark.slow
def test_a_right_draft_stays() -> None:
    for seed in range(20):
        laid, _ = lay(EditRecipe(right_share=1.0, damaged_share=0.0), seed)
        assert laid.target == laid.start


def test_damage_without_a_draft_of_the_task() -> None:
    tokenizer = Tokenizer.builtin()
    problem = replace(PROBLEM, draft=None)
    drafts = Drafts(tokenizer, EditRecipe(right_share=0.0, own_draft_share=0.0), 80)
    starts, prompts = set(), set()
    for seed in range(60):
        formed = drafts.lay(random.Random(seed), problem)
        assert formed is not None, "the canvas grows"
        laid, sees_prompt = formed
        assert _text_of(laid) == tokenizer.encode(PROBLEM.answer_text)
        starts.add(tuple(laid.start))
        prompts.add(sees_prompt)
    assert len(starts) > 40
    assert prompts == {True, False}


def test_a_draft_of_the_models_own_has_places_for_it() -> None:
    laid, _ = lay(EditRecipe(right_share=0.0, own_draft_share=1.0), 1, replace(PROBLEM, draft=None))
    mask = Tokenizer.builtin().special.mask
    assert mask in laid.start
    assert all(start in (mask, target) for start, target in zip(laid.start, laid.target, strict=True))


def test_a_draft_too_long_is_passed_over() -> None:
    assert Drafts(Tokenizer.builtin(), ALWAYS_GIVEN, 10).lay(random.Random(0), PROBLEM) is None
    grown = replace(PROBLEM, draft="a")
    assert Drafts(Tokenizer.builtin(), ALWAYS_GIVEN, 9).lay(random.Random(0), grown) is None, "no room to grow"


def _text_of(laid: Laid) -> list[int]:
    """The text that a laid draft becomes, where [INS] is read as whatever is missing in the problem's."""
    special = Tokenizer.builtin().special
    tokens, is_marked = list[int](), False
    for token in laid.target:
        is_marked = token == special.delete or (is_marked and token != special.insert)
        if not is_marked and token not in (special.null, special.insert):
            tokens.append(token)
    if special.delete in laid.target or special.insert not in laid.target:
        return tokens
    text = Tokenizer.builtin().encode(PROBLEM.answer_text)
    rest = iter(text)
    assert all(token in rest for token in tokens), "what stays is there in its order"
    return text


def test_a_draft_that_has_to_grow_says_where_or_is_open_there() -> None:
    tokenizer = Tokenizer.builtin()
    special = tokenizer.special
    problem = replace(PROBLEM, draft="The cat sat.")
    seen, slacks = {True: 0, False: 0}, set()
    for seed in range(60):
        laid, _ = lay(ALWAYS_GIVEN, seed, problem)
        assert not laid.is_own
        assert laid.form == "edit"
        rows = [*zip(laid.start, laid.target, laid.is_open, strict=True)]
        assert all(before == after for before, after, is_open in rows if not is_open)
        is_opened = special.mask in laid.start
        seen[is_opened] += 1
        shown = [one for one in laid.start if one not in (special.null, special.delete, special.insert, special.mask)]
        assert shown == tokenizer.encode("The cat sat."), "the old text stays to be read"
        if is_opened:
            assert _text_of(laid) == tokenizer.encode(problem.answer_text)
            slacks.add(sum(before == special.mask and after == special.null for before, after, _ in rows))
        else:
            assert special.insert in laid.target
            assert all(before == after for before, after, _ in rows if after != special.insert)
    assert min(seen.values()) > 15
    assert len(slacks) > 10, "the room doesn't tell how much is missing"


def test_where_a_draft_has_to_grow_nothing_else_happens(
    make_recipe: Callable[..., Recipe], tokenizer: Tokenizer
) -> None:
    batch = batch_of(make_recipe, tokenizer, right_share=0.0, own_draft_share=0.0)
    forms, table = batch.forms, TokenTable.of(tokenizer)
    assert forms is not None
    grows = (batch.canvas == table.insert) & forms.may_change
    marks = (batch.canvas == table.insert) & ~forms.may_change
    assert bool(grows.any())
    assert bool(marks.any())
    recipe = NoiseRecipe(edit_plain_share=0.0, edit_masked_share=1.0)
    noised = noise(batch, recipe)
    assert bool((noised.canvas == forms.start)[grows].all()), "the draft's own token, never open and never a mark"
    assert bool(noised.is_corrupted[grows].all())
    assert bool((noised.canvas == table.insert)[marks].all())
    assert not bool((batch.is_supervised & marks).any())


def test_damage_changes_texts_and_repeats() -> None:
    damage = Damage(Tokenizer.builtin(), max_errors=6)
    text = "12 × 3 = 36\nThe cat sat."
    damaged = [damage.apply(random.Random(seed), text) for seed in range(100)]
    assert damaged == [damage.apply(random.Random(seed), text) for seed in range(100)]
    assert sum(other != text for other in damaged) > 90
    assert {len(other) > len(text) for other in damaged} == {True, False}
    assert slip(random.Random(0), "123") == "123", "no letter, no slip"


def test_states_of_a_draft(make_recipe: Callable[..., Recipe], tokenizer: Tokenizer) -> None:
    batch = batch_of(make_recipe, tokenizer, right_share=0.2, own_draft_share=0.0)
    forms, table = batch.forms, TokenTable.of(tokenizer)
    assert forms is not None
    assert bool(forms.is_edit.all())
    assert batch.is_supervised.equal(forms.may_change), "all of the draft is scored, its end is pinned"
    assert not bool((forms.may_change & (batch.canvas == tokenizer.special.end_of_text)).any())
    assert bool((forms.start == table.mask).any()), "some have grown"
    for shares, is_plain, has_masks in (
        ((1.0, 0.0), True, False),
        ((0.0, 0.0), False, False),
        ((0.0, 1.0), False, True),
    ):
        recipe = NoiseRecipe(edit_plain_share=shares[0], edit_masked_share=shares[1])
        noised = noise(batch, recipe)
        is_masked = noised.canvas == table.mask
        is_known = is_masked | (noised.canvas == forms.start) | (noised.canvas == batch.canvas)
        assert bool(is_known.all()), "the draft, the truth or a mask: nothing else"
        assert bool(noised.canvas.equal(forms.start)) is is_plain
        assert bool((is_masked & (forms.start != table.mask)).any()) is has_masks
        assert bool(noised.sees_context.all())
        differs = forms.start != batch.canvas
        num_fixed = int((noised.canvas == batch.canvas)[differs].sum())
        assert (num_fixed == 0) is is_plain
        if has_masks:
            assert float(is_masked[differs].float().mean()) > 1.2 * float(is_masked[~differs].float().mean())


def test_a_draft_that_is_written_anew_is_open_alike_where_it_is_right_and_wrong(
    make_recipe: Callable[..., Recipe], tokenizer: Tokenizer
) -> None:
    batch = batch_of(make_recipe, tokenizer, right_share=0.2, own_draft_share=0.0)
    forms, table = batch.forms, TokenTable.of(tokenizer)
    assert forms is not None
    moves = forms.may_change & (batch.canvas != table.insert)
    recipe = NoiseRecipe(edit_plain_share=0.0, edit_masked_share=1.0, edit_anew_share=1.0)
    noised = noise(batch, recipe)
    is_masked = noised.canvas == table.mask
    assert bool(noised.canvas[~moves].equal(forms.start[~moves])), "pins and places that grow stay"
    open_rows = (is_masked | ~moves).all(dim=1).float().mean()
    assert 0.25 < float(open_rows) < 0.5
    share = is_masked[moves & (forms.start == batch.canvas)].float().mean()
    assert 0.5 < float(share) < 0.8, "a third whole, the others by half"
    none = noise(batch, replace(recipe, edit_anew_share=0.0))
    right = (none.canvas == table.mask)[moves & (forms.start == batch.canvas)]
    assert float(right.float().mean()) < 0.2


def test_the_model_writes_drafts_of_its_own(make_recipe: Callable[..., Recipe], tokenizer: Tokenizer) -> None:
    batch = batch_of(make_recipe, tokenizer, right_share=0.0, own_draft_share=1.0)
    table = TokenTable.of(tokenizer)
    word = tokenizer.encode("x")[0]

    def guess(rows: Rows, canvas: Tokens, wanted: ChosenMask) -> Tensor:
        del rows, canvas
        logits = torch.zeros(int(wanted.sum()), tokenizer.vocab_size)
        logits[:, word] = 99.0
        return logits

    recipe = NoiseRecipe(edit_plain_share=1.0, edit_masked_share=0.0, own_predictions_after=0.5)
    early = corrupt(batch, recipe, table, torch.Generator().manual_seed(0), progress=0.4, guess=guess)
    assert bool((early.canvas == table.mask).any()), "before own predictions begin its places are open"
    late = corrupt(batch, recipe, table, torch.Generator().manual_seed(0), progress=0.6, guess=guess)
    assert not bool((late.canvas == table.mask).any())
    assert bool((late.canvas[early.canvas == table.mask] == word).all())


def test_edit_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="add up to more than 1"):
        EditRecipe(right_share=0.8, damaged_share=0.4)
    with pytest.raises(ConfigError, match="max_errors=0"):
        EditRecipe(max_errors=0)


def test_a_shown_draft_stands_in_the_context_as_it_came() -> None:
    for seed in range(30):
        laid, sees_prompt = lay(replace(ALWAYS_GIVEN, shows_draft=True), seed)
        assert (laid.shown, sees_prompt) == (PROBLEM.draft, True)
        grown, _ = lay(replace(ALWAYS_GIVEN, shows_draft=True), seed, replace(PROBLEM, draft="The cat sat."))
        assert grown.shown == "The cat sat."
        damaged, sees_prompt = lay(
            EditRecipe(right_share=0.0, damaged_share=1.0, own_draft_share=0.0, shows_draft=True), seed
        )
        assert not sees_prompt
        assert damaged.shown not in (None, PROBLEM.draft)
        own, _ = lay(EditRecipe(right_share=0.0, damaged_share=1.0, own_draft_share=1.0, shows_draft=True), seed)
        assert own.shown is None, "what the model is going to write can't be shown before"


def test_what_a_model_reads_of_a_draft_follows_the_prompt(
    make_recipe: Callable[..., Recipe], tokenizer: Tokenizer
) -> None:
    special = tokenizer.special
    mixture = [{"task": "rewrite", "form": "edit"}]
    edit = {"own_draft_share": 0.0, "right_share": 0.3}
    data = {"mixture": mixture, "batch_tokens": 20_000, "canvas_length": 136, "context_length": 256, "edit": edit}
    model = {"canvas_length": 136, "context_length": 256}
    plain = make_recipe(data=data, model=model).data
    shown = make_recipe(data=data | {"edit": edit | {"shows_draft": True}}, model=model).data
    num_bare = 0
    for index in range(40):
        bare = ExampleStream(plain, tokenizer).example(index, 0.0)
        full = ExampleStream(shown, tokenizer).example(index, 0.0)
        assert (full.answer, full.laid is None) == (bare.answer, False)
        place = full.context.index(special.assistant)
        assert full.context[:place] == bare.context
        num_bare += place == 0
        start = [token for token in (full.laid.start if full.laid else []) if token < special.first]
        assert full.context[place + 1 :] == start, "the tokens that stand on the canvas, without slots and marks"
    assert 5 < num_bare < 35


def test_a_context_must_hold_the_drafts_that_it_shows(make_recipe: Callable[..., Recipe]) -> None:
    with pytest.raises(ConfigError, match="context_length=40 is less than canvas_length=48"):
        make_recipe(data={"canvas_length": 48, "context_length": 40, "edit": {"shows_draft": True}})
