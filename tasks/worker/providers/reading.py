"""Read texts for ranking: their sentences, the terms of each, and how common every term is."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from tasks.worker.providers.sentences import Sentence, split_sentences
from tasks.worker.providers.words import detect_language, find_terms

# Characters that are read at most; the rest of a longer text is left out. A novel has about a million.
MAX_CHARACTERS = 2_000_000

# The same for what is all full stops. A megabyte of prose has ten thousand sentences.
MAX_SENTENCES = 50_000

# Enough of a text to tell its language by.
_SAMPLE = 4_000

# A title, a subtitle and a salutation may stand on top of each other; more lines than that are a table.
_HEADINGS_IN_A_ROW = 3

# Sentences between two pauses. Ranking is computing: in a worker of greenlets the others get their turn here.
_BETWEEN_PAUSES = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence with its terms, and the number of the text that it stands in."""

    sentence: Sentence
    terms: frozenset[str]
    source: int


@dataclass(frozen=True)
class Reading:
    """What ranking needs to know of the texts."""

    language: str
    lines: list[Line] = field(default_factory=list)
    spread: Counter[str] = field(default_factory=Counter)  # term → number of sentences that hold it

    def heads(self, at: int) -> bool:
        """Tell whether line `at` is a heading: it looks like one, and sooner or later text follows it."""
        line = self.lines[at]
        following = self.lines[at + 1 : at + 1 + _HEADINGS_IN_A_ROW] if line.sentence.heads else ()
        return any(each.source == line.source and not each.sentence.heads for each in following)


def read(texts: Iterable[str]) -> Reading:
    """Read `texts` in order, up to `MAX_CHARACTERS` and `MAX_SENTENCES` together."""
    kept = _bounded(texts)
    reading = Reading(detect_language("\n".join(kept)[:_SAMPLE]))
    sentences = ((each, source) for source, text in enumerate(kept) for each in split_sentences(text))
    for sentence, source in islice(sentences, MAX_SENTENCES):
        _add(reading, sentence, source)
    return reading


def _bounded(texts: Iterable[str]) -> list[str]:
    kept, left = [], MAX_CHARACTERS
    for text in texts:
        kept.append(text[:left])
        left -= len(kept[-1])
    return kept


def _add(reading: Reading, sentence: Sentence, source: int) -> None:
    terms = frozenset(find_terms(sentence.text, reading.language))
    reading.lines.append(Line(sentence, terms, source))
    reading.spread.update(terms)
    if len(reading.lines) % _BETWEEN_PAUSES == 0:
        time.sleep(0)
