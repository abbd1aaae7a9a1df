import random

from redraft.text import Tokenizer
from redraft.text.differing import Difference, differing

LETTERS = {1: 1, 2: 2, 3: 3, 11: 1, 12: 2, 13: 3}
"""Three letters, small and capital; 5 and 6 are signs."""


def text_of(draft: list[int], text: list[int], found: list[Difference]) -> list[int]:
    """Put every difference in its place."""
    made, place = list[int](), 0
    for one in found:
        made += [*draft[place : one.start], *text[one.text_start : one.text_end]]
        place = one.end
    return made + draft[place:]


def test_the_differences_lead_from_the_draft_to_the_text() -> None:
    for seed in range(400):
        rng = random.Random(seed)
        ids = [1, 2, 3, 11, 12, 5, 6]
        draft, text = ([rng.choice(ids) for _ in range(rng.randrange(16))] for _ in range(2))
        for letters in (None, LETTERS):
            found = differing(draft, text, letters)
            assert text_of(draft, text, found) == text
            ends = [0, *(one.end for one in found)]
            assert all(end <= one.start for end, one in zip(ends, found, strict=False)), "in order"
            assert all(one.start < one.end or one.text_start < one.text_end for one in found), "none is empty"


def test_other_words_are_whole() -> None:
    # 1 2 3 and 2 2 1 have one letter in common in the same order, and no more.
    assert differing([1, 2, 3, 5, 1], [2, 2, 1, 5, 1], LETTERS) == [Difference(0, 3, 0, 3, is_new=True)]


def test_forms_of_a_word_are_compared_by_letters() -> None:
    assert differing([1, 2, 3], [11, 12, 13], LETTERS) == [Difference(0, 3, 0, 3, is_new=False)], "capitals"
    assert differing([1, 2, 3, 3], [1, 2, 3], LETTERS) == [Difference(3, 4, 3, 3, is_new=False)]


def test_nothing_differs_from_itself() -> None:
    assert differing([1, 5, 2], [1, 5, 2], LETTERS) == []
    assert differing([], [], LETTERS) == []
    assert differing([], [1, 2], LETTERS) == [Difference(0, 0, 0, 2, is_new=False)]


def test_letters_are_those_of_a_tokenizer_of_characters() -> None:
    tokenizer = Tokenizer.builtin()
    assert tokenizer.letters() is None
    letters = tokenizer.by_character().letters()
    assert letters is not None
    (big,), (small,) = tokenizer.encode("Q"), tokenizer.encode("q")
    assert (letters[big], letters[small]) == (small, small)
    assert tokenizer.encode(" ")[0] not in letters
    assert len(letters) == 63
