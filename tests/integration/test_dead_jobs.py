"""Jobs that were given up: kept, shown, run again or forgotten, by the command and over HTTP, by operators only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from flask.testing import FlaskClient

from tasks.jobs import Job, NewJob, Status
from tasks.jobs.attempts import Attempts
from tasks.jobs.upkeep import remove_expired
from tests.support.service import Service, serve
from webapp.services import services_of

DEAD = "/v1/admin/dead-jobs"


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with serve(valkey_url, tmp_path) as found:
        yield found


def attempts_of(service: Service) -> Attempts:
    return Attempts(service.engine.redis, service.engine.settings, "worker/1")


def given_up(service: Service, agent: str = "ai_service", **payload: object) -> Job:
    """A job that lost its worker as often as it may."""
    payload = payload or {"param1": "a text"}
    job = service.engine.submit(NewJob(agent=agent, queue="io", owner="somebody", timeout=60, payload=payload))
    for _ in range(service.engine.settings.max_losses):
        claim = attempts_of(service).claim(job.id, job.queue)
        assert claim is not None
        attempts_of(service).lose(claim.job, "gone")
    found = service.engine.get(job.id)
    assert found is not None
    assert found.status is Status.FAILED
    return found


def flask(service: Service, *args: str) -> Result:
    return service.app.test_cli_runner().invoke(args=["jobs", "dead", *args])


def ids(service: Service) -> list[str]:
    return [each["id"] for each in json.loads(flask(service, "list", "--json").stdout)]


def test_a_job_that_was_given_up_is_listed_and_shown(service: Service) -> None:
    assert "No job was given up" in flask(service, "list").output
    job = given_up(service)
    assert job.id in flask(service, "list").output.replace("\n", "")
    shown = json.loads(flask(service, "show", job.id).stdout)
    assert (shown["input"], shown["error"]["code"], shown["losses"]) == ({"param1": "a text"}, "worker_lost", 3)
    assert [event["type"] for event in shown["events"]] == ["started", "restarted", "restarted", "failed"]


def test_a_job_that_failed_by_itself_is_not_among_them(service: Service) -> None:
    job = service.engine.submit(NewJob(agent="ai_service", queue="io", owner="me", timeout=60, payload={}))
    assert flask(service, "show", job.id).exit_code == 1
    assert operator(service).get(f"{DEAD}/{job.id}").status_code == 404


def test_it_is_kept_longer_than_other_jobs(service: Service) -> None:
    job = given_up(service)
    assert job.expires_at is not None
    assert job.completed_at is not None
    assert (job.expires_at - job.completed_at).total_seconds() == service.engine.settings.dead_retention


def test_a_retry_is_a_new_job_of_the_same_owner_and_input(service: Service) -> None:
    job = given_up(service)
    new_id = flask(service, "retry", job.id).output.strip()
    new = service.engine.get(new_id)
    assert new is not None
    assert (new.owner, new.payload, new.status, new.losses) == ("somebody", job.payload, Status.PENDING, 0)
    assert ids(service) == []
    assert service.engine.get(job.id) == job  # it has ended, and stays so


def test_a_retry_takes_large_inputs_and_uploaded_files_along(service: Service) -> None:
    store = service.engine.artifacts
    job = given_up(service)
    store.put(f"{job.id}/0/document", [b"a file"])
    reference = {"name": "a.txt", "media_type": "text/plain", "size": 6, "key": f"{job.id}/0/document"}
    payload = json.dumps({"document": reference, "text": "x" * service.engine.settings.inline_limit})
    store.put(f"{job.id}/0/input.json", [payload.encode()])
    service.engine.redis.hset(service.engine.keys.job(job.id), "input_ref", f"{job.id}/0/input.json")
    new = service.engine.get(flask(service, "retry", "--all").output.strip())
    assert new is not None
    moved = service.engine.payload(new)["document"]
    assert moved["key"] == f"{new.id}/0/document"
    assert b"".join(store.open(moved["key"])) == b"a file"


def test_a_purged_job_is_gone_with_its_files(service: Service) -> None:
    job = given_up(service)
    service.engine.artifacts.put(f"{job.id}/1/half.pdf", [b"half"])
    assert flask(service, "purge", job.id).exit_code == 0
    assert service.engine.get(job.id) is None
    assert service.engine.events(job.id) == []
    remove_expired(service.engine)
    assert list(service.engine.artifacts.list(job.id)) == []
    assert service.engine.redis.zscore(service.engine.keys.jobs_of("somebody"), job.id) is None


def test_an_operator_does_the_same_over_http(service: Service) -> None:
    first, second = given_up(service), given_up(service)
    client = operator(service)
    assert [job["id"] for job in client.get(DEAD).get_json()["jobs"]] == [second.id, first.id]
    assert client.get(f"{DEAD}/{first.id}").get_json()["input"] == {"param1": "a text"}
    retried = client.post(f"{DEAD}/{first.id}/retry")
    assert retried.status_code == 202
    assert service.engine.get(retried.get_json()["id"]) is not None
    assert client.delete(f"{DEAD}/{second.id}").status_code == 204
    assert client.delete(f"{DEAD}/{second.id}").status_code == 404
    assert client.get(DEAD).get_json() == {"jobs": []}


def operator(service: Service) -> FlaskClient:
    return service.client(services_of(service.app).keys.create("operator", scopes=frozenset({"admin"}))[1])


def test_a_key_that_is_not_an_operators_may_not(service: Service) -> None:
    _, key = services_of(service.app).keys.create("a caller")
    job = given_up(service)
    for method, path in (("GET", ""), ("GET", f"/{job.id}"), ("POST", f"/{job.id}/retry"), ("DELETE", f"/{job.id}")):
        answer = service.client(key).open(DEAD + path, method=method)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "insufficient_scope")
    assert ids(service) == [job.id]


@pytest.mark.parametrize("args", [["retry"], ["purge"], ["retry", "--all", "an-id"], ["purge", "unknown"]])
def test_a_command_that_names_nothing_changes_nothing(service: Service, args: list[str]) -> None:
    job = given_up(service)
    assert flask(service, *args).exit_code != 0
    assert ids(service) == [job.id]
