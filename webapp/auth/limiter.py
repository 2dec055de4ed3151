"""How often somebody may ask: counted for all processes together in Redis, and by each alone while it is away."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItem
from limits.storage import MemoryStorage, RedisStorage
from redis.exceptions import RedisError

from tasks.jobs import connect, logs
from tasks.jobs.keys import Keys
from tasks.jobs.settings import EngineSettings

# Counting may not make a request wait: a server that does not answer is given up after this (seconds) ...
TIMEOUT = 0.5
# ... and left alone for this long. Meanwhile each process counts for itself, so that nothing is ever open.
AWAY_SECONDS = 2.0
# One request needs one for less than a millisecond; so many serve some thousand requests a second.
CONNECTIONS = 16

log = logs.get_logger(__name__)


@dataclass(frozen=True)
class Count:
    """Where somebody stands: `remaining` requests of `limit`, until `reset` (seconds from now)."""

    limit: RateLimitItem
    remaining: int
    allowed: bool
    reset: int


class Limiter:
    """Counts in windows that begin with the first request of each: `10/minute` is ten, and then none for the rest."""

    def __init__(self, shared: RedisStorage | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._own: MemoryStorage | None = None
        self._clock = clock
        self._away_until = 0.0

    def hit(self, limit: RateLimitItem, *who: str) -> Count:
        """Count one request of `who` and tell where they stand. Redis is asked once, and twice when it is too much."""
        if self._shared is not None and self._clock() >= self._away_until:
            try:
                return _counted(self._shared, limit, who)
            except RedisError as error:
                self._away_until = self._clock() + AWAY_SECONDS
                log.warning("limits.count_alone", error=error)
        # Made when it is needed, because it brings a timer.
        self._own = self._own or MemoryStorage()
        return _counted(self._own, limit, who)


def shared_storage(settings: EngineSettings) -> RedisStorage | None:
    """The counters in Redis. Nothing is connected to before the first count."""
    pool = connect(settings, max_connections=CONNECTIONS, socket_timeout=TIMEOUT, retries=0).connection_pool
    return RedisStorage(settings.redis_url, connection_pool=pool, key_prefix=Keys(settings.namespace).limits)


def _counted(storage: RedisStorage | MemoryStorage, limit: RateLimitItem, who: tuple[str, ...]) -> Count:
    key, seconds = limit.key_for(*who), limit.get_expiry()
    count = storage.incr(key, seconds)
    if count <= limit.amount:
        return Count(limit, limit.amount - count, True, seconds)
    reset = math.ceil(storage.get_expiry(key) - time.time())
    # A counter that ends at this moment is no reason to come back at once.
    return Count(limit, 0, False, min(max(reset, 1), seconds))
