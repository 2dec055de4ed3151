"""Split any text into sentences: wrapped lines, lists, headings, abbreviations and many scripts."""

# ruff: noqa: RUF001 (punctuation marks of many scripts look alike, and all of them are meant)
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasks.worker.providers.stopwords import word_set

# A "sentence" longer than this is data (a log, Base64, minified JSON) and is cut, so that an answer stays readable.
MAX_SENTENCE = 1_000

# A line shorter than this that ends without a full stop was ended by its author: a heading, an item, a verse.
# Text that an editor has wrapped is wider than this.
WRAP_WIDTH = 45

# Longer than two lines of print is no heading.
MAX_HEADING = 120

# Words whose full stop does not end the sentence, whatever follows.
_TITLES = word_set(
    "mr mrs ms dr prof st mt gen col capt lt sgt sen rep gov rev hon jr sr vs viz cf e.g i.e al approx dept est "
    "z.b d.h u.a bzw ca evtl inkl mme mlle sra srta dra avda p.ej ing dott sig"
)

# Words whose full stop does not end the sentence when a number follows ("No. 5", "Jan. 3").
_BEFORE_NUMBERS = word_set(
    "no nos nr núm num fig figs eq sec ch vol art p pp op jan feb mar apr jun jul aug sep sept oct nov dec"
)

_CLOSING = "\"'”’»)\\]」』）】"
# The look-behind and the possessive repeats keep a page of full stops from costing quadratic time.
_END = re.compile(f"(?<![.!?…])(?P<spaced>[.!?…]++[{_CLOSING}]*+)\\s+|[。！？｡।॥؟۔።။។]++[{_CLOSING}]*+\\s*")
# Marks that bring their own space.
_TIGHT = ("。", "！", "？", "」", "』")
_TERMINATED = re.compile(f"[.!?…。！？｡।॥؟۔።។။:：;；][{_CLOSING}]*$")
_QUESTION = re.compile(f"(?:[?？؟]|か。)[{_CLOSING}]*$")
_MARKER = re.compile(r"\s*(?:[-*+•‣▪–—]|\d{1,3}[.)]|[a-zA-Z]\)|#{1,6}|>)\s+")
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘]+$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as its author wrote it, with white space made single."""

    text: str
    opens: bool = False  # the first of its paragraph, or a line on its own
    item: bool = False  # of a list

    @property
    def ends(self) -> bool:
        """Whether it ends as a sentence does. A heading, a list item or a table row does not."""
        return _TERMINATED.search(self.text) is not None

    @property
    def heads(self) -> bool:
        """Whether it looks like a heading: a short line on its own that does not end as a sentence does."""
        lone = self.opens and not self.item and len(self.text) <= MAX_HEADING
        return lone and (not self.ends or self.text.endswith((":", "：")))

    @property
    def asks(self) -> bool:
        """Whether it is a question."""
        return _QUESTION.search(self.text) is not None


def split_sentences(text: str) -> Iterator[Sentence]:
    """Yield the sentences of `text` in order. Lists and headings yield one for each line."""
    for block, item in _blocks(text):
        opens = True
        for raw in _split_block(block):
            for piece in _bounded(" ".join(raw.split())):
                yield Sentence(piece, opens, item)
                opens = False


def join_sentences(sentences: Sequence[Sentence]) -> str:
    """Put sentences together as their script does; what is no sentence gets a line of its own."""
    joined = ""
    for sentence in sentences:
        if joined:
            joined += _gap(joined, sentence)
        joined += sentence.text
    return joined


def _gap(before: str, sentence: Sentence) -> str:
    if not (sentence.ends and Sentence(before).ends):
        return "\n"
    return "" if before.endswith(_TIGHT) else " "


def _blocks(text: str) -> Iterator[tuple[str, bool]]:
    """Join wrapped lines; yield each paragraph, heading and list item, and whether it is an item."""
    lines: list[str] = []
    item = False
    for line in text.splitlines():
        marker = _MARKER.match(line)
        if lines and (marker or not line.strip() or _stands_alone(lines[-1])):
            yield "\n".join(lines), item
            lines, item = [], False
        content = (line[marker.end() :] if marker else line).strip()
        if content:
            lines.append(content)
            item = item or (marker is not None and "#" not in marker[0])
    if lines:
        yield "\n".join(lines), item


def _stands_alone(line: str) -> bool:
    return line.endswith((":", "：")) or (len(line) < WRAP_WIDTH and not _TERMINATED.search(line))


def _split_block(block: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(block):
        if end["spaced"] and not _closes(block, end):
            continue
        yield block[start : end.end()]
        start = end.end()
    if start < len(block):
        yield block[start:]


def _closes(block: str, end: re.Match[str]) -> bool:
    """Tell whether the full stop at `end` closes a sentence, or an abbreviation, an initial or a quotation."""
    following = block[end.end() : end.end() + 1]
    if following.islower():
        return False
    if end["spaced"] != ".":
        return True
    # No abbreviation is longer than this, and a window keeps the search from reading the block again each time.
    last = _LAST_WORD.search(block[max(0, end.start() - 12) : end.start()])
    word = last[0] if last else ""
    if word.casefold() in _BEFORE_NUMBERS:
        return not following.isdigit()
    initial = len(word) == 1 and word.isupper() and word not in "I"
    return not initial and word.casefold() not in _TITLES


def _bounded(sentence: str) -> Iterator[str]:
    while len(sentence) > MAX_SENTENCE:
        space = sentence.rfind(" ", MAX_SENTENCE // 2, MAX_SENTENCE)
        cut = space if space > 0 else MAX_SENTENCE
        yield sentence[:cut]
        sentence = sentence[cut:].lstrip()
    if sentence:
        yield sentence
