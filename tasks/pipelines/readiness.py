"""Which worker processes have loaded which models: they publish it, and the web side tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from redis import Redis

from tasks.jobs.keys import Keys
from tasks.jobs.settings import EngineSettings
from tasks.pipelines.description import Deployment

# Seconds between two looks of a process at what is deployed, and how long its word counts.
LOOK = 2.0
KEPT = 5 * LOOK

Status = Literal["Starting", "Running", "Error"]


class Readiness:
    """What processes have said of models, by the models' digests."""

    def __init__(self, redis: Redis, settings: EngineSettings) -> None:
        self._redis = redis
        self._keys = Keys(settings.namespace)

    def publish(self, process: str, loaded: Mapping[str, str]) -> None:
        """Say what a process has loaded, or why it could not (a text that is not empty), by digest."""
        seconds, _ = self._redis.time()
        with self._redis.pipeline(transaction=False) as pipe:
            for sha, fault in loaded.items():
                ready, faulty = self._keys.pipelines(f"ready:{sha}"), self._keys.pipelines(f"fault:{sha}")
                if fault:
                    pipe.set(faulty, fault, ex=int(KEPT))
                    continue
                pipe.zadd(ready, {process: seconds + KEPT})
                pipe.zremrangebyscore(ready, "-inf", seconds)
                pipe.expire(ready, int(KEPT))
            pipe.execute()

    def of(self, deployment: Deployment) -> tuple[Status, list[str], list[str]]:
        """The state of a deployment, the processes that have loaded all of it, and what went wrong."""
        seconds, _ = self._redis.time()
        shas = [model.sha for model in deployment.models]
        with self._redis.pipeline(transaction=False) as pipe:
            for sha in shas:
                pipe.zrangebyscore(self._keys.pipelines(f"ready:{sha}"), seconds, "+inf")
                pipe.get(self._keys.pipelines(f"fault:{sha}"))
            answers: list[Any] = pipe.execute()
        processes = set.intersection(*(set(found) for found in answers[::2]))
        faults = [fault.decode() for fault in answers[1::2] if fault]
        status: Status = "Running" if processes else "Error" if faults else "Starting"
        return status, sorted(process.decode() for process in processes), faults
