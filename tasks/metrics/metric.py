"""Metrics as they are declared: a name, what it says, and its labels.

They are declared when a module is imported, and counted from the moment on when a process begins to, in files that all
processes of a service share: whichever of them is asked answers for all. Where nobody asks (no `METRICS_PORT`, a
command, a unit test) counting does nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

# Every declared metric, in order of declaration.
DECLARED: list[Metric] = []


class Metric:
    """What all kinds have. A label's values must be few and known: agents, queues, route templates; never ids."""

    kind = ""

    def __init__(self, name: str, doc: str, labels: tuple[str, ...] = ()) -> None:
        self.name = f"slipway_{name}"
        self.doc = doc
        self.labels = labels
        self._library: Any = None
        self._made: Any = None
        self._children: dict[tuple[str, ...], Any] = {}
        DECLARED.append(self)

    def begin(self, library: Any) -> None:
        """Count in this process. What a parent process counted with is forgotten."""
        self._library = library
        self._made = None
        self._children = {}

    def _build(self) -> Any:
        raise NotImplementedError

    def _child(self, labels: tuple[str, ...]) -> Any:
        # The library looks its children up under a lock; this is the path of every request and every job.
        child = self._children.get(labels)
        if child is None:
            # Where something is never counted it does not appear: web and workers tell what is theirs.
            self._made = self._made or self._build()
            child = self._children[labels] = self._made.labels(*labels) if labels else self._made
        return child


class Counter(Metric):
    """Something that happened."""

    kind = "counter"

    def add(self, *labels: str, by: float = 1) -> None:
        if self._library is not None:
            self._child(labels).inc(by)

    def _build(self) -> Any:
        return self._library.Counter(self.name, self.doc, self.labels, registry=None)


class Gauge(Metric):
    """Something that is there now, in the living processes together."""

    kind = "gauge"

    def add(self, by: float, *labels: str) -> None:
        if self._library is not None:
            self._child(labels).inc(by)

    def _build(self) -> Any:
        return self._library.Gauge(self.name, self.doc, self.labels, registry=None, multiprocess_mode="livesum")


class Histogram(Metric):
    """Seconds that something took."""

    kind = "histogram"

    def __init__(self, name: str, doc: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> None:
        super().__init__(name, doc, labels)
        self._buckets = buckets

    def observe(self, seconds: float, *labels: str) -> None:
        if self._library is not None:
            self._child(labels).observe(seconds)

    def _build(self) -> Any:
        return self._library.Histogram(self.name, self.doc, self.labels, registry=None, buckets=self._buckets)


class Reading(Metric):
    """Something that is read from Redis when somebody asks; every process that is asked says the same."""

    kind = "gauge"

    def begin(self, library: Any) -> None:
        """Nothing is counted."""


def clean(folder: Path) -> None:
    """Forget what an earlier service counted. For the start of a service, before its processes count."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
