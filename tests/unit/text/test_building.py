"""The builder; its result on this interpreter need not be the committed file, but has to keep all of its promises."""

from pathlib import Path

import pytest

from redraft.text import SPECIAL_TEXTS, Tokenizer
from redraft.text.building import SINGLE_TOKENS, build, main

pytestmark = pytest.mark.slow


def test_builds_a_tokenizer_that_keeps_its_promises_twice_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tokenizer.json"
    main([str(path)])
    tokenizer = Tokenizer.load(path)
    assert "2048 entries" in capsys.readouterr().out
    assert [text for text in SINGLE_TOKENS if len(tokenizer.encode(text)) != 1] == []
    assert [tokenizer.token_text(i) for i in tokenizer.special.ids] == list(SPECIAL_TEXTS)
    assert build().to_json() == tokenizer.to_json()
