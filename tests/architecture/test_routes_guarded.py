"""Every route needs a key unless it is listed as public, in one place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from webapp.auth.guard import PUBLIC
from webapp.factory import create_app
from webapp.settings import WebSettings

# Listed once more, so that making a route public takes a second look.
MEANT_TO_BE_PUBLIC = {"/", "/health", "/livez", "/readyz", "/openapi.json", "/docs", "/docs/assets/<name>"} | {
    "/playground",
    "/playground/assets/<name>",
    "/v2/health/live",
    "/v2/health/ready",
}

ID = "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11"
VALUES = {"job_id": ID, "task_id": ID, "conversation_id": ID, "file_id": ID, "client_id": "me", "name": "name"}
VALUES |= {"deployment": "urldemopipeline-1", "pipeline": "urldemopipeline", "model": "urldemopipeline"}


@pytest.fixture(scope="module")
def app() -> Flask:
    # Port 9 is the discard service: whatever asks Redis here is refused.
    engine = EngineSettings(redis_url=Secret("redis://127.0.0.1:9/0"))
    # Every route is tried, one after the other: limits would answer instead of the guard.
    settings = WebSettings(
        api_key=Secret("the key"), address_limit="off", failure_limit="off", rate_limits=("off",), playground=True
    )
    return create_app(settings, engine)


# With these a request is one for a WebSocket; others do not read them.
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket"}


def guarded(app: Flask) -> Iterator[tuple[str, str, dict[str, str]]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in PUBLIC:
            yield from (
                (method, path_of(app, rule), UPGRADE if rule.websocket else {}) for method in sorted(rule.methods or ())
            )


def path_of(app: Flask, rule: Rule) -> str:
    values = {argument: VALUES[argument] for argument in rule.arguments}
    return app.url_map.bind("localhost").build(rule.endpoint, values)


def test_every_route_that_is_not_listed_answers_401_without_a_key(app: Flask) -> None:
    client, routes = app.test_client(), list(guarded(app))
    assert len(routes) > 10
    for method, path, headers in routes:
        answer = client.open(path, method=method, headers=headers)
        assert answer.status_code == 401, (method, path)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_wrong_key_opens_no_route(app: Flask) -> None:
    client = app.test_client()
    for method, path, headers in guarded(app):
        assert client.open(path, method=method, headers=headers | {"X-API-Key": "wrong"}).status_code == 401, (
            method,
            path,
        )


def test_only_what_is_meant_to_be_public_is_listed(app: Flask) -> None:
    listed = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint in PUBLIC}
    assert listed == MEANT_TO_BE_PUBLIC
    assert {rule.endpoint for rule in app.url_map.iter_rules()} >= PUBLIC
