"""Structured logs for the web side and the workers: one event a line, and no secret in any of them.

`configure` is called once, at an entry point. After it structlog and the standard library's loggers write the
same lines to stderr: stdout belongs to what commands print, and a key that was just made must not end up in a log.
"""

from __future__ import annotations

import functools
import json as standard_json
import logging
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import PurePath
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

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
_LINES = re.compile(r"[\x00-\x1f]")
# Most texts hold nothing of all that: one search spares them five.
_SUSPICIOUS = re.compile(rf"bearer|basic|://|key|token|secret|password|cookie|sk-|{_CONTROL.pattern}", re.I)
# Loggers that would say again what one line of ours says, or say it at length.
_NOISY = ("werkzeug", "urllib3", "push_response")


def configure(level: str, json: bool, hidden: Iterable[str] = ()) -> None:
    """Write every log of this process to stderr: as JSON, or for people when `json` is false.

    `level` is the name of the least level that is written. Each of `hidden` is replaced wherever it appears,
    in tracebacks too. Calling it again replaces what the first call set up.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"there is no log level {level!r}")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    _take_over(number, _formatter(shared, json, Redaction(hidden)))


def bind(**values: str) -> None:
    """Put `values` (request_id, job_id, …) into every following line of this thread or greenlet."""
    structlog.contextvars.bind_contextvars(**values)


def bound(**values: str) -> AbstractContextManager[None]:
    """Put `values` into every line of a `with` block."""
    return structlog.contextvars.bound_contextvars(**values)


def clear() -> None:
    """Forget what this thread or greenlet has bound."""
    structlog.contextvars.clear_contextvars()


class Redaction:
    """Take secrets out of an event: by the name of a field, by how they are written, and by their value."""

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        # The longest first: a secret may be a part of another.
        self._hidden = sorted({value for value in hidden if len(value) >= MIN_SECRET}, key=len, reverse=True)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {name: self._field(name, value, 0) for name, value in event.items()}

    def _field(self, name: object, value: Any, depth: int) -> Any:
        # Numbers stay: `tokens_used` and `max_tokens` are counts.
        if isinstance(value, Secret) or (_names_secret(str(name)) and not isinstance(value, int | float | None)):
            return HIDDEN
        return self._value(value, depth)

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return HIDDEN if isinstance(value, Secret) else self.text(value)
        if isinstance(value, int | float | None):
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
        if not _SUSPICIOUS.search(text):
            return text
        for pattern, replacement in _SECRET_TEXT:
            text = pattern.sub(replacement, text)
        return _CONTROL.sub(_escaped, text)


@functools.lru_cache(maxsize=1000)  # the names of fields are few, unless somebody makes them up
def _names_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _shown(value: object) -> str:
    # Other objects are named only: a dataclass or a request would write out everything it holds.
    return str(value) if isinstance(value, BaseException | PurePath) else f"<{type(value).__name__}>"


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode()


def _formatter(shared: list[Processor], json: bool, redaction: Redaction) -> logging.Formatter:
    render: list[Processor] = (
        [_to_json] if json else [_one_line, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redaction,
            *render,
        ],
    )


def _to_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    try:
        return orjson.dumps(event, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # an integer beyond 64 bits
        return standard_json.dumps(event, default=str)


def _one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    # The traceback keeps its lines: it is what this form of the log is read for.
    return {
        name: _LINES.sub(_escaped, value) if isinstance(value, str) and name != "exception" else value
        for name, value in event.items()
    }


def _take_over(level: int, formatter: logging.Formatter) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    # Plain stream handlers only: a test runner's or an agent's own handler is a subclass and stays.
    root.handlers = [each for each in root.handlers if type(each) is not logging.StreamHandler]
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in list(logging.root.manager.loggerDict):
        # Servers and frameworks bring handlers of their own; their lines go the same way as ours.
        existing = logging.getLogger(name)
        existing.handlers.clear()
        existing.propagate = True
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
