"""`Idempotency-Key`: the same request again is the same job, on every POST that makes one."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.service import Service, completed, serve
from webapp.services import services_of

KEY = {"Idempotency-Key": "order-1"}
JOBS = "/v1/agents/ai_service/jobs"
BODIES: dict[str, dict[str, Any]] = {
    JOBS: {"param1": "a text"},
    "/v1/agents/ai_service/run": {"param1": "a text"},
    "/ai_service": {"param1": "a text"},
    "/ai_service_binary": {"param1": "a text"},
    "/task": {"prompt": "a text", "task_type": "ai_service"},
}


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with serve(valkey_url, tmp_path) as found:
        yield found


@pytest.fixture
def client(service: Service) -> FlaskClient:
    return service.client()


def form(content: bytes, **fields: object) -> dict[str, Any]:
    return {"document": (BytesIO(content), "notes.txt"), **fields}


@pytest.mark.parametrize("path", BODIES)
def test_the_same_request_again_is_the_same_job(service: Service, client: FlaskClient, path: str) -> None:
    with service.worker(lambda job: service.pdf(job) if "binary" in job.agent else completed("an analysis")):
        first = client.post(path, json=BODIES[path], headers=KEY)
        again = client.post(path, json=BODIES[path], headers=KEY)
    assert first.status_code == again.status_code < 300
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["X-Job-ID"] == first.headers["X-Job-ID"]
    if first.status_code == 200:
        assert again.data == first.data
    assert service.engine.redis.zcard(service.engine.keys.jobs_of("static")) == 1


@pytest.mark.parametrize("path", BODIES)
def test_another_request_with_the_same_key_is_refused(service: Service, client: FlaskClient, path: str) -> None:
    headers = KEY | {"Prefer": "respond-async"}
    with service.worker(lambda job: service.pdf(job) if "binary" in job.agent else completed("x")):
        assert client.post(path, json=BODIES[path], headers=headers).status_code < 300
    changed = BODIES[path] | {next(iter(BODIES[path])): "another text"}
    answer = client.post(path, json=changed, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency_key_reused")


def test_a_key_is_bound_to_its_route(client: FlaskClient) -> None:
    assert client.post(JOBS, json=BODIES[JOBS], headers=KEY).status_code == 202
    answer = client.post("/v1/agents/ai_service/run", json=BODIES[JOBS], headers=KEY)
    assert answer.status_code == 422


def test_a_key_is_its_owners_own(service: Service, client: FlaskClient) -> None:
    _, key = services_of(service.app).keys.create("somebody else")
    first = client.post(JOBS, json=BODIES[JOBS], headers=KEY)
    other = service.client(key).post(JOBS, json={"param1": "another text"}, headers=KEY)
    assert other.status_code == 202
    assert other.headers["X-Job-ID"] != first.headers["X-Job-ID"]


def test_what_does_not_change_the_meaning_does_not_change_the_request(client: FlaskClient) -> None:
    headers = KEY | {"Content-Type": "application/json"}
    first = client.post(JOBS, data=b'{"param1":"a","param2":"b"}', headers=headers)
    again = client.post(JOBS, data=b'{ "param2": "b",\n "param1": "\\u0061" }', headers=headers)
    assert again.headers["X-Job-ID"] == first.headers["X-Job-ID"]


def test_a_waiting_replay_hears_of_the_end_of_the_first_job(service: Service, client: FlaskClient) -> None:
    path = "/v1/agents/ai_service/run"
    first = client.post(path, json=BODIES[path], headers=KEY | {"Prefer": "respond-async"})
    assert first.status_code == 202
    with service.worker(lambda job: completed("late")):
        again = client.post(path, json=BODIES[path], headers=KEY | {"Prefer": "wait=30"})
    assert (again.status_code, again.get_json()["result"]) == (200, "late")
    assert again.headers["X-Job-ID"] == first.headers["X-Job-ID"]


def test_uploads_are_compared_by_their_content(service: Service, client: FlaskClient) -> None:
    path = "/v1/agents/read_file/jobs"
    first = client.post(path, data=form(b"hello"), headers=KEY)
    assert first.status_code == 202
    again = client.post(path, data=form(b"hello"), headers=KEY)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["X-Job-ID"] == first.headers["X-Job-ID"]
    assert client.post(path, data=form(b"other"), headers=KEY).status_code == 422
    # Neither the replay nor the refused request left a file behind; the first one is whole.
    stored = list(service.engine.artifacts.list(first.headers["X-Job-ID"]))
    assert [path.relative_to(service.engine.settings.artifacts_dir).as_posix() for path in files(service)] == stored
    assert b"".join(service.engine.artifacts.open(stored[0])) == b"hello"


def files(service: Service) -> list[Path]:
    return [path for path in service.engine.settings.artifacts_dir.rglob("*") if path.is_file()]


def test_the_key_of_a_deleted_job_makes_no_second_one(service: Service, client: FlaskClient) -> None:
    job_id = client.post(JOBS, json=BODIES[JOBS], headers=KEY).headers["X-Job-ID"]
    service.finish(job_id, completed("x"))
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    answer = client.post(JOBS, json=BODIES[JOBS], headers=KEY)
    assert (answer.status_code, answer.get_json()["code"]) == (410, "job_gone")


def test_a_key_lives_as_long_as_its_job(service: Service, client: FlaskClient) -> None:
    job_id = client.post(JOBS, json=BODIES[JOBS], headers=KEY).headers["X-Job-ID"]
    redis = service.engine.redis
    [name] = redis.keys(service.engine.keys.idempotency("static", "*"))
    assert redis.ttl(name) == -1
    service.finish(job_id, completed("x"))
    assert abs(redis.pttl(name) - redis.pttl(service.engine.keys.job(job_id))) < 1000


@pytest.mark.parametrize("key", ["", "x" * 256, "x" * 1024, "with space", "\u00fc", "tab\t"])
def test_a_key_that_is_not_wellformed_is_refused(client: FlaskClient, key: str) -> None:
    answer = client.post(JOBS, json=BODIES[JOBS], headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_idempotency_key")


def test_the_longest_key_is_taken(client: FlaskClient) -> None:
    assert client.post(JOBS, json=BODIES[JOBS], headers={"Idempotency-Key": "x" * 255}).status_code == 202


def test_a_get_has_no_key(service: Service, client: FlaskClient) -> None:
    with service.worker(lambda job: completed("x")):
        for text in ("one", "two"):
            assert client.get("/ai_service", query_string={"param1": text}, headers=KEY).status_code == 200
    assert len(service.seen) == 2


def test_a_refused_input_uses_no_key_up(client: FlaskClient) -> None:
    assert client.post(JOBS, json={}, headers=KEY).status_code == 422
    assert client.post(JOBS, json=BODIES[JOBS], headers=KEY).status_code == 202
