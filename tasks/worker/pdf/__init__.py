"""Print reports as PDF. Everything happens in this process: no file of the caller, no network, no system fonts."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, cast

import typst

from tasks.sdk.errors import AgentError
from tasks.sdk.report import Finding, Report
from tasks.worker.pdf.fonts import typefaces_for
from tasks.worker.pdf.text import clean_line, split_paragraphs

# typst remembers its work for ten more runs, which is of use to an editor and not here. Above this many characters
# (about ten pages) that is so much memory that eleven empty runs, a few milliseconds, are worth it.
_LARGE, _RUNS_TO_FORGET = 30_000, 11

# What a report without a title is called in the list of windows and in the file's properties.
_UNTITLED = "Report"


class PdfError(AgentError):
    """The report could not be printed. What went wrong is the cause of this exception, for the log."""

    code = "pdf_error"


def render_report(report: Report, *, font_paths: Sequence[Path] = ()) -> bytes:
    """Print a report on A4. The same report gives the same bytes.

    `font_paths` are folders with fonts for scripts that the embedded fonts do not draw.
    """
    try:
        return _compile(_describe(report), font_paths)
    except BaseException as error:
        # A fault within typst itself arrives as a PanicException, which is no Exception and cannot be imported.
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise PdfError("The report could not be printed as a PDF.") from error
        raise


def _describe(report: Report) -> dict[str, Any]:
    """Return the report as plain values: this is all that the template is given."""
    return {
        "title": clean_line(report.title) or _UNTITLED,
        "subtitle": clean_line(report.subtitle),
        "details": [[clean_line(label), clean_line(value)] for label, value in report.details.items()],
        "summary": [*split_paragraphs(report.summary)],
        "findings": [_describe_finding(finding) for finding in report.findings],
        "source": [*split_paragraphs(report.source)],
    }


def _describe_finding(finding: Finding) -> dict[str, Any]:
    return {"title": clean_line(finding.title), "text": [*split_paragraphs(finding.text)]}


def _compile(values: dict[str, Any], font_paths: Sequence[Path]) -> bytes:
    if _first_user() != os.getpid():
        # typst's threads stay behind in the parent, and the child would wait for them for ever.
        raise RuntimeError("a process that has printed must not fork children that print")
    with typefaces_for(_encode(values), font_paths) as faces:
        # A compiler costs 0.1 ms, and two threads must not share one; what is dear, the fonts, is kept.
        compiler = typst.Compiler(font_paths=faces.fonts, ignore_system_fonts=True)
        data = _encode({**values, "fonts": faces.families})
        try:
            return _print(compiler, data)
        finally:
            if len(data) > _LARGE:
                _forget(compiler)


@cache
def _first_user() -> int:
    return os.getpid()


def _print(compiler: typst.Compiler, data: str) -> bytes:
    def run(standard: Literal["ua-1"] | None) -> bytes:
        inputs = {"report": data}
        return cast("bytes", compiler.compile(_template(), format="pdf", sys_inputs=inputs, pdf_standards=standard))

    try:
        # PDF/UA-1: structure, title and language are there for screen readers, and every glyph says what it stands for.
        return run("ua-1")
    except typst.TypstError:
        # The standard forbids a few characters (U+FEFF is one) that somebody's text may hold all the same.
        return run(None)


def _forget(compiler: typst.Compiler) -> None:
    for _ in range(_RUNS_TO_FORGET):
        compiler.compile(b"", format="svg", sys_inputs={})


def _encode(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False)


@cache
def _template() -> bytes:
    return resources.files(__package__).joinpath("report.typ").read_bytes()
