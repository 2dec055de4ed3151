"""What models, pipelines and deployments are. Nothing here needs a library."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# The jobs of pipelines, by the names of their agents (`tasks/pipelines/agents`), and where those run.
INFER = "pipelines_infer"
READ_MODEL = "pipelines_read_model"
QUEUE = "cpu"
INFER_SECONDS = 60.0
READ_SECONDS = 120.0  # a large model is read, checked and optimised in it

# Who owns what everybody may use.
SHARED = "system"


@dataclass(frozen=True)
class Tensor:
    """An input or output of a model. `shape` is that of the whole tensor; None stands for any size."""

    name: str
    type: str  # float, double, int8 … uint64, bool or string
    shape: tuple[int | None, ...]

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Tensor:
        return cls(stored["name"], stored["type"], tuple(stored["shape"]))


@dataclass(frozen=True)
class Model:
    """A version of a model. Its file is in the artifact store, under its digest."""

    id: int
    name: str
    version: str
    sha: str
    size: int
    file_name: str
    workspace: int
    created_at: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Model:
        parts = {name: tuple(map(Tensor.read, stored[name])) for name in ("inputs", "outputs")}
        return cls(**{**stored, **parts})


@dataclass(frozen=True)
class Step:
    """A model, and the models that run beside it without having a say."""

    model: Model
    shadows: tuple[Model, ...] = ()

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Step:
        return cls(Model.read(stored["model"]), tuple(map(Model.read, stored["shadows"])))


@dataclass(frozen=True)
class Batching:
    """How many waiting requests become one run of the models, and how many seconds the first of them waits for more."""

    max_batch: int = 1
    max_delay: float = 0.0


@dataclass(frozen=True)
class Workspace:
    """Where models and pipelines are kept. Its owner sees it, and everybody when that is `SHARED`."""

    id: int
    name: str
    owner: str
    created_at: str


@dataclass(frozen=True)
class Pipeline:
    """A name that versions are deployed under."""

    id: int
    name: str
    workspace: int
    created_at: str


@dataclass(frozen=True)
class Variant:
    """A version of a pipeline: the definition as it was given."""

    id: int
    pipeline: int
    version: str
    definition: Mapping[str, Any]


@dataclass(frozen=True)
class Deployment:
    """A version of a pipeline that takes requests, with everything that a request needs to know of it."""

    id: int  # that of its pipeline: the URL stays when another version is deployed
    name: str
    pipeline: str
    workspace: int
    owner: str
    variant: int
    version: str
    steps: tuple[Step, ...]
    checks: tuple[str, ...] = ()
    batching: Batching = Batching()

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Deployment:
        parts = {
            "steps": tuple(map(Step.read, stored["steps"])),
            "checks": tuple(stored["checks"]),
            "batching": Batching(**stored["batching"]),
        }
        return cls(**{**stored, **parts})

    @property
    def models(self) -> list[Model]:
        """Every model that a request needs, each once."""
        found = (model for step in self.steps for model in (step.model, *step.shadows))
        return list({model.sha: model for model in found}.values())

    @property
    def last(self) -> Model:
        """The model whose outputs are the answer."""
        return self.steps[-1].model

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        return self.steps[0].model.inputs


def model_key(sha: str) -> str:
    """Where the file of a model is in the artifact store: apart from the files of jobs, which go with their jobs."""
    return f"models/{sha}/model.onnx"


def file_of(model: Model) -> dict[str, Any]:
    """What stands for a model's file in the payload of a job."""
    media_type = "application/octet-stream"
    return {"name": model.sha, "media_type": media_type, "size": model.size, "key": model_key(model.sha)}


def as_json(value: Any) -> dict[str, Any]:
    """What is stored of one of these."""
    return dataclasses.asdict(value)


def wiring_fault(steps: Sequence[Step]) -> str:
    """Why the models of these steps cannot be run one after the other; empty when they can."""
    known = {tensor.name for tensor in steps[0].model.inputs} if steps else set()
    for step in steps:
        for model in (step.model, *step.shadows):
            missing = sorted({tensor.name for tensor in model.inputs} - known)
            if missing:
                return f"the model {model.name} needs the input {missing[0]}, which no step before it gives"
        known |= {tensor.name for tensor in step.model.outputs}
    return ""
