"""Families of generators whose names are strings of letters: each by its alphabet, its lengths and its habits.

Only what is known of a family in public is imitated; the arithmetic is our own. A generator is one campaign: what a
family derives from its seed is drawn once, the names follow without end.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from string import ascii_lowercase, digits

A_TO_Y = ascii_lowercase[:25]  # the remainder of a division by 25: the z is never reached
EVEN = ascii_lowercase[::2]
VOWELS = "aeiouy"
CONSONANTS = "".join(letter for letter in ascii_lowercase if letter not in VOWELS)
ENDINGS = ("able", "dom", "hood", "ly", "ment", "ness", "ship")


def random_string(chance: Random, alphabet: str, shortest: int, longest: int) -> str:
    return "".join(chance.choices(alphabet, k=chance.randint(shortest, longest)))


def corebot(chance: Random) -> Iterator[str]:
    while True:
        yield random_string(chance, ascii_lowercase[:23] + digits[:9], 12, 23)


def cryptolocker(chance: Random) -> Iterator[str]:
    while True:
        yield random_string(chance, A_TO_Y, 12, 15)


def dircrypt(chance: Random) -> Iterator[str]:
    while True:
        yield random_string(chance, ascii_lowercase, 8, 20)


def kraken(chance: Random) -> Iterator[str]:
    """Short strings; some campaigns end them as English words end."""
    endings = ENDINGS if chance.random() < 0.5 else ("",)  # one half
    while True:
        yield random_string(chance, ascii_lowercase, 6, 11) + chance.choice(endings)


def locky(chance: Random) -> Iterator[str]:
    while True:
        yield random_string(chance, A_TO_Y, 7, 17)


def pykspa(chance: Random) -> Iterator[str]:
    """Strings that can nearly be pronounced: vowels and consonants take turns, with slips."""
    while True:
        name, vowel = "", chance.random() < 0.5  # one half
        for _ in range(chance.randint(6, 15)):
            name += chance.choice(VOWELS if vowel else CONSONANTS)
            vowel = not vowel if chance.random() < 0.75 else vowel  # one slip in four
        yield name


def qakbot(chance: Random) -> Iterator[str]:
    while True:
        yield random_string(chance, ascii_lowercase, 8, 25)


def ramdo(chance: Random) -> Iterator[str]:
    while True:
        yield random_string(chance, EVEN, 16, 16)


def ramnit(chance: Random) -> Iterator[str]:
    while True:
        yield random_string(chance, A_TO_Y, 8, 19)


def simda(chance: Random) -> Iterator[str]:
    """Consonant, vowel, consonant, …: of one length within a campaign."""
    length = chance.randint(5, 11)
    while True:
        yield "".join(chance.choice(VOWELS if place % 2 else CONSONANTS) for place in range(length))
