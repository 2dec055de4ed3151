"""Upload models, make pipelines of them and deploy those: for the web side, the command line and folders alike."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from tasks.jobs import Engine, Job, NewJob, Status
from tasks.pipelines.definition import Definition
from tasks.pipelines.description import (
    QUEUE,
    READ_MODEL,
    READ_SECONDS,
    Deployment,
    Model,
    Pipeline,
    Step,
    Tensor,
    Variant,
    Workspace,
    model_key,
    wiring_fault,
)
from tasks.pipelines.registry import Registry

# A part of URLs and of names in Kubernetes.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LOOK = 0.05  # seconds between two looks at a job: it takes longer to load a model

Read = Callable[[], Iterable[bytes]]


class Refused(Exception):
    """What was asked for cannot be done; the message says why. `busy` says that it may be tried again."""

    def __init__(self, message: str, *, busy: bool = False) -> None:
        super().__init__(message)
        self.busy = busy


class Management:
    """What changes workspaces, models, pipelines and deployments."""

    def __init__(self, engine: Engine, registry: Registry) -> None:
        self._engine = engine
        self._registry = registry

    def add_model(self, workspace: Workspace, name: str, file_name: str, read: Read, owner: str) -> Model:
        """Keep a model, whose file `read` gives each time it is called. A worker reads it first, and may refuse it."""
        check_name("model", name)
        sha, size = _digest(read)
        new = self._store(sha, read)
        try:
            schema = self._schema(sha, size, owner)
        except Exception:
            if new and all(model.sha != sha for model in self._registry.models()):
                self._engine.artifacts.delete(model_key(sha))
            raise
        return self._registry.add_model(workspace, name, (sha, file_name[:255], size), schema)

    def add_variant(self, workspace: Workspace, name: str, definition: Mapping[str, Any]) -> tuple[Pipeline, Variant]:
        """Make a version of a pipeline."""
        check_name("pipeline", name)
        try:
            Definition.read(definition)
        except ValueError as error:
            raise Refused(f"The definition is not valid: {error}.") from error
        return self._registry.add_variant(name, workspace, definition)

    def deploy(
        self, workspace: Workspace, pipeline: Pipeline, variant: Variant, name: str, models: Sequence[int] = ()
    ) -> Deployment:
        """Let requests go to this version. If its definition has no steps, they are the given models in their order."""
        check_name("deployment", name)
        definition = Definition.read(variant.definition)
        known = [model for model in self._registry.models() if model.workspace == workspace.id]
        try:
            steps = definition.resolve(known) or tuple(Step(_by_id(known, each)) for each in models)
            self._check(steps, definition)
        except ValueError as error:
            raise Refused(f"The pipeline cannot be deployed: {error}.") from error
        deployment = Deployment(
            id=pipeline.id,
            name=name,
            pipeline=pipeline.name,
            workspace=workspace.id,
            owner=workspace.owner,
            variant=variant.id,
            version=variant.version,
            steps=steps,
            checks=definition.checks,
            batching=definition.batching,
        )
        self._registry.deploy(deployment)
        return deployment

    def _check(self, steps: Sequence[Step], definition: Definition) -> None:
        if not steps:
            raise ValueError("it has no model")
        fault = wiring_fault(steps)
        if fault:
            raise ValueError(fault)
        outputs = {tensor.name for tensor in steps[-1].model.outputs}
        unknown = definition.checked_outputs - outputs
        if unknown:
            raise ValueError(f"a check names {min(unknown)}; the outputs are {', '.join(sorted(outputs))}")
        for model in (model for step in steps for model in (step.model, *step.shadows)):
            if self._engine.artifacts.stat(model_key(model.sha)) is None:
                raise ValueError(f"the file of the model {model.name} is gone: upload it again")

    def _store(self, sha: str, read: Read) -> bool:
        if self._engine.artifacts.stat(model_key(sha)) is not None:
            return False
        try:
            self._engine.artifacts.put(model_key(sha), read())
        except FileExistsError:  # somebody else was as fast, with the same bytes
            return False
        return True

    def _schema(self, sha: str, size: int, owner: str) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        file = {"name": sha, "media_type": "application/octet-stream", "size": size, "key": model_key(sha)}
        job = self._ended(self._engine.submit(NewJob(READ_MODEL, QUEUE, owner, READ_SECONDS, {"model": file})))
        if job.status is not Status.COMPLETED:
            raise Refused(job.error.detail if job.error else "The model was not read.")
        described = orjson.loads(self._engine.result(job))
        inputs, outputs = (tuple(map(Tensor.read, described[part])) for part in ("inputs", "outputs"))
        return inputs, outputs

    def _ended(self, job: Job) -> Job:
        until = time.monotonic() + READ_SECONDS
        while time.monotonic() < until:
            found = self._engine.get(job.id)
            if found is None or found.status.ended:
                return found or job
            time.sleep(LOOK)
        self._engine.cancel(job)
        raise Refused("No worker has read the model in time.", busy=True)


def check_name(kind: str, name: str) -> None:
    """Refuse a name that cannot stand in a URL."""
    if not _NAME.fullmatch(name):
        raise Refused(f"A {kind}'s name has at most 63 of a-z, 0-9 and -, and neither begins nor ends with -.")


def _by_id(models: Sequence[Model], identifier: int) -> Model:
    found = next((model for model in models if model.id == identifier), None)
    if found is None:
        raise ValueError(f"there is no model {identifier} in its workspace")
    return found


def _digest(read: Read) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for piece in read():
        digest.update(piece)
        size += len(piece)
        time.sleep(0)  # a large model must not hold up the streams of this process
    if not size:
        raise Refused("The model is empty.")
    return digest.hexdigest(), size
