from __future__ import annotations

import logging
from typing import Any

import flask_smorest
import marshmallow as ma
import pytest
from flask import Flask, abort, redirect
from flask.testing import FlaskClient
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import TooManyRequests, Unauthorized
from werkzeug.test import TestResponse

from webapp.http import problem
from webapp.http.problem import Problem, ProblemErrors, ProblemSchema

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id"}


def document(response: TestResponse) -> dict[str, Any]:
    assert response.mimetype == "application/problem+json"
    body = response.get_json()
    assert body.keys() >= MEMBERS
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["X-Request-ID"]
    assert not ProblemSchema(unknown=ma.INCLUDE).validate(body)
    return dict(body)


def raising(app: Flask, error: Exception) -> FlaskClient:
    @app.get("/raise")
    def view() -> str:
        raise error

    return app.test_client()


def test_a_problem_says_what_it_was_raised_with(app: Flask) -> None:
    raised = Problem(409, "job_running", "It runs.", headers={"Retry-After": "3"}, extra={"job": "j1"})

    response = raising(app, raised).get("/raise")

    body = document(response)
    assert response.status_code == 409
    assert response.headers["Retry-After"] == "3"
    assert response.headers["Cache-Control"] == "no-store"
    assert (body["code"], body["detail"], body["title"]) == ("job_running", "It runs.", "Conflict")
    assert body["type"] == "urn:slipway:problem:job_running"
    assert body["instance"] == "/raise"
    assert body["job"] == "j1"
    assert "errors" not in body


def test_extra_members_cannot_replace_the_standard_ones(app: Flask) -> None:
    response = raising(app, Problem(400, "bad", "Bad.", extra={"status": 200, "code": "good"})).get("/raise")

    body = document(response)
    assert (body["status"], body["code"]) == (400, "bad")


def test_a_problem_that_is_no_more_than_its_status_has_no_type_of_its_own(app: Flask) -> None:
    assert document(raising(app, Problem(404, "not_found", "No.")).get("/raise"))["type"] == "about:blank"


def test_an_unknown_path_is_404(client: FlaskClient) -> None:
    body = document(client.get("/nowhere/%C3%A4?q=secret"))

    assert (body["status"], body["code"], body["title"]) == (404, "not_found", "Not Found")
    assert body["instance"] == "/nowhere/%C3%A4"


def test_a_wrong_method_is_405_and_names_the_right_ones(app: Flask) -> None:
    app.add_url_rule("/thing", view_func=lambda: "", methods=["GET"])

    response = app.test_client().post("/thing")

    assert document(response)["code"] == "method_not_allowed"
    assert {"GET", "HEAD"} <= {name.strip() for name in response.headers["Allow"].split(",")}


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (TooManyRequests(retry_after=7), "Retry-After", "7"),
        (
            Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"realm": "x"})),
            "WWW-Authenticate",
            "Bearer realm=x",
        ),
    ],
)
def test_the_headers_of_an_exception_stay(app: Flask, error: Exception, header: str, value: str) -> None:
    response = raising(app, error).get("/raise")

    document(response)
    assert response.headers[header] == value


def test_a_redirect_is_left_alone(app: Flask) -> None:
    @app.get("/old")
    def view() -> str:
        abort(redirect("/new"))

    assert app.test_client().get("/old").headers["Location"] == "/new"


def test_an_unexpected_error_is_500_without_its_message_and_logged_with_its_traceback(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = raising(app, RuntimeError("the inside")).get("/raise")

    body = document(response)
    assert body["code"] == "internal_server_error"
    assert "inside" not in response.get_data(as_text=True)
    [record] = [record for record in caplog.records if record.exc_info]
    assert "the inside" in str(record.exc_info[1])  # type: ignore[index]


def test_redis_away_is_503_and_says_when_to_come_back(app: Flask) -> None:
    response = raising(app, RedisConnectionError("redis://user:pass@10.0.0.1 refused")).get("/raise")

    assert document(response)["code"] == "storage_unavailable"
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "10.0.0.1" not in response.get_data(as_text=True)


def test_a_command_that_redis_refuses_is_503_too(app: Flask) -> None:
    response = raising(app, ResponseError("OOM command not allowed when used memory > 'maxmemory'.")).get("/raise")

    assert response.status_code == 503


def test_text_that_cannot_be_encoded_does_not_turn_a_problem_into_a_crash(app: Flask) -> None:
    response = raising(app, Problem(422, "bad", "You sent \ud800.")).get("/raise")

    assert document(response)["detail"] == "You sent \ud800."


def test_validation_messages_become_a_list_of_errors(app: Flask) -> None:
    response = raising(app, validation_error({"json": {"param1": ["Missing data for required field."]}})).get("/raise")

    body = document(response)
    assert (response.status_code, body["code"]) == (422, "validation_failed")
    assert body["errors"] == [
        {
            "location": "body",
            "pointer": "#/param1",
            "field": "param1",
            "message": "Missing data for required field.",
        }
    ]


def validation_error(messages: dict[str, Any]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        flask_smorest.abort(422, messages=messages, headers={"X-Extra": "1"})
    return caught.value


def test_headers_that_a_validator_adds_are_sent(app: Flask) -> None:
    response = raising(app, validation_error({"json": {"a": ["No."]}})).get("/raise")

    assert response.headers["X-Extra"] == "1"


@pytest.mark.parametrize("api_first", [True, False])
def test_flask_smorest_answers_with_problems_whoever_registers_last(api_first: bool) -> None:
    class Api(ProblemErrors, flask_smorest.Api):  # type: ignore[misc]
        pass

    app = Flask(__name__)
    app.config.update(API_TITLE="t", API_VERSION="1", OPENAPI_VERSION="3.0.3")
    if api_first:
        Api(app)
        problem.init_app(app)
    else:
        problem.init_app(app)
        Api(app)
    app.add_url_rule("/thing", view_func=lambda: "", methods=["GET"])

    response = app.test_client().put("/thing")

    assert response.mimetype == "application/problem+json"
    assert "GET" in response.headers["Allow"]
