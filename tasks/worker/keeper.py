"""The keeper: brings back what lost its worker or its message. A thread of every worker's main process.

One works at a time, by a lock; two do no harm, because every step is a transition that refuses what is not due.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from redis.exceptions import RedisError

from tasks import metrics
from tasks.jobs import logs
from tasks.jobs.attempts import Attempts
from tasks.jobs.engine import Engine
from tasks.jobs.upkeep import lose_expired, remove_due, remove_expired, remove_forgotten, resend_waiting
from tasks.worker.alive import Mark
from tasks.worker.threads import start_os_thread

log = logs.get_logger(__name__)

# After Redis was away every lease has run out, though the workers live. They renew within a second of its
# return; the keeper takes nothing away before that.
SETTLE = 3.0


class Keeper:
    """Looks every few seconds, as long as it holds the lock."""

    def __init__(
        self, attempts: Attempts, engine: Engine, queues: set[str], mark: Callable[[Mark], None] = lambda _: None
    ) -> None:
        self._mark = mark
        self._attempts = attempts
        self._queues = queues
        self._engine = engine
        self._interval = attempts.settings.keeper_interval
        self._name = attempts.worker.encode()
        self._looked = time.monotonic()
        self._trusted_from = self._looked + SETTLE

    def start(self) -> None:
        start_os_thread("keeper", self._run)

    def _run(self) -> None:
        while True:
            self._notice_standstill()
            try:
                self._mark(Mark.KEEPER)
                self.look()
                self._mark(Mark.REDIS)
            except RedisError as error:
                self._trusted_from = time.monotonic() + SETTLE
                log.warning("keeper.redis_unavailable", error=error)
            except Exception:
                log.exception("keeper.failed")
            time.sleep(self._interval)

    def _notice_standstill(self) -> None:
        """A machine that slept froze the other workers with us: they, too, renew before anything is taken away."""
        moment = time.monotonic()
        if moment - self._looked > self._interval + self._attempts.settings.lease / 2:
            self._trusted_from = moment + SETTLE
        self._looked = moment

    def look(self) -> None:
        """One pass."""
        self._say_alive()
        if not self._holds_lock():
            return
        self._engine.ping()
        if time.monotonic() >= self._trusted_from:
            lost = lose_expired(self._attempts)
            sent = resend_waiting(self._attempts)
            metrics.KEEPER_ACTIONS.add("took_back", by=lost)
            metrics.KEEPER_ACTIONS.add("resent", by=sent)
            if lost or sent:
                log.warning("keeper.brought_back", jobs=lost, messages=sent)
        files, jobs = remove_due(self._engine), remove_expired(self._engine)
        remove_forgotten(self._engine)
        metrics.KEEPER_ACTIONS.add("removed_file", by=files)
        metrics.KEEPER_ACTIONS.add("removed_job", by=jobs)
        if files or jobs:
            log.info("keeper.removed", files=files, jobs=jobs)

    def _say_alive(self) -> None:
        """Let others see that this worker is there. It is forgotten when three passes were missed."""
        redis, missed = self._attempts.redis, math.ceil(self._interval * 3000)
        now = round(self._engine.now() * 1000)
        pipeline = redis.pipeline(transaction=False)
        for key in map(self._attempts.keys.workers, self._queues):
            pipeline.zremrangebyscore(key, "-inf", f"({now}")
            pipeline.zadd(key, {self._attempts.worker: now + missed})
            pipeline.pexpire(key, missed)
        pipeline.execute()

    def _holds_lock(self) -> bool:
        redis, key = self._attempts.redis, self._attempts.keys.keeper
        ttl = math.ceil(self._interval * 3000)  # three passes: a keeper that died is followed within seconds
        if redis.set(key, self._name, nx=True, px=ttl):
            return True
        if redis.get(key) != self._name:
            return False
        redis.pexpire(key, ttl)
        return True
