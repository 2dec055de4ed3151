"""Pipelines that are declared by a folder: a `pipeline.json` and the models that it names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tasks.pipelines.definition import written
from tasks.pipelines.description import SHARED, Batching, Deployment, Model, Workspace
from tasks.pipelines.management import Management
from tasks.pipelines.registry import NameTaken, Registry

FILE = "pipeline.json"
PIECE = 1024 * 1024


@dataclass(frozen=True)
class Folder:
    """`models` are the steps in their order, by name and file; all of it goes into a workspace that everybody sees."""

    workspace: str
    pipeline: str
    models: tuple[tuple[str, Path], ...]
    checks: tuple[str, ...] = ()
    batching: Batching = Batching()

    @classmethod
    def read(cls, path: Path) -> Folder:
        """Read a folder's description. Raises what reading it raises."""
        stored: Mapping[str, Any] = orjson.loads((path / FILE).read_bytes())
        return cls(
            stored["workspace"],
            stored["pipeline"],
            tuple((each["name"], path / each["file"]) for each in stored["models"]),
            tuple(stored.get("checks", ())),
            Batching(**stored.get("batching", {})),
        )

    @property
    def complete(self) -> bool:
        """Whether every model is there."""
        return all(file.is_file() for _, file in self.models)


def find(roots: Iterable[str]) -> Iterator[Path]:
    """The folders with a description right below these."""
    for root in roots:
        yield from sorted(path.parent for path in Path(root).glob(f"*/{FILE}"))


def shared_workspace(registry: Registry, name: str) -> Workspace:
    """The workspace of that name that everybody sees, made when there is none."""
    found = registry.find_workspace(name, SHARED)
    try:
        return found or registry.create_workspace(name, SHARED)
    except NameTaken:  # just now
        return shared_workspace(registry, name)


def deploy_folder(folder: Folder, management: Management, registry: Registry) -> Deployment | None:
    """Deploy it when it is new: when its pipeline has never had these models. None: what there is stays as it is.

    So a pipeline that somebody has undeployed or replaced is not brought back by the next worker that starts.
    """
    workspace = shared_workspace(registry, folder.workspace)
    known = [model for model in registry.models() if model.workspace == workspace.id]
    if registry.find_pipeline(folder.pipeline, workspace.id) and all(
        any(model.name == name and model.sha == _sha(file) for model in known) for name, file in folder.models
    ):
        return None
    models = [_added(management, workspace, name, file) for name, file in folder.models]
    return deploy_models(management, workspace, folder.pipeline, [[model] for model in models], folder)


def deploy_models(
    management: Management,
    workspace: Workspace,
    name: str,
    steps: Sequence[Sequence[Model]],
    said: Folder,
) -> Deployment:
    """Deploy a new version of a pipeline: these models one after the other, each with its shadows."""
    pipeline, variant = management.add_variant(workspace, name, written(steps, said.checks, said.batching))
    return management.deploy(workspace, pipeline, variant, name)


def _added(management: Management, workspace: Workspace, name: str, file: Path) -> Model:
    return management.add_model(workspace, name, file.name, lambda: pieces(file), SHARED)


def pieces(file: Path) -> Iterator[bytes]:
    """The content of a file."""
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            yield piece


def _sha(file: Path) -> str:
    digest = hashlib.sha256()
    for piece in pieces(file):
        digest.update(piece)
    return digest.hexdigest()
