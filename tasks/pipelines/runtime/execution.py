"""Run the models of a deployment, one step after the other."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tasks.pipelines.checks import Check, parse
from tasks.pipelines.description import Deployment, Model
from tasks.pipelines.runtime.sessions import Load, Session, Sessions
from tasks.pipelines.runtime.tensors import Array

Outputs = dict[str, Array]


@dataclass(frozen=True)
class Result:
    """What came out for some rows: the last model's outputs, those of each shadow, and which rows pass each check."""

    rows: int
    outputs: Outputs
    shadows: dict[str, Outputs]
    checks: tuple[tuple[Check, Array], ...]
    nanoseconds: int

    def part(self, start: int, end: int) -> Result:
        """The same for some of the rows."""
        return Result(
            end - start,
            {name: array[start:end] for name, array in self.outputs.items()},
            {model: {name: array[start:end] for name, array in each.items()} for model, each in self.shadows.items()},
            tuple((check, passed[start:end]) for check, passed in self.checks),
            self.nanoseconds,
        )

    @property
    def by_row(self) -> bool:
        """Whether every output has a row for every row of the input, so that parts can be taken."""
        every = [self.outputs, *self.shadows.values()]
        return all(array.ndim and len(array) == self.rows for outputs in every for array in outputs.values())

    @property
    def failures(self) -> Array:
        """For each row, how many checks it fails."""
        return np.sum([~passed for _, passed in self.checks], axis=0, dtype=np.uint32) + np.zeros(self.rows, np.uint32)


def run(deployment: Deployment, sessions: Sessions, files: Mapping[str, Load], inputs: Mapping[str, Array]) -> Result:
    """Run all steps on all rows. `files` gives the content of each model by its digest."""
    began = time.perf_counter_ns()
    rows = len(next(iter(inputs.values())))
    known, shadows, outputs = dict(inputs), {}, {}
    for step in deployment.steps:
        shadows.update({model.name: _session(model, sessions, files).run(known) for model in step.shadows})
        outputs = _session(step.model, sessions, files).run(known)
        known |= outputs
    checks = tuple((check, check.holds(outputs, rows)) for check in map(parse, deployment.checks))
    return Result(rows, outputs, shadows, checks, time.perf_counter_ns() - began)


def _session(model: Model, sessions: Sessions, files: Mapping[str, Load]) -> Session:
    return sessions.get(model.sha, files[model.sha])
