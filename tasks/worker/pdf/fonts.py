"""The fonts of a report: those in the typst wheel, those of the deployment, and boxes for everything else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import typst

from tasks.worker.pdf.boxes import FAMILY, build_font

TEXT_FAMILY = "Libertinus Serif"

# They come with typst too. They draw Devanagari, mathematics, and (not prettily) Arabic and many symbols.
SPARE_FAMILIES = ("New Computer Modern", "New Computer Modern Math", "DejaVu Sans Mono")

# What the text's own font is known to draw: Latin, Greek, Cyrillic and their punctuation. No box is needed there.
DRAWN = re.compile(r"[\s\x20-\x7e\xa0-\u023f\u03a3-\u03ce\u0400-\u045f\u1e00-\u1e9b\u1ea0-\u1ef9\u2010-\u2027€™]*")


@dataclass(frozen=True)
class Typefaces:
    """Fonts, and the order in which they are asked for a character."""

    fonts: typst.Fonts
    families: tuple[str, ...]


@contextmanager
def typefaces_for(text: str, folders: Sequence[Path]) -> Iterator[Typefaces]:
    """Give fonts that together have a glyph for every character of `text`, as long as the context lasts."""
    if DRAWN.fullmatch(text):
        yield _load(tuple(folders))
        return
    # typst takes fonts from files only, and reads one when it first needs it.
    with TemporaryDirectory(prefix="slipway-boxes-") as boxes:
        Path(boxes, "boxes.ttf").write_bytes(build_font(_glyphs_of(text)))
        yield _read(*folders, last=Path(boxes))


def _glyphs_of(text: str) -> set[str]:
    """Return what needs a glyph."""
    # Some letters of Thai and Tamil are taken apart before they are drawn, and a mark may stand on the end of a line.
    return {*text, *unicodedata.normalize("NFKD", text), "\n"}


@lru_cache(1)
def _load(folders: tuple[Path, ...]) -> Typefaces:
    return _read(*folders)


def _read(*folders: Path, last: Path | None = None) -> Typefaces:
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if missing:
        raise NotADirectoryError(f"no folder of fonts: {', '.join(missing)}")
    # The machine's own fonts are left out: a report must not look different on another machine.
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[*folders, *([last] if last else [])])
    # All families are named, because typst's own search for a font trusts what a font says it covers, and some boast.
    added = dict.fromkeys(family for family in _families_by_file(fonts) if family != FAMILY)
    return Typefaces(fonts, (TEXT_FAMILY, *added, *SPARE_FAMILIES, *([FAMILY] if last else [])))


def _families_by_file(fonts: typst.Fonts) -> Iterator[str]:
    """Name the families that came from files, in the order of their paths: so a deployment decides which is first."""
    found = sorted((font.path, font.index, font.family) for font in fonts.fonts() if font.path)
    yield from (family for _, _, family in found)
