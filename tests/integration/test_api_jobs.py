"""The life of a job over HTTP: started, listed, watched, canceled, deleted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tasks.jobs import Status
from tasks.jobs.attempts import Attempts, Claim, Draft
from tests.support.service import Service, canceled, completed, failed, serve
from webapp.services import services_of

JOBS = "/v1/agents/ai_service/jobs"
INPUT = {"param1": "a text"}
UNKNOWN = "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11"


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with serve(valkey_url, tmp_path) as found:
        yield found


@pytest.fixture
def client(service: Service) -> FlaskClient:
    return service.client()


@pytest.fixture
def stranger(service: Service) -> FlaskClient:
    _, key = services_of(service.app).keys.create("stranger")
    return service.client(key)


def start(client: FlaskClient, path: str = JOBS, **options: Any) -> str:
    answer = client.post(path, json=options.pop("json", INPUT), **options)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["X-Job-ID"])


def claim(service: Service, job_id: str) -> tuple[Attempts, Claim]:
    attempts = Attempts(service.engine.redis, service.engine.settings, "worker/tests")
    found = attempts.claim(job_id, "io")
    assert found is not None
    return attempts, found


def test_a_job_is_accepted_and_told_where_it_is_read(service: Service, client: FlaskClient) -> None:
    answer = client.post(JOBS, json=INPUT)
    job = answer.get_json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert (job["status"], job["queue"]) == ("pending", {"position": 1, "wait_seconds": None})
    service.finish(job["id"], completed("an analysis"))
    assert client.get(answer.headers["Location"]).get_json()["result"] == "an analysis"


def test_a_task_is_the_same_job(service: Service, client: FlaskClient) -> None:
    answer = client.post("/task", json={"prompt": "a text", "task_type": "ai_service"})
    task = answer.get_json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/task/{task['task_id']}"
    assert (task["status"], task["task_type"], task["result"]) == ("pending", "ai_service", None)
    service.finish(task["task_id"], completed("an analysis"))
    read = client.get(answer.headers["Location"]).get_json()
    assert (read["status"], read["result"]) == ("completed", "an analysis")
    assert read["created_at"] == task["created_at"] < read["completed_at"]
    assert client.get(f"/v1/jobs/{task['task_id']}").get_json()["result"] == "an analysis"


@pytest.mark.parametrize("task_type", ["no_such_agent", "read_file", None, 7])
def test_a_task_of_an_unknown_or_unfit_agent_is_refused(client: FlaskClient, task_type: object) -> None:
    answer = client.post("/task", json={"prompt": "a text", "task_type": task_type})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "task_type"


def test_jobs_are_listed_page_by_page(client: FlaskClient, stranger: FlaskClient) -> None:
    ids = [start(client) for _ in range(5)]
    start(stranger)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/v1/jobs", query_string={"limit": 2} | ({"cursor": cursor} if cursor else {})).get_json()
        seen += [job["id"] for job in page["jobs"]]
        assert all("result" not in job and job["queue"]["position"] for job in page["jobs"])
        cursor = page["next_cursor"]
    assert sorted(seen) == sorted(ids)


def test_jobs_are_filtered(service: Service, client: FlaskClient) -> None:
    ended, _ = start(client), start(client)
    service.finish(ended, completed("x"))
    found = client.get("/v1/jobs?status=completed&agent=ai_service").get_json()["jobs"]
    assert [job["id"] for job in found] == [ended]
    assert client.get("/v1/jobs?agent=another").get_json() == {"jobs": [], "next_cursor": None}


@pytest.mark.parametrize("cursor", ["x", "", "17", "äöü", "17.0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11\n", "1" * 5000])
def test_a_cursor_that_is_none_of_ours_is_malformed(client: FlaskClient, cursor: str) -> None:
    answer = client.get("/v1/jobs", query_string={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "status=done", "page=2"])
def test_a_listing_takes_nothing_that_it_does_not_know(client: FlaskClient, query: str) -> None:
    assert client.get(f"/v1/jobs?{query}").status_code == 422


def test_a_state_that_is_known_is_not_sent_again(service: Service, client: FlaskClient) -> None:
    job_id = start(client)
    first = client.get(f"/v1/jobs/{job_id}")
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.get(f"/v1/jobs/{job_id}", headers=known)
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    service.finish(job_id, completed("x"))
    changed = client.get(f"/v1/jobs/{job_id}", headers=known)
    assert (changed.status_code, changed.get_json()["status"]) == (200, "completed")


def test_a_removed_file_is_a_change(service: Service, client: FlaskClient) -> None:
    job_id = start(client)
    job = service.engine.get(job_id)
    assert job is not None
    service.finish(job_id, service.pdf(job))
    known = {"If-None-Match": client.get(f"/v1/jobs/{job_id}").headers["ETag"]}
    assert client.delete(f"/v1/jobs/{job_id}/artifacts/analysis.pdf").status_code == 204
    assert client.get(f"/v1/jobs/{job_id}", headers=known).status_code == 200


def later(action: Any, seconds: float = 0.3) -> threading.Timer:
    timer = threading.Timer(seconds, action)
    timer.start()
    return timer


def test_waiting_for_a_job_answers_at_its_end(service: Service, client: FlaskClient) -> None:
    job_id = start(client)
    timer = later(lambda: service.finish(job_id, completed("in time")))
    started = time.monotonic()
    answer = client.get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=30"})
    assert time.monotonic() - started < 20
    timer.join()
    assert (answer.get_json()["result"], answer.headers["Preference-Applied"]) == ("in time", "wait=30")


def test_waiting_for_news_answers_at_the_first_event(service: Service, client: FlaskClient) -> None:
    job_id = start(client)
    attempts, claimed = claim(service, job_id)
    etag = client.get(f"/v1/jobs/{job_id}").headers["ETag"]
    progress = [Draft(1, "progress", b'{"fraction":0.5,"message":"half"}')]
    timer = later(lambda: attempts.write([(claimed, progress, None)]))
    answer = client.get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=30", "If-None-Match": etag})
    timer.join()
    assert answer.status_code == 200
    assert answer.get_json()["progress"] == {"fraction": 0.5, "message": "half"}
    assert answer.get_json()["last_event_id"] == "1-1"


def test_waiting_in_vain_answers_with_what_there_is(client: FlaskClient) -> None:
    job_id = start(client)
    etag = client.get(f"/v1/jobs/{job_id}").headers["ETag"]
    started = time.monotonic()
    assert client.get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=1"}).get_json()["status"] == "pending"
    answer = client.get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=1", "If-None-Match": etag})
    assert answer.status_code == 304
    assert time.monotonic() - started >= 2


def test_news_that_are_there_already_are_not_waited_for(service: Service, client: FlaskClient) -> None:
    job_id = start(client)
    etag = client.get(f"/v1/jobs/{job_id}").headers["ETag"]
    claim(service, job_id)
    started = time.monotonic()
    answer = client.get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=30", "If-None-Match": etag})
    assert (answer.status_code, answer.get_json()["status"]) == (200, "running")
    assert time.monotonic() - started < 20


def test_the_result_is_there_when_the_job_has_completed(service: Service, client: FlaskClient) -> None:
    job_id = start(client)
    before = client.get(f"/v1/jobs/{job_id}/result")
    assert (before.status_code, before.get_json()["code"]) == (409, "not_ended")
    service.finish(job_id, completed({"a": [1, None]}))
    assert client.get(f"/v1/jobs/{job_id}/result").get_json() == {"result": {"a": [1, None]}}


@pytest.mark.parametrize(("code", "status"), [("provider_error", 502), ("timeout", 504), ("unknown_language", 500)])
def test_the_result_of_a_failed_job_is_its_error(service: Service, client: FlaskClient, code: str, status: int) -> None:
    job_id = start(client)
    service.finish(job_id, failed(code, "Why it failed."))
    answer = client.get(f"/v1/jobs/{job_id}/result")
    problem = answer.get_json()
    assert (answer.status_code, problem["code"], problem["detail"]) == (status, code, "Why it failed.")


def test_a_canceled_job_has_no_result(service: Service, client: FlaskClient) -> None:
    job_id = start(client)
    service.finish(job_id, canceled())
    answer = client.get(f"/v1/jobs/{job_id}/result")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "canceled")


def test_an_expired_result_is_gone(service: Service, client: FlaskClient, stranger: FlaskClient) -> None:
    job_id = start(client)
    service.finish(job_id, completed("x"))
    service.engine.redis.delete(service.engine.keys.job(job_id))  # as its time to live does
    for path in ("", "/result", "/artifacts/a.pdf"):
        assert client.get(f"/v1/jobs/{job_id}{path}").status_code == 410
        assert stranger.get(f"/v1/jobs/{job_id}{path}").status_code == 404


def test_a_waiting_job_is_canceled_at_once_and_a_running_one_when_it_has_stopped(
    service: Service, client: FlaskClient
) -> None:
    waiting, running = start(client), start(client)
    attempts, claimed = claim(service, running)
    at_once = client.post(f"/v1/jobs/{waiting}/cancel")
    assert (at_once.status_code, at_once.get_json()["status"]) == (200, "canceled")
    asked = client.post(f"/v1/jobs/{running}/cancel")
    assert (asked.status_code, asked.get_json()["status"]) == (202, "canceling")
    attempts.write([(claimed, [Draft(1, "canceled", b"{}")], canceled())])
    assert client.post(f"/v1/jobs/{running}/cancel").get_json()["status"] == "canceled"


def test_an_ended_job_stays_as_it_ended(service: Service, client: FlaskClient) -> None:
    job_id = start(client)
    service.finish(job_id, completed("done"))
    answer = client.post(f"/v1/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.get_json()["status"], answer.get_json()["result"]) == (200, "completed", "done")


def test_only_an_ended_job_is_deleted_and_its_owner_is_told(
    service: Service, client: FlaskClient, stranger: FlaskClient
) -> None:
    job_id = start(client)
    refused = client.delete(f"/v1/jobs/{job_id}")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "not_ended")
    job = service.engine.get(job_id)
    assert job is not None
    service.finish(job_id, service.pdf(job))
    assert stranger.delete(f"/v1/jobs/{job_id}").status_code == 404
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    for path in ("", "/result", "/artifacts/analysis.pdf"):
        assert client.get(f"/v1/jobs/{job_id}{path}").status_code == 410
        assert stranger.get(f"/v1/jobs/{job_id}{path}").status_code == 404
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 410
    assert client.get("/v1/jobs").get_json()["jobs"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/jobs/{}"),
        ("GET", "/v1/jobs/{}/result"),
        ("POST", "/v1/jobs/{}/cancel"),
        ("DELETE", "/v1/jobs/{}"),
        ("GET", "/task/{}"),
    ],
)
def test_unknown_and_foreign_jobs_are_not_to_be_told_apart(
    client: FlaskClient, stranger: FlaskClient, service: Service, method: str, path: str
) -> None:
    job_id = start(client)
    for found in (stranger.open(path.format(job_id), method=method), client.open(path.format(UNKNOWN), method=method)):
        assert (found.status_code, found.get_json()["code"]) == (404, "not_found")
    job = service.engine.get(job_id)
    assert job is not None
    assert job.status is Status.PENDING
