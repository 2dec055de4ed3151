"""The count of tokens that stands in where no model counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.worker.providers.tokens import count_tokens, cut_to_tokens, split_pieces


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello, world!", 4),
        ("富士山は高い。", 7),
        ("한국어", 3),
        ("हिन्दी में लिखा", 3),
        ("cafe\u0301", 1),
        ("3.5 kg", 4),
        ("😀 ok", 2),
        ("  spread \n out ", 2),
    ],
)
def test_words_characters_and_marks_count_one_each(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_still_counts_one(text: str) -> None:
    assert count_tokens(text) == 1


@given(st.text(), st.integers(min_value=1, max_value=20))
def test_a_cut_text_has_no_more_tokens_than_allowed(text: str, limit: int) -> None:
    kept, shortened = cut_to_tokens(text, limit)
    assert count_tokens(kept) <= limit
    assert text.startswith(kept)
    assert shortened == (count_tokens(text) > limit)


@given(st.text())
def test_the_pieces_of_a_text_put_together_are_the_text(text: str) -> None:
    assert "".join(split_pieces(text)) == text


def test_a_text_is_streamed_word_by_word() -> None:
    assert split_pieces("Two words, 山です") == ["Two", " words,", " 山", "で", "す"]
