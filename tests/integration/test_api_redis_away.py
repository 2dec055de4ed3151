"""Redis is away: refused or silent, every answer comes soon and says when to come back."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.service import KEY, application, close
from tests.support.timing import least_seconds
from webapp import lifecycle

OTHER_KEY = f"slipway_0123456789abcdef_{'0' * 64}"
INPUT = {"param1": "a text"}
JOB = "/v1/jobs/0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11"

# What the service promises is 1 and 3 seconds; the rest is for a loaded machine.
SOON = {"refused": 3.0, "silent": 6.0}


@pytest.fixture(params=["refused", "silent"])
def away(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Flask, float]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "silent":
            listener.listen(100)
        app = application(f"redis://127.0.0.1:{listener.getsockname()[1]}/0", tmp_path)
        yield app, SOON[request.param]
        close(app)


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("POST", "/ai_service", KEY),
        ("POST", "/ai_service_binary", KEY),
        ("POST", "/v1/agents/ai_service/run", KEY),
        ("GET", JOB, KEY),
        ("GET", f"{JOB}/artifacts/result.pdf", KEY),
        ("DELETE", f"{JOB}/artifacts/result.pdf", KEY),
        ("GET", "/readyz", ""),
        ("GET", "/v1/agents", OTHER_KEY),
    ],
)
def test_what_needs_redis_is_503_and_says_when_to_come_back(
    away: tuple[Flask, float], method: str, path: str, key: str
) -> None:
    app, soon = away
    body = {"json": INPUT} if method == "POST" else {}
    answers: list[TestResponse] = []

    def ask() -> None:
        client = app.test_client()
        answers.append(client.open(path, method=method, headers={"X-API-Key": key}, **body))  # type: ignore[arg-type]

    assert least_seconds(soon, ask) < soon
    answer = answers[-1]
    assert answer.status_code == 503, answer.text
    assert answer.mimetype == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1
    assert "127.0.0.1" not in answer.text
    assert "X-Job-ID" not in answer.headers


def test_what_does_not_need_redis_goes_on(away: tuple[Flask, float]) -> None:
    client = away[0].test_client()
    for path in ("/", "/health", "/livez", "/openapi.json", "/docs"):
        assert client.get(path).status_code == 200
    assert client.get("/v1/agents", headers={"X-API-Key": KEY}).status_code == 200
    assert client.post("/ai_service", json={}, headers={"X-API-Key": KEY}).status_code == 422


def test_an_uploaded_file_does_not_stay_behind(away: tuple[Flask, float], tmp_path: Path) -> None:
    with Path(__file__).open("rb") as file:
        answer = (
            away[0]
            .test_client()
            .post("/v1/agents/read_file/run", data={"document": (file, "a.py")}, headers={"X-API-Key": KEY})
        )
    assert answer.status_code == 503
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_server_starts_because_nobody_can_know_that_there_is_no_key(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        lifecycle.refuse_without_key(
            application(f"redis://127.0.0.1:{closed.getsockname()[1]}/0", tmp_path, api_key="")
        )


@pytest.mark.parametrize("command", [["create", "--name", "me"], ["list"], ["revoke", "0123456789abcdef"]])
def test_the_commands_on_keys_say_so_in_a_line(away: tuple[Flask, float], command: list[str]) -> None:
    refused = away[0].test_cli_runner().invoke(args=["keys", *command])
    assert refused.exit_code == 1
    assert "Error: Redis, where the keys are kept, does not answer" in refused.output
    assert "Traceback" not in refused.output
