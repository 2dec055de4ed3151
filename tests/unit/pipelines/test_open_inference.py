"""Bodies of the Open Inference Protocol, for every type of tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

from tasks.pipelines.description import Deployment, Model, Step, Tensor
from tasks.pipelines.open_inference import DATATYPES, metadata
from tasks.pipelines.runtime.execution import Result
from tasks.pipelines.runtime.open_inference import OpenRows, read_open, write_open
from tasks.pipelines.runtime.rows import InputError
from tasks.pipelines.runtime.tensors import NUMBERS

TEXTS = np.array(
    [
        ["né"],
        [
            "",
        ],
    ],
    dtype=object,
)


def deployment(kind: str, width: int | None = 1) -> Deployment:
    tensor = Tensor("x", kind, (None, width))
    model = Model(1, "m", "v", "0" * 64, 1, "m.onnx", 1, "", (tensor,), (tensor,))
    return Deployment(1, "d", "p", 1, "me", 1, "version", (Step(model),))


def values_of(kind: str) -> Any:
    return TEXTS if kind == "string" else np.array([[1], [0]]).astype(NUMBERS[kind])


def answered(kind: str, rows: OpenRows) -> tuple[dict[str, Any], bytes]:
    result = Result(rows.count, {"x": rows.arrays["x"]}, {}, (), 1)
    content, json_bytes = write_open(deployment(kind), rows, result)
    return orjson.loads(content[:json_bytes] if json_bytes else content), content[json_bytes:] if json_bytes else b""


@pytest.mark.parametrize("kind", DATATYPES)
@pytest.mark.parametrize("binary", [False, True])
def test_values_come_back_as_they_were_sent(kind: str, binary: bool) -> None:
    values = values_of(kind)
    # What a first answer in binary says is sent as the second request.
    tensor = {"name": "x", "datatype": DATATYPES[kind], "shape": [2, 1]}
    request = {"id": "7", "inputs": [{**tensor, "data": values.tolist()}], "parameters": {"binary_data_output": binary}}
    first = read_open(orjson.dumps(request), 0, deployment(kind))
    said, tail = answered(kind, first)
    assert said["id"] == "7"
    [output] = said["outputs"]
    assert bool(tail) is ("data" not in output) is binary
    again = {"inputs": [{**tensor, **{key: output[key] for key in ("data", "parameters") if key in output}}]}
    head = orjson.dumps(again)
    second = read_open(head + tail, len(head) if binary else 0, deployment(kind))
    assert second.arrays["x"].dtype == first.arrays["x"].dtype == values.dtype
    assert second.arrays["x"].tolist() == values.tolist()


def test_values_in_json_may_be_nested_or_flat() -> None:
    for data in ([[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0, 3.0, 4.0]):
        request = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [2, 2], "data": data}]}
        rows = read_open(orjson.dumps(request), 0, deployment("float", 2))
        assert rows.arrays["x"].tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "tail", [b"\x05\0\0\0ab", b"\x01\0", b"\x01\0\0\0\xff"], ids=["short", "no length", "not UTF-8"]
)
def test_strings_that_are_cut_short_are_told(tail: bytes) -> None:
    parameters = {"binary_data_size": len(tail)}
    head = orjson.dumps({"inputs": [{"name": "x", "datatype": "BYTES", "shape": [1, 1], "parameters": parameters}]})
    with pytest.raises(InputError):
        read_open(head + tail, len(head), deployment("string"))


def test_only_the_outputs_that_are_asked_for_come_in_the_way_that_each_is_asked_for() -> None:
    request = {
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [1.0]}],
        "outputs": [{"name": "x", "parameters": {"binary_data": False}}],
        "parameters": {"binary_data_output": True},
    }
    assert read_open(orjson.dumps(request), 0, deployment("float")).outputs == (("x", False),)


def test_a_deployment_is_described_with_sizes_that_may_vary_as_minus_one() -> None:
    said = metadata(deployment("int64", None))
    assert said["inputs"] == said["outputs"] == [{"name": "x", "datatype": "INT64", "shape": [-1, -1]}]
    assert (said["name"], said["platform"]) == ("d", "onnxruntime_onnx")
