"""A font that has a box for every character, so that no text is lost for want of a glyph.

Characters without a glyph would all be number 0 in the PDF, and most readers could not tell one from another. In this
font every character has a glyph of its own. They all look the same, an empty box, but copying, searching and reading
aloud give the real text. It is one font for all characters of a report: those that belong together, as an emoji and
its modifiers, must come from one font. The tables are those of TrueType
(https://learn.microsoft.com/typography/opentype/spec/); fields that no reader looks at are 0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

FAMILY = "Slipway Boxes"

# The format counts glyphs with 16 bits, and the first one stands for "no such glyph".
MOST_CHARACTERS = 0xFFFF - 1

_UNITS, _ADVANCE, _ASCENT, _DESCENT = 1000, 760, 800, -200

# A square, and a smaller one that runs the other way round and cuts out a frame of 40 units.
_BOUNDS = (80, 0, 680, 640)
_SQUARES = ((80, 0), (80, 640), (680, 640), (680, 0), (120, 40), (640, 40), (640, 600), (120, 600))

# Glyph 0 is the box, and every other glyph is a reference to it whose offsets, 0 and 0, are coordinates (flag 2).
_REFERENCE = struct.pack(">h4hHHbb", -1, *_BOUNDS, 2, 0, 0, 0)

# The magic number of the table `head`, and the weight of a regular face.
_MAGIC, _REGULAR = 0x5F0F3CF5, 400

# Platform 3 is Windows: its encoding 1 is for names in UTF-16, its encoding 10 for characters of all planes.
_WINDOWS, _UTF16, _ALL_PLANES, _ENGLISH = 3, 1, 10, 0x409


def build_font(characters: Iterable[str]) -> bytes:
    """Return a TrueType font with a box for each character. More than `MOST_CHARACTERS` are left out."""
    codes = sorted(map(ord, characters))[:MOST_CHARACTERS]
    glyphs = 1 + len(codes)
    outlines, places = _outlines(glyphs)
    return _join(
        {
            b"OS/2": _os2(),
            b"cmap": _cmap(codes),
            b"glyf": outlines,
            b"head": _head(),
            b"hhea": struct.pack(">IhhhHhhh3h4hhH", 0x10000, _ASCENT, _DESCENT, 0, _ADVANCE, *[0] * 11, 1),
            # One pair of advance and bearing, then a bearing for each further glyph.
            b"hmtx": struct.pack(">Hh", _ADVANCE, _BOUNDS[0]) + struct.pack(">h", _BOUNDS[0]) * (glyphs - 1),
            b"loca": places,
            b"maxp": struct.pack(">IH13H", 0x10000, glyphs, 8, 2, 8, 2, 1, *[0] * 6, 1, 1),
            b"name": _name(),
        }
    )


def _outlines(glyphs: int) -> tuple[bytes, bytes]:
    """Return the outlines of all glyphs, and where each begins."""
    steps = [(x - a, y - b) for (x, y), (a, b) in zip(_SQUARES, ((0, 0), *_SQUARES), strict=False)]
    across, up = zip(*steps, strict=True)
    # Two contours that end with the points 3 and 7, no instructions, and eight points (flag 1: on the curve).
    box = struct.pack(">h4h2HH8B8h8h", 2, *_BOUNDS, 3, 7, 0, *[1] * 8, *across, *up)
    sizes = [len(box), *[len(_REFERENCE)] * (glyphs - 1)]
    return box + _REFERENCE * (glyphs - 1), struct.pack(f">{glyphs + 1}I", *accumulate(sizes, initial=0))


def _head() -> bytes:
    return struct.pack(">IIIIHHqq4hHHhhh", 0x10000, 0x10000, 0, _MAGIC, 0, _UNITS, 0, 0, *_BOUNDS, 0, 8, 2, 1, 0)


def _os2() -> bytes:
    head = struct.pack(">HhHHH11h10s4I4s", 4, _ADVANCE, _REGULAR, 5, *[0] * 12, b"", *[0] * 4, b"NONE")
    return head + struct.pack(
        ">HHHhhhHHIIhhHHH", 0x40, 0, 0xFFFF, _ASCENT, _DESCENT, 0, _ASCENT, -_DESCENT, 0, 0, 500, 640, 0, 32, 1
    )


def _cmap(codes: Sequence[int]) -> bytes:
    groups = b"".join(struct.pack(">III", code, code, glyph) for glyph, code in enumerate(codes, start=1))
    table = struct.pack(">HHIII", 12, 0, 16 + len(groups), 0, len(codes)) + groups
    return struct.pack(">HHHHI", 0, 1, _WINDOWS, _ALL_PLANES, 12) + table


def _name() -> bytes:
    # The names are, by number: family, style, full name, and the name for PostScript, which has no spaces.
    names = {1: FAMILY, 2: "Regular", 4: FAMILY, 6: FAMILY.replace(" ", "")}
    texts = [name.encode("utf-16-be") for name in names.values()]
    places = accumulate(map(len, texts), initial=0)
    records = [
        struct.pack(">6H", _WINDOWS, _UTF16, _ENGLISH, number, len(text), at)
        for number, text, at in zip(names, texts, places, strict=False)
    ]
    return struct.pack(">HHH", 0, len(names), 6 + 12 * len(names)) + b"".join(records) + b"".join(texts)


def _join(tables: Mapping[bytes, bytes]) -> bytes:
    """Put a directory before the tables. Checksums are left out: nobody checks them."""
    padded = {tag: table + b"\0" * (-len(table) % 4) for tag, table in tables.items()}
    places = accumulate(map(len, padded.values()), initial=12 + 16 * len(tables))
    entries = [struct.pack(">4sIII", tag, 0, at, len(tables[tag])) for tag, at in zip(tables, places, strict=False)]
    return struct.pack(">IHHHH", 0x10000, len(tables), 0, 0, 0) + b"".join(entries) + b"".join(padded.values())
