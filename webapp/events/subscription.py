"""One request's view of one job: its events in order, without gap or repeat."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from redis.exceptions import RedisError

from tasks.jobs import Event, logs
from webapp.events.cursor import Cursor, Verdict

if TYPE_CHECKING:
    from webapp.events.hub import EventHub

# Bytes that a slow reader may leave unread before it is cheaper to read the log again.
MAX_UNREAD = 64 * 1024
# Seconds that a reader waits for what comes within milliseconds unless a packet was lost: the confirmation of its
# channel, or the first event of a new job. Then it looks into the log.
PATIENCE = 1.0
# Seconds between two tries to read a log that could not be read.
RETRY = 1.0

log = logs.get_logger(__name__)


class Subscription:
    """The events of a job behind a given one. One thread or greenlet reads it; close it when done.

    What comes through the channel is taken as long as it joins on. In every doubt the log is read instead: the log
    is complete, the channel is only fast.
    """

    __slots__ = (
        "_beat_at",
        "_cursor",
        "_hub",
        "_new",
        "_over",
        "_read_at",
        "_ready",
        "_stale",
        "_streaming",
        "_terminal",
        "_unread",
        "_wake",
        "drained",
        "job_id",
    )

    def __init__(self, hub: EventHub, job_id: str, after: str, *, new: bool) -> None:
        self.job_id = job_id
        self.drained = False
        self._hub = hub
        self._cursor = Cursor(after)
        self._terminal: Event | None = None
        self._over = False
        # Messages as they came, and the events of the one that is being read, the next one last.
        self._unread: list[bytes] = []
        self._ready: list[Event] = []
        # Locked while there is nothing to do: there are thousands of these, and an Event or a Queue is far larger.
        self._wake = threading.Lock()
        self._wake.acquire()
        # New: the job is not submitted yet, so there is nothing in its log that the channel will not say.
        self._new = new
        # Stale: something may have passed unheard, so the log must be read, but not before `_read_at`.
        self._stale = not new
        self._read_at = 0.0 if new else time.monotonic() + PATIENCE
        self._beat_at = 0.0
        self._streaming = True

    def events(self, timeout: float | None = None) -> Iterator[Event | None]:
        """Yield the events in order, and None after each silence of a heartbeat's length.

        Ends behind the terminal event, after `timeout` seconds, when the job is gone, or when the process drains
        (`drained` is True then).
        """
        return self._follow(timeout, streaming=True)

    def wait(self, timeout: float | None = None) -> Event | None:
        """Wait for the terminal event. None: the time is over, or the job is gone.

        Goes on while the process drains: whoever waits for a result is given it.
        """
        for _ in self._follow(timeout, streaming=False):
            pass
        return self._terminal

    @property
    def channel(self) -> str:
        """What it listens to."""
        return self._hub.keys.channel(self.job_id)

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it: the job has ended or is gone, or the process drains."""
        return self._over or self.drained

    def close(self) -> None:
        """Give the channel up. Safe to call twice."""
        self._over = True
        self._hub.detach(self)
        self._notify()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # What the hub calls, from its own thread. One step each, so that no lock is needed against the reader.

    def push(self, message: bytes) -> None:
        """A message has come."""
        if self._unread and sum(map(len, self._unread)) + len(message) > MAX_UNREAD:
            self._unread.clear()
            self._stale = True
        else:
            self._unread.append(message)
        self._notify()

    def confirm(self) -> None:
        """The channel is heard from now on; what was said before is in the log."""
        if not self._new:
            self._stale = True
            self._read_at = 0.0
            self._notify()

    def lose(self) -> None:
        """The connection broke. The log is read when the channel is heard again, or at the next heartbeat."""
        self._new = False
        self._stale = True
        self._read_at = math.inf

    def drain(self) -> None:
        """End the stream."""
        self.drained = True
        self._notify()

    def _notify(self) -> None:
        with contextlib.suppress(RuntimeError):  # raised when it is awake already
            self._wake.release()

    # What the reader does.

    def _follow(self, timeout: float | None, *, streaming: bool) -> Iterator[Event | None]:
        now = time.monotonic()
        deadline = math.inf if timeout is None else now + timeout
        self._streaming = streaming
        self._beat_at = now + (PATIENCE if self._new else self._hub.heartbeat)
        while not self._ended:
            if self._stale and now >= self._read_at:
                yield from self._read_log()
            yield from self._read_channel()
            now = time.monotonic()
            if now >= deadline:
                return
            if now >= self._beat_at:
                yield from self._beat(now)
            elif not self._ended:
                self._sleep(min(deadline, self._beat_at, self._read_at if self._stale else math.inf) - now)
            now = time.monotonic()

    @property
    def _ended(self) -> bool:
        return self._over or (self._streaming and self.drained)

    def _sleep(self, seconds: float) -> None:
        self._wake.acquire(timeout=max(seconds, 0.0))

    def _beat(self, now: float) -> Iterator[None]:
        silent = not self._new
        # A last message that was lost leaves no gap: only the log knows of it.
        self._stale = True
        self._read_at = 0.0
        self._beat_at = now + self._hub.heartbeat
        if silent:
            yield None

    def _read_log(self) -> Iterator[Event]:
        # Set before the read: what becomes doubtful meanwhile is looked at again.
        self._stale = self._new = False
        self._read_at = 0.0
        found = False
        try:
            for event in self._hub.log_of(self.job_id, self._cursor):
                found = True
                yield self._take(event)
                if self._ended:
                    return
            if not found and self._hub.is_over(self.job_id, self._cursor):
                self._over = True
        except RedisError as error:
            log.warning("subscription.log_unread", job_id=self.job_id, error=error)
            self._stale = True
            self._read_at = time.monotonic() + RETRY

    def _read_channel(self) -> Iterator[Event]:
        while not self._ended and (event := self._next()):
            verdict = self._cursor.judge(event)
            if verdict is Verdict.GAP:
                yield from self._read_log_before(event)
                if self._stale:
                    return
                # Still a gap after that: the log has expired, and what there is is better than silence.
                verdict = self._cursor.judge(event)
            if verdict is not Verdict.SEEN:
                yield self._take(event)

    def _read_log_before(self, event: Event) -> Iterator[Event]:
        self._stale = True
        if time.monotonic() >= self._read_at:
            yield from self._read_log()
        if self._stale:
            self._ready.append(event)

    def _next(self) -> Event | None:
        while not self._ready:
            try:
                message = self._unread.pop(0)
            except IndexError:
                return None
            self._ready = self._decode(message)
        return self._ready.pop()

    def _decode(self, message: bytes) -> list[Event]:
        try:
            return Event.decode_batch(message)[::-1]
        except (ValueError, TypeError):  # of another version, perhaps: what it meant is in the log
            self._stale = True
            return []

    def _take(self, event: Event) -> Event:
        self._cursor.move(event)
        self._new = False
        self._beat_at = time.monotonic() + self._hub.heartbeat
        if event.terminal:
            self._terminal = event
            self._over = True
            self._hub.detach(self)
        return event
