"""Where the requests of a process hear how their jobs ended: one channel for all of them.

A stream listens to what its job says. A request that only wants the end would pay for a channel of its own, its
subscription, and a read of the job behind it: a fifth of a web process' time for a job that does nothing (measured).
Here the step that ends a job says on the channel of the process that waits what has become of it.
"""

from __future__ import annotations

import threading
import time
import uuid
from types import TracebackType
from typing import Self

from redis.exceptions import RedisError

from tasks import metrics
from tasks.jobs import Job, logs
from tasks.jobs.record import ended_job
from webapp.events.hub import EventHub

# Seconds of silence before the record is looked at, doubled up to a heartbeat. A reply that is lost, or that a worker
# of an older version does not give, costs no more than this again; a job that takes long costs a few reads.
FIRST_LOOK = 2.0

log = logs.get_logger(__name__)


class Replies:
    """The replies that the requests of this process wait for."""

    def __init__(self, hub: EventHub, channel: str) -> None:
        """`channel` is of this process alone: `Keys.replies`."""
        self.hub = hub
        self.channel = channel
        self._expected: dict[bytes, Reply] = {}
        self._listening = False
        self._lock = threading.RLock()

    @classmethod
    def of(cls, hub: EventHub) -> Self:
        """The replies that come through `hub`."""
        return cls(hub, hub.keys.replies(uuid.uuid4().hex))

    def expect(self, job_id: str) -> Reply:
        """Listen for the end of a job that is not submitted yet. The channel is to be its `NewJob.reply`."""
        with self._lock:
            reply = self._expected[job_id.encode()] = Reply(self, job_id)
            if not self._listening:
                self._listening = True
                self.hub.listen(self)
        metrics.HUB_SUBSCRIPTIONS.add(1)
        return reply

    def forget(self, job_id: str) -> None:
        """Nobody waits for this job any more."""
        with self._lock:
            del self._expected[job_id.encode()]
            if self.hub.draining:
                self.drain()
        metrics.HUB_SUBSCRIPTIONS.add(-1)

    # What the hub calls.

    def push(self, message: bytes) -> None:
        """A job has ended."""
        reply = self._expected.get(message.partition(b" ")[0])
        if reply is not None:
            reply.arrive(message)

    def confirm(self) -> None:
        """The channel is heard from now on; what was said before stands in the records."""
        for reply in list(self._expected.values()):
            reply.doubt()

    def lose(self) -> None:
        """The connection broke. Nothing is missed for good: see `confirm`."""

    def drain(self) -> None:
        """The process is to end. Who waits still gets its reply; the channel goes with the last one."""
        with self._lock:
            if self._listening and not self._expected:
                self._listening = False
                self.hub.leave(self)


class Reply:
    """The end of one job, for the request that waits for it."""

    __slots__ = ("_job_id", "_message", "_replies", "_wake")

    def __init__(self, replies: Replies, job_id: str) -> None:
        self._replies = replies
        self._job_id = job_id
        self._message: bytes | None = None
        self._wake = threading.Lock()  # locked while there is nothing to do
        self._wake.acquire()

    @property
    def channel(self) -> str:
        """Where the reply is to be sent."""
        return self._replies.channel

    def wait(self, seconds: float) -> Job | None:
        """Wait for the end of the job, once it is submitted. None: the time is over, or the job is gone."""
        deadline = time.monotonic() + seconds
        pause = FIRST_LOOK
        while self._message is None and (left := deadline - time.monotonic()) > 0:
            self._wake.acquire(timeout=min(left, pause))
            if self._message is None:  # silence, or a connection that was lost: the record knows
                try:
                    job = self._hub.read(self._job_id)
                except RedisError as error:
                    log.warning("reply.job_unread", job_id=self._job_id, error=error)
                else:
                    if job is None or job.status.ended:
                        return job
                pause = min(pause * 2, self._hub.heartbeat)
        return ended_job(self._message) if self._message else None

    @property
    def _hub(self) -> EventHub:
        return self._replies.hub

    def arrive(self, message: bytes) -> None:
        """The reply has come."""
        self._message = message
        self.doubt()

    def doubt(self) -> None:
        """Let the waiting request look."""
        try:
            self._wake.release()
        except RuntimeError:  # it is awake already
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._replies.forget(self._job_id)
