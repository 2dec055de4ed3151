"""Count tokens without a model: one for each word, each character of a script without spaces, each other mark.

The rule, in full: a run of letters, digits and their combining marks is one token; a Chinese, Japanese or Korean
character (and a Thai, Lao, Burmese or Khmer one, which are written without spaces too) is one token; every other
visible character, such as a comma or an emoji, is one token. White space is none. No text counts less than one.
"""

from __future__ import annotations

import re

# Signs that belong to the letter before them. Python's `\w` leaves them out, which would break Hindi words apart.
MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u06df-\u06e4\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09d7\u0a3c-\u0a51"
    "\u0abc-\u0acd\u0b3c-\u0b57\u0bbe-\u0bd7\u0c3c-\u0c56\u0cbc-\u0cd6\u0d3b-\u0d57\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u17b4-\u17d3\u200c\u200d\u3099\u309a\ufe0f"
)

# Scripts that are written without spaces between words, and Korean, whose words carry their grammar with them.
DENSE = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0ec0-\u0ec6\u1000-\u102a\u1780-\u17b3"
    "\u1100-\u11ff\u3005\u3007\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)

_CHARACTER = f"[{DENSE}][{MARKS}]*"
_WORD = f"(?:[^\\W{DENSE}]|[{MARKS}])+"
_TOKEN = re.compile(f"{_CHARACTER}|{_WORD}|\\S")
_PIECE = re.compile(f"\\s*(?:{_CHARACTER}|[^\\s{DENSE}]+)|\\s+")


def count_tokens(text: str) -> int:
    """Count the tokens of `text` by the rule of this module; never 0, because nothing is free."""
    return max(1, len(_TOKEN.findall(text)))


def cut_to_tokens(text: str, limit: int) -> tuple[str, bool]:
    """Return the first `limit` tokens of `text`, and whether anything was cut off."""
    for number, match in enumerate(_TOKEN.finditer(text)):
        if number == limit:
            return text[: match.start()].rstrip(), True
    return text, False


def split_pieces(text: str) -> list[str]:
    """Split `text` as a stream would send it, word by word; the pieces put together are `text` exactly."""
    return _PIECE.findall(text)
