"""Any text of any script comes out of the PDF, whether a font draws it or not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.sdk import Finding, Report
from tasks.worker.pdf import PdfError, boxes, render_report
from tasks.worker.pdf.fonts import DRAWN, TEXT_FAMILY
from tests.support.pdf_text import read, squeeze, text_of


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


# Any text that Python can hold, half surrogate pairs and control characters included.
_ANY = st.text(st.characters(codec=None), max_size=60)


_FINDINGS = st.lists(st.builds(Finding, _ANY, _ANY), max_size=2)


@settings(max_examples=100, deadline=None)
@given(st.builds(Report, _ANY, _ANY, _FINDINGS, _ANY, _ANY, st.dictionaries(_ANY, _ANY, max_size=3)))
def test_any_text_can_be_printed_and_read_aloud(report: Report) -> None:
    assert is_accessible(render_report(report))


@pytest.mark.parametrize(
    "text", ["\u2067ʚ\n\u08d3", "\u202a䑝\n\u0659", "\ufeffü", "\u202e\U000ae132\u031f紸", "\u200d", "\U000e0041"]
)
def test_characters_that_are_seldom_alone_are_printed_alone(text: str) -> None:
    assert is_accessible(render_report(Report(text, text, [Finding(text, text)], text, text, {text: text})))


@pytest.mark.parametrize("text", ["🤷🏽‍♂️", "น้ำ ทำ", "கொ போ", "1️⃣ ☎️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "a\u0823", "\n\u07a7", "𐀀\u0301"])
def test_no_character_is_without_a_glyph(text: str) -> None:
    assert is_accessible(render_report(Report("t", text)))


def is_accessible(pdf: bytes) -> bool:
    """Tell whether a PDF says that it keeps PDF/UA-1, which forbids a text without a glyph."""
    root: Any = read(pdf).trailer["/Root"]
    return b"pdfuaid:part>1<" in root["/Metadata"].get_data()


def embedded_fonts(pdf: bytes) -> set[str]:
    """Return the names of the fonts in a PDF, without the mark of a subset."""
    pages: list[Any] = [*read(pdf).pages]
    fonts = [font.get_object() for page in pages for font in page["/Resources"]["/Font"].values()]
    return {str(font["/BaseFont"]).partition("+")[2].partition("-")[0] for font in fonts}


@pytest.mark.parametrize(
    "text", ["plain words", "Ünï “quoted” \u2013 dash…", "Ξεσκεπάζω", "Привет, мир!", "Tiếng Việt"]
)
def test_the_scripts_of_europe_need_one_font(text: str) -> None:
    assert embedded_fonts(render_report(Report(text, text, [Finding(text, text)], text))) == {"LibertinusSerif"}


def test_a_font_of_the_deployment_draws_what_would_be_a_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxes, "FAMILY", "House Font")
    (tmp_path / "house.ttf").write_bytes(boxes.build_font("你好"))
    monkeypatch.undo()
    report = Report("t", "你好世界")
    assert embedded_fonts(render_report(report)) == {"LibertinusSerif", "SlipwayBoxes"}
    pdf = render_report(report, font_paths=[tmp_path])
    assert embedded_fonts(pdf) == {"LibertinusSerif", "SlipwayBoxes", "HouseFont"}
    assert "你好世界" in text_of(pdf)
    assert embedded_fonts(render_report(Report("t", "你好"), font_paths=[tmp_path])) == {"LibertinusSerif", "HouseFont"}


def test_a_missing_folder_of_fonts_is_told_in_the_log(tmp_path: Path) -> None:
    with pytest.raises(PdfError) as caught:
        render_report(Report("t", "s"), font_paths=[tmp_path / "gone"])
    assert "gone" in repr(caught.value.__cause__)
    assert "gone" not in caught.value.detail


def test_fonts_made_on_the_spot_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    render_report(Report("t", "你好 😀"))
    assert not [*tmp_path.iterdir()]


def test_what_is_called_drawn_is_drawn() -> None:
    drawn = re.compile(DRAWN.pattern.removesuffix("*"))
    letters = " ".join(each for each in map(chr, range(0x20, 0x2200)) if drawn.match(each) and not each.isspace())
    source = f'#set text(font: "{TEXT_FAMILY}", fallback: false)\n#set document(title: "t")\n#sys.inputs.text'
    compiler = typst.Compiler(font_paths=typst.Fonts(include_system_fonts=False), ignore_system_fonts=True)
    styles = source + "\n#text(weight: 600, sys.inputs.text)\n#emph(sys.inputs.text)"
    compiler.compile(styles.encode(), format="pdf", sys_inputs={"text": letters}, pdf_standards="ua-1")
