"""Arrow in and out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tasks.pipelines.description import Deployment, Model, Step, Tensor
from tasks.pipelines.runtime.answers import Dataset, Timing
from tasks.pipelines.runtime.arrow import read_arrow, write_arrow
from tasks.pipelines.runtime.execution import Result
from tasks.pipelines.runtime.rows import InputError, Rows

TEXT = Tensor("text_input", "float", (None, 3))
MODEL = Model(1, "model", "v1", "0" * 64, 1, "model.onnx", 1, "", (TEXT,), (Tensor("main", "float", (None, 1)),))
DEPLOYMENT = Deployment(1, "mine", "mine", 1, "me", 1, "v1", (Step(MODEL),))


def file(compression: str | None = None, **columns: Any) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.table(columns)
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=2)
    return bytes(sink.getvalue())


def rows_of(values: Any, kind: Any) -> bytes:
    return file(text_input=pa.array(values, kind))


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32(), 3), pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.int8(), 3)]
)
def test_lists_of_every_kind_are_read(kind: Any) -> None:
    values = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    rows = read_arrow(rows_of(values, kind), [TEXT])
    assert rows.arrays["text_input"].dtype == np.float32
    assert rows.arrays["text_input"].tolist() == values


FIXED = pa.list_(pa.float32(), 3)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (rows_of([[1, 2, 3]], FIXED)[:-20], "not a whole Arrow IPC file"),
        (rows_of([[1, 2, 3]], FIXED)[:40], "not a whole Arrow IPC file"),
        (b"", "not a whole Arrow IPC file"),
        (b"ARROW1\0\0" + b"\xff" * 100 + b"ARROW1", "not a whole Arrow IPC file"),
        (rows_of([[1, 2, None]], FIXED), "null"),
        (rows_of([[1, 2, 3], None], FIXED), "null"),
        (rows_of([[1, 2, float("nan")]], FIXED), "NaN"),
        (rows_of([[1, 2, 3], [1, 2]], pa.list_(pa.float32())), "ragged"),
        (rows_of([[1, 2]], pa.list_(pa.float32(), 2)), "must have the shape [3], but has [2]"),
        (rows_of([["a", "b", "c"]], pa.list_(pa.string(), 3)), "must hold numbers"),
        (rows_of([1, 2], pa.timestamp("ms")), "must hold numbers"),
        (rows_of([], FIXED), "no rows"),
        (file(other=pa.array([1])), "lacks the field text_input"),
        (file("zstd", text_input=pa.array([[1, 2, 3]] * 1000, FIXED)), "compressed"),
        (file("lz4", text_input=pa.array([[1, 2, 3]] * 1000, FIXED)), "compressed"),
    ],
)
def test_what_is_wrong_is_said(body: bytes, told: str) -> None:
    with pytest.raises(InputError) as raised:
        read_arrow(body, [TEXT])
    assert told in raised.value.detail


def test_the_answer_has_a_column_for_each_field() -> None:
    values = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    result = Result(2, {"main": np.array([[0.5], [0.25]], np.float32)}, {}, (), 5)
    written = write_arrow(DEPLOYMENT, Rows({"text_input": values}, 2, True), result, Timing(1000, 1, 5), Dataset())
    table = pa.ipc.open_file(written).read_all()
    assert table.schema.field("time").type == pa.timestamp("ms")
    assert table.schema.field("in.text_input").type == pa.list_(pa.float32())
    assert table.schema.field("out.main").type == pa.list_(pa.float32())
    assert table.schema.field("anomaly.count").type == pa.uint32()
    assert table["in.text_input"].to_pylist() == values.tolist()
    assert table["out.main"].to_pylist() == [[0.5], [0.25]]
    assert table["metadata.elapsed"].to_pylist() == [[1, 5]] * 2
