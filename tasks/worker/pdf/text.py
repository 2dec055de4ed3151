"""Make any text printable: one kind of line end, and no character that a page cannot hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")

# Control characters, numbers that Unicode keeps free of characters, and the place holder that typst itself uses.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x9f\ufdd0-\ufdef\ufffc"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
_BYTE_ORDER_MARK = "\ufeff"  # says how a file is written, and is no text
_REPLACEMENT = "\ufffd"

_TAB = 4  # columns, which indents code and plain tables without tearing them apart


def clean(text: str) -> str:
    """Return `text` with plain line ends; what cannot be printed is shown as U+FFFD."""
    # JSON may hold halves of surrogate pairs: two halves that belong together are joined, a lonely one is replaced.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace(_BYTE_ORDER_MARK, "")
    printable = _UNPRINTABLE.sub(_REPLACEMENT, _LINE_ENDS.sub("\n", whole))
    return "\n".join(line.expandtabs(_TAB).rstrip() for line in printable.split("\n"))


def clean_line(text: str) -> str:
    """Return `text` as a single line."""
    return " ".join(clean(text).split())


def split_paragraphs(text: str) -> Iterator[str]:
    """Yield what stands between blank lines. Line ends within a paragraph stay."""
    for paragraph in _BLANK_LINES.split(clean(text)):
        if paragraph.strip():
            yield paragraph.strip("\n")
