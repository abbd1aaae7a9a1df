import random

from redraft.text import Tokenizer, lay_revision, with_slack, without_slack

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


def laid_out(draft: str, text: str) -> tuple[str, list[tuple[str, str]]]:
    """Lay a revision in characters; "·" is a slot."""
    tokenizer = Tokenizer.builtin().by_character()
    null = tokenizer.special.null
    canvas = with_slack(tokenizer.encode(draft), null, every=tokenizer.slack_every)
    laid, growths = lay_revision(canvas, tokenizer.encode(text), null, letters=tokenizer.letters())

    def read(ids: list[int] | tuple[int, ...]) -> str:
        return "".join("·" if id == null else tokenizer.token_text(id) for id in ids)

    return read(laid), [(read(canvas[one.start : one.end]), read(one.text)) for one in growths]


def test_another_word_has_no_slots_between_its_letters() -> None:
    laid, growths = laid_out("a shell here", "a report here")
    assert laid == "·a report·· ·he·re·", "not a letter is kept because both words have it"
    assert growths == []
    laid, growths = laid_out("my dad", "my father")
    assert growths == [("d·ad·", "father")], "a longer word grows as a whole"


def test_another_form_of_a_word_changes_letter_by_letter() -> None:
    assert laid_out("send it", "SEND IT") == ("·SE·ND· ·IT·", [])
    assert laid_out("an ovven", "an oven") == ("·an· o··v·en·", [])
    assert laid_out("old_name", "oldName") == ("·ol·dN··a·me·", [])


def test_words_that_are_put_in_split_no_word() -> None:
    laid, growths = laid_out("one fresh box", "one really fresh box")
    assert laid == "·on·e ·fr·e·sh· b·ox·"
    assert growths == [(" ·", " really ")]


def test_a_revision_in_characters_is_the_text() -> None:
    words = ["red", "Red", "read", "table", "tables", "10", "a", "x_1", "ROOM", "room"]
    tokenizer = Tokenizer.builtin().by_character()
    null, num_grown = tokenizer.special.null, 0
    for seed in range(300):
        rng = random.Random(seed)
        draft = [rng.choice(words) for _ in range(rng.randrange(1, 8))]
        revision = [rng.choice([word, *words[:4]]) for word in draft if rng.random() < 0.8]
        texts = [rng.choice(" ,.").join(part) for part in (draft, revision)]
        canvas = with_slack(tokenizer.encode(texts[0]), null, every=tokenizer.slack_every)
        laid, growths = lay_revision(canvas, tokenizer.encode(texts[1]), null, letters=tokenizer.letters())
        for one in reversed(growths):
            laid[one.start : one.end] = one.text
        assert tokenizer.decode(without_slack(laid, null)) == texts[1]
        num_grown += bool(growths)
    assert 20 < num_grown < 280, "both happen"
