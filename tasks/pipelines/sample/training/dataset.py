"""Names with what they are: one column for each output of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random

import numpy as np
from numpy.typing import NDArray

from tasks.pipelines.sample.encoding import encode
from tasks.pipelines.sample.training import letters, sentences
from tasks.pipelines.sample.training.ordinary import ordinary
from tasks.pipelines.sample.training.vocabulary import Part, Vocabulary

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]
Family = Callable[[Random, list[str]], Iterator[str]]


def without_words(family: Callable[[Random], Iterator[str]]) -> Family:
    return lambda chance, _words: family(chance)


FAMILIES: dict[str, Family] = {
    "banjori": sentences.banjori,
    "corebot": without_words(letters.corebot),
    "cryptolocker": without_words(letters.cryptolocker),
    "dircrypt": without_words(letters.dircrypt),
    "gozi": sentences.gozi,
    "kraken": without_words(letters.kraken),
    "locky": without_words(letters.locky),
    "matsnu": sentences.matsnu,
    "pykspa": without_words(letters.pykspa),
    "qakbot": without_words(letters.qakbot),
    "ramdo": without_words(letters.ramdo),
    "ramnit": without_words(letters.ramnit),
    "simda": without_words(letters.simda),
    "suppobox": sentences.suppobox,
}
VERDICT = "main"
OUTPUTS = tuple(sorted((*FAMILIES, VERDICT)))  # the order of the model's outputs
ORDINARY = "ordinary"
CAMPAIGN = 5  # names taken from one seed


@dataclass(frozen=True)
class Dataset:
    codes: Codes  # [names, 50]
    truth: Floats  # [names, 15]
    families: NDArray[np.str_]  # of each name


def dataset(words: Vocabulary, part: Part, each: int, draw: int = 0) -> Dataset:
    """So many names of each family, and as many ordinary ones as of all families together; others in each draw.

    The parts have no seed of a generator and no word of an ordinary name in common. The dictionaries of families are
    theirs in both: a family knows no other words.
    """
    source = f"{part} {draw}"
    names = [(family, name) for family in FAMILIES for name in generated(family, words.english, source, each)]
    chance = Random(f"{ORDINARY} {source}")
    names += [(ORDINARY, name) for name in islice(ordinary(chance, words.part(part)), each * len(FAMILIES))]
    codes = np.array([encode(name) for _, name in names], dtype=np.int64)
    families = np.array([family for family, _ in names])
    truth = np.stack([families == output for output in OUTPUTS], axis=1).astype(np.float32)
    truth[:, OUTPUTS.index(VERDICT)] = families != ORDINARY
    return Dataset(codes, truth, families)


def generated(family: str, words: list[str], source: str, count: int) -> Iterator[str]:
    """Names of one family, from as many seeds as it takes."""
    for start in range(0, count, CAMPAIGN):
        campaign = FAMILIES[family](Random(f"{family} {source} {start}"), words)
        yield from islice(campaign, min(CAMPAIGN, count - start))
