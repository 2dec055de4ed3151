"""The little of Markdown that models write: headings, lists, and bold words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

# `## Title`, with a number that the page counts itself.
_HEADING = re.compile(r"(?P<marks>#{1,6})[ \t]+(?P<title>\S.*?)(?:[ \t]+#+)?")
# A line that is bold from end to end, or has a bold beginning with a colon, as `**Summary:** The bridge …`.
_BOLD_LINE = re.compile(r"\*\*(?P<title>[^*]+?)(?:\*\*|(?::\*\*|\*\*:)[ \t]*(?P<text>.*))")
_ITEM = re.compile(r"(?P<indent>[ \t]*)(?:[-*+•]|\d{1,3}[.)])[ \t]+(?P<text>\S.*)")
_NUMBER = re.compile(r"\A\d{1,3}[.)][ \t]+")
# What draws a line or fences code; neither is a word.
_RULE = re.compile(r"[ \t]*(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:=[ \t]*){3,}|```\w*)")
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*")

# A bold line counts as a heading of this depth. A longer one is a sentence that somebody made bold.
_BOLD_LEVEL, _LONGEST_BOLD = 2, 120

# Deeper than this an item belongs to the one above it.
_INDENT = 2


@dataclass
class Section:
    """A heading and the lines below it. The first section of an answer has no heading."""

    title: str
    level: int
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The lines without their marks; items of lists keep a bullet."""
        shown = (
            f"{item['indent']}• {item['text']}" if (item := _ITEM.fullmatch(line)) else line for line in self.lines
        )
        return tidy(plain("\n".join(shown)))


def parse_sections(text: str) -> list[Section]:
    """Split a text at its headings."""
    sections = [Section("", 0)]
    for line in text.splitlines():
        section = _start_section(line.strip())
        if section:
            sections.append(section)
        else:
            sections[-1].lines.append("" if _RULE.fullmatch(line) else line.rstrip())
    return sections


def parse_items(lines: Sequence[str]) -> tuple[str, list[str]]:
    """Return the text outside of the lists, and the items with what belongs to each; items keep their marks."""
    prose: list[str] = []
    items: list[str] = []
    inside = False
    for line in lines:
        item = _ITEM.fullmatch(line)
        if item and (not inside or len(item["indent"]) < _INDENT):
            items.append(item["text"])
            inside = True
        elif inside and line:
            items[-1] += f"\n• {item['text']}" if item else f"\n{line.strip()}"
        else:
            prose.append(line)
            inside = False
    return tidy(plain("\n".join(prose))), items


def plain(text: str) -> str:
    """Return `text` without the marks of bold words. Single stars and underscores may be more than marks."""
    return _BOLD.sub(r"\1", text)


def tidy(text: str) -> str:
    """Return `text` with single blank lines, and none around it."""
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _start_section(line: str) -> Section | None:
    heading, bold = _HEADING.fullmatch(line), _BOLD_LINE.fullmatch(line)
    if heading:
        return Section(_clean_title(heading["title"]), len(heading["marks"]))
    if bold and len(bold["title"]) <= _LONGEST_BOLD:
        return Section(_clean_title(bold["title"]), _BOLD_LEVEL, [bold["text"]] if bold["text"] else [])
    return None


def _clean_title(title: str) -> str:
    shown = plain(title).strip()
    return _NUMBER.sub("", shown, count=1) or shown
