"""The PDF of a report, read back as text. What it looks like, people have to look at."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PageObject, PdfReader

from tasks.sdk import AgentError, Finding, Report
from tasks.worker.pdf import PdfError, render_report

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


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in read(pdf).pages)


def squeeze(text: str) -> str:
    """Leave out the spaces: where a line breaks is the page's business."""
    return re.sub(r"\s", "", text)


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


@pytest.mark.parametrize(
    "text",
    [
        "déjà vu, naïve, œ",
        "Ελληνικά",
        "Привет",
        "你好世界",
        "こんにちは",
        "한국어",
        "😀👍🏽",
        "ไทย",
        "አማርኛ",
        "𝔘𓀀",
        "\ue000\U0010fffd\U00020000",
    ],
)
def test_every_script_can_be_copied_from_the_page_whether_a_font_has_it_or_not(text: str) -> None:
    assert squeeze(text) in squeeze(text_of(render_report(Report("t", text))))


@pytest.mark.parametrize("text", ["مرحبا بالعالم", "שלום עולם"])
def test_scripts_from_right_to_left_keep_their_words(text: str) -> None:
    extracted = text_of(render_report(Report("t", text)))
    assert all(word in extracted or word[::-1] in extracted for word in text.split())


def test_what_cannot_be_printed_is_replaced_and_nothing_around_it_is_lost() -> None:
    extracted = text_of(render_report(Report("t", "one\x00two\x1bthree\ud800four\ufffffive\r\nsix\x0bseven")))
    words = ["one", "two", "three", "four", "five", "six", "seven"]
    assert re.findall("|".join(words), extracted) == words


def test_both_halves_of_a_surrogate_pair_are_one_character() -> None:
    assert "😀" in text_of(render_report(Report("t", "\ud83d\ude00")))


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


def test_threads_print_side_by_side() -> None:
    with ThreadPoolExecutor(4) as pool:
        pdfs = list(pool.map(lambda number: render_report(Report(f"Report {number}", "s")), range(12)))
    assert all(f"Report {number}" in text_of(pdf) for number, pdf in enumerate(pdfs))


def test_a_failure_tells_no_internals(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_options: Any) -> bytes:
        raise typst.TypstError("cannot open /secret/place", "")

    class Broken:
        def __init__(self, *_args: Any, **_options: Any) -> None: ...

        compile = fail

    render_report(Report("t", "s"))
    monkeypatch.setattr(typst, "Compiler", Broken)
    with pytest.raises(PdfError) as caught:
        render_report(Report("t", "s"))
    assert isinstance(caught.value, AgentError)
    assert caught.value.code == "pdf_error"
    assert "/" not in caught.value.detail
    assert "typst" not in caught.value.detail


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_of_a_process_that_has_printed_fails_and_does_not_hang() -> None:
    render_report(Report("t", "s"))
    child = os.fork()
    if child == 0:
        try:
            render_report(Report("t", "s"))
        except PdfError:
            os._exit(7)
        finally:
            os._exit(1)
    status = _wait(child, seconds=30)
    assert os.waitstatus_to_exitcode(status) == 7


def _wait(child: int, seconds: float) -> int:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.05)
    os.kill(child, 9)
    return os.waitpid(child, 0)[1]


# In a process of its own, because the other tests have left their traces in this one.
_MANY_REPORTS = """
import os
from pathlib import Path
from tasks.sdk import Report
from tasks.worker.pdf import render_report

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20

sources = [" ".join(str(number * seed) for number in range(15_000)) for seed in range(1, 14)]
render_report(Report("t", "s", (), sources[0]))
before = resident()
for source in sources[1:]:
    render_report(Report("t", "s", (), source))
print(resident() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_many_large_reports_do_not_fill_the_memory() -> None:
    grown = subprocess.run([sys.executable, "-c", _MANY_REPORTS], check=True, capture_output=True, text=True).stdout
    # Left alone, typst keeps the ten before, 17 MiB each.
    assert int(grown) < 60


# Any text that Python can hold, half surrogate pairs and control characters included.
_ANY = st.text(st.characters(codec=None), max_size=60)


_FINDINGS = st.lists(st.builds(Finding, _ANY, _ANY), max_size=2)


@settings(max_examples=100, deadline=None)
@given(st.builds(Report, _ANY, _ANY, _FINDINGS, _ANY, _ANY, st.dictionaries(_ANY, _ANY, max_size=3)))
def test_any_text_can_be_printed(report: Report) -> None:
    assert render_report(report).startswith(b"%PDF-")


@pytest.mark.parametrize(
    "text", ["\u2067ʚ\n\u08d3", "\u202a䑝\n\u0659", "\ufeffü", "\u202e\U000ae132\u031f紸", "\u200d", "\U000e0041"]
)
def test_characters_that_are_seldom_alone_are_printed_alone(text: str) -> None:
    assert render_report(Report(text, text, [Finding(text, text)], text, text, {text: text})).startswith(b"%PDF-")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("#$*_`<>[]{}()@\\/=-+~'\"^&%;:,.!?aZ09éßλЖ", min_size=1, max_size=12), min_size=1, max_size=8))
def test_any_markup_comes_out_as_it_went_in(words: list[str]) -> None:
    text = " ".join(words)
    assert squeeze(text) in squeeze(text_of(render_report(Report("t", text))))
