"""What each principal has used: jobs, tokens and credits, by day."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tasks.jobs import scripts
from tasks.jobs.engine import Engine
from tasks.jobs.record import Job

DAY = 86_400
EPOCH = date(1970, 1, 1)
LONGEST = 31  # days that a window may reach back: a month, whichever it is
# Every day of the longest window can be read until it is over in every time zone.
KEPT_MS = (LONGEST + 2) * DAY * 1000


@dataclass(frozen=True)
class Account:
    """The sums of a window: its first and its last day (UTC), and counts by name."""

    first: date
    last: date
    counts: dict[str, int]


def charge(engine: Engine, job: Job, credits: int, *, streams: bool = False) -> int:
    """Count the credits of a job that is delivered. Returns what this delivery costs: 0 when it is not the first.

    What `streams` is paid with its first byte, so before its job has ended.
    """
    keys = [engine.keys.job(job.id), engine.keys.usage(job.owner, int(engine.now() // DAY))]
    return int(scripts.charge(engine.redis, keys, [credits, secrets.token_hex(8), KEPT_MS, int(streams)]))


def account(engine: Engine, owner: str, days: int) -> Account:
    """Sum what `owner` has used in the last `days` days, today included."""
    today = _today(engine)
    return _sum(engine, owner, today - timedelta(days - 1), today)


def month_so_far(engine: Engine, owner: str) -> Account:
    """Sum what `owner` has used since the month began."""
    today = _today(engine)
    return _sum(engine, owner, today.replace(day=1), today)


def _today(engine: Engine) -> date:
    return datetime.fromtimestamp(engine.now(), UTC).date()


def _sum(engine: Engine, owner: str, first: date, last: date) -> Account:
    pipeline = engine.redis.pipeline(transaction=False)
    for day in range((first - EPOCH).days, (last - EPOCH).days + 1):
        pipeline.hgetall(engine.keys.usage(owner, day))
    sums: Counter[str] = Counter()
    for stored in pipeline.execute():
        found: dict[bytes, Any] = stored
        sums.update({name.decode(): int(count) for name, count in found.items()})
    return Account(first, last, dict(sums))
