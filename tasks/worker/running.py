"""A job in the hands of this process, and why it may have to stop."""

from __future__ import annotations

import time
from enum import StrEnum

from tasks.jobs.attempts import Claim
from tasks.sdk.errors import Canceled


class Reason(StrEnum):
    """Why a running attempt is interrupted."""

    CANCEL = "cancel"
    TIMEOUT = "timeout"
    DRAIN = "drain"
    TALKATIVE = "talkative"  # its events would not fit into its log
    LOST = "lost"  # somebody else holds the job, or it has ended: nothing we write counts any more


class Interrupted(Canceled):
    """Raised inside an agent to stop it. An agent sees `Canceled`, whatever the reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Running:
    """One attempt while it runs. The lease thread interrupts it; the agent notices at its next event.

    `executing` is true only while the agent's own code runs: an exception may be raised into it then, and not
    while the end is being written.
    """

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.began = time.monotonic()
        self.deadline = self.began + claim.job.timeout
        self.executing = False
        self.reason: Reason | None = None
        self.interrupted_at = 0.0
        self.failed = False

    @property
    def age(self) -> float:
        """Seconds since this attempt was begun."""
        return time.monotonic() - self.began

    @property
    def waited(self) -> float:
        """Seconds that the job had waited for its first start, by the clock of Redis."""
        job = self.claim.job
        return (job.started_at - job.created_at).total_seconds() if job.started_at else 0.0

    def interrupt(self, reason: Reason) -> None:
        """Ask the attempt to stop. The first reason stands, but a lost fence outweighs every other."""
        if self.reason is None:
            self.interrupted_at = time.monotonic()
            self.reason = reason
        elif reason is Reason.LOST:
            self.reason = reason

    def check(self) -> None:
        """Raise `Interrupted` when the attempt was asked to stop."""
        if self.reason is not None:
            raise Interrupted(self.reason)
