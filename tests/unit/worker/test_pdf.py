"""The PDF of a report, read back as text. What it looks like, people have to look at."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PageObject

from tasks.sdk import Finding, Report
from tasks.worker.pdf import render_report
from tests.support.pdf_text import read, squeeze, text_of

# What typst or JSON might take for more than text.
MARKUP = [
    '#read("/etc/passwd")',
    '#include "/etc/passwd"',
    '#image("x.png")',
    "#{",
    "#let x = 1",
    "$x$",
    "*bold*",
    "_thin_",
    "<script>alert(1)</script>",
    "[[",
    "]]",
    "{{7*7}}",
    "C:\\temp\\new",
    "\\u{41}",
    "`code`",
    "= heading",
    "@label",
    "// comment",
    "/* comment */",
    '"quoted"',
    "a -- b --- c ... d",
    "https://example.org",
]


def test_every_part_of_a_report_is_on_the_page() -> None:
    report = Report(
        title="The Harbour Bridge",
        subtitle="What has to be done",
        summary="It is in good condition.\n\nNothing is urgent.",
        findings=[
            Finding("The paint wears off", "A third is gone.\n\nSalt is the reason."),
            Finding("Water", "It rains."),
        ],
        source="The paint wears off.\nRain gets in.",
        details={"Model": "offline", "Length": "6 words"},
    )
    text = text_of(render_report(report))
    for part in (
        report.title,
        report.subtitle,
        "Nothing is urgent.",
        "Salt is the reason.",
        "Rain gets in.",
        "offline",
    ):
        assert part in text
    order = ["Harbour", "offline", "good condition", "paint wears", "Water", "Rain gets in"]
    assert [text.index(each) for each in order] == sorted(text.index(each) for each in order)


def test_pages_are_numbered_and_are_a4() -> None:
    pages = read(render_report(Report("Long", "", (), "A line of text that fills the page.\n\n" * 200))).pages
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"page {number} of {len(pages)}" in page.extract_text().lower()
        assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]


def test_the_document_tells_its_title_its_language_and_its_structure() -> None:
    document = read(render_report(Report("Übersicht *1*", "All is well.")))
    root: Any = document.trailer["/Root"]
    assert document.metadata
    assert document.metadata.title == "Übersicht *1*"
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root


def test_the_same_report_gives_the_same_bytes() -> None:
    reports = [Report("Same", "你好 😀", [Finding("a", "b")], "c") for _ in range(2)]
    assert render_report(reports[0]) == render_report(reports[1])


@pytest.mark.parametrize("markup", MARKUP)
def test_markup_is_shown_and_not_obeyed(markup: str) -> None:
    report = Report(markup, markup, [Finding(markup, markup)], markup, markup, {markup: markup})
    pdf = render_report(report)
    assert squeeze(text_of(pdf)).count(squeeze(markup)) >= 7
    metadata = read(pdf).metadata
    assert metadata
    assert metadata.title == markup


@pytest.mark.parametrize("part", ["title", "subtitle", "summary", "source", "label", "value", "heading", "finding"])
def test_a_word_longer_than_the_page_is_broken_within_its_margins(part: str) -> None:
    word = "W" * 300
    report = Report(
        title=word if part == "title" else "t",
        subtitle=word if part == "subtitle" else "",
        summary=word if part == "summary" else "",
        findings=[Finding(word if part == "heading" else "f", word if part == "finding" else "")],
        source=word if part == "source" else "",
        details={word if part == "label" else "l": word if part == "value" else "v"},
    )
    runs = [run for page in read(render_report(report)).pages for run in find_runs(page, "W")]
    assert sum(len(text) for text, _, _ in runs) >= 300
    # A W is 0.97 times as wide as the font is high, an A4 page is 595 points wide, and 40 are the least of a margin.
    assert all(start > 40 and start + 0.97 * size * len(text) < 595 - 40 for text, start, size in runs)


def test_a_long_title_leaves_room_for_the_page_number() -> None:
    pages = read(render_report(Report("W" * 200, "", (), "A line.\n\n" * 100))).pages
    ((text, start, size),) = find_runs(pages[-1], "W…")
    # The margin is 85 points wide, and "page 3 of 3" takes less than 60 beside it.
    assert start + 0.97 * size * len(text) < 595 - 85 - 60


def find_runs(page: PageObject, letter: str) -> list[tuple[str, float, float]]:
    """Return the pieces of text that consist of a letter, with their left edge and font size in points."""
    runs: list[tuple[str, float, float]] = []

    def visit(text: str, place: list[float], _matrix: Any, _font: Any, size: float) -> None:
        if text.strip().strip(letter) == "" and letter in text:
            runs.append((text.strip(), place[4], size))

    page.extract_text(visitor_text=visit)
    return runs


@pytest.mark.parametrize(
    "report",
    [
        Report("", ""),
        Report(" ", "\n\n\t", [Finding("", "")], "\n", " ", {"": ""}),
        Report("t", "", [Finding("only a heading", ""), Finding("", "only a text")]),
        Report("t" * 5_000, "s"),
        Report("t", "s", details={f"label {number}": "value" for number in range(200)}),
        Report("t", "s", [Finding(f"heading {number}", "text") for number in range(300)]),
    ],
    ids=["empty", "blank", "half findings", "long title", "many details", "many findings"],
)
def test_odd_reports_are_printed(report: Report) -> None:
    assert len(read(render_report(report)).pages) >= 1


def test_a_book_as_source_is_printed_to_its_last_line() -> None:
    source = (
        "".join(f"Line {number} of a book that has a good many of them.\n" for number in range(14_000)) + "The end."
    )
    pages = read(render_report(Report("Book", "", (), source))).pages
    assert len(pages) > 200
    assert "The end." in pages[-1].extract_text()


def test_a_heading_does_not_stand_alone_at_the_foot_of_a_page() -> None:
    for lines in range(20, 60, 2):
        report = Report("t", "\n".join(["summary"] * lines), [Finding("The heading", "the text below it")])
        (page,) = [page for page in read(render_report(report)).pages if "The heading" in page.extract_text()]
        assert "the text below it" in page.extract_text()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("#$*_`<>[]{}()@\\/=-+~'\"^&%;:,.!?aZ09éßλЖ", min_size=1, max_size=12), min_size=1, max_size=8))
def test_any_markup_comes_out_as_it_went_in(words: list[str]) -> None:
    text = " ".join(words)
    assert squeeze(text) in squeeze(text_of(render_report(Report("t", text))))
