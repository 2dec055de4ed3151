"""Turn a sentence into the terms by which it is compared: folded, stemmed words, or pairs of characters."""

# ruff: noqa: RUF001 (the typographic apostrophe is meant)
from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from tasks.worker.providers.stopwords import IRREGULAR, STOP_WORDS
from tasks.worker.providers.tokens import DENSE, MARKS

_TERM = re.compile(
    f"(?P<run>[{DENSE}](?:[{DENSE}{MARKS}])*)|(?P<word>(?:[^\\W_{DENSE}]|[{MARKS}]|(?<=\\w)['’](?=\\w))+)"
)
_ACCENTS = re.compile("[\u0300-\u036f]")
_ENDINGS = ("'s", "ies", "ied", "ing", "ed", "es", "er", "ly", "s", "e", "y")

# A stem shorter than this says too little ("thing" is not "th" + "ing").
_SHORTEST_STEM = 3

# Inflection happens behind the sixth letter of most European words; other alphabets inflect a letter earlier.
_LONGEST_STEM = 6
_LONGEST_FOREIGN_STEM = 5


def fold(text: str) -> str:
    """Return `text` in one spelling: no case, no accents, no full-width forms."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed)).replace("’", "'")


def find_terms(text: str, language: str) -> list[str]:
    """Return the terms of `text` that carry meaning in `language`, in order, repeats included."""
    stop = STOP_WORDS[language]
    return [term for term in _terms(fold(text), stop) if term]


def detect_language(text: str) -> str:
    """Guess the language of `text` by its small words; English when nothing tells."""
    words = [match["word"] for match in _TERM.finditer(fold(text)) if match["word"]]
    hits = {language: sum(word in stop for word in words) for language, stop in STOP_WORDS.items()}
    return max(hits, key=lambda language: hits[language])


def _terms(folded: str, stop: frozenset[str]) -> Iterator[str]:
    for match in _TERM.finditer(folded):
        run, word = match["run"], match["word"]
        if run:
            yield from _pairs(run)
        elif word not in stop:
            yield stem(word)


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    yield from (run[at : at + 2] for at in range(len(run) - 1))


# Bounded, because the words come from callers; a text has far fewer different ones.
@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Cut a folded word to the part that its inflections share, roughly: `inventor`, `invented` → `invent`."""
    if not word.isascii():
        return word[:_LONGEST_FOREIGN_STEM]
    if word.isdigit():
        return word
    word = IRREGULAR.get(word, word)
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word[: -len(ending)]
            break
    doubled = len(word) > _SHORTEST_STEM and word[-1] == word[-2]
    return word[:-1][:_LONGEST_STEM] if doubled else word[:_LONGEST_STEM]
