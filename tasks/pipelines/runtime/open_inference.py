"""Requests and answers of the Open Inference Protocol: tensors as JSON, or in binary behind it."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from tasks.pipelines.description import Deployment, Tensor
from tasks.pipelines.open_inference import BYTES, DATATYPES
from tasks.pipelines.runtime.execution import Result
from tasks.pipelines.runtime.rows import InputError, Rows, read_columns, to_type
from tasks.pipelines.runtime.tensors import NUMBERS, STRING, Array

# What the protocol leaves to servers, and this one does not do: it is refused instead of left out.
UNSUPPORTED = ("classification", "shared_memory_region", "sequence_id")
LENGTH = struct.Struct("<I")  # before each string


@dataclass(frozen=True)
class OpenRows(Rows):
    """Rows with what is wanted of the answer: the caller's own id, the outputs' names, and which of them in binary."""

    identifier: str = ""
    outputs: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class Sent:
    """A tensor as it was sent: its values as JSON, or its bytes."""

    shape: list[int]
    datatype: str
    values: Any
    binary: bytes | None


def read_open(body: bytes, json_bytes: int, deployment: Deployment) -> OpenRows:
    """Read a request whose first `json_bytes` are JSON; 0: all of it. Raises `InputError`."""
    document = _object(orjson_of(body[:json_bytes] if json_bytes else body), "The request")
    _refuse_unsupported(document)
    sent = dict(_sent(_list(document, "inputs"), body[json_bytes:] if json_bytes else b""))
    rows = read_columns(sent, deployment.inputs, to_array)
    outputs = tuple(_wanted(document, deployment.last.outputs))
    return OpenRows(rows.arrays, rows.count, identifier=str(document.get("id", "")), outputs=outputs)


def orjson_of(text: bytes) -> Any:
    """The JSON of a request."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError(f"The request is not valid JSON (NaN and Infinity are none): {error}") from error


def _sent(inputs: Sequence[Any], binary: bytes) -> Iterator[tuple[str, Sent]]:
    names, position = set[str](), 0
    for each in inputs:
        name, shape, datatype = (_object(each, "An input").get(key) for key in ("name", "shape", "datatype"))
        if not isinstance(name, str) or name in names:
            raise InputError("Each input must have a name of its own.")
        if not isinstance(shape, list) or not all(isinstance(size, int) and size >= 0 for size in shape):
            raise InputError(f"The shape of {name} must be a list of numbers.")
        size = _parameters(each).get("binary_data_size")
        piece = None
        if size is not None:
            if not isinstance(size, int) or not 0 <= size <= len(binary) - position:
                raise InputError(f"The body does not have the {size} bytes of {name}.")
            piece = binary[position : position + size]
            position += size
        names.add(name)
        yield name, Sent(shape, str(datatype), each.get("data"), piece)
    if position != len(binary):
        raise InputError(f"The body has {len(binary) - position} bytes more than its inputs say.")


def to_array(sent: Sent, tensor: Tensor) -> Array:
    """The array of a tensor as it was sent. JSON may nest its values as the shape says, or list them flat."""
    wanted = DATATYPES[tensor.type]
    if sent.datatype != wanted:
        raise InputError(f"{tensor.name} must be {wanted}, but is {sent.datatype[:20]}.")
    flat = _of_json(sent.values, tensor) if sent.binary is None else _of_bytes(sent.binary, tensor)
    if flat.size != math.prod(sent.shape):
        raise InputError(f"{tensor.name} has {flat.size} values, but the shape {sent.shape}.")
    if not sent.shape:
        raise InputError(f"{tensor.name} has no rows: its shape is empty.")
    return to_type(flat.reshape(sent.shape), tensor)


def _of_json(values: Any, tensor: Tensor) -> Array:
    if not isinstance(values, list):
        raise InputError(f"{tensor.name} has no data.")
    try:
        return np.array(values, dtype=object if tensor.type == STRING else None).ravel()
    except (ValueError, OverflowError) as error:
        raise InputError(f"{tensor.name} is ragged: its rows are of different lengths.") from error


def _of_bytes(binary: bytes, tensor: Tensor) -> Array:
    if tensor.type == STRING:
        return np.array(list(_strings(binary, tensor.name)), dtype=object)
    kind = np.dtype(NUMBERS[tensor.type]).newbyteorder("<")
    if len(binary) % kind.itemsize:
        raise InputError(f"{tensor.name} ends in the middle of a value.")
    return np.frombuffer(binary, kind)


def _strings(binary: bytes, name: str) -> Iterator[str]:
    position = 0
    try:
        while position < len(binary):
            end = position + LENGTH.size + LENGTH.unpack_from(binary, position)[0]
            if end > len(binary):
                raise InputError(f"{name} ends in the middle of a value.")
            yield binary[position + LENGTH.size : end].decode()
            position = end
    except (struct.error, UnicodeDecodeError) as error:
        raise InputError(f"{name} must hold strings in UTF-8, each after its length.") from error


def _wanted(document: Mapping[str, Any], known: Sequence[Tensor]) -> Iterator[tuple[str, bool]]:
    """The outputs that are wanted, all of them if none is named, and whether in binary."""
    names, usual = [tensor.name for tensor in known], bool(_parameters(document).get("binary_data_output"))
    for each in document.get("outputs") or [{"name": name} for name in names]:
        name = _object(each, "An output").get("name")
        if name not in names:
            raise InputError(f"The output {str(name)[:60]} is unknown; known are: {', '.join(names)}.")
        _refuse_unsupported(each)
        yield name, bool(_parameters(each).get("binary_data", usual))


def write_open(deployment: Deployment, rows: OpenRows, result: Result) -> tuple[bytes, int]:
    """The answer, and how much of it is JSON when tensors follow; otherwise 0."""
    types = {tensor.name: tensor.type for tensor in deployment.last.outputs}
    pieces = [(name, result.outputs[name], types[name], binary) for name, binary in rows.outputs]
    behind = [_bytes_of(array, kind) for _, array, kind, binary in pieces if binary]
    sizes = iter(map(len, behind))
    head = {
        "model_name": deployment.name,
        "model_version": deployment.version,
        **({"id": rows.identifier} if rows.identifier else {}),
        "outputs": [
            {"name": name, "datatype": DATATYPES[kind], "shape": list(array.shape)}
            | ({"parameters": {"binary_data_size": next(sizes)}} if binary else {"data": _values_of(array, kind)})
            for name, array, kind, binary in pieces
        ],
    }
    text = orjson.dumps(head, option=orjson.OPT_SERIALIZE_NUMPY)
    return b"".join((text, *behind)), len(text) if behind else 0


def _values_of(array: Array, kind: str) -> Any:
    return array.ravel().tolist() if DATATYPES[kind] == BYTES else np.ascontiguousarray(array.ravel())


def _bytes_of(array: Array, kind: str) -> bytes:
    if kind != STRING:
        return np.ascontiguousarray(array).astype(np.dtype(NUMBERS[kind]).newbyteorder("<")).tobytes()
    texts = [str(each).encode() for each in array.ravel()]
    return b"".join(LENGTH.pack(len(text)) + text for text in texts)


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{what} must be an object.")
    return value


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if not isinstance(value, list) or not value:
        raise InputError(f"The request must have a list of {name}.")
    return value


def _parameters(part: Mapping[str, Any]) -> Mapping[str, Any]:
    return _object(part.get("parameters", {}), "What is called parameters")


def _refuse_unsupported(part: Mapping[str, Any]) -> None:
    for name in UNSUPPORTED:
        if _parameters(part).get(name):
            raise InputError(f"This server does not do what the parameter {name} asks for.")
