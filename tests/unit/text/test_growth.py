import random

from redraft.text import lay_revision, with_slack, without_slack

NULL = 0


def revised(rng: random.Random, tokens: list[int]) -> list[int]:
    """Return a text with a few pieces taken out, put in or replaced."""
    text = list(tokens)
    for _ in range(rng.randrange(4)):
        place = rng.randrange(len(text) + 1)
        text[place : place + rng.randrange(4)] = [rng.randrange(1, 9) for _ in range(rng.randrange(7))]
    return text


def test_a_laid_revision_is_the_text() -> None:
    num_grown = 0
    for seed in range(400):
        rng = random.Random(seed)
        draft = [rng.randrange(1, 9) for _ in range(rng.randrange(30))]
        canvas, text = with_slack(draft, NULL), revised(rng, draft)
        laid, growths = lay_revision(canvas, text, NULL)
        assert len(laid) == len(canvas)
        place = 0
        for one in growths:
            assert place <= one.start < one.end <= len(canvas), "in order and apart"
            assert len(one.text) > one.end - one.start, "what fits is written in place"
            assert laid[one.start : one.end] == canvas[one.start : one.end], "it stands as it stood"
            place = one.end
        for one in reversed(growths):
            laid[one.start : one.end] = one.text
        assert without_slack(laid, NULL) == text
        num_grown += bool(growths)
    assert 100 < num_grown < 300, "both happen"


def test_only_the_place_of_a_long_insertion_changes() -> None:
    draft = list(range(10, 40))
    canvas = with_slack(draft, NULL)
    laid, (growth,) = lay_revision(canvas, [*draft[:13], *range(50, 70), *draft[13:]], NULL)
    assert laid == canvas
    assert growth.end - growth.start == 1
    assert growth.text == (*range(50, 70), 23)


def test_changes_side_by_side_grow_together() -> None:
    canvas = [0, 1, 2, 3, 4, 0]
    laid, (growth,) = lay_revision(canvas, [1, 7, 7, 2, 8, 8, 3, 4], NULL)
    assert laid == canvas
    assert growth.text == (7, 7, 2, 8, 8, 3)
    assert lay_revision(canvas, [1, 7, 3, 4], NULL) == ([0, 1, 7, 3, 4, 0], [])
    assert lay_revision([1, 2], [1, 2, 3], NULL)[1][0].text == (2, 3), (
        "without a slot behind it the last one makes room"
    )
    assert lay_revision(canvas, [], NULL) == ([0] * 6, [])


def test_no_change_cuts_a_character() -> None:
    for seed in range(300):
        rng = random.Random(seed)
        characters = [[rng.randrange(1, 4), *([5] * rng.randrange(3))] for _ in range(rng.randrange(1, 12))]
        draft = [token for character in characters for token in character]
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(characters) + 1)
            new = [[rng.randrange(1, 4), *([5] * rng.randrange(3))] for _ in range(rng.randrange(4))]
            characters[place : place + rng.randrange(3)] = new
        text = [token for character in characters for token in character]
        canvas = with_slack(draft, NULL, every=6)
        laid, growths = lay_revision(canvas, text, NULL, continues={5})
        for one in growths:
            rest = [token for token in canvas[one.end :] if token != NULL]
            first = [token for token in canvas[one.start : one.end] if token != NULL]
            assert one.text[0] != 5
            assert not first or first[0] != 5
            assert not rest or rest[0] != 5
        for one in reversed(growths):
            laid[one.start : one.end] = one.text
        assert without_slack(laid, NULL) == text
