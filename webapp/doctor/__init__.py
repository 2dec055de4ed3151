"""What is wrong with this installation, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from redis.exceptions import RedisError

from webapp.doctor.broker import broker
from webapp.doctor.configuration import configuration
from webapp.doctor.findings import Finding, State
from webapp.doctor.keys import keys
from webapp.doctor.store import store
from webapp.doctor.workers import workers
from webapp.services import Services

__all__ = ["Finding", "State", "examine"]


def examine(services: Services) -> Iterator[Finding]:
    """Look at everything. What cannot be known without Redis is left out while it is away."""
    yield from broker(services.engine)
    yield from store(services.engine.artifacts)
    for check in (keys, workers):
        try:
            yield from check(services)
        except RedisError:
            yield Finding(check.__name__, State.UNKNOWN, "Nobody can tell without Redis.")
    yield from configuration(services)
