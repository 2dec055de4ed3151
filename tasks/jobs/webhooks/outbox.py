"""The outbox: jobs whose end is still to be told. `close` puts them in, in the transition that ends the job."""

from __future__ import annotations

import math
from typing import Any

from redis import Redis

from tasks.jobs import scripts
from tasks.jobs.keys import Keys
from tasks.jobs.webhooks.subscription import Delivery, encode_log

# Who took one has this long to tell of its outcome; then another takes it. Above the time of one delivery.
TAKEN_FOR = 60.0
KEPT = 20  # deliveries in the log of a job: a whole day of tries, and some that were asked for


def take(redis: Redis, keys: Keys) -> str | None:
    """Take the job whose delivery is due, for `TAKEN_FOR` seconds. None: nothing is due."""
    taken: Any = scripts.take_delivery(redis, [keys.outbox], [math.ceil(TAKEN_FOR * 1000)])
    return taken.decode() if taken else None


def settle(redis: Redis, keys: Keys, job_id: str, log: list[Delivery], again_in: float | None) -> None:
    """Keep the log, and try again after so many seconds (None: never)."""
    wait = -1 if again_in is None else math.ceil(again_in * 1000)
    scripts.settle_delivery(redis, [keys.job(job_id), keys.outbox], [job_id, encode_log(log[-KEPT:]), wait])


def redeliver(redis: Redis, keys: Keys, job_id: str) -> None:
    """Tell the end of a job once more, from the first try on."""
    scripts.redeliver(redis, [keys.job(job_id), keys.outbox], [job_id])
