"""The API as its clients meet it: over sockets, with gunicorn in front and workers behind."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from deploy.local.stack import Stack

TEXT = "Ships are launched from a ramp. A ramp is a slope into the water. Launching a ship takes a day."


@pytest.fixture
def http_client(stack: Stack) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {stack.api_key}"
        yield session


def ended(client: requests.Session, url: str, seconds: float = 30) -> dict[str, Any]:
    """The job at `url` when it has ended."""
    deadline = time.monotonic() + seconds
    while True:
        job: dict[str, Any] = client.get(url, timeout=10).json()
        if job["status"] in ("completed", "failed", "canceled"):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.1)


def test_the_ai_service_answers_get_and_post(stack: Stack, http_client: requests.Session) -> None:
    values = {"param1": TEXT, "param2": "How long does a launch take?"}
    by_query = http_client.get(f"{stack.url}/ai_service", params=values, timeout=70)
    by_body = http_client.post(f"{stack.url}/ai_service", json=values, timeout=70)
    assert by_query.status_code == by_body.status_code == 200
    assert by_query.json()["result"] == by_body.json()["result"] != ""


def test_the_binary_service_answers_with_a_pdf(stack: Stack, http_client: requests.Session) -> None:
    answer = http_client.post(f"{stack.url}/ai_service_binary", json={"param1": TEXT}, timeout=70)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'inline; filename="result.pdf"'
    assert answer.content.startswith(b"%PDF-")
    # The grace is 60 seconds here, so the same file is still where the answer says it is.
    again = http_client.get(f"{stack.url}{answer.headers['Content-Location']}", timeout=10)
    assert again.content == answer.content


def test_a_run_answers_with_its_job(stack: Stack, http_client: requests.Session) -> None:
    answer = http_client.post(f"{stack.url}/v1/agents/echo/run", json={"text": "hello"}, timeout=70)
    job = answer.json()
    assert (answer.status_code, job["status"], job["result"]) == (200, "completed", "hello")
    assert answer.headers["X-Job-ID"] == job["id"]


def test_a_run_in_the_background_ends_and_its_tokens_are_joined(stack: Stack, http_client: requests.Session) -> None:
    answer = http_client.post(
        f"{stack.url}/v1/agents/count/run",
        json={"to": 5, "pause": 0.01},
        headers={"Prefer": "respond-async"},
        timeout=10,
    )
    assert answer.status_code == 202
    job = ended(http_client, stack.url + answer.headers["Location"])
    assert job["result"] == "1 2 3 4 5 "
    assert job["progress"]["fraction"] == 1


def test_what_goes_wrong_inside_stays_inside(stack: Stack, http_client: requests.Session) -> None:
    url = f"{stack.url}/v1/agents/fail/run"
    told = http_client.post(url, json={"how": "agent_error"}, timeout=70)
    assert (told.status_code, told.json()["code"]) == (500, "unknown_language")
    untold = http_client.post(url, json={"how": "bug"}, timeout=70)
    assert untold.status_code == 500
    assert "secret" not in untold.text


def test_many_at_once_each_get_their_own_answer(stack: Stack, http_client: requests.Session) -> None:
    def echo(number: int) -> str:
        body = {"text": f"text {number}"}
        headers = dict(http_client.headers)
        answer = requests.post(f"{stack.url}/v1/agents/echo/run", json=body, headers=headers, timeout=70)
        return str(answer.json()["result"])

    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(echo, range(200))) == [f"text {number}" for number in range(200)]


def test_head_starts_no_job_on_the_wire_either(stack: Stack, http_client: requests.Session) -> None:
    answer = http_client.head(f"{stack.url}/ai_service?param1=x", timeout=10)
    assert answer.status_code == 405
    assert "X-Job-ID" not in answer.headers


def test_a_body_of_unknown_length_is_411(stack: Stack) -> None:
    headers = {"X-API-Key": stack.api_key, "Content-Type": "application/json"}
    answer = requests.post(f"{stack.url}/ai_service", data=iter([b'{"param1": "x"}']), headers=headers, timeout=10)
    assert answer.status_code == 411
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_body_over_the_limit_is_413_before_it_is_sent(stack: Stack) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    connection.putrequest("POST", "/ai_service")
    for name, value in (
        ("X-API-Key", stack.api_key),
        ("Content-Type", "application/json"),
        ("Content-Length", "9" * 9),
    ):
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["code"] == "content_too_large"
    connection.close()


def test_a_key_made_by_the_command_opens_the_running_server(stack: Stack) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "flask", "keys", "create", "--name", "a test", "--json"],
        env=stack.environment | {"FLASK_APP": "webapp.wsgi"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    key = json.loads(made.stdout)["key"]
    assert requests.get(f"{stack.url}/v1/agents", headers={"X-API-Key": key}, timeout=10).status_code == 200
    assert key.encode() not in made.stderr


def test_every_agent_that_is_found_is_listed_and_described(stack: Stack, http_client: requests.Session) -> None:
    agents = http_client.get(f"{stack.url}/v1/agents", timeout=10).json()["agents"]
    assert {"ai_service", "ai_service_binary", "echo"} <= {agent["name"] for agent in agents}
    [echo] = [agent for agent in agents if agent["name"] == "echo"]
    assert echo == http_client.get(f"{stack.url}/v1/agents/echo", timeout=10).json()
    assert echo["input"]["required"] == ["text"]
    paths = requests.get(f"{stack.url}/openapi.json", timeout=10).json()["paths"]
    assert all(agent["run_url"] in paths for agent in agents)
