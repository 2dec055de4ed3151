"""Stopping an agent that was interrupted: each pool has its own way."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from redis.exceptions import RedisError

from tasks.jobs import logs
from tasks.jobs.attempts import Attempts
from tasks.jobs.record import JobError
from tasks.worker.budget import too_many_events
from tasks.worker.running import Interrupted, Reason, Running

log = logs.get_logger(__name__)

TIMED_OUT = "timeout"


def timeout_error(running: Running) -> JobError:
    """Say that a job took longer than it may."""
    return JobError(TIMED_OUT, f"The job took longer than its limit of {running.claim.job.timeout:g} seconds.")


class GeventEnforcement:
    """Raises the interruption inside the agent's greenlet, also while it waits for a model server.

    Called from the lease thread, so it only wakes the loop of the greenlets: their own thread does the rest.
    """

    def __init__(self) -> None:
        from gevent import get_hub  # noqa: PLC0415 - only a gevent worker has it loaded

        self._loop = get_hub().loop
        self._greenlets: dict[Running, Any] = {}

    def started(self, running: Running) -> None:
        from gevent import getcurrent  # noqa: PLC0415

        self._greenlets[running] = getcurrent()

    def ended(self, running: Running) -> None:
        self._greenlets.pop(running, None)

    def __call__(self, running: Running) -> None:
        self._loop.run_callback_threadsafe(self._raise, running)

    def _raise(self, running: Running) -> None:
        greenlet = self._greenlets.get(running)
        # Checked and thrown without a switch in between: the agent's code is what runs now, not the writing
        # of its end.
        if greenlet is not None and running.executing and running.reason is not None:
            greenlet.throw(Interrupted(running.reason))


class PreforkEnforcement:
    """Ends the process when the agent does not stop by itself. The parent replaces it and settles the job.

    A child runs one job at a time, or several that were taken together: who was not asked to stop is given back.
    """

    def __init__(self, attempts: Attempts, grace: float) -> None:
        self._attempts = attempts
        self._grace = grace
        self._runnings: dict[Running, None] = {}

    def started(self, running: Running) -> None:
        self._runnings[running] = None

    def ended(self, running: Running) -> None:
        self._runnings.pop(running, None)

    def __call__(self, running: Running) -> None:
        if running.executing and time.monotonic() - running.interrupted_at >= self._grace:
            log.warning("agent.killed", reason=running.reason, job_id=running.claim.job.id)
            for each in list(self._runnings):
                self._say_why(each)
            os.kill(os.getpid(), signal.SIGKILL)

    def _say_why(self, running: Running) -> None:
        try:
            if running.reason in (None, Reason.DRAIN):
                self._attempts.hand_back(running.claim)
            elif running.reason is Reason.TIMEOUT:
                self._attempts.condemn(running.claim, timeout_error(running))
            elif running.reason is Reason.TALKATIVE:
                self._attempts.condemn(running.claim, too_many_events(self._attempts.settings.max_events))
        except RedisError as error:
            log.warning("agent.reason_unwritten", error=error)
