"""The guard at the door."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

KEYS = "/v1/agents"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": "a-static-key-of-the-tests"},
        {"Authorization": "Bearer a-static-key-of-the-tests"},
        {"Authorization": "bearer   a-static-key-of-the-tests "},
        {"X-API-Key": "a-static-key-of-the-tests", "Authorization": "Bearer of-a-proxy"},
    ],
)
def test_a_valid_key_opens_the_door(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.get(KEYS, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ({}, "Bearer"),
        ({"X-API-Key": ""}, "Bearer"),
        ({"Authorization": "Basic YTpi"}, "Bearer"),
        ({"Authorization": "Bearer"}, "Bearer"),
        ({"Authorization": "a-static-key-of-the-tests"}, "Bearer"),
        ({"X-API-Key": "wrong"}, 'Bearer error="invalid_token"'),
        ({"X-API-Key": "a-static-key-of-the-test"}, 'Bearer error="invalid_token"'),
        ({"X-API-Key": "k" * 10_000}, 'Bearer error="invalid_token"'),
        ({"Authorization": "Bearer slipway_1_2"}, 'Bearer error="invalid_token"'),
    ],
)
def test_anything_else_is_answered_401_and_how_to_do_it(
    client: FlaskClient, headers: dict[str, str], challenge: str
) -> None:
    answer = client.get(KEYS, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == challenge
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["code"] == "unauthorized"


def test_a_key_in_the_query_is_no_key(client: FlaskClient) -> None:
    assert client.get(f"{KEYS}?api_key=a-static-key-of-the-tests").status_code == 401


def test_without_a_key_nothing_of_the_body_is_judged(client: FlaskClient) -> None:
    answer = client.post("/ai_service", data=b"{" * 2_000_000, content_type="application/json")
    assert answer.status_code == 401


def test_a_view_that_nobody_listed_is_guarded(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/added", "added", lambda: "open")
    assert client.get("/added").status_code == 401
