"""Leases: a thread of the operating system renews all leases of its process and hears of cancels."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from tasks.jobs import logs
from tasks.jobs.attempts import STALE, Attempts
from tasks.jobs.record import Status
from tasks.worker.drain import Drain
from tasks.worker.running import Reason, Running
from tasks.worker.threads import start_os_thread

log = logs.get_logger(__name__)

BEAT = 0.5  # seconds: a cancel must reach a running job within two


class Leases:
    """Holds the running attempts of this process. `enforce` is called for each that was asked to stop."""

    def __init__(
        self,
        attempts: Attempts,
        drain: Drain,
        enforce: Callable[[Running], None],
        mark: Callable[[], None] = lambda: None,
    ) -> None:
        self._mark = mark
        self._attempts = attempts
        self._drain = drain
        self._enforce = enforce
        # By attempt and not by job: one that lost its job may still be unwinding when this process claims it anew.
        self._held: dict[Running, None] = {}

    def start(self) -> None:
        start_os_thread("leases", self._run)

    @contextmanager
    def hold(self, running: Running) -> Iterator[None]:
        """Keep the lease of an attempt alive while the block runs."""
        self._held[running] = None
        try:
            yield
        finally:
            del self._held[running]

    def held(self) -> list[Running]:
        return list(self._held)

    def _run(self) -> None:
        while True:
            time.sleep(BEAT)
            try:
                self._mark()
                self.beat()
            except RedisError as error:
                log.warning("leases.not_renewed", error=error)
            except Exception:
                log.exception("leases.failed")

    def beat(self) -> None:
        """Interrupt what is due, and renew the rest."""
        running = self.held()
        for each in running:
            self._interrupt_due(each)
        try:
            self._renew(running)
        finally:
            for each in running:
                if each.reason is not None:
                    self._enforce(each)
            self._drain.end_idle_process(busy=bool(running))

    def _interrupt_due(self, running: Running) -> None:
        if self._drain.over():
            running.interrupt(Reason.DRAIN)
        if time.monotonic() > running.deadline:
            running.interrupt(Reason.TIMEOUT)

    def _renew(self, held: list[Running]) -> None:
        # A job past its deadline that does not stop is not kept alive: its lease runs out and another worker
        # ends it. The margin lets its end be written in an orderly way.
        margin = self._attempts.settings.lease
        alive = [each for each in held if time.monotonic() < each.deadline + margin]
        answers = self._attempts.renew([each.claim for each in alive])
        for each, status in zip(alive, answers, strict=True):
            if status == Status.CANCELING:
                each.interrupt(Reason.CANCEL)
            elif status == STALE and each.executing:
                each.interrupt(Reason.LOST)
