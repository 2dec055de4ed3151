"""Arrow in and out: IPC files, whose columns become arrays and back."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from flatbuffers import encode, packer
from flatbuffers.number_types import Uint8Flags
from flatbuffers.table import Table

from tasks.pipelines.description import Deployment, Tensor
from tasks.pipelines.runtime.answers import Dataset, Timing, metadata
from tasks.pipelines.runtime.execution import Result
from tasks.pipelines.runtime.rows import InputError, Rows, read_columns, to_type
from tasks.pipelines.runtime.tensors import Array

MAGIC = b"ARROW1"
HEAD = MAGIC + b"\0\0"
# Places in the tables of https://github.com/apache/arrow/blob/main/format/Message.fbs: what a message is, what it
# holds, and of a record batch how it is compressed; and the two kinds of messages that are needed.
HEADER_TYPE, HEADER, COMPRESSION = 6, 8, 10
SCHEMA, RECORD_BATCH = 1, 3

SEPARATOR = "."  # between the parts of a column's name, when the caller says nothing


def read_arrow(body: bytes, inputs: Sequence[Tensor]) -> Rows:
    """Read an Arrow IPC file: a magic word, a stream, and a footer that we need not believe."""
    if not (body.startswith(HEAD) and body.endswith(MAGIC)):
        raise InputError("The body is not a whole Arrow IPC file.")
    stream = pa.py_buffer(body)[len(HEAD) :]
    try:
        _check_messages(stream)
        with pa.ipc.open_stream(stream) as reader:
            table = reader.read_all()
        table.validate(full=True)  # what it says of its offsets and lengths is not to be believed
    except (pa.ArrowException, OSError, ValueError, LookupError, struct.error) as error:
        raise InputError("The body is not a whole Arrow IPC file.") from error
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    return read_columns(columns, inputs, to_array)


def _check_messages(stream: Any) -> None:
    """Refuse what a few bytes could unfold to anything: compressed buffers, and dictionaries that rows point into."""
    for message in pa.ipc.MessageReader.open_stream(stream):
        metadata = bytearray(message.metadata)
        root = Table(metadata, encode.Get(packer.uoffset, metadata, 0))
        kind = root.Get(Uint8Flags, root.Pos + root.Offset(HEADER_TYPE))
        header = Table(metadata, 0)
        root.Union(header, root.Offset(HEADER))
        if kind not in (SCHEMA, RECORD_BATCH) or (kind == RECORD_BATCH and header.Offset(COMPRESSION)):
            raise InputError("The Arrow file is compressed or has dictionaries: send plain columns.")


def to_array(column: Any, tensor: Tensor) -> Array:
    """A column, whose lists become dimensions."""
    shape = [len(column)]
    while _is_list(column.type):
        _refuse_nulls(column)
        shape.append(_width(column, tensor))
        column = column.flatten()
    _refuse_nulls(column)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        flat = (
            np.array(column.to_pylist(), dtype=object)
            if tensor.type == "string"
            else column.to_numpy(False).astype("U")
        )
    elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type):
        flat = column.to_numpy(zero_copy_only=False)
    else:
        raise InputError(f"{tensor.name} must hold numbers, but holds {column.type}.")
    return to_type(flat.reshape(shape), tensor)


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _refuse_nulls(column: Any) -> None:
    if column.null_count:
        raise InputError("tensor values may not be null")


def _width(column: Any, tensor: Tensor) -> int:
    if pa.types.is_fixed_size_list(column.type):
        return int(column.type.list_size)
    lengths = set(pc.unique(pc.list_value_length(column)).to_pylist())
    if len(lengths) > 1:
        raise InputError(f"{tensor.name} is ragged: its rows are of different lengths.")
    return int(lengths.pop()) if lengths else 0


def write_arrow(deployment: Deployment, rows: Rows, result: Result, times: Timing, dataset: Dataset) -> bytes:
    """Generation 2 as an Arrow IPC file."""
    columns: dict[str, Any] = {}
    joined = dataset.separator or SEPARATOR
    if dataset.wants("time"):
        columns["time"] = pa.array([times.at] * rows.count, pa.timestamp("ms"))
    if dataset.wants("in"):
        columns |= {f"in{joined}{name}": _lists(array) for name, array in rows.arrays.items()}
    if dataset.wants("out"):
        columns |= {f"out{joined}{name}": _lists(array) for name, array in result.outputs.items()}
        for model, outputs in result.shadows.items():
            columns |= {f"out_{model}{joined}{name}": _lists(array) for name, array in outputs.items()}
    if dataset.wants("anomaly"):
        columns[f"anomaly{joined}count"] = pa.array(result.failures, pa.uint32())
    if dataset.wants("metadata"):
        said = metadata(deployment, times)
        columns |= {
            f"metadata{joined}{name}": pa.array([value] * rows.count, _TYPES[name]) for name, value in said.items()
        }
    return _file(pa.table(columns))


_TYPES = {
    "last_model": pa.string(),
    "pipeline_version": pa.string(),
    "elapsed": pa.list_(pa.uint64()),
    "dropped": pa.list_(pa.string()),
    "partition": pa.string(),
}


def _lists(array: Array) -> Any:
    flat = array.reshape(len(array), -1)
    offsets = np.arange(0, flat.size + 1, flat.shape[1] or 1, dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat.ravel()))


def _file(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
