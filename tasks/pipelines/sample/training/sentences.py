"""Families of generators whose names are made of words."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from string import ascii_lowercase

# Cicero, De finibus bonorum et malorum, book 1 (45 BC): a text to take words from.
TEXT = """
sed ut perspiciatis unde omnis iste natus error sit voluptatem accusantium doloremque laudantium totam rem aperiam
eaque ipsa quae ab illo inventore veritatis et quasi architecto beatae vitae dicta sunt explicabo nemo enim ipsam
voluptatem quia voluptas sit aspernatur aut odit aut fugit sed quia consequuntur magni dolores eos qui ratione
voluptatem sequi nesciunt neque porro quisquam est qui dolorem ipsum quia dolor sit amet consectetur adipisci velit
sed quia non numquam eius modi tempora incidunt ut labore et dolore magnam aliquam quaerat voluptatem ut enim ad
minima veniam quis nostrum exercitationem ullam corporis suscipit laboriosam nisi ut aliquid ex ea commodi consequatur
"""

# Each family has a dictionary of its own, the same in all campaigns: so many words, drawn from the list by its name.
DICTIONARY = 400


def dictionary(family: str, words: list[str]) -> list[str]:
    return Random(family).sample([word for word in words if 4 <= len(word) <= 10], DICTIONARY)


def banjori(chance: Random, words: list[str]) -> Iterator[str]:
    """One long name within a campaign: only its first four letters change, each name made from the one before."""
    tail = "".join(chance.sample([word for word in words if len(word) > 7], 2))[3:]
    tail += "".join(chance.choices(ascii_lowercase, k=chance.randint(0, 4)))
    head = [chance.randrange(26) for _ in range(4)]
    while True:
        for place in range(4):
            head[place] = (head[place] + head[place - 1] + ord(tail[place]) + place) % 26
        yield "".join(ascii_lowercase[letter] for letter in head) + tail


def gozi(chance: Random, words: list[str]) -> Iterator[str]:
    """Words of a text, joined until the name is long enough; the last one is cut."""
    text = [word for word in TEXT.split() if len(word) > 2] + dictionary("gozi", words)[:100]
    while True:
        name, length = "", chance.randint(12, 24)
        while len(name) < length:
            name += chance.choice(text)
        yield name[:length]


def matsnu(chance: Random, words: list[str]) -> Iterator[str]:
    """Verbs and nouns in turn, some joined by a hyphen, until the name has 24 characters."""
    verbs, nouns = dictionary("matsnu verbs", words), dictionary("matsnu nouns", words)
    while True:
        name = chance.choice(nouns)
        kinds = [verbs, nouns]
        while len(name) < 24:
            name += chance.choice(("", "", "-")) + chance.choice(kinds[0])
            kinds.reverse()
        yield name


def suppobox(chance: Random, words: list[str]) -> Iterator[str]:
    """Two words."""
    chosen = dictionary("suppobox", words)
    while True:
        yield chance.choice(chosen) + chance.choice(chosen)
