"""What becomes of an answer: the shapes that models write, and anything else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.agents._layout import lay_out
from tasks.sdk import Finding

ASKED_FOR = """\
The bridge is sound. Its paint is not.

## Paint on the northern approach
A third of the layer is **gone**.

## 2. Water in the pylon ##
Rain gets in:
- below the parapet
- at the joint
"""


def test_the_asked_for_shape_is_read_as_it_is_meant() -> None:
    layout = lay_out(ASKED_FOR)
    assert layout.title == ""
    assert layout.summary == "The bridge is sound. Its paint is not."
    assert layout.findings == (
        Finding("Paint on the northern approach", "A third of the layer is gone."),
        Finding("Water in the pylon", "Rain gets in:\n• below the parapet\n• at the joint"),
    )


def test_an_answer_may_bring_its_own_title() -> None:
    layout = lay_out("# The Bridge\n\nIt is sound.\n\n## Paint\nGone.")
    assert (layout.title, layout.summary) == ("The Bridge", "It is sound.")
    assert layout.findings == (Finding("Paint", "Gone."),)


@pytest.mark.parametrize("heading", ["# Summary", "## Summary:", "**Summary**", "**Summary:**", "### 1. Overview"])
def test_the_heading_of_the_summary_is_not_said_twice(heading: str) -> None:
    layout = lay_out(f"{heading}\nIt is sound.\n\n## Findings\n1. Gone.\n")
    assert layout.title == ""
    assert layout.summary == "It is sound."
    assert layout.findings == (Finding("Gone", ""),)


def test_bold_beginnings_are_headings() -> None:
    layout = lay_out("**Summary:** It is sound.\n\n**Paint**: It wears off.\n\n**Water:** It gets in.")
    assert layout.summary == "It is sound."
    assert layout.findings == (Finding("Paint", "It wears off."), Finding("Water", "It gets in."))


def test_items_of_a_list_become_findings_with_all_that_belongs_to_them() -> None:
    layout = lay_out(
        "Three things:\n\n1. **Paint** - wears off\n   soon\n2. **Water**: gets in\n   - at the joint\n* Steel is good."
    )
    assert layout.summary == "Three things:"
    assert layout.findings == (
        Finding("Paint", "wears off\nsoon"),
        Finding("Water", "gets in\n• at the joint"),
        Finding("Steel is good", ""),
    )


def test_what_stands_around_the_list_of_findings_belongs_to_the_summary() -> None:
    layout = lay_out("Sound.\n\n## Key findings\n- Paint wears off\n\nAll in all it is old.")
    assert layout.summary == "Sound.\n\nAll in all it is old."
    assert layout.findings == (Finding("Paint wears off", ""),)


def test_plain_sentences_are_a_summary_and_findings() -> None:
    layout = lay_out("It was opened in 1932. It took Dr. No eight years. Is it long? It carries eight lanes.")
    assert layout.summary == "It was opened in 1932. It took Dr. No eight years."
    assert layout.findings == (Finding("Is it long?", ""), Finding("It carries eight lanes", ""))


def test_sentences_without_spaces_between_them_are_found() -> None:
    layout = lay_out("桥于1932年开放。花了八年。有八条车道。")
    assert (layout.summary, layout.findings) == ("桥于1932年开放。花了八年。", (Finding("有八条车道", ""),))


@pytest.mark.parametrize("answer", ["It was opened in 1932.", "Opened in 1932. It took eight years.", "No end"])
def test_a_short_answer_is_all_summary(answer: str) -> None:
    layout = lay_out(answer)
    assert (layout.summary, layout.findings) == (answer, ())


def test_paragraphs_become_findings_with_their_first_sentence_as_heading() -> None:
    layout = lay_out("It is sound.\n\nThe paint wears off. Salt is the reason.\n\nThe steel is good.")
    assert layout.summary == "It is sound."
    assert layout.findings == (
        Finding("The paint wears off", "Salt is the reason."),
        Finding("The steel is good", ""),
    )


def test_a_long_sentence_is_announced_by_its_first_words() -> None:
    sentence = "The paint " + "on the girders " * 20 + "wears off."
    (finding,) = lay_out(f"It is sound.\n\n{sentence}").findings
    assert finding.title == "The paint on the girders on the girders on the girders on the girders…"
    assert finding.text == sentence


def test_the_first_words_end_with_a_part_of_the_sentence() -> None:
    sentence = "The paint, on the northern approach, " + "and on the girders " * 10 + "wears off."
    assert lay_out(f"It is sound.\n\n{sentence}").findings == (
        Finding("The paint, on the northern approach…", sentence),
    )


def test_rules_and_fences_vanish_and_code_stays() -> None:
    assert lay_out("* * *\n```py\nx = a_b * 2 ** 3 ** c__init__\n```\n---").summary == "x = a_b * 2 ** 3 ** c__init__"


def test_only_the_number_before_a_heading_goes() -> None:
    answer = "It is sound.\n## 1. Paint\nGone.\n## Phase 2. Steel\nGood."
    assert [each.title for each in lay_out(answer).findings] == ["Paint", "Phase 2. Steel"]


@pytest.mark.parametrize("answer", ["", " \n\t\n", "---\n\n***"])
def test_an_empty_answer_gives_an_empty_layout(answer: str) -> None:
    layout = lay_out(answer)
    assert (layout.title, layout.summary, layout.findings) == ("", "", ())


_PIECES = st.sampled_from(["# ", "## ", "**", "__", "- ", "1. ", "\n", "\n\n", ": ", ". ", "  ", "|", "```", "…", "。"])
_WORDS = st.from_regex(r"[a-zäж你]{1,9}\d", fullmatch=True)


@given(st.lists(st.one_of(_WORDS, _PIECES), max_size=60).map("".join))
def test_no_word_is_lost_whatever_the_answer_looks_like(answer: str) -> None:
    layout = lay_out(answer)
    shown = " ".join([layout.title, layout.summary, *(f"{each.title} {each.text}" for each in layout.findings)])
    fences = re.sub(r"(?m)^[ \t]*```\w*[ \t]*$", " ", answer)
    numbers = re.sub(r"\b\d{1,3}[.)]", " ", fences)
    for word in re.findall(r"[a-zäж你]+\d", numbers):
        assert word in shown
