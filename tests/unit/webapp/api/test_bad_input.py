"""Bad input is refused before there is a job, each with a problem that says what is wrong."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

JSON = {"Content-Type": "application/json"}
BODIES = ("/ai_service", "/ai-service", "/ai_service_binary", "/ai-service-binary", "/v1/agents/ai_service/run")


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    document: dict[str, Any] = answer.get_json()
    assert document["status"] == status
    assert document["request_id"] == answer.headers["X-Request-ID"]
    return document


@pytest.mark.parametrize("path", BODIES)
class TestBodies:
    """The bodies that every JSON endpoint must refuse."""

    def test_a_missing_parameter_is_named(self, client: FlaskClient, key: dict[str, str], path: str) -> None:
        errors = problem(client.post(path, json={}, headers=key), 422)["errors"]
        assert [error["field"] for error in errors] == ["param1"]
        assert errors[0]["pointer"] == "#/param1"

    def test_an_unknown_field_is_named(self, client: FlaskClient, key: dict[str, str], path: str) -> None:
        answer = client.post(path, json={"param1": "x", "owner": "me"}, headers=key)
        assert [error["field"] for error in problem(answer, 422)["errors"]] == ["owner"]

    def test_no_body_at_all_misses_its_parameters(self, client: FlaskClient, key: dict[str, str], path: str) -> None:
        assert problem(client.post(path, headers=key), 422)["errors"][0]["field"] == "param1"

    @pytest.mark.parametrize("body", [b"{", b"{'param1': 1}", b'{"param1": NaN}', b"\xff\xfe", b"[" * 5000])
    def test_broken_json_is_400(self, client: FlaskClient, key: dict[str, str], path: str, body: bytes) -> None:
        problem(client.post(path, data=body, headers=key | JSON), 400)

    @pytest.mark.parametrize("body", [b"[]", b'"text"', b"3", b"null"])
    def test_json_that_is_no_object_is_422(
        self, client: FlaskClient, key: dict[str, str], path: str, body: bytes
    ) -> None:
        problem(client.post(path, data=body, headers=key | JSON), 422)

    @pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
    def test_another_content_type_is_415(
        self, client: FlaskClient, key: dict[str, str], path: str, media_type: str
    ) -> None:
        answer = client.post(path, data=b'{"param1": "x"}', headers=key | {"Content-Type": media_type})
        problem(answer, 415)

    def test_a_body_over_the_limit_is_413(self, client: FlaskClient, key: dict[str, str], path: str) -> None:
        problem(client.post(path, json={"param1": "x" * 1024 * 1024}, headers=key), 413)

    def test_a_text_over_its_limit_is_422(self, client: FlaskClient, key: dict[str, str], path: str) -> None:
        errors = problem(client.post(path, json={"param1": "x" * 101}, headers=key), 422)["errors"]
        assert errors[0]["message"] == "must have at most 100 characters"


@pytest.mark.parametrize("path", BODIES[:4])
def test_a_query_is_judged_like_a_body(client: FlaskClient, key: dict[str, str], path: str) -> None:
    errors = problem(client.get(f"{path}?parm1=x", headers=key), 422)["errors"]
    assert {(error["location"], error["field"]) for error in errors} == {("query", "param1"), ("query", "parm1")}


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1/agents/nobody/run", "/v1/agents/nobody", "/v1/jobs/1", "/ai_service/"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_404_or_405(client: FlaskClient, key: dict[str, str], path: str, method: str) -> None:
    status = 405 if (path, method) == ("/v1/agents/nobody", "POST") else 404
    problem(client.open(path, method=method, headers=key), status)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/ai_service", {"GET", "POST"}),
        ("PUT", "/ai_service_binary", {"GET", "POST"}),
        ("GET", "/v1/agents/ai_service/run", {"POST"}),
        ("POST", "/health", {"GET"}),
        ("PATCH", "/v1/jobs/0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11/artifacts/x", {"GET", "DELETE"}),
    ],
)
def test_a_wrong_method_is_405_and_the_right_ones_are_named(
    client: FlaskClient, key: dict[str, str], method: str, path: str, allowed: set[str]
) -> None:
    answer = client.open(path, method=method, headers=key)
    problem(answer, 405)
    assert allowed <= {each.strip() for each in answer.headers["Allow"].split(",")}


@pytest.mark.parametrize("path", BODIES[:4])
def test_head_starts_no_job(client: FlaskClient, key: dict[str, str], path: str) -> None:
    # A job would connect to Redis, which fails a unit test.
    answer = client.head(f"{path}?param1=x", headers=key)
    assert answer.status_code == 405
    assert "HEAD" not in answer.headers["Allow"]


def test_a_record_that_refuses_its_values_is_422(client: FlaskClient, key: dict[str, str]) -> None:
    values = {"whole": 1, "number": 1, "flag": True, "choice": "long", "words": ["a"]}
    answer = client.post("/v1/agents/every_type/run", json=values | {"options": {"tags": ["forbidden"]}}, headers=key)
    assert problem(answer, 422)["errors"][0]["field"] == "options"


class TestForms:
    """An agent that takes a file takes a multipart form."""

    PATH = "/v1/agents/read_file/run"

    def test_json_is_415(self, client: FlaskClient, key: dict[str, str]) -> None:
        problem(client.post(self.PATH, json={"document": "x"}, headers=key), 415)

    def test_a_missing_file_is_named(self, client: FlaskClient, key: dict[str, str]) -> None:
        errors = problem(client.post(self.PATH, data={"pages": "1"}, headers=key | FORM), 422)["errors"]
        assert errors == [{"location": "body", "field": "document", "message": "Missing data for required field."}]

    def test_a_text_is_no_file_and_a_file_no_text(self, client: FlaskClient, key: dict[str, str]) -> None:
        data = {"document": "text", "pages": (BytesIO(b"1"), "pages.txt")}
        errors = problem(client.post(self.PATH, data=data, headers=key | FORM), 422)["errors"]
        assert sorted(error["field"] for error in errors) == ["document", "pages"]

    def test_an_unknown_part_is_named(self, client: FlaskClient, key: dict[str, str]) -> None:
        data = {"document": (BytesIO(b"1"), "a.txt"), "extra": (BytesIO(b"1"), "b.txt")}
        errors = problem(client.post(self.PATH, data=data, headers=key | FORM), 422)["errors"]
        assert [error["field"] for error in errors] == ["extra"]


FORM = {"Content-Type": "multipart/form-data"}


def test_what_is_given_twice_is_refused_in_a_query_and_in_a_form(client: FlaskClient, key: dict[str, str]) -> None:
    twice = problem(client.get("/ai_service?param1=one&param1=two", headers=key), 422)
    assert [(each["field"], each["message"]) for each in twice["errors"]] == [("param1", "is given more than once")]
    form = {"document": (BytesIO(b"text"), "a.txt"), "pages": ["1", "2"]}
    twice = problem(client.post("/v1/agents/read_file/run", data=form, headers=key | FORM), 422)
    assert [each["field"] for each in twice["errors"]] == ["pages"]
