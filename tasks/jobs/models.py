"""The names of the provider's models: workers know them and publish them, the web side lists them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import orjson
from redis import Redis

from tasks.jobs.keys import Keys
from tasks.jobs.settings import EngineSettings


class Models:
    """What the workers have said last."""

    def __init__(self, redis: Redis, settings: EngineSettings) -> None:
        self._redis = redis
        self._key = Keys(settings.namespace).models

    def publish(self, names: Sequence[str], seconds: float) -> None:
        """Say which models there are. It is forgotten after `seconds` without another word."""
        self._redis.set(self._key, orjson.dumps(list(names)), px=math.ceil(seconds * 1000))

    def names(self) -> list[str] | None:
        """The models, the provider's default first. None: no worker has told for a while."""
        stored: Any = self._redis.get(self._key)
        return orjson.loads(stored) if stored else None
