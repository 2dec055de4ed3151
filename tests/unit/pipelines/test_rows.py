"""What a model is given, from JSON: everything that is wrong with an input, and nothing lost of what is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

from tasks.pipelines.description import Tensor
from tasks.pipelines.runtime.rows import InputError, read_json

TEXT = Tensor("text_input", "float", (None, 3))
COUNT = Tensor("count", "int64", (None, 1))
ROW = [1, 2, 3]


def read(document: Any, *inputs: Tensor) -> Any:
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    return read_json(body, inputs or (TEXT,))


def test_an_object_of_columns_is_read() -> None:
    rows = read({"text_input": [ROW, [4, 5.5, 6]]})
    assert rows.arrays["text_input"].dtype == np.float32
    assert rows.arrays["text_input"].tolist() == [[1, 2, 3], [4, 5.5, 6]]
    assert (rows.count, rows.records) == (2, False)
    assert orjson.loads(rows.original) == {"text_input": [ROW, [4, 5.5, 6]]}


def test_a_list_of_records_is_read() -> None:
    rows = read([{"text_input": ROW, "count": 1}, {"count": 2, "text_input": ROW}], TEXT, COUNT)
    assert rows.arrays["count"].tolist() == [[1], [2]]
    assert rows.arrays["count"].dtype == np.int64
    assert (rows.count, rows.records) == (2, True)


@pytest.mark.parametrize("document", [{"tensor": [ROW]}, [{"tensor": ROW}]])
def test_the_only_input_may_be_called_tensor(document: Any) -> None:
    assert read(document).arrays["text_input"].tolist() == [ROW]


def test_booleans_and_texts_are_read() -> None:
    flag, word = Tensor("flag", "bool", (None, 1)), Tensor("word", "string", (None,))
    rows = read({"flag": [True, False], "word": ["a", "b"]}, flag, word)
    assert rows.arrays["flag"].tolist() == [[True], [False]]
    assert rows.arrays["word"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"text_input": [[1, 2, None]]}, "tensor values may not be null"),
        ({"text_input": [None]}, "tensor values may not be null"),
        ({"text_input": None}, "must be a list"),
        (b'{"text_input": [[1, 2, NaN]]}', "not valid JSON"),
        (b'{"text_input": [[1, 2, Infinity]]}', "not valid JSON"),
        (b'{"text_input": [[1, 2, 3]', "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        ({"text_input": [ROW, [1, 2]]}, "ragged"),
        ({"text_input": [[1, 2], [3]]}, "ragged"),
        ({"text_input": [ROW, 1]}, "ragged"),
        ({"text_input": [[1, 2]]}, "must have the shape [3], but has [2]"),
        ({"text_input": [[[1, 2, 3]]]}, "but has [1, 3]"),
        ({"text_input": ROW}, "but has []"),
        ({"text_input": [["a", "b", "c"]]}, "must hold numbers"),
        ({"text_input": [[1, 2, "3"]]}, "must hold numbers"),
        ({"text_input": [[1, 2, {}]]}, "must hold numbers"),
        ({"text_input": [[True, False, True]]}, "numbers only"),
        ({"text_input": [[1, 2, 1e300]]}, "too large"),
        ({"text_input": [[1, 2, 10**19]]}, ""),
        ({"text_input": []}, "no rows"),
        ({"text_input": [[]]}, "but has [0]"),
        ({}, "lacks the field text_input"),
        ({"text_input": [ROW], "other": [1]}, "has the field other, which is unknown"),
        ([], "no rows"),
        ([{}], "Record 0 lacks the field text_input"),
        ([{"text_input": ROW}, {}], "Record 1 lacks the field text_input"),
        ([{"text_input": ROW}, {"tensor": ROW}], "by several names"),
        ([{"text_input": ROW, "other": 1}], "has the field other"),
        ([{"text_input": ROW}, 7], "Record 1 is not an object"),
        ([{"text_input": None}], "tensor values may not be null"),
        (7, "must be an object of inputs, or a list of records"),
    ],
)
def test_what_is_wrong_is_said(document: Any, told: str) -> None:
    if told:
        with pytest.raises(InputError, match=r".*") as raised:
            read(document)
        assert told in raised.value.detail
        assert raised.value.code == "invalid_input"
    else:
        assert read(document).count == 1


@pytest.mark.parametrize("value", [1.5, 2**63, "1", -(2**80)])
def test_an_integer_is_not_made_of_anything_else(value: Any) -> None:
    with pytest.raises(InputError):
        read(orjson.dumps({"count": [[value]]}) if value != -(2**80) else b'{"count": [[-%d]]}' % 2**80, COUNT)


def test_all_inputs_have_the_same_number_of_rows() -> None:
    with pytest.raises(InputError, match="text_input has 1, count has 2"):
        read({"text_input": [ROW], "count": [1, 2]}, TEXT, COUNT)
