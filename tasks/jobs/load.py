"""How much there is to do, and who is there to do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redis import Redis

from tasks.jobs import scripts
from tasks.jobs.keys import Keys


@dataclass(frozen=True)
class QueueLoad:
    """One queue. `oldest` is how many seconds the oldest waiting job waits; `workers` are those that were heard of."""

    waiting: int
    oldest: float
    messages: int
    running: int
    workers: int


@dataclass(frozen=True)
class Load:
    """All queues, the jobs that were given up, and the webhooks that wait."""

    queues: Mapping[str, QueueLoad]
    dead: int
    webhooks: int


def read_load(redis: Redis, keys: Keys, queues: Sequence[str]) -> Load:
    """Read all of it, in one round trip: about 1 µs for each running job."""
    names = [keys.leases, keys.dead, keys.outbox]
    for queue in queues:
        names += [keys.pending(queue), keys.queue(queue), keys.workers(queue)]
    dead, webhooks, *loads = scripts.load(redis, names, [keys.job(""), *queues])
    known = {
        queue: QueueLoad(waiting, oldest / 1000, messages, running, workers)
        for queue, (waiting, oldest, messages, running, workers) in zip(queues, loads, strict=True)
    }
    return Load(known, dead, webhooks)
