"""Jobs over real processes: cancels on both pools, and web processes that race for one key."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from io import BytesIO

import pytest
import requests
from pypdf import PdfReader

from deploy.local.stack import Stack, web_is_ready
from deploy.local.valkey import free_port
from tasks.jobs import Engine
from tests.support.client import Client, engine_of

RACES = 1_000
# Two seconds are promised; the rest is what two busy cores may take to run the processes at all.
CANCEL = 10.0
WHOLE_POOL = 2  # jobs that the cpu worker of the stack runs at once


@pytest.fixture
def client(stack: Stack) -> Client:
    return Client(stack)


@pytest.fixture
def engine(stack: Stack) -> Iterator[Engine]:
    engine = engine_of(stack)
    yield engine
    engine.redis.connection_pool.disconnect()


def cancel(client: Client, job_id: str) -> requests.Response:
    return client.post(f"/v1/jobs/{job_id}/cancel")


def kinds(engine: Engine, job_id: str) -> list[str]:
    return [event.type for event in engine.events(job_id) if event.type not in ("token", "progress")]


@pytest.mark.parametrize(
    ("agent", "values"),
    [
        pytest.param("count", {"to": 1_000, "pause": 0.05}, id="streaming"),
        pytest.param("count", {"to": 1, "pause": 60}, id="waiting for another server"),
        pytest.param("compute", {"seconds": 60}, id="prefork and cooperative"),
        pytest.param("compute", {"seconds": 60, "cooperative": False}, id="prefork and deaf"),
    ],
)
def test_a_running_job_is_stopped(client: Client, engine: Engine, agent: str, values: dict[str, object]) -> None:
    job_id = client.submit(agent, **values)
    client.wait_for(job_id, "running")
    asked = cancel(client, job_id)
    assert (asked.status_code, asked.json()["status"]) in ((202, "canceling"), (200, "canceled"))
    job = client.wait_for(job_id, timeout=CANCEL)
    assert (job["status"], job["result"], job["attempts"] <= 2) == ("canceled", None, True)
    assert kinds(engine, job_id) == ["started", "canceled"]
    last = job["last_event_id"]
    time.sleep(0.5)  # ten tokens' time: what was claimed to be over says nothing more
    assert engine.events(job_id, after=last) == []


def test_a_waiting_job_never_starts(client: Client, engine: Engine) -> None:
    running = [client.submit("compute", seconds=60) for _ in range(WHOLE_POOL)]
    for job_id in running:
        client.wait_for(job_id, "running")
    waiting = client.submit("compute", seconds=0)
    assert client.job(waiting)["queue"]["position"] == 1
    answer = cancel(client, waiting)
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    for job_id in running:
        cancel(client, job_id)
        client.wait_for(job_id, "canceled", timeout=CANCEL)
    # The pool is free again, and a job behind the canceled one is done.
    assert client.wait_for(client.submit("compute", seconds=0))["status"] == "completed"
    assert kinds(engine, waiting) == ["canceled"]
    assert client.job(waiting)["started_at"] is None


def test_an_ended_job_is_not_changed(client: Client, engine: Engine) -> None:
    job_id = client.submit("echo", text="done")
    before = client.wait_for(job_id)
    answer = cancel(client, job_id)
    assert (answer.status_code, answer.json()) == (200, before)
    assert kinds(engine, job_id) == ["started", "completed"]


def test_several_documents_become_one_report(client: Client) -> None:
    documents = [("documents", (f"{number}.txt", f"Ship {number} is launched. It floats.")) for number in range(3)]
    answer = client.post("/v1/agents/report/jobs", files=documents)
    assert answer.status_code == 202, answer.text
    job = client.wait_for(answer.json()["id"])
    assert (job["status"], job["progress"]["message"]) == ("completed", "printing")
    [artifact] = job["artifacts"]
    printed = PdfReader(BytesIO(client.get(artifact["url"]).content))
    text = " ".join(page.extract_text() for page in printed.pages)
    assert all(f"{number}.txt" in text for number in range(3))


@pytest.fixture
def second_web(stack: Stack) -> Iterator[str]:
    """Another web process of the same service, on a port of its own. Returns its URL."""
    port = free_port()
    process = stack.spawn(
        "web", as_name="second-web", PORT=str(port), INTERNAL_PORT="0", METRICS_PORT="0", WEB_CONCURRENCY="1"
    )
    url = f"http://127.0.0.1:{port}"
    stack.wait_for("the second web server", lambda: web_is_ready(url), 60)
    yield url
    del stack.processes["second-web"]
    process.terminate()
    process.wait(60)


def test_two_web_processes_that_race_for_a_key_make_one_job(
    stack: Stack, second_web: str, engine: Engine, client: Client
) -> None:
    before = engine.redis.zcard(engine.keys.jobs_of("static"))
    start = threading.Barrier(2, timeout=60)
    answers: dict[str, list[requests.Response]] = {stack.url: [], second_web: []}

    def race(url: str) -> None:
        with requests.Session() as session:
            session.headers["X-API-Key"] = stack.api_key
            for number in range(RACES):
                start.wait()
                key = {"Idempotency-Key": f"race-{number}"}
                body = {"text": f"race {number}"}
                answers[url].append(session.post(f"{url}/v1/agents/echo/jobs", json=body, headers=key, timeout=60))

    racers = [threading.Thread(target=race, args=(url,)) for url in answers]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    first, second = answers.values()
    assert len(first) == len(second) == RACES
    ids = set()
    for pair in zip(first, second, strict=True):
        assert [answer.status_code for answer in pair] == [202, 202]
        assert pair[0].json()["id"] == pair[1].json()["id"]
        assert sorted(answer.headers.get("Idempotency-Replayed", "") for answer in pair) == ["", "true"]
        ids.add(pair[0].json()["id"])
    assert len(ids) == RACES
    assert engine.redis.zcard(engine.keys.jobs_of("static")) == before + RACES
    # The race was one: each of the processes has won some of it.
    won = sum("Idempotency-Replayed" not in answer.headers for answer in first)
    assert 0 < won < RACES
    for job_id in ids:
        assert client.wait_for(job_id)["attempts"] == 1
