"""A report that can be printed: what an agent hands to `context.pdf`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """One finding: a heading and a paragraph of plain text (paragraphs are separated by blank lines)."""

    title: str
    text: str


@dataclass(frozen=True)
class Report:
    """Plain text throughout: any markup in it is shown, never obeyed.

    `details` is the small table under the title (label → value), `source` the text that was analysed.
    """

    title: str
    summary: str
    findings: Sequence[Finding] = ()
    source: str = ""
    subtitle: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
