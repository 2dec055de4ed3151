"""What workers find when they look around: the model server, the artifact store. Only they can tell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from redis import Redis

from tasks.jobs.keys import Keys
from tasks.jobs.settings import EngineSettings

# By the name of what was looked at, what is wrong with it; an empty text where nothing is.
Faults = Mapping[str, str]


class Health:
    """What each worker has said last."""

    def __init__(self, redis: Redis, settings: EngineSettings) -> None:
        self._redis = redis
        self._keys = Keys(settings.namespace)

    def publish(self, worker: str, faults: Faults, seconds: float) -> None:
        """Say what this worker found. It is forgotten after `seconds` without another word."""
        self._redis.set(self._keys.health(worker), orjson.dumps(dict(faults)), px=math.ceil(seconds * 1000))

    def of(self, workers: Iterable[str]) -> dict[str, Faults | None]:
        """What each of these workers found; None: it has not looked yet."""
        names = list(workers)
        stored: Any = self._redis.mget([self._keys.health(each) for each in names]) if names else []
        return {name: orjson.loads(said) if said else None for name, said in zip(names, stored, strict=True)}
