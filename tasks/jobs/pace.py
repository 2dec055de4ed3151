"""How fast jobs end, and when it is worth to come back."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence

from redis import Redis

from tasks.jobs.keys import Keys
from tasks.jobs.settings import EngineSettings

SLICE = 10  # seconds that a field of the `ended` hash counts, see close.lua
WINDOW = 60  # seconds over which the drain rate is measured

# Who is sent away comes back when this part of what is in the way has gone: one place would be taken by the first of
# many who wait for it.
SHARE = 0.1
# Callers that were sent away together come back spread over this range around the estimate.
SPREAD = (0.8, 1.2)
LEAST, MOST = 1, 60  # seconds; nobody is sent away for longer than the rate was measured over

# Every limit, with what has to go down before there is room.
RUNNING = "running"


def drain_rate(ended: Mapping[bytes, bytes], moment: float) -> float:
    """Jobs that ended per second, over the last minute. `ended` is the hash that the scripts keep."""
    first = int(moment / SLICE) - WINDOW // SLICE
    count = sum(int(number) for slice_, number in ended.items() if int(slice_) >= first)
    # The slice that is not over yet counts with the part of it that is.
    return count / (WINDOW + moment % SLICE)


def retry_after(redis: Redis, keys: Keys, settings: EngineSettings, queue: str, limit: str) -> int:
    """Whole seconds after which there is room again, estimated from the drain rate. One round trip to Redis.

    `limit` is the one that was reached. Waiting jobs leave by their queue; running ones by all queues together, since
    their owner may have them in any.
    """
    queues = list(settings.queues) if limit == RUNNING else [queue]
    pipeline = redis.pipeline(transaction=False)
    pipeline.time()
    pipeline.zcard(keys.leases if limit == RUNNING else keys.pending(queue))
    for each in queues:
        pipeline.hgetall(keys.ended(each))
    (seconds, micros), ahead, *ended = pipeline.execute()
    return estimate(ahead, _rate(ended, seconds + micros / 1e6), random.uniform(*SPREAD))  # noqa: S311 - no secret


def estimate(ahead: int, rate: float, spread: float = 1.0) -> int:
    """Seconds until a share of the jobs `ahead` has ended, within bounds. Nothing has ended yet: the most."""
    seconds = max(ahead * SHARE, 1) / rate if rate else MOST
    # Spread before it is bounded from below and after it is bounded from above, so that the bound is no meeting point.
    return math.ceil(max(min(seconds, MOST / SPREAD[1]) * spread, LEAST))


def _rate(ended: Iterable[Mapping[bytes, bytes]], moment: float) -> float:
    rates: Sequence[float] = [drain_rate(each, moment) for each in ended]
    return sum(rates)
