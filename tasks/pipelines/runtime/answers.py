"""The answers in JSON: generation 1 is one result for all rows, generation 2 a record for each."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tasks.pipelines.description import Deployment, Tensor
from tasks.pipelines.runtime.execution import Outputs, Result
from tasks.pipelines.runtime.rows import Rows
from tasks.pipelines.runtime.tensors import STRING, tag

EVERYTHING = "*"
PARTS = ("time", "in", "out", "anomaly", "metadata")
NUMPY = orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True)
class Dataset:
    """Which parts of a record are wanted, and what stands between the parts of a name; "" nests them."""

    include: Sequence[str] = (EVERYTHING,)
    exclude: Sequence[str] = ()
    separator: str = ""

    def wants(self, part: str) -> bool:
        return part not in self.exclude and (EVERYTHING in self.include or part in self.include)


@dataclass(frozen=True)
class Timing:
    """When an answer was made (ms since the epoch), and the nanoseconds that reading and running took."""

    at: int
    parsed: int
    ran: int


def timing(parsed: int, result: Result) -> Timing:
    """The timing of an answer that is made now."""
    return Timing(int(time.time() * 1000), parsed, result.nanoseconds)


def one_result(deployment: Deployment, rows: Rows, result: Result, times: Timing) -> bytes:
    """Generation 1."""
    last = deployment.last
    shadows = {model.name: model for step in deployment.steps for model in step.shadows}
    return orjson.dumps(
        [
            {
                "model_name": last.name,
                "model_version": last.version,
                "pipeline_name": deployment.pipeline,
                "outputs": _tagged(result.outputs, last.outputs),
                "elapsed": times.parsed + times.ran,
                "time": times.at,
                # As it came: it was read before, so it is valid, and need not be written anew.
                "original_data": orjson.Fragment(rows.original) if rows.original else rows.arrays,
                "check_failures": [
                    {"False": {"expr": check.text}} for check, passed in result.checks if not passed.all()
                ],
                "shadow_data": {name: _tagged(result.shadows[name], shadows[name].outputs) for name in result.shadows},
            }
        ],
        option=NUMPY,
    )


def records(deployment: Deployment, rows: Rows, result: Result, times: Timing, dataset: Dataset) -> bytes:
    """Generation 2."""
    fields = list(_fields(deployment, rows, result, times, dataset))
    names = [name for name, _ in fields]
    if dataset.separator:
        flat = [dataset.separator.join(name) for name in names]
        return orjson.dumps(
            [dict(zip(flat, row, strict=True)) for row in zip(*(each for _, each in fields), strict=True)]
        )
    return orjson.dumps([_nested(names, row) for row in zip(*(each for _, each in fields), strict=True)])


def _fields(
    deployment: Deployment, rows: Rows, result: Result, times: Timing, dataset: Dataset
) -> Iterable[tuple[tuple[str, ...], Sequence[Any]]]:
    """The columns of the answer, with the parts of their names."""
    parts: dict[str, Mapping[str, Any]] = {
        "in": {name: array.tolist() for name, array in rows.arrays.items()},
        "out": {name: _listed(array) for name, array in result.outputs.items()},
        "anomaly": {"count": result.failures.tolist()},
        "metadata": {name: [value] * rows.count for name, value in metadata(deployment, times).items()},
    }
    if dataset.wants("time"):
        yield ("time",), [times.at] * rows.count
    for part, columns in parts.items():
        if dataset.wants(part):
            yield from (((part, name), values) for name, values in columns.items())
        if part == "out" and dataset.wants(part):
            yield from _shadow_fields(result)


def _shadow_fields(result: Result) -> Iterable[tuple[tuple[str, ...], Sequence[Any]]]:
    for model, outputs in result.shadows.items():
        yield from (((f"out_{model}", name), _listed(array)) for name, array in outputs.items())


def metadata(deployment: Deployment, times: Timing) -> dict[str, Any]:
    """What generation 2 says about a row beside its values."""
    last = {"model_name": deployment.last.name, "model_sha": deployment.last.sha}
    return {
        "last_model": orjson.dumps(last).decode(),
        "pipeline_version": deployment.version,
        "elapsed": [times.parsed, times.ran],
        "dropped": [],
        "partition": socket.gethostname(),
    }


def _listed(array: Any) -> list[Any]:
    """The rows, each a list: an output of one number a row is a list of one."""
    return list(array.reshape(len(array), -1).tolist())


def _nested(names: Sequence[tuple[str, ...]], row: Sequence[Any]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, value in zip(names, row, strict=True):
        if len(name) == 1:
            record[name[0]] = value
        else:
            record.setdefault(name[0], {})[name[1]] = value
    return record


def _tagged(outputs: Outputs, tensors: Sequence[Tensor]) -> list[dict[str, Any]]:
    types = {tensor.name: tensor.type for tensor in tensors}
    return [
        {
            tag(types[name]): {
                "v": 1,
                "dim": list(array.shape),
                "data": array.ravel().tolist() if types[name] == STRING else array.ravel(),
            }
        }
        for name, array in outputs.items()
    ]
