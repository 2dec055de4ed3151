"""Structured logs for the web side and the workers: one event a line, and no secret in any of them.

`configure` is called once, at an entry point. After it our loggers and those of libraries write the same lines to
stderr: stdout belongs to what commands print, and a key that was just made must not end up in a log.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from tasks import locks
from tasks.jobs.log_lines import ForPeople, for_machines
from tasks.jobs.redaction import Redaction

# Loggers that would say again what one line of ours says, or say it at length.
_NOISY = ("werkzeug", "urllib3", "push_response")

# The mapping is replaced and never changed: to bind is one step, and to leave a block is to put the old one back.
_bound: ContextVar[Mapping[str, str]] = ContextVar("bound", default=MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Entry:
    """What our loggers hand to the standard library as their message."""

    event: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return " ".join([self.event, *(f"{name}={value!r}" for name, value in self.values.items())])


class Log:
    """A logger that takes a short event and named values: `log.info("job.ended", status="failed")`.

    Of the values `exc_info`, `stack_info` and `stacklevel` are what they are in `logging`.
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, /, **values: Any) -> None:
        """Say what only its developer wants to know."""
        self._say(logging.DEBUG, event, values)

    def info(self, event: str, /, **values: Any) -> None:
        """Say what happened."""
        self._say(logging.INFO, event, values)

    def warning(self, event: str, /, **values: Any) -> None:
        """Say what is odd, but went on."""
        self._say(logging.WARNING, event, values)

    def error(self, event: str, /, **values: Any) -> None:
        """Say what failed."""
        self._say(logging.ERROR, event, values)

    def exception(self, event: str, /, **values: Any) -> None:
        """Say what failed, with the traceback of the exception that is being handled."""
        self._say(logging.ERROR, event, {"exc_info": True, **values})

    def log(self, level: int, event: str, /, **values: Any) -> None:
        """Say something at a level that is decided at run time."""
        self._say(level, event, values)

    def _say(self, level: int, event: str, values: dict[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            how = {name: values.pop(name) for name in ("exc_info", "stack_info") if name in values}
            # Two frames are ours.
            self._logger.log(level, Entry(event, values), stacklevel=values.pop("stacklevel", 1) + 2, **how)


def get_logger(name: str) -> Log:
    """Get the logger of a module, or of an agent."""
    return Log(name)


def bind(**values: str) -> None:
    """Put `values` (request_id, job_id, …) into every following line of this thread or greenlet."""
    _bound.set({**_bound.get(), **values})


@contextmanager
def bound(**values: str) -> Iterator[None]:
    """Put `values` into every line of a `with` block. What is bound in the block ends with it."""
    token = _bound.set({**_bound.get(), **values})
    try:
        yield
    finally:
        _bound.reset(token)


def clear() -> None:
    """Forget what this thread or greenlet has bound."""
    _bound.set({})


def context() -> Mapping[str, str]:
    """What this thread or greenlet has bound."""
    return _bound.get()


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Everything that a line says, with what is bound at this moment. Nothing is taken out of it yet."""
    entry = record.msg if isinstance(record.msg, Entry) else Entry(record.getMessage(), {})
    line = {
        **context(),
        **entry.values,
        "event": entry.event,
        "logger": record.name,
        "level": record.levelname.lower(),
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")[:-6] + "Z",
    }
    if record.stack_info:
        line["stack_info"] = record.stack_info
    return line


def configure(level: str, json: bool, hidden: Iterable[str] = ()) -> None:
    """Write every log of this process to stderr: as JSON, or for people when `json` is false.

    `level` is the name of the least level that is written. Each of `hidden` is replaced wherever it appears,
    in tracebacks too. Calling it again replaces what the first call set up.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"there is no log level {level!r}")
    write = for_machines if json else ForPeople(coloured=sys.stderr.isatty())
    _take_over(number, _Formatter(Redaction(hidden), write))


class _Formatter(logging.Formatter):
    def __init__(self, redaction: Redaction, write: Callable[[Mapping[str, Any]], str]) -> None:
        super().__init__()
        self._redaction = redaction
        self._write = write

    def format(self, record: logging.LogRecord) -> str:
        line = fields(record)
        if record.exc_info and record.exc_info[0]:
            line["exception"] = self.formatException(record.exc_info)
        return self._write(self._redaction(line))


def _take_over(level: int, formatter: logging.Formatter) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.lock = locks.reentrant()
    logging._lock = locks.reentrant()  # type: ignore[attr-defined] # of all loggers, as gevent replaces it
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
