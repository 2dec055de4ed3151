"""Writing events: one flusher a process writes the events of all its jobs, many in one round trip."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import orjson
from redis.exceptions import RedisError

from tasks.jobs.attempts import STALE, Attempts, Batch, Claim, Draft, Ending
from tasks.worker.budget import JOINABLE, EventBudget, calm
from tasks.worker.running import Reason, Running

log = logging.getLogger(__name__)

MOST_WAITING = 1000  # events of one job in memory; an agent that is faster than Redis waits
MOST_WRITERS = 200  # jobs in one pipeline, so that a reply stays well under the socket time-out
RETRY_AFTER = 0.2  # seconds between tries while Redis is away
CALM = 1.0  # seconds in which a job that has said half of what it may is heard once


class EventWriter:
    """The events of one attempt, from the agent's hand to the log. Ids are given when a batch is made up."""

    def __init__(self, running: Running, flusher: Flusher) -> None:
        self.running = running
        self.claim: Claim = running.claim
        self._flusher = flusher
        self._fresh: deque[tuple[str, Any]] = deque()
        self._unwritten: list[Draft] = []
        self._seq = 0
        self._ending: Ending | None = None
        self._settled = threading.Event()
        self._room = threading.Event()
        self._budget = EventBudget(flusher.max_events)

    @property
    def max_events(self) -> int:
        return self._flusher.max_events

    def emit(self, kind: str, data: Mapping[str, Any]) -> None:
        """Queue an event. Blocks while too many are waiting, and raises `Interrupted` like `check`."""
        self.running.check()
        while len(self._fresh) >= MOST_WAITING:
            self._room.clear()
            self._room.wait(0.5)
            self.running.check()
        self._fresh.append((kind, data))
        if self._budget.scarce and kind in JOINABLE:
            self._flusher.notice_later(self)
        else:
            self._flusher.notice(self, urgent=kind != "token")

    def finish(self, ending: Ending) -> bool:
        """Write the end and wait for it. False: the attempt had lost the job, and nothing was written."""
        self._ending = ending
        self._flusher.notice(self, urgent=True)
        while not self._settled.wait(0.5):
            if self.running.reason is Reason.LOST:
                return False
        return self.running.reason is not Reason.LOST

    def batch(self) -> Batch:
        """What to write now. Until it is settled it stays, with the same ids, so that it can be repeated."""
        for kind, data in self._take():
            if self._budget.spend():
                self._draft(kind, data)
            else:
                self.running.interrupt(Reason.TALKATIVE)
        self._room.set()
        ending = self._ending = self._budget.judge(self._ending)
        if ending is not None and not self._closed():
            self._draft(ending.status.value, ending.data)
        return self.claim, list(self._unwritten), ending

    def settle(self, written: int, *, ended: bool, answer: str) -> None:
        """The first `written` events are in the log (or will never be)."""
        del self._unwritten[:written]
        if answer == STALE:
            self.running.interrupt(Reason.LOST)
        if ended or answer == STALE:
            self._settled.set()

    def _take(self) -> list[tuple[str, Any]]:
        """Take what waits, and join tokens that stand side by side: fewer events, the same text."""
        taken: list[tuple[str, Any]] = []
        while self._fresh:
            kind, data = self._fresh.popleft()
            if kind == "token" and taken and taken[-1][0] == "token":
                data = {"content": taken.pop()[1]["content"] + data["content"]}
            taken.append((kind, data))
        return calm(taken) if self._budget.scarce else taken

    def _draft(self, kind: str, data: Mapping[str, Any]) -> None:
        self._seq += 1
        self._unwritten.append(Draft(self._seq, kind, orjson.dumps(data)))

    def _closed(self) -> bool:
        assert self._ending is not None
        return bool(self._unwritten) and self._unwritten[-1].type == self._ending.status.value


class Flusher:
    """Collects what the writers have and writes it. Runs in a thread of the pool's kind: a greenlet under gevent."""

    def __init__(self, attempts: Attempts, delay: float) -> None:
        self._attempts = attempts
        self.max_events = attempts.settings.max_events
        self._delay = delay
        self._later: dict[EventWriter, float] = {}
        self._dirty: dict[EventWriter, None] = {}
        self._wake = threading.Event()
        self._urgent = threading.Event()
        self._failing = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="flusher", daemon=True).start()

    def notice(self, writer: EventWriter, *, urgent: bool) -> None:
        """Say that a writer has something. What is not urgent waits a little for more."""
        self._dirty[writer] = None
        if urgent:
            self._urgent.set()
        self._wake.set()

    def notice_later(self, writer: EventWriter) -> None:
        """Say that a writer has something that may wait for more of its kind."""
        if writer not in self._later:
            self._later[writer] = time.monotonic() + CALM
            self._wake.set()  # to look at the clock

    def _run(self) -> None:
        while True:
            self._wake.wait(self._nap())
            self._urgent.wait(self._delay)
            self._wake.clear()
            self._urgent.clear()
            if not self.flush():
                time.sleep(RETRY_AFTER)

    def flush(self) -> bool:
        """Write everything that waits. False when Redis did not take all of it: it is tried again."""
        self._collect_due()
        writers: list[EventWriter] = []
        while self._dirty and len(writers) < MOST_WRITERS:
            writer = self._dirty.popitem()[0]
            self._later.pop(writer, None)  # it gives all that it has now
            writers.append(writer)
        if self._dirty:
            self._wake.set()
        batches = [writer.batch() for writer in writers]
        try:
            answers = self._attempts.write(batches)
        except RedisError as error:
            answers = [error] * len(batches)
        done = [self._settle(*each) for each in zip(writers, batches, answers, strict=True)]
        return all(done)

    def _nap(self) -> float | None:
        """Seconds until something is due that could wait; None while nothing is."""
        due = min(list(self._later.values()), default=None)
        return None if due is None else max(due - time.monotonic(), 0.0)

    def _collect_due(self) -> None:
        now = time.monotonic()
        for writer, due in list(self._later.items()):
            if due <= now:
                del self._later[writer]
                self._dirty[writer] = None

    def _settle(self, writer: EventWriter, batch: Batch, answer: str | RedisError) -> bool:
        if isinstance(answer, RedisError):
            self._report(answer)
            self.notice(writer, urgent=True)
            return False
        self._failing = False
        writer.settle(len(batch[1]), ended=batch[2] is not None, answer=answer)
        return True

    def _report(self, error: RedisError) -> None:
        if not self._failing:
            log.warning("events wait: Redis does not take them (%s)", error)
        self._failing = True
