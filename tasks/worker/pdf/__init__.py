"""Print reports as PDF. Everything happens in this process: no file of the caller, no network, no system fonts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, cast

import typst

from tasks.sdk.errors import AgentError
from tasks.sdk.report import Finding, Report
from tasks.worker.pdf.fonts import typefaces_for
from tasks.worker.pdf.text import clean_line, split_paragraphs


# PDF/UA-1: structure, title and language are there for screen readers, and every glyph says which text it stands for.
_STANDARD = "ua-1"

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
    except Exception as error:
        raise PdfError("The report could not be printed as a PDF.") from error


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
    # The fonts are read once per process. A compiler costs 0.1 ms, and two threads must not share one.
    faces = typefaces_for(json.dumps(values, ensure_ascii=False), font_paths)
    compiler = typst.Compiler(font_paths=faces.fonts, ignore_system_fonts=True)
    inputs = {"report": json.dumps({**values, "fonts": faces.families}, ensure_ascii=False)}
    return cast("bytes", compiler.compile(_template(), format="pdf", sys_inputs=inputs, pdf_standards=_STANDARD))


@cache
def _template() -> bytes:
    return resources.files(__package__).joinpath("report.typ").read_bytes()
