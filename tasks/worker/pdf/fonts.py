"""The fonts of a report: those in the typst wheel, those of the deployment, and boxes for everything else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import typst

from tasks.worker.pdf.boxes import build_font, name_family

_TEXT = "Libertinus Serif"

# They come with typst too. They draw Hebrew and Devanagari, mathematics, and (not prettily) Arabic and many symbols.
_SPARE = ("New Computer Modern", "New Computer Modern Math", "DejaVu Sans Mono")

# Reports in most scripts need one set of fonts; those with emoji or rare ideographs one or two more.
_SETS = 8


class ForkedError(RuntimeError):
    """A process rendered, then forked, and the child renders too."""


@dataclass(frozen=True)
class Typefaces:
    """Fonts, and the order in which they are asked for a character. Threads may share them."""

    fonts: typst.Fonts
    families: tuple[str, ...]


def typefaces_for(text: str, folders: Sequence[Path]) -> Typefaces:
    """Return fonts that together have a glyph for every character of `text`."""
    if _first_user() != os.getpid():
        # typst's threads stay behind in the parent, and the child would wait for them for ever.
        raise ForkedError("a process that has rendered must not fork children that render")
    return _load(tuple(folders), frozenset(ord(each) >> 16 for each in set(text)))


@cache
def _first_user() -> int:
    return os.getpid()


@lru_cache(_SETS)
def _load(folders: tuple[Path, ...], planes: frozenset[int]) -> Typefaces:
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if missing:
        raise NotADirectoryError(f"no folder of fonts: {', '.join(missing)}")
    with TemporaryDirectory(prefix="slipway-fonts-") as boxes:
        for plane in planes:
            Path(boxes, f"{plane}.ttf").write_bytes(build_font(plane))
        # The machine's own fonts are left out: a report must not look different on another machine.
        fonts = typst.Fonts(include_system_fonts=False, font_paths=[*folders, boxes])
        _read_boxes(fonts, planes)
    # All families are named, because typst's own search for a font trusts what a font says it covers, and some boast.
    own = [name_family(plane) for plane in sorted(planes)]
    added = [family for family in _families_by_file(fonts) if family not in own]
    return Typefaces(fonts, tuple(dict.fromkeys([_TEXT, *added, *_SPARE, *own])))


def _families_by_file(fonts: typst.Fonts) -> Iterator[str]:
    """Name the families that came from files, in the order of their paths: so a deployment decides which is first."""
    found = sorted((font.path, font.index, font.family) for font in fonts.fonts() if font.path)
    yield from (family for _, _, family in found)


def _read_boxes(fonts: typst.Fonts, planes: frozenset[int]) -> None:
    """Use each font of boxes once: typst reads a file when it first needs it, and keeps it. Then the file may go."""
    lines = [f'#text(font: "{name_family(plane)}", "\\u{{{plane:x}fffd}}")' for plane in planes]
    typst.Compiler(font_paths=fonts, ignore_system_fonts=True).compile("\n".join(lines).encode(), format="svg")
