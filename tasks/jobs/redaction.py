"""What must not be in a log line is taken out of it: secrets, prompts, and characters that command a terminal."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from tasks.jobs.environment import Secret

HIDDEN = "***"
# A traceback of a deep stack fits. Whatever is longer is somebody's text, and no log needs all of it.
MAX_TEXT = 16 * 1024
# Deeper values are not written out: nothing here logs such, and a log line must not cost a recursion error.
MAX_DEPTH = 4
# A shorter value is no secret, and to hide every "io" or "1" would make lines unreadable.
MIN_SECRET = 6

_SECRET_NAME = re.compile(
    r"authorization|cookie|passw|secret|token|credential|(^|[_-])(api)?key$|prompt|^(body|payload|content|param\d)$",
    re.I,
)
# Bounded repeats throughout: a log line is made of foreign text and must not cost more than its length.
_SECRET_TEXT = (
    (re.compile(r"\b(bearer|basic) +[\w.~+/=-]+", re.I), rf"\1 {HIDDEN}"),
    (re.compile(r"(?<=://)[^\s/@:]{0,100}:[^\s/@]{1,500}@"), f"{HIDDEN}@"),
    (
        re.compile(r"((?:api[_-]?key|token|secret|password|cookie)[\"']?\s{0,3}[:=]\s{0,3}[\"']?)[^\s\"'&,;}]+", re.I),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\bsk-[\w-]{16,}"), HIDDEN),
)
# JSON escapes what is below 0x20. The rest of what a terminal or a log viewer obeys or takes for a line's end.
# Lone surrogates cannot be written at all.
_CONTROL = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Most texts hold nothing of all that: one search spares them five. It is for small letters, because a search in any
# case takes ten times as long.
_SUSPICIOUS = re.compile(r"bearer|basic|://|key|token|secret|password|cookie|sk-")
_COUNTS = (int, float, type(None))


class Redaction:
    """Take secrets out of an event: by the name of a field, by how they are written, and by their value."""

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        # The longest first: a secret may be a part of another.
        self._hidden = sorted({value for value in hidden if len(value) >= MIN_SECRET}, key=len, reverse=True)

    def __call__(self, line: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._field(name, value, 0) for name, value in line.items()}

    def _field(self, name: object, value: Any, depth: int) -> Any:
        # Numbers stay: `tokens_used` and `max_tokens` are counts.
        if isinstance(value, Secret) or (_names_secret(str(name)) and not isinstance(value, _COUNTS)):
            return HIDDEN
        return self._value(value, depth)

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return HIDDEN if isinstance(value, Secret) else self.text(value)
        if isinstance(value, _COUNTS):
            return value
        if depth >= MAX_DEPTH:
            return f"<{type(value).__name__}>"
        if isinstance(value, Mapping):
            return {self.text(str(name)): self._field(name, each, depth + 1) for name, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(each, depth + 1) for each in value]
        return self.text(_shown(value))

    def text(self, text: str) -> str:
        """Take the secrets out of one text."""
        text = text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
        for secret in self._hidden:
            text = text.replace(secret, HIDDEN)
        if text.isascii() and "\x7f" not in text and not _SUSPICIOUS.search(text.lower()):
            return text
        for pattern, replacement in _SECRET_TEXT:
            text = pattern.sub(replacement, text)
        return _CONTROL.sub(escaped, text)


@functools.lru_cache(maxsize=1000)  # the names of fields are few, unless somebody makes them up
def _names_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _shown(value: object) -> str:
    # Other objects are named only: a dataclass or a request would write out everything it holds.
    return str(value) if isinstance(value, BaseException | PurePath) else f"<{type(value).__name__}>"


def escaped(match: re.Match[str]) -> str:
    """Write a character so that it is read and not obeyed: for `re.sub`."""
    return match.group().encode("unicode_escape").decode()
