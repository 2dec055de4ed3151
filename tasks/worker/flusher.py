"""Writing events: one flusher a process writes the events of all its jobs, many in one round trip."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from redis.exceptions import RedisError

from tasks.jobs import logs
from tasks.jobs.attempts import STALE, Attempts, Batch, Claim, Draft, Ending
from tasks.worker.budget import JOINABLE, EventBudget, calm
from tasks.worker.running import Reason, Running

log = logs.get_logger(__name__)

MOST_WAITING = 1000  # events of one job in memory; an agent that is faster than Redis waits
MOST_WRITERS = 200  # jobs in one pipeline, so that a reply stays well under the socket time-out
RETRY_AFTER = 0.2  # seconds between tries while Redis is away
LAST_TRY = 3.5  # seconds: one try at a server that does not answer (connect 1, reply 2), and a beat of the flusher
CALM = 1.0  # seconds in which a job that has said half of what it may is heard once


class EventWriter:
    """The events of one attempt, from the agent's hand to the log. Ids are given when a batch is made up."""

    def __init__(self, running: Running, flusher: Flusher, drained: Callable[[], bool] = lambda: False) -> None:
        self.running = running
        self.claim: Claim = running.claim
        self._flusher = flusher
        self._drained = drained
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
        """Queue an event. Blocks while too many are waiting, and raises `Interrupted` like `check`.

        What cannot be written, half a character for instance, is the agent's fault and raises here.
        """
        self.running.check()
        orjson.dumps(data)
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
        """Write the end and wait for it. False: the attempt had lost the job, or is not known to have written.

        While Redis is away that may take long: the work is done and worth waiting for. A process that is to end does
        not wait beyond its drain: the lease runs out and another worker does the job again.
        """
        self.conclude(ending)
        return self.concluded()

    def conclude(self, ending: Ending) -> None:
        """Let the end be written, and do not wait for it."""
        self._ending = ending
        self._flusher.notice(self, urgent=True)

    def concluded(self) -> bool:
        """Wait for the end to be written; see `finish`."""
        asked = time.monotonic()
        while not self._settled.wait(0.5):
            if self.running.reason is Reason.LOST:
                return False
            if self._drained() and time.monotonic() - asked > LAST_TRY:
                log.warning("job.end_unwritten", job_id=self.claim.job.id)
                return False
        return self.running.reason is not Reason.LOST

    def batch(self) -> Batch:
        """What to write now. Until it is settled it stays, with the same ids, so that it can be repeated."""
        if len(self._unwritten) < MOST_WAITING:  # no more while Redis is away: the agent waits, and memory is bounded
            for kind, data in self._take():
                if self._budget.spend():
                    self._draft(kind, data)
                else:
                    self.running.interrupt(Reason.TALKATIVE)
            self._room.set()
        if self._ending is None or self._fresh:
            return self.claim, list(self._unwritten), None
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
        elif written >= MOST_WAITING or self._ending is not None:  # what there was no room for, or an end that came
            self._flusher.notice(self, urgent=True)

    def _take(self) -> list[tuple[str, Any]]:
        """Take what waits, and join tokens that stand side by side: fewer events, the same text."""
        taken: list[tuple[str, Any]] = []
        for _ in range(len(self._fresh)):  # not until it is empty: an agent may be as fast as we are
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
        made = [(writer, batch) for writer in writers if (batch := self._batch(writer)) is not None]
        writers, batches = [writer for writer, _ in made], [batch for _, batch in made]
        try:
            answers = self._attempts.write(batches)
        except RedisError as error:
            answers = [error] * len(batches)
        done = [self._settle(*each) for each in zip(writers, batches, answers, strict=True)]
        return all(done)

    def _batch(self, writer: EventWriter) -> Batch | None:
        """What a writer has. A fault in it costs this job its attempt, and not all jobs of the process their writer."""
        try:
            return writer.batch()
        except Exception:
            log.exception("events.unwritable", job_id=writer.claim.job.id)
            writer.settle(0, ended=True, answer=STALE)
            return None

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
            log.warning("events.not_taken", error=error)
        self._failing = True
