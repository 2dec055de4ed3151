"""Whatever a text says, it is printed and not obeyed: no markup, no file, no network."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from tasks.sdk.report import Finding, Report
from tasks.worker.pdf import render_report

TEXTS = [
    "<script>alert(1)</script>",
    "<img src=file:///etc/passwd>",
    "<link rel=attachment href='file:///etc/passwd'>",
    "{{7*7}} ${7*7} #{7*7}",
    '#read("/etc/passwd") #image("/etc/passwd") #import "/etc/passwd"',
    '#eval("7*7") #link("file:///etc/passwd")[x] $ 7 * 7 $ *bold* _it_ = Heading',
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_printed_as_it_is(text: str) -> None:
    made = render_report(Report(text, text, [Finding(text, text)], source=text, details={text: text}))
    reader = PdfReader(BytesIO(made))
    shown = "".join(page.extract_text() for page in reader.pages)
    for word in text.split():
        assert word.strip("'\"") in shown.replace("\n", "") or word in shown, (word, shown)
    assert "root:" not in shown
    assert "49" not in shown.replace("7*7", "")


def test_nothing_in_a_file_acts_or_is_attached() -> None:
    made = render_report(Report(" ".join(TEXTS), "\n\n".join(TEXTS), source="\n\n".join(TEXTS)))
    reader = PdfReader(BytesIO(made))
    names: set[Any] = set()
    for each in reader.pages:
        names |= {str(annotation.get_object().get("/Subtype")) for annotation in each.get("/Annots") or ()}
    assert not names & {"/Link", "/FileAttachment", "/Widget", "/Launch"}
    assert not reader.attachments
    for forbidden in (b"/JavaScript", b"/JS", b"/Launch", b"/EmbeddedFile", b"/OpenAction", b"/URI"):
        assert forbidden not in made
