"""Sentences are found in texts as people write them."""

# ruff: noqa: RUF001 (the punctuation of many scripts is meant)
from __future__ import annotations

import time

import pytest

from tasks.worker.providers.sentences import MAX_SENTENCE, Sentence, join_sentences, split_sentences


def split(text: str) -> list[str]:
    return [sentence.text for sentence in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It rains. It pours! Does it? Yes…", ["It rains.", "It pours!", "Does it?", "Yes…"]),
        ("今日は雨です。明日は？晴れます！", ["今日は雨です。", "明日は？", "晴れます！"]),
        ("यह पहला है। यह दूसरा है।", ["यह पहला है।", "यह दूसरा है।"]),
        ("هل تمطر؟ نعم.", ["هل تمطر؟", "نعم."]),
        ("Dr. Meyer met J. S. Bach, e.g. Today. He left.", ["Dr. Meyer met J. S. Bach, e.g. Today.", "He left."]),
        ("Take No. 5 on Jan. 3. No. Wait.", ["Take No. 5 on Jan. 3.", "No.", "Wait."]),
        ("It costs 3.50 at example.com/a. Pay.", ["It costs 3.50 at example.com/a.", "Pay."]),
        ('"Really?" he asked. "Yes."', ['"Really?" he asked.', '"Yes."']),
        ("So was I. Then we left.", ["So was I.", "Then we left."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, sentences: list[str]) -> None:
    assert split(text) == sentences


def test_lines_that_an_editor_wrapped_belong_together() -> None:
    text = (
        "A long line, which an editor has broken in the\n"
        "middle because it was too wide, goes on. A second\n"
        "sentence follows."
    )
    assert split(text) == [
        "A long line, which an editor has broken in the middle because it was too wide, goes on.",
        "A second sentence follows.",
    ]


def test_headings_and_items_stand_alone_without_their_marks() -> None:
    found = list(split_sentences("# Open risks\n\n- The contract ends.\n- Two people left\n\n1. Freeze prices"))
    assert [each.text for each in found] == ["Open risks", "The contract ends.", "Two people left", "Freeze prices"]
    assert [each.heads for each in found] == [True, False, False, False]
    assert [each.item for each in found] == [False, True, True, True]


@pytest.mark.parametrize("question", ["Is it?", "それは何ですか。", "真的吗？", 'He asked "why?"'])
def test_questions_are_recognised(question: str) -> None:
    assert Sentence(question).asks


def test_data_without_an_end_is_cut_to_readable_pieces() -> None:
    pieces = split("word " * 1_000)
    assert len(pieces) > 1
    assert all(len(piece) <= MAX_SENTENCE for piece in pieces)


def test_sentences_are_joined_as_their_script_does() -> None:
    assert join_sentences([Sentence("One."), Sentence("Two.")]) == "One. Two."
    assert join_sentences([Sentence("一。"), Sentence("二。")]) == "一。二。"
    assert join_sentences([Sentence("An item"), Sentence("Another")]) == "An item\nAnother"


@pytest.mark.parametrize("unit", [".", '."', ". ", "\n", "。", "a'", "- ", "(", "e\u0301"])
def test_a_page_of_marks_takes_no_longer_than_a_page_of_prose(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    started = time.process_time()
    for _ in split_sentences(text):
        pass
    assert time.process_time() - started < 20, "a quadratic search would take minutes"
