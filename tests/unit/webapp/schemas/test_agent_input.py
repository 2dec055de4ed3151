"""The schema of an agent's input, made from its signature."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import marshmallow as ma
import pytest
from werkzeug.datastructures import FileStorage

from tasks.sdk import Catalogue
from webapp.schemas.agent_input import InputSchemas
from webapp.schemas.fields import FileId

GOOD: dict[str, Any] = {
    "whole": 3,
    "number": 1.5,
    "flag": True,
    "choice": "short",
    "words": ["a"],
    "options": {"depth": 1},
}
GOOD_TEXT: dict[str, Any] = {
    "whole": "3",
    "number": "1.5",
    "flag": "true",
    "choice": "short",
    "words": ["a"],
    "options": '{"depth": 1}',
}

FILE_ID = "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11"


@pytest.fixture
def json(catalogue: Catalogue) -> ma.Schema:
    return InputSchemas().json(catalogue["every_type"])


@pytest.fixture
def text(catalogue: Catalogue) -> ma.Schema:
    return InputSchemas().text(catalogue["every_type"])


def faults(schema: ma.Schema, values: Any) -> dict[str, Any]:
    try:
        schema.load(values)
    except ma.ValidationError as error:
        return dict(error.normalized_messages())  # type: ignore[no-untyped-call]
    return {}


def test_values_of_the_right_types_pass_unchanged(json: ma.Schema) -> None:
    assert json.load(GOOD) == GOOD


def test_text_becomes_the_same_values(text: ma.Schema) -> None:
    assert text.load(GOOD_TEXT) == GOOD


def test_defaults_are_left_to_the_agent(json: ma.Schema) -> None:
    assert "level" not in json.load(GOOD)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", "3"),
        ("whole", 3.5),
        ("whole", True),
        ("whole", None),
        ("whole", -1),
        ("whole", 11),
        ("whole", 2**70),
        ("number", "1.5"),
        ("number", True),
        ("number", float("nan")),
        ("number", float("inf")),
        ("flag", 1),
        ("flag", "true"),
        ("choice", "medium"),
        ("choice", ["short"]),
        ("choice", None),
        ("words", "a"),
        ("words", []),
        ("words", [1]),
        ("options", []),
        ("options", {"depth": 9}),
        ("options", {"deep": 1}),
        ("options", None),
        ("level", True),
        ("level", 3),
        ("level", "1"),
        ("unknown", 1),
    ],
)
def test_a_wrong_json_value_is_refused_and_named(json: ma.Schema, name: str, value: Any) -> None:
    assert list(faults(json, GOOD | {name: value})) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", 3.0),
        ("number", 2),
        ("words", ["", "ü", "\x00"]),
        ("options", {}),
        ("options", {"tags": None}),
        ("level", None),
        ("level", 2),
    ],
)
def test_what_json_schema_allows_is_allowed(json: ma.Schema, name: str, value: Any) -> None:
    assert json.load(GOOD | {name: value})[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", "3.0"),
        ("whole", " 3"),
        ("whole", "1_0"),
        ("whole", "٣"),
        ("whole", "9" * 30),
        ("whole", ""),
        ("number", "nan"),
        ("number", "infinity"),
        ("number", "1e999"),
        ("number", "1,5"),
        ("flag", "yes"),
        ("flag", ""),
        ("choice", "SHORT"),
        ("options", "depth=1"),
        ("options", '{"depth": 9}'),
        ("options", "[" * 5000),
        ("level", "3"),
        ("level", "null"),
        ("unknown", "1"),
    ],
)
def test_a_wrong_text_value_is_refused_and_named(text: ma.Schema, name: str, value: str) -> None:
    assert list(faults(text, GOOD_TEXT | {name: value})) == [name]


def test_every_missing_parameter_is_named(json: ma.Schema) -> None:
    assert sorted(faults(json, {})) == sorted(GOOD)


def test_a_fault_inside_of_a_record_has_its_path(json: ma.Schema) -> None:
    assert faults(json, GOOD | {"options": {"depth": 9}}) == {"options": {"depth": ["must be at most 5"]}}


@pytest.mark.parametrize("body", [[], "text", 3, None])
def test_a_body_that_is_no_object_is_refused(json: ma.Schema, body: Any) -> None:
    assert "_schema" in faults(json, body)


def test_a_file_is_a_file_or_the_id_of_one(catalogue: Catalogue) -> None:
    schema = InputSchemas().text(catalogue["read_file"])
    file = FileStorage(BytesIO(b"x"), "x.txt")
    assert schema.load({"document": file, "pages": "2", "others": [file]}) == {
        "document": file,
        "pages": 2,
        "others": [file],
    }
    assert schema.load({"document": FILE_ID}) == {"document": FileId(FILE_ID)}
    assert faults(schema, {"document": "x"}) == {"document": ["must be a file, or the id of one that was uploaded"]}
    assert faults(schema, {"document": file, "pages": file}) == {"pages": ["Not a valid integer."]}


def test_the_schema_of_an_agent_is_made_once(catalogue: Catalogue) -> None:
    inputs = InputSchemas()
    agent = catalogue["ai_service"]
    assert type(inputs.json(agent)) is type(inputs.json(agent)) is not type(inputs.text(agent))
