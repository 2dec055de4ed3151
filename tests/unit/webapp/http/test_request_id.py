from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tasks.jobs import logs
from webapp.http.request_id import current_request_id


@pytest.fixture(autouse=True)
def views(app: Flask) -> None:
    app.add_url_rule("/id", view_func=current_request_id)
    app.add_url_rule("/bound", view_func=lambda: dict(logs.context()))


def test_the_callers_id_is_kept(client: FlaskClient) -> None:
    response = client.get("/id", headers={"X-Request-ID": "abc-DEF_1.23"})

    assert response.text == response.headers["X-Request-ID"] == "abc-DEF_1.23"


@pytest.mark.parametrize(
    "sent", ["", "short", "x" * 65, "has space", 'quote"12345', "semi;colon", "Ümlaut-12", "1234567٣"]
)
def test_an_id_that_is_not_well_formed_is_replaced(client: FlaskClient, sent: str) -> None:
    response = client.get("/id", headers={"X-Request-ID": sent.encode().decode("latin-1")})

    assert response.text == response.headers["X-Request-ID"] != sent
    assert len(response.text) == 32


def test_every_request_has_an_id_of_its_own(client: FlaskClient) -> None:
    assert client.get("/id").text != client.get("/id").text


def test_an_error_carries_the_id_too(client: FlaskClient) -> None:
    assert client.get("/nowhere", headers={"X-Request-ID": "request-1"}).headers["X-Request-ID"] == "request-1"


def test_the_id_is_in_the_context_of_the_logs_and_nothing_of_the_last_request_is(client: FlaskClient) -> None:
    logs.bind(job_id="of-another-request")

    assert client.get("/bound", headers={"X-Request-ID": "request-1"}).get_json() == {"request_id": "request-1"}
