"""Workspaces, models, pipelines and what is deployed, in Redis. Everything but a deployment is written once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from redis import Redis

from tasks.jobs.keys import Keys
from tasks.jobs.settings import EngineSettings
from tasks.pipelines.description import Deployment, Model, Pipeline, Tensor, Variant, Workspace, as_json

T = TypeVar("T")


class NameTaken(Exception):
    """There is a workspace of that name."""


class Registry:
    """Reads and writes them. Ids are numbers, as the clients of this surface want them; nothing is secret in one."""

    def __init__(self, redis: Redis, settings: EngineSettings) -> None:
        self._redis = redis
        self._keys = Keys(settings.namespace)

    def workspaces(self) -> list[Workspace]:
        return self._all("workspaces", _workspace)

    def workspace(self, identifier: int) -> Workspace | None:
        return self._get("workspaces", identifier, _workspace)

    def find_workspace(self, name: str, owner: str) -> Workspace | None:
        return self._find("workspaces", f"{owner}/{name}", _workspace)

    def create_workspace(self, name: str, owner: str) -> Workspace:
        """Make a workspace. Raises `NameTaken` when its owner has one of that name."""
        made, new = self._named(
            "workspaces", f"{owner}/{name}", lambda number: Workspace(number, name, owner, _now()), _workspace
        )
        if not new:
            raise NameTaken(name)
        return made

    def models(self) -> list[Model]:
        return self._all("models", Model.read)

    def model(self, identifier: int) -> Model | None:
        return self._get("models", identifier, Model.read)

    def add_model(
        self,
        workspace: Workspace,
        name: str,
        file: tuple[str, str, int],
        schema: tuple[tuple[Tensor, ...], tuple[Tensor, ...]],
    ) -> Model:
        """Add a version of a model. `file` is its digest, the name it came with and its size in bytes."""
        sha, file_name, size = file
        version = str(uuid.uuid4())
        return self._add(
            "models",
            lambda number: Model(number, name, version, sha, size, file_name, workspace.id, _now(), *schema),
        )

    def pipelines(self) -> list[Pipeline]:
        return self._all("pipelines", _pipeline)

    def pipeline(self, identifier: int) -> Pipeline | None:
        return self._get("pipelines", identifier, _pipeline)

    def find_pipeline(self, name: str, workspace: int) -> Pipeline | None:
        return self._find("pipelines", f"{workspace}/{name}", _pipeline)

    def add_variant(self, name: str, workspace: Workspace, definition: Mapping[str, Any]) -> tuple[Pipeline, Variant]:
        """Add a version of a pipeline, which is made with its first one."""
        pipeline, _ = self._named(
            "pipelines",
            f"{workspace.id}/{name}",
            lambda number: Pipeline(number, name, workspace.id, _now()),
            _pipeline,
        )
        version = str(uuid.uuid4())
        variant = self._add("variants", lambda number: Variant(number, pipeline.id, version, definition))
        return pipeline, variant

    def variant(self, identifier: int) -> Variant | None:
        return self._get("variants", identifier, _variant)

    def deployments(self) -> list[Deployment]:
        return self._all("deployments", Deployment.read)

    def deployment(self, identifier: int) -> Deployment | None:
        return self._get("deployments", identifier, Deployment.read)

    def deploy(self, deployment: Deployment) -> None:
        """Let requests go to this version from now on. Those that are under way end with the one they began with."""
        self._put("deployments", deployment.id, deployment)

    def undeploy(self, identifier: int) -> bool:
        """Take no more requests. False when there was nothing deployed."""
        return bool(self._redis.hdel(self._keys.pipelines("deployments"), str(identifier)))

    def _named(self, kind: str, name: str, make: Callable[[int], T], read: Callable[[Any], T]) -> tuple[T, bool]:
        """The thing of that name, and whether it is new. Two who make it at once get the same."""
        number = self._new_id(kind)
        names = self._keys.pipelines(f"{kind}:names")
        if self._redis.hsetnx(names, name, number):
            return self._put(kind, number, make(number)), True
        stored: Any = self._redis.hget(names, name)
        found = self._get(kind, int(stored), read)
        # Whoever took the name may have died before it wrote the rest.
        return (found, False) if found is not None else (self._put(kind, int(stored), make(int(stored))), True)

    def _find(self, kind: str, name: str, read: Callable[[Any], T]) -> T | None:
        number: Any = self._redis.hget(self._keys.pipelines(f"{kind}:names"), name)
        return self._get(kind, int(number), read) if number else None

    def _add(self, kind: str, make: Callable[[int], T]) -> T:
        number = self._new_id(kind)
        return self._put(kind, number, make(number))

    def _put(self, kind: str, number: int, made: T) -> T:
        self._redis.hset(self._keys.pipelines(kind), str(number), orjson.dumps(as_json(made)))
        return made

    def _get(self, kind: str, number: int, read: Callable[[Any], T]) -> T | None:
        stored: Any = self._redis.hget(self._keys.pipelines(kind), str(number))
        return read(orjson.loads(stored)) if stored else None

    def _all(self, kind: str, read: Callable[[Any], T]) -> list[T]:
        stored: Any = self._redis.hgetall(self._keys.pipelines(kind))
        return [read(orjson.loads(value)) for _, value in sorted(stored.items(), key=lambda each: int(each[0]))]

    def _new_id(self, kind: str) -> int:
        return int(self._redis.hincrby(self._keys.pipelines("ids"), kind, 1))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _workspace(stored: Any) -> Workspace:
    return Workspace(**stored)


def _pipeline(stored: Any) -> Pipeline:
    return Pipeline(**stored)


def _variant(stored: Any) -> Variant:
    return Variant(**stored)
