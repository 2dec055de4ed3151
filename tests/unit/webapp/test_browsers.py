"""What browsers are told."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from tasks.sdk import Catalogue
from webapp.factory import create_app
from webapp.settings import WebSettings

LISTED = "https://app.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}


@pytest.fixture
def listing(catalogue: Catalogue) -> FlaskClient:
    settings = WebSettings(api_key=Secret("key"), cors_origins=(LISTED,))
    return create_app(settings, EngineSettings(), catalogue=catalogue).test_client()


def test_every_page_may_read_the_document_and_nothing_else(client: FlaskClient) -> None:
    assert (
        client.get("/openapi.json", headers={"Origin": "https://any.example"}).headers["Access-Control-Allow-Origin"]
        == "*"
    )
    for path in ("/", "/health", "/ai_service", "/nothing"):
        answer = client.get(path, headers={"Origin": "https://any.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_listed_origin_may_call_and_read_our_headers(listing: FlaskClient) -> None:
    answer = listing.get("/v1/agents", headers={"Origin": LISTED, "X-API-Key": "key"})
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
    assert "X-Job-ID" in answer.headers["Access-Control-Expose-Headers"]
    assert "Origin" in answer.vary


def test_errors_too_are_readable_by_a_listed_origin(listing: FlaskClient) -> None:
    for path in ("/v1/agents", "/nothing"):
        assert listing.get(path, headers={"Origin": LISTED}).headers["Access-Control-Allow-Origin"] == LISTED


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.evil.example", ""])
def test_another_origin_gets_nothing(listing: FlaskClient, origin: str) -> None:
    answer = listing.get("/v1/agents", headers={"Origin": origin, "X-API-Key": "key"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in answer.vary


def test_a_preflight_of_a_listed_origin_needs_no_key(listing: FlaskClient) -> None:
    answer = listing.options("/ai_service", headers={"Origin": LISTED, **PREFLIGHT})
    assert answer.status_code == 204
    assert "X-API-Key" in answer.headers["Access-Control-Allow-Headers"]
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


def test_a_preflight_of_another_origin_is_refused(listing: FlaskClient) -> None:
    answer = listing.options("/ai_service", headers={"Origin": "https://evil.example", **PREFLIGHT})
    assert answer.status_code == 401
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/assets/page.js", "/openapi.json", "/v1/agents", "/nothing"])
def test_every_answer_has_the_security_headers(app: Flask, client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-eval" not in headers["Content-Security-Policy"]


def test_an_answer_to_somebody_is_kept_by_no_shared_cache(client: FlaskClient, key: dict[str, str]) -> None:
    assert client.get("/v1/agents", headers=key).headers["Cache-Control"] == "private, no-cache"
    assert client.get("/nothing", headers=key).headers["Cache-Control"] == "no-store"


def test_over_tls_browsers_are_told_to_stay_there(client: FlaskClient) -> None:
    assert "max-age=" in client.get("/", base_url="https://localhost").headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in client.get("/").headers
