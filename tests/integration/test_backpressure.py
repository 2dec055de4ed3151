"""What is sent away, and for how long."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tasks.jobs import Engine, LimitReached, LocalArtifacts, NewJob, connect
from tasks.jobs.attempts import Attempts
from tasks.jobs.environment import Secret
from tasks.jobs.pace import MOST, SLICE
from tasks.jobs.settings import EngineSettings
from tests.support.service import Service, completed, serve
from webapp.services import services_of

JOBS = "/v1/agents/ai_service/jobs"


@pytest.fixture
def redis(valkey_url: str) -> Iterator[Redis]:
    client = connect(EngineSettings(redis_url=Secret(valkey_url)))
    yield client
    client.connection_pool.disconnect()


def engine_of(redis: Redis, tmp_path: Path, **limits: Any) -> Engine:
    unlimited = EngineSettings(artifacts_dir=tmp_path, max_queue=0, max_waiting=0, max_running=0)
    settings = dataclasses.replace(unlimited, **limits)
    return Engine(redis, settings, LocalArtifacts(tmp_path))


def submit(engine: Engine, owner: str = "me", queue: str = "io") -> str:
    return engine.submit(NewJob(agent="echo", queue=queue, owner=owner, timeout=60, payload={})).id


def ended_per_second(engine: Engine, queue: str, rate: float) -> None:
    """As if a queue had gone at this rate for more than a minute."""
    last = int(engine.now() / SLICE)
    for slice_ in range(last - 6, last):
        engine.redis.hset(engine.keys.ended(queue), str(slice_), str(round(rate * SLICE)))


def refused(engine: Engine, **options: str) -> LimitReached:
    with pytest.raises(LimitReached) as error:
        submit(engine, **options)
    return error.value


def test_a_full_queue_names_the_time_in_which_a_tenth_of_it_goes(redis: Redis, tmp_path: Path) -> None:
    engine = engine_of(redis, tmp_path, max_queue=100)
    for number in range(100):
        submit(engine, owner=f"owner-{number}")
    ended_per_second(engine, "io", 1.0)
    error = refused(engine)
    assert error.limit == "queue"
    # Ten seconds, by a tenth more at most while the present slice is empty, and a fifth of spread to each side.
    assert 8 <= error.retry_after <= 15
    ended_per_second(engine, "io", 100.0)
    assert refused(engine).retry_after == 1


def test_another_queues_rate_says_nothing(redis: Redis, tmp_path: Path) -> None:
    engine = engine_of(redis, tmp_path, max_queue=1)
    submit(engine)
    ended_per_second(engine, "cpu", 100.0)
    assert MOST / 2 < refused(engine).retry_after <= MOST


def test_a_principal_that_fills_its_share_takes_nothing_from_others(redis: Redis, tmp_path: Path) -> None:
    engine = engine_of(redis, tmp_path, max_waiting=3)
    for _ in range(3):
        submit(engine)
    assert refused(engine).limit == "waiting"
    assert refused(engine, queue="cpu").limit == "waiting"
    submit(engine, owner="somebody else")


def test_running_jobs_are_limited_over_all_queues(redis: Redis, tmp_path: Path) -> None:
    engine = engine_of(redis, tmp_path, max_running=2)
    attempts = Attempts(redis, engine.settings, "worker/1")
    for queue in ("io", "cpu"):
        assert attempts.claim(submit(engine, queue=queue), queue)
    ended_per_second(engine, "cpu", 2.0)
    error = refused(engine)
    assert (error.limit, error.retry_after) == ("running", 1)


def test_what_is_refused_leaves_nothing(redis: Redis, tmp_path: Path) -> None:
    engine = engine_of(redis, tmp_path, max_waiting=1)
    submit(engine)
    keys: Any = sorted(redis.keys("*"))
    refused(engine)
    assert sorted(redis.keys("*")) == keys


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with serve(valkey_url, tmp_path, max_waiting=2) as found:
        yield found


def test_over_a_limit_callers_are_told_when_to_come_back(service: Service) -> None:
    client = service.client()
    ids = [client.post(JOBS, json={"param1": "x"}).headers["X-Job-ID"] for _ in range(2)]
    answer = client.post(JOBS, json={"param1": "x"})
    problem = answer.get_json()
    assert (answer.status_code, problem["code"], problem["limit"]) == (429, "limit_reached", "waiting")
    assert 1 <= int(answer.headers["Retry-After"]) <= MOST
    assert "X-Job-ID" not in answer.headers
    _, key = services_of(service.app).keys.create("somebody else")
    assert service.client(key).post(JOBS, json={"param1": "x"}).status_code == 202
    service.finish(ids[0], completed("x"))
    assert client.post(JOBS, json={"param1": "x"}).status_code == 202


def test_a_replay_is_answered_however_full_it_is(service: Service) -> None:
    client, key = service.client(), {"Idempotency-Key": "order-1"}
    first = client.post(JOBS, json={"param1": "x"}, headers=key)
    client.post(JOBS, json={"param1": "x"})
    assert client.post(JOBS, json={"param1": "x"}).status_code == 429
    assert client.post(JOBS, json={"param1": "x"}, headers=key).headers["X-Job-ID"] == first.headers["X-Job-ID"]


def test_files_that_cannot_be_kept_are_not_accepted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LocalArtifacts, "put", full)
    answer = service.client().post("/v1/agents/read_file/jobs", data={"document": (BytesIO(b"x"), "x.txt")})
    assert (answer.status_code, answer.get_json()["code"]) == (503, "storage_unavailable")
    assert answer.headers["Retry-After"]
    assert service.client().get("/v1/jobs").get_json()["jobs"] == []
