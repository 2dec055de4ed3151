"""Domain names as the sample model reads them: 50 codes a name, the last character last, zeros before the first.

Codes: 0 nothing, 1 the hyphen, 2 to 11 the digits 0 to 9, 12 to 37 the letters a to z.
"""

from __future__ import annotations

WIDTH = 50
CHARACTERS = "-0123456789abcdefghijklmnopqrstuvwxyz"
CODES = {character: code for code, character in enumerate(CHARACTERS, start=1)}

# Names are registered below these too, as in example.co.uk.
SECOND_LEVEL = frozenset(("ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ne", "net", "or", "org"))
COUNTRY = 2  # letters of a country's suffix
LONGEST_LABEL = 63


class Unreadable(ValueError):
    """What was given is no domain name."""


def encode(name: str) -> list[int]:
    """The codes of a domain name, or of a bare label. Of a label longer than 50 characters, the last 50 count."""
    characters = label(name)
    try:
        codes = [CODES[character] for character in characters[-WIDTH:]]
    except KeyError as error:
        raise Unreadable(f"{name!r}: no domain name has the character {error.args[0]!r}") from error
    return [0] * (WIDTH - len(codes)) + codes


def label(name: str) -> str:
    """The part of a name that its owner chose: `example` of `www.Example.co.uk.`; of IDNs in their ASCII form."""
    *labels, suffix = ascii_form(name.strip().removesuffix(".")).lower().split(".")
    if not all(0 < len(part) <= LONGEST_LABEL for part in (*labels, suffix)):
        raise Unreadable(f"{name!r} is no domain name: each part of one has 1 to {LONGEST_LABEL} characters")
    if len(labels) > 1 and len(suffix) == COUNTRY and labels[-1] in SECOND_LEVEL:
        labels.pop()
    return labels[-1] if labels else suffix


def ascii_form(name: str) -> str:
    """The name as it stands in the DNS."""
    try:
        return name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise Unreadable(f"{name!r} is no domain name: {error}") from error
