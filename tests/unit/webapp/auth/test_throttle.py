"""Who asks too often is sent away, and told when to come back."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tasks.jobs.environment import Secret, load
from tasks.jobs.settings import EngineSettings
from tasks.sdk import Catalogue
from webapp.auth.principals import STATIC, Principal
from webapp.auth.quotas import Quotas
from webapp.auth.throttle import caller_network
from webapp.factory import create_app
from webapp.settings import WebSettings

KEY = {"X-API-Key": "key"}


def client_of(catalogue: Catalogue, **settings: Any) -> FlaskClient:
    app = create_app(WebSettings(api_key=Secret("key"), **settings), EngineSettings(), catalogue=catalogue)
    return app.test_client()


def test_ten_a_minute_are_ten(catalogue: Catalogue) -> None:
    client = client_of(catalogue, rate_limits=("default.read=10/minute",))
    answers = [client.get("/v1/agents", headers=KEY) for _ in range(12)]
    assert [each.status_code for each in answers] == [200] * 10 + [429] * 2
    refused = answers[-1]
    assert refused.mimetype == "application/problem+json"
    assert refused.get_json()["code"] == "rate_limited"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit-Policy"] == '"read";q=10;w=60'
    assert refused.headers["RateLimit"] == f'"read";r=0;t={refused.headers["Retry-After"]}'
    assert answers[2].headers["RateLimit"] == '"read";r=7'


def test_classes_are_counted_apart(catalogue: Catalogue) -> None:
    client = client_of(catalogue, rate_limits=("default.read=1/minute", "default.run=1/minute"))
    assert client.get("/v1/agents", headers=KEY).status_code == 200
    assert client.post("/ai_service", json={}, headers=KEY).status_code == 422
    assert client.post("/ai_service", json={}, headers=KEY).status_code == 429


def test_users_of_a_marketplace_are_counted_apart(catalogue: Catalogue) -> None:
    client = client_of(catalogue, rate_limits=("default.read=1/minute",))
    for user in ("one", "two"):
        assert client.get("/v1/agents", headers=KEY | {"NVM-User-id": user}).status_code == 200
    assert client.get("/v1/agents", headers=KEY | {"NVM-User-id": "one"}).status_code == 429


def test_wrong_keys_are_counted_and_the_right_one_still_works(catalogue: Catalogue) -> None:
    client = client_of(catalogue, failure_limit="3/minute")
    wrong = [client.get("/v1/agents", headers={"X-API-Key": f"wrong-{n}"}).status_code for n in range(5)]
    assert wrong == [401] * 3 + [429] * 2
    assert client.get("/v1/agents", headers=KEY).status_code == 200
    other = client.get("/v1/agents", headers={"X-API-Key": "x"}, environ_base={"REMOTE_ADDR": "192.0.2.9"})
    assert other.status_code == 401


def test_an_address_without_a_key_is_counted_except_at_the_probes(catalogue: Catalogue) -> None:
    client = client_of(catalogue, address_limit="2/minute")
    assert [client.get("/").status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/v1/agents").status_code == 429
    assert client.get("/livez").status_code == client.get("/health").status_code == 200
    assert client.get("/v1/agents", headers=KEY).status_code == 200


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "True-Client-IP", "CF-Connecting-IP"]
)
def test_nobody_is_believed_about_the_address(catalogue: Catalogue, header: str) -> None:
    client = client_of(catalogue, address_limit="2/minute")
    answers = [client.get("/", headers={header: f"192.0.2.{n}"}).status_code for n in range(4)]
    assert answers == [200, 200, 429, 429]


def test_limits_can_be_turned_off(catalogue: Catalogue) -> None:
    client = client_of(catalogue, rate_limits=("off",), address_limit="off")
    for path in ("/", "/v1/agents"):
        answer = client.get(path, headers=KEY)
        assert answer.status_code == 200
        assert "RateLimit" not in answer.headers


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", "unknown"),
    ],
)
def test_an_address_is_as_much_of_it_as_one_customer_has(app: Flask, address: str, network: str) -> None:
    with app.test_request_context("/", environ_base={"REMOTE_ADDR": address}):
        assert caller_network() == network


def test_a_tier_has_what_it_names_and_the_rest_of_the_default() -> None:
    quotas = Quotas.read(("default.run=5/minute", "default.read=9/minute", "free.run=1/day"))
    free = Principal("key:1", "one", "api_key", tier="free")
    assert str(quotas.limit(free, "run")) == "1 per 1 day"
    assert str(quotas.limit(free, "read")) == "9 per 1 minute"
    assert str(quotas.limit(STATIC, "run")) == "5 per 1 minute"
    assert quotas.limit(STATIC, "pipelines:infer") is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RATE_LIMITS", "run=10/minute"),
        ("RATE_LIMITS", "default.run=often"),
        ("RATE_LIMITS", "default.walk=10/minute"),
        ("ADDRESS_LIMIT", "many"),
        ("FAILURE_LIMIT", "3 apples"),
        ("TOKEN_BUDGETS", "free:many"),
    ],
)
def test_a_limit_that_cannot_be_read_stops_the_start_by_name(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=variable):
        load(WebSettings, {variable: value})
