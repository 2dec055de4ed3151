from __future__ import annotations

import io
import json
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from flask.views import MethodView
from werkzeug.test import EnvironBuilder, run_wsgi_app

from webapp.http.limits import accepts

MAX_BODY = 1000


@pytest.fixture(autouse=True)
def views(app: Flask) -> None:
    @app.post("/json")
    def read_json() -> dict[str, int]:
        return {"length": len(request.get_data())}

    @app.post("/upload")
    @accepts("multipart/form-data")
    def upload() -> dict[str, int]:
        return {"length": len(request.files["file"].read())}

    @app.get("/get")
    def get() -> str:
        return "got"

    class Both(MethodView):
        @accepts("multipart/form-data", "application/json")
        def post(self) -> str:
            return "posted"

        def put(self) -> str:
            return "put"

    app.add_url_rule("/both", view_func=Both.as_view("both"))


def chunked(app: Flask, path: str = "/json", method: str = "POST") -> tuple[int, dict[str, Any]]:
    """A request of unknown length, as a server hands it over that has unchunked it."""
    environ = EnvironBuilder(path=path, method=method).get_environ()
    environ.pop("CONTENT_LENGTH", None)
    environ |= {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_TYPE": "application/json",
        "wsgi.input": io.BytesIO(b'{"a": 1}'),
        "wsgi.input_terminated": True,
    }
    body, status, _ = run_wsgi_app(app, environ, buffered=True)
    return int(status[:3]), json.loads(b"".join(body))


def test_a_body_up_to_the_limit_is_read(client: FlaskClient) -> None:
    body = b'"' + b"x" * (MAX_BODY - 2) + b'"'

    response = client.post("/json", data=body, content_type="application/json")

    assert response.get_json() == {"length": MAX_BODY}


def test_malformed_chunks_are_400_and_no_crash(app: Flask) -> None:
    class Broken:
        def read(self, size: int = -1) -> bytes:
            raise ArithmeticError("servers have their own exceptions")

    environ = EnvironBuilder(path="/json", method="POST", content_type="application/json").get_environ()
    environ.pop("CONTENT_LENGTH", None)
    environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": Broken(), "wsgi.input_terminated": True}

    body, status, _ = run_wsgi_app(app, environ, buffered=True)

    assert (status[:3], json.loads(b"".join(body))["code"]) == ("400", "malformed_body")


def test_a_body_over_the_limit_is_413_and_the_limit_is_said(client: FlaskClient) -> None:
    response = client.post("/json", data=b"x" * (MAX_BODY + 1), content_type="application/json")

    assert response.status_code == 413
    assert response.get_json()["limit"] == MAX_BODY
    assert response.get_json()["title"] == "Content Too Large"


def test_an_upload_over_the_limit_is_413(client: FlaskClient) -> None:
    response = client.post("/upload", data={"file": (io.BytesIO(b"x" * MAX_BODY), "a.bin")})

    assert response.status_code == 413


@pytest.mark.parametrize(("path", "method"), [("/json", "POST"), ("/upload", "POST"), ("/get", "GET"), ("/no", "POST")])
def test_a_body_of_unknown_length_is_411_before_it_is_read(app: Flask, path: str, method: str) -> None:
    status, body = chunked(app, path, method)

    assert (status, body["code"]) == (411, "length_required")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_that_is_no_json_is_415_and_told_what_to_send(client: FlaskClient, content_type: str) -> None:
    response = client.post("/json", data=b"{}", content_type=content_type)

    assert response.status_code == 415
    assert response.headers["Accept"] == "application/json"


def test_json_with_a_charset_is_json(client: FlaskClient) -> None:
    assert client.post("/json", data=b"{}", content_type="application/json; charset=utf-8").status_code == 200


def test_a_view_that_accepts_multipart_is_given_it(client: FlaskClient) -> None:
    response = client.post("/upload", data={"file": (io.BytesIO(b"data"), "a.bin")})

    assert response.get_json() == {"length": 4}


def test_a_view_that_accepts_multipart_alone_refuses_json(client: FlaskClient) -> None:
    assert client.post("/upload", json={}).status_code == 415


def test_the_methods_of_a_class_accept_each_their_own(client: FlaskClient) -> None:
    assert client.post("/both", data={"a": "b"}, content_type="multipart/form-data").status_code == 200
    assert client.put("/both", data={"a": "b"}, content_type="multipart/form-data").status_code == 415


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, identity"])
def test_a_compressed_body_is_415(client: FlaskClient, coding: str) -> None:
    response = client.post("/json", data=b"{}", content_type="application/json", headers={"Content-Encoding": coding})

    assert response.status_code == 415
    assert response.headers["Accept-Encoding"] == "identity"


def test_no_body_at_all_is_left_to_the_view(client: FlaskClient) -> None:
    assert client.post("/json").get_json() == {"length": 0}


def test_the_body_of_a_get_means_nothing(client: FlaskClient) -> None:
    response = client.get("/get", data=b"whatever", content_type="text/plain")

    assert response.get_data() == b"got"


def test_a_body_that_ends_early_is_400(app: Flask) -> None:
    environ = EnvironBuilder(path="/json", method="POST", content_type="application/json").get_environ()
    environ |= {"CONTENT_LENGTH": "100", "wsgi.input": io.BytesIO(b'{"a": 1}'), "wsgi.input_terminated": True}

    body, status, _ = run_wsgi_app(app, environ, buffered=True)

    assert (status[:3], json.loads(b"".join(body))["code"]) == ("400", "incomplete_body")


def test_an_unknown_path_is_404_whatever_is_sent_to_it(client: FlaskClient) -> None:
    assert client.post("/no", data=b"x", content_type="text/plain").status_code == 404
