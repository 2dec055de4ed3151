"""Names as people choose them: a word, two of them, a family's name, initials, with the usual additions."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tasks.pipelines.sample.training.vocabulary import Vocabulary

BEFORE = ("my", "the", "get", "e", "i", "go", "best", "all", "e-", "we", "pro", "super", "new", "in", "web", "eco")
AFTER = (
    *("online", "shop", "store", "net", "web", "blog", "news", "app", "hub", "lab", "labs", "tech", "media", "group"),
    *("world", "club", "mail", "24", "365", "1", "2000", "123", "soft", "ware", "ly", "ify", "er", "s", "ia", "o"),
    *("-online", "-shop", "-group", "city", "tv", "box", "game", "games", "design", "music", "bank", "hotel", "inc"),
)
VOWELS = frozenset("aeiou")


def ordinary(chance: Random, words: Vocabulary) -> Iterator[str]:
    """Names without end, no two patterns equally often."""
    patterns = (word, word, pair, pair, pair, three, hyphened, added, person, initials, foreign, shortened)
    weights = (3, 3, 3, 3, 3, 1, 1, 4, 2, 1, 3, 1)
    while True:
        if chance.random() < 0.25:  # one in four is really registered
            yield chance.choice(words.registered)
        else:
            yield chance.choices(patterns, weights)[0](chance, words)


def word(chance: Random, words: Vocabulary) -> str:
    """The more frequent, the more likely."""
    return words.english[int(len(words.english) * chance.random() ** 2)]


def pair(chance: Random, words: Vocabulary) -> str:
    return word(chance, words) + word(chance, words)


def three(chance: Random, words: Vocabulary) -> str:
    return pair(chance, words) + word(chance, words)


def hyphened(chance: Random, words: Vocabulary) -> str:
    return "-".join(word(chance, words) for _ in range(chance.choice((2, 2, 2, 3))))


def added(chance: Random, words: Vocabulary) -> str:
    middle = chance.choice((word, word, foreign, person))(chance, words)
    return chance.choice(BEFORE) + middle if chance.random() < 0.3 else middle + chance.choice(AFTER)


def person(chance: Random, words: Vocabulary) -> str:
    given, surname = chance.choice(words.given), chance.choice(words.surnames)
    return chance.choice((given + surname, given, surname, given[0] + surname, f"{given}-{surname}"))


def initials(chance: Random, words: Vocabulary) -> str:
    return "".join(word(chance, words)[0] for _ in range(chance.randint(2, 5)))


def foreign(chance: Random, words: Vocabulary) -> str:
    return "".join(chance.choice(words.foreign) for _ in range(chance.choice((1, 1, 2))))


def shortened(chance: Random, words: Vocabulary) -> str:
    """A word with some of its vowels gone, or with its last letter doubled."""
    whole = word(chance, words)
    return whole[0] + "".join(letter for letter in whole[1:] if letter not in VOWELS or chance.random() < 0.5)
