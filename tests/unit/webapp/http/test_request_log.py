from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, Response, g
from flask.testing import FlaskClient

Line = dict[str, Any]


def request_lines(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["event"] == "request"]


def test_a_request_is_one_line_without_the_values_of_its_query(client: FlaskClient, lines: list[Line]) -> None:
    headers = {"X-Request-ID": "request-1", "X-API-Key": "very-secret"}
    client.post("/a/path?key=very-secret", headers=headers, buffered=True)

    [line] = request_lines(lines)
    assert (line["method"], line["path"], line["status"]) == ("POST", "/a/path", 404)
    assert line["request_id"] == "request-1"
    assert line["duration_ms"] >= 0
    assert "very-secret" not in str(lines)


def test_the_job_and_the_principal_are_named_when_they_are_known(app: Flask, lines: list[Line]) -> None:
    @app.get("/job")
    def view() -> Response:
        g.principal = SimpleNamespace(id="key-1")
        return Response("", headers={"X-Job-ID": "job-1"})

    app.test_client().get("/job", buffered=True)

    [line] = request_lines(lines)
    assert (line["job_id"], line["principal"]) == ("job-1", "key-1")


def test_a_principal_is_not_carried_over_to_the_next_request(app: Flask, lines: list[Line]) -> None:
    @app.get("/me")
    def view() -> str:
        g.principal = SimpleNamespace(id="key-1")
        return ""

    client = app.test_client()
    client.get("/me", buffered=True)
    client.get("/nowhere", buffered=True)

    assert "principal" not in request_lines(lines)[1]


def test_a_stream_is_logged_when_it_is_over(app: Flask, lines: list[Line]) -> None:
    app.add_url_rule("/stream", view_func=lambda: iter(["a", "b"]))

    response = app.test_client().get("/stream", buffered=False)
    assert not request_lines(lines)
    assert response.data == b"ab"
    response.close()

    assert len(request_lines(lines)) == 1


def test_a_view_that_fails_is_logged_as_500(app: Flask, lines: list[Line]) -> None:
    @app.get("/fail")
    def view() -> str:
        raise RuntimeError

    app.test_client().get("/fail", buffered=True)

    assert request_lines(lines)[0]["status"] == 500


@pytest.mark.parametrize(("status", "level"), [(200, "debug"), (503, "info")])
def test_a_probe_is_worth_a_line_only_when_it_fails(app: Flask, lines: list[Line], status: int, level: str) -> None:
    def probe() -> tuple[dict[str, Any], int]:
        return {}, status

    app.add_url_rule("/readyz", view_func=probe)
    app.test_client().get("/readyz", buffered=True)

    assert request_lines(lines)[0]["level"] == level
