"""Words are compared by what their forms share."""

# ruff: noqa: RUF001 (full-width letters are meant)
from __future__ import annotations

import pytest

from tasks.worker.providers.words import detect_language, find_terms, fold, stem


@pytest.mark.parametrize(
    "forms",
    [
        ("open", "opened", "opening", "opens"),
        ("city", "cities"),
        ("price", "prices", "pricing", "priced"),
        ("build", "built", "building"),
        ("run", "running", "ran"),
        ("invent", "inventor", "invention"),
        ("столица", "столицей"),
    ],
)
def test_the_forms_of_a_word_have_one_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


def test_case_accents_and_width_do_not_matter() -> None:
    assert fold("CAFÉ") == fold("cafe") == fold("ｃａｆｅ")


def test_korean_and_japanese_stay_whole_when_folded() -> None:
    assert fold("한국 が") == "한국 が"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The cat sat on the mat and it was happy."),
        ("de", "Die Katze sitzt auf der Matte und ist zufrieden."),
        ("fr", "Le chat est sur le tapis et il est content."),
        ("es", "El gato está en la alfombra y es muy feliz."),
    ],
)
def test_the_language_is_told_by_its_small_words(language: str, text: str) -> None:
    assert detect_language(text) == language


def test_a_small_word_of_one_language_is_a_word_of_another() -> None:
    assert find_terms("They die young", "en") == ["die", "young"]
    assert find_terms("die Katze", "de") == ["katz"]


def test_a_script_without_spaces_is_compared_by_pairs_of_characters() -> None:
    assert find_terms("富士山", "en") == ["富士", "士山"]
