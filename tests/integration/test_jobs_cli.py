"""`flask jobs` as an operator uses it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

from tasks.jobs import Job, upkeep
from tasks.jobs.attempts import Attempts, Draft
from tests.support.service import Service, completed, failed, serve
from webapp.services import services_of

JOBS = "/v1/agents/ai_service/jobs"
UNKNOWN = "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11"


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with serve(valkey_url, tmp_path) as found:
        yield found


def start(service: Service, key: str = "") -> str:
    client = service.client(key) if key else service.client()
    return client.post(JOBS, json={"param1": "a secret text"}).headers["X-Job-ID"]


def flask(service: Service, *arguments: str) -> Result:
    return service.app.test_cli_runner(env={"COLUMNS": "200"}).invoke(args=["jobs", *arguments])


def test_jobs_of_every_owner_are_listed_the_newest_first(service: Service) -> None:
    record, key = services_of(service.app).keys.create("somebody")
    ids = [start(service), start(service, key)]
    listed = json.loads(flask(service, "list", "--json").stdout)
    assert [(job["id"], job["owner"]) for job in listed] == [(ids[1], f"key:{record.id}"), (ids[0], "static")]
    assert "a secret text" not in flask(service, "list", "--json").stdout
    one = json.loads(flask(service, "list", "--owner", "static", "--json").stdout)
    assert [job["id"] for job in one] == [ids[0]]
    assert ids[0] in flask(service, "list").stdout


def test_jobs_are_filtered(service: Service) -> None:
    ended, _ = start(service), start(service)
    service.finish(ended, completed("x"))
    listed = json.loads(flask(service, "list", "--status", "completed", "--agent", "ai_service", "--json").stdout)
    assert [job["id"] for job in listed] == [ended]
    assert "No jobs" in flask(service, "list", "--agent", "another").stdout


def test_a_job_is_shown(service: Service) -> None:
    job_id = start(service)
    shown = json.loads(flask(service, "show", job_id, "--json").stdout)
    assert (shown["id"], shown["status"], shown["queue_position"]) == (job_id, "pending", 1)
    service.finish(job_id, failed("unknown_language", "No [bold] language."))
    text = flask(service, "show", job_id).stdout
    assert "No [bold] language." in text
    assert "a secret text" not in text


def test_an_unknown_job_is_an_error(service: Service) -> None:
    for command in ("show", "watch", "cancel"):
        result = flask(service, command, "no-such-job")
        assert result.exit_code == 1
        assert "There is no job no-such-job" in result.output


def run_later(service: Service, job_id: str) -> threading.Timer:
    def run() -> None:
        attempts = Attempts(service.engine.redis, service.engine.settings, "worker/tests")
        claim = attempts.claim(job_id, "io")
        assert claim is not None
        progress = Draft(1, "progress", b'{"fraction":0.5,"message":"half\\u001b[31m way"}')
        attempts.write([(claim, [progress, Draft(2, "completed", b'{"usage":{}}')], completed("x"))])

    timer = threading.Timer(0.3, run)
    timer.start()
    return timer


def test_a_job_is_watched_with_a_bar(service: Service) -> None:
    job_id = start(service)
    timer = run_later(service, job_id)
    result = flask(service, "watch", job_id)
    timer.join()
    assert result.exit_code == 0
    assert "100%" in result.output
    assert "completed" in result.output


def test_a_job_is_watched_line_by_line(service: Service) -> None:
    job_id = start(service)
    timer = run_later(service, job_id)
    result = flask(service, "watch", job_id, "--json")
    timer.join()
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(event["id"], event["type"]) for event in events] == [
        ("1-0", "started"),
        ("1-1", "progress"),
        ("1-2", "completed"),
    ]


def test_watching_a_job_that_fails_fails(service: Service) -> None:
    job_id = start(service)
    service.finish(job_id, failed("unknown_language", "It is in\nno language."))
    result = flask(service, "watch", job_id)
    assert result.exit_code == 1
    assert "failed: It is in no language." in result.output


def test_a_job_is_canceled(service: Service) -> None:
    job_id = start(service)
    assert flask(service, "cancel", job_id).stdout == f"{job_id} is canceled.\n"
    assert json.loads(flask(service, "cancel", job_id, "--json").stdout) == {"id": job_id, "status": "canceled"}
    job = service.engine.get(job_id)
    assert isinstance(job, Job)
    assert job.status == "canceled"


def test_what_the_keeper_has_removed_is_counted_and_shown(service: Service) -> None:
    engine = service.engine
    assert json.loads(flask(service, "removed", "--json").stdout) == {"jobs": 0, "files": 0, "conversations": 0}
    job_id = start(service)
    service.finish(job_id, completed("x"))
    engine.artifacts.put(f"{job_id}/1/a.txt", [b"x"])
    members = {f"{job_id} static": 1, f"{UNKNOWN} somebody": 1}  # the second has been deleted before
    engine.redis.zadd(engine.keys.expiries, members)
    engine.redis.zadd(engine.keys.conversations, {"a": 1, "b": 2, "c": 2**50})
    assert upkeep.remove_expired(engine) == 2
    assert upkeep.remove_forgotten(engine) == 2
    assert json.loads(flask(service, "removed", "--json").stdout) == {"jobs": 1, "files": 1, "conversations": 2}
    assert flask(service, "removed").stdout == "1 jobs, 1 files, 2 conversations\n"
