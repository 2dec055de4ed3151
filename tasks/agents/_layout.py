"""From the answer of a model to the parts of a report: a title, a summary and findings.

Models are asked for a summary and headings, and mostly keep to it. Some write bold lines or lists in place of
headings, and the offline provider writes plain sentences. The marks of Markdown go, the words stay.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tasks.agents._markdown import Section, parse_items, parse_sections, plain
from tasks.sdk import Finding

# Headings that name a part of the page, whose own heading says it again.
_SUMMARIES = {"summary", "overview", "abstract", "answer", "short answer", "zusammenfassung", "résumé", "resumen"}
_FINDINGS = {"findings", "key findings", "main findings", "key points", "main points", "details", "ergebnisse"}

# Of plain sentences, the first so many are the summary, and the others findings.
_SUMMARY_SENTENCES = 2

# A heading of one line and a half; what is longer is a text of its own and is announced by its first words.
_LONGEST_TITLE, _FIRST_WORDS = 110, 70

# Its first words end where a part of the sentence ends, if that is not after a word or two.
_SHORTEST_PART = 20

# A bold beginning, and how much is taken where there is nothing better.
_LEAD = re.compile(r"\*\*(?P<title>[^*]+)\*\*(?:[ \t]*[:\u2013\u2014-])?\s*(?P<text>.*)", re.DOTALL)
_PART = re.compile(rf".{{{_SHORTEST_PART},{_FIRST_WORDS}}}?(?=[,;:]\s)")
_WORDS = re.compile(rf".{{1,{_FIRST_WORDS}}}(?=\s)|.{{1,{_FIRST_WORDS}}}")

# A sentence ends before a space and anything but a small letter; in Chinese and Japanese without the space. Behind a
# word of two letters or a title the full stop may be one of an abbreviation ("Dr. No", "No. 5").
_SENTENCE_END = re.compile(
    r"(?<=\w{3}[.])(?<!\bMrs[.])(?<!\bProf[.])\s++(?![a-zß-ÿ])|(?<=[!?])\s++(?![a-zß-ÿ])|(?<=[。！？])(?=\S)"  # noqa: RUF001
)


@dataclass(frozen=True)
class Layout:
    """The parts of a report; each of them may be empty."""

    title: str
    summary: str
    findings: tuple[Finding, ...]


def lay_out(answer: str) -> Layout:
    """Find the parts of a report in an answer."""
    title, sections = _take_title(parse_sections(answer))
    opening, findings = _read_opening(sections[0], alone=len(sections) == 1)
    summaries = [opening]
    for section in sections[1:]:
        name = section.title.casefold().rstrip(":")
        if name in _SUMMARIES:
            summaries.append(section.text)
        elif name in _FINDINGS:
            prose, found = _read_findings(section)
            summaries.append(prose)
            findings += found
        else:
            findings.append(Finding(section.title, section.text))
    return Layout(title, "\n\n".join(filter(None, summaries)), tuple(findings))


def _take_title(sections: Sequence[Section]) -> tuple[str, Sequence[Section]]:
    """Take the title off an answer that begins with one; what follows it is the opening."""
    if len(sections) > 1 and not sections[0].text and sections[1].level == 1:
        first = sections[1]
        if first.title.casefold() not in _SUMMARIES | _FINDINGS:
            return first.title, [Section("", 0, first.lines), *sections[2:]]
    return "", sections


def _read_opening(section: Section, *, alone: bool) -> tuple[str, list[Finding]]:
    """Return the summary, and the findings where the answer has no headings that tell them."""
    prose, items = parse_items(section.lines)
    if items or not alone:
        return prose, [_title(item) for item in items]
    paragraphs = _split_paragraphs(prose) if "\n\n" in prose else _split_summary(prose)
    return "".join(paragraphs[:1]), [_title(each) for each in paragraphs[1:]]


def _read_findings(section: Section) -> tuple[str, list[Finding]]:
    """Return what stands around a list of findings, and the findings; without a list each paragraph is one."""
    prose, items = parse_items(section.lines)
    return (prose, [_title(each) for each in items]) if items else ("", [*map(_title, _split_paragraphs(prose))])


def _title(text: str) -> Finding:
    """Give a text that has no heading one: its bold beginning, or its first sentence, or its first words."""
    lead = _LEAD.fullmatch(text)
    if lead and len(lead["title"]) <= _LONGEST_TITLE:
        return Finding(lead["title"].rstrip(":. "), plain(lead["text"]))
    text = plain(text)
    first, rest = text[: (end := _first_end(text))].strip(), text[end:].strip()
    if len(first) <= _LONGEST_TITLE:
        return Finding(first.rstrip(".。"), rest)
    words = _PART.match(first) or _WORDS.match(first)
    return Finding(f"{words[0]}…" if words else "", text)


def _first_end(text: str) -> int:
    """Return where the first sentence ends, or the first line."""
    return min(_ends(text)[0], text.find("\n") % (len(text) + 1))


def _split_summary(prose: str) -> list[str]:
    """Return the first sentences together, and each of the others."""
    ends = _ends(prose)[_SUMMARY_SENTENCES - 1 :] or [len(prose)]
    return [part for start, end in pairwise([0, *ends]) if (part := prose[start:end].strip())]


def _ends(text: str) -> list[int]:
    return [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]


def _split_paragraphs(prose: str) -> list[str]:
    return [each for each in prose.split("\n\n") if each]
