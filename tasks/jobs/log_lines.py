"""A log line as text: for machines, and for people."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from tasks.jobs.redaction import escaped

_BREAKS = re.compile(r"[\x00-\x1f]")
# A text that has one of these is quoted: it would run into its neighbours.
_LOOSE = re.compile(r"[ =\"']")
_RESET = "\033[0m"
_TIME, _EVENT, _LOGGER, _NAME, _VALUE = "\033[2m", "\033[1m", "\033[34;1m", "\033[36m", "\033[35m"
_GREEN, _YELLOW, _RED = "\033[32;1m", "\033[33;1m", "\033[31;1m"
_LEVELS = {"debug": _GREEN, "info": _GREEN, "warning": _YELLOW, "error": _RED, "critical": _RED}


def for_machines(line: Mapping[str, Any]) -> str:
    """Write a line as JSON."""
    try:
        return orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # an integer beyond 64 bits
        return json.dumps(line, default=str)


class ForPeople:
    """Write a line in columns, then its values by their names, then the traceback."""

    def __init__(self, *, coloured: bool) -> None:
        self._coloured = coloured

    def __call__(self, line: Mapping[str, Any]) -> str:
        values = dict(line)
        time, level, event, logger = (_one_line(values.pop(name)) for name in ("timestamp", "level", "event", "logger"))
        # The traceback keeps its lines: it is what this form of the log is read for.
        exception = values.pop("exception", None)
        columns = [
            self._paint(_TIME, time),
            f"[{self._paint(_LEVELS.get(level, ''), f'{level:<9}')}]",
            self._paint(_EVENT, f"{event:<30}"),
            f"[{self._paint(_LOGGER, logger)}]",
            *(f"{self._paint(_NAME, name)}={self._paint(_VALUE, _value(values[name]))}" for name in sorted(values)),
        ]
        return " ".join(columns) + ("" if exception is None else f"\n{exception}")

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_RESET}" if self._coloured else text


def _one_line(text: str) -> str:
    return _BREAKS.sub(escaped, text)


def _value(value: object) -> str:
    if not isinstance(value, str):
        return repr(value)
    text = _one_line(value)
    return repr(text) if _LOOSE.search(text) else text
