from __future__ import annotations

from typing import Any

import marshmallow as ma
import pytest
from flask import Flask
from flask.testing import FlaskClient

from webapp.http.arguments import ArgumentsParser

parser = ArgumentsParser()


class Body(ma.Schema):
    text = ma.fields.String(required=True)
    number = ma.fields.Integer()


@pytest.fixture(autouse=True)
def views(app: Flask) -> None:
    @app.post("/echo")
    @parser.use_args(Body(), location="json")
    def echo(values: dict[str, Any]) -> dict[str, Any]:
        return values


def post(client: FlaskClient, body: bytes) -> tuple[int, dict[str, Any]]:
    response = client.post("/echo", data=body, content_type="application/json")
    return response.status_code, response.get_json()


def test_valid_json_reaches_the_view(client: FlaskClient) -> None:
    assert post(client, b'{"text": "\xc3\xa4"}') == (200, {"text": "ä"})


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'text': 'a'}",
        b'{"text": "a",}',
        b'{"text": "\xff"}',
        b'{"text": "\\ud800"}',
        b'\xef\xbb\xbf{"text": "a"}',
        b'{"text": "a", "number": NaN}',
        b'{"text": "a", "number": 1e400}',
        b'{"text": "a", "text": "b"}',
        b'{"text": {"a": 1, "\\u0061": 2}}',
        b"[" * 900,
        b"[" * 490 + b'{"a":1,"a":1}' + b"]" * 490,
    ],
)
def test_broken_json_is_400(client: FlaskClient, body: bytes) -> None:
    status, problem = post(client, body)

    assert (status, problem["code"]) == (400, "malformed_json")


def test_json_that_is_nested_too_deep_is_400_and_no_recursion_error(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000

    status, problem = post(app.test_client(), b"[" * 100_000 + b"]" * 100_000)

    assert (status, problem["code"]) == (400, "malformed_json")


@pytest.mark.parametrize("body", [b"null", b"[]", b"1", b'"text"'])
def test_json_that_is_no_object_is_422(client: FlaskClient, body: bytes) -> None:
    status, problem = post(client, body)

    assert (status, problem["errors"][0]["pointer"]) == (422, "#")


def test_no_body_is_a_missing_field(client: FlaskClient) -> None:
    response = client.post("/echo")

    assert response.status_code == 422
    assert response.get_json()["errors"][0]["field"] == "text"


def test_a_field_of_the_wrong_type_and_an_unknown_one_are_both_named(client: FlaskClient) -> None:
    status, problem = post(client, b'{"text": 1, "other": 2}')

    assert status == 422
    assert {error["pointer"] for error in problem["errors"]} == {"#/text", "#/other"}


def test_a_million_values_are_judged_in_one_pass(app: Flask) -> None:
    import time

    app.config["MAX_CONTENT_LENGTH"] = 10_000_000
    started = time.process_time()
    status, _ = post(app.test_client(), b'{"text": [' + b"1," * 1_000_000 + b"1]}")
    assert status == 422
    assert time.process_time() - started < 20, "a fifth of a second; a quadratic look would take minutes"
