"""Fonts that have a box for every character, so that no text is lost for want of a glyph.

Characters without a glyph would all be number 0 in the PDF, and most readers could not tell one from another. In these
fonts every character has a glyph of its own. They all look the same, an empty box, but copying, searching and reading
aloud give the real text. A font holds at most 65,535 glyphs, so there is one for each plane of Unicode. The tables are
those of TrueType (https://learn.microsoft.com/typography/opentype/spec/), all of their fields that nobody reads are 0.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from itertools import accumulate

# Everything in a plane but its last two numbers, which are no characters, and the surrogates. ASCII is there too: a letter
# and the marks above it must come from one font.
_PLANE = 0x10000
_LAST = 0xFFFD
_BASIC = ((0, 0xD7FF), (0xE000, _LAST))

_UNITS, _ADVANCE, _ASCENT, _DESCENT = 1000, 760, 800, -200

# A square, and a smaller one that runs the other way round and cuts out a frame of 40 units.
_BOUNDS = (80, 0, 680, 640)
_SQUARES = ((80, 0), (80, 640), (680, 640), (680, 0), (120, 40), (640, 40), (640, 600), (120, 600))

# Glyph 0 is the box, and every other glyph is a reference to it whose offsets, 0 and 0, are coordinates (flag 2).
_REFERENCE = struct.pack(">h4hHHbb", -1, *_BOUNDS, 2, 0, 0, 0)

# The date from which fonts count, the magic number of the table `head`, and the weight of a regular face.
_MAGIC, _REGULAR = 0x5F0F3CF5, 400

# Platform 3 is Windows: its encoding 1 is for names in UTF-16, its encoding 10 for characters of all planes.
_WINDOWS, _UTF16, _ALL_PLANES, _ENGLISH = 3, 1, 10, 0x409


def name_family(plane: int) -> str:
    """Return the name of the font for a plane."""
    return f"Slipway Boxes {plane}"


def build_font(plane: int) -> bytes:
    """Return a TrueType font with a box for each character of a plane."""
    ranges = [(plane * _PLANE + first, plane * _PLANE + last) for first, last in (((0, _LAST),) if plane else _BASIC)]
    glyphs = 1 + sum(last - first + 1 for first, last in ranges)
    outlines, places = _outlines(glyphs)
    return _join(
        {
            b"OS/2": _os2(),
            b"cmap": _cmap(ranges),
            b"glyf": outlines,
            b"head": _head(),
            b"hhea": struct.pack(">IhhhHhhh3h4hhH", 0x10000, _ASCENT, _DESCENT, 0, _ADVANCE, *[0] * 11, 1),
            # One pair of advance and bearing, then a bearing for each further glyph.
            b"hmtx": struct.pack(">Hh", _ADVANCE, _BOUNDS[0]) + struct.pack(">h", _BOUNDS[0]) * (glyphs - 1),
            b"loca": places,
            b"maxp": struct.pack(">IH13H", 0x10000, glyphs, 8, 2, 8, 2, 1, *[0] * 6, 1, 1),
            b"name": _name(name_family(plane)),
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


def _cmap(ranges: Sequence[tuple[int, int]]) -> bytes:
    starts = accumulate((last - first + 1 for first, last in ranges), initial=1)
    groups = b"".join(struct.pack(">III", *each, start) for each, start in zip(ranges, starts, strict=False))
    table = struct.pack(">HHIII", 12, 0, 16 + len(groups), 0, len(ranges)) + groups
    return struct.pack(">HHHHI", 0, 1, _WINDOWS, _ALL_PLANES, 12) + table


def _name(family: str) -> bytes:
    # The names are, by number: family, style, full name, and the name for PostScript, which has no spaces.
    names = {1: family, 2: "Regular", 4: family, 6: family.replace(" ", "")}
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
