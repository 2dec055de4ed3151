"""How many streams somebody holds open at once, over all processes.

close = services().streams.open(current_principal())   # raises a Problem with 429
return sse_response(frames, close=close)
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError

from tasks import metrics
from tasks.jobs import logs
from tasks.jobs.keys import Keys
from webapp.auth.principals import Principal
from webapp.http.problem import Problem

# A process that dies takes its streams with it; they count this long after their last renewal (seconds).
LEASE = 60.0
# Three renewals may be missed before a living stream is forgotten.
RENEWAL = 15.0
RETRY_AFTER = 10  # seconds; streams end when their jobs do

log = logs.get_logger(__name__)


class Streams:
    """Open streams by owner. While Redis is away each process counts its own."""

    def __init__(self, redis: Redis, names: Keys, most: int) -> None:
        self._redis = redis
        self._names = names
        self._most = most
        self._lock = threading.Lock()
        self._open: dict[str, str] = {}
        self._of: Counter[str] = Counter()
        self._renewing = False

    def open(self, principal: Principal) -> Callable[[], None]:
        """Take a place, and return what gives it back (safe to call twice). Raises a `Problem` with 429.

        0 places in the settings is no limit.
        """
        if not self._most:
            return lambda: None
        owner, stream = principal.id, uuid.uuid4().hex
        if self._of[owner] >= self._most or not self._taken(owner, stream):
            raise self._refused(owner)
        with self._lock:
            self._open[stream] = owner
            self._of[owner] += 1
            start, self._renewing = not self._renewing, True
        if start:
            threading.Thread(target=self._renew, name="streams", daemon=True).start()
        return lambda: self._close(stream)

    def _close(self, stream: str) -> None:
        with self._lock:
            owner = self._open.pop(stream, None)
            if owner is None:
                return
            self._of[owner] -= 1
            if not self._of[owner]:
                del self._of[owner]
        self._give_back(owner, stream)

    def _taken(self, owner: str, stream: str) -> bool:
        name, now = self._names.streams_of(owner), time.time()
        try:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.zremrangebyscore(name, "-inf", now)
                pipe.zadd(name, {stream: now + LEASE})
                pipe.zcard(name)
                pipe.expire(name, int(LEASE))
                if int(pipe.execute()[2]) <= self._most:
                    return True
        except RedisError as error:
            log.warning("streams.count_alone", error=error)
            return True
        self._give_back(owner, stream)
        return False

    def _give_back(self, owner: str, stream: str) -> None:
        try:
            self._redis.zrem(self._names.streams_of(owner), stream)
        except RedisError as error:
            log.warning("streams.not_given_back", error=error)  # it runs out by itself

    def _renew(self) -> None:
        """Keep the places of this process, until there is none."""
        while True:
            time.sleep(RENEWAL)
            with self._lock:
                held = dict(self._open)
                if not held:
                    self._renewing = False
                    return
            try:
                self._extend(held)
            except RedisError as error:
                log.warning("streams.not_renewed", error=error)

    def _extend(self, held: dict[str, str]) -> None:
        until = time.time() + LEASE
        with self._redis.pipeline(transaction=False) as pipe:
            for stream, owner in held.items():
                # XX: what was given back meanwhile does not come back.
                pipe.zadd(self._names.streams_of(owner), {stream: until}, xx=True)
                pipe.expire(self._names.streams_of(owner), int(LEASE))
            pipe.execute()

    def _refused(self, owner: str) -> Problem:
        log.warning("limits.refused", kind="streams", who=owner)
        metrics.RATE_REFUSALS.add("streams")
        return Problem(
            429,
            "too_many_streams",
            f"{self._most} streams at once are the limit. Close one, or try again later.",
            headers={"Retry-After": str(RETRY_AFTER)},
            extra={"limit": "streams"},
        )
