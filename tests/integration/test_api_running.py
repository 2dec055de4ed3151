"""From a request to a job and back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tasks.jobs import Job, Status
from tasks.jobs.attempts import Ending
from tests.support.service import Service, canceled, completed, failed, serve

RUN = "/v1/agents/ai_service/run"
UPLOAD = "/v1/agents/read_file/run"
INPUT = {"param1": "a text", "param2": "a focus"}
ASYNC = {"Prefer": "respond-async"}


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with serve(valkey_url, tmp_path) as found:
        yield found


@pytest.fixture
def hurried(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with serve(valkey_url, tmp_path, sync_budget=0.2) as found:
        yield found


@pytest.fixture
def full(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    """A service in which one job waits, and no more may."""
    with serve(valkey_url, tmp_path, max_waiting=1) as found:
        assert found.client().post(RUN, json=INPUT, headers=ASYNC).status_code == 202
        yield found


def test_a_run_answers_with_the_completed_job(service: Service) -> None:
    with service.worker(lambda job: completed("an analysis")):
        answer = service.client().post(RUN, json=INPUT, headers={"X-Request-ID": "request-0001"})
    job = answer.get_json()
    assert answer.status_code == 200
    assert (job["status"], job["result"], job["attempts"]) == ("completed", "an analysis", 1)
    assert job["usage"] == {"prompt_tokens": 2}
    assert job["queue"] is None
    assert answer.headers["X-Job-ID"] == job["id"]
    [submitted] = service.seen
    assert submitted.payload == INPUT
    assert (submitted.owner, submitted.request_id, submitted.queue) == ("static", "request-0001", "io")


@pytest.mark.parametrize("path", ["/ai_service", "/ai-service"])
def test_the_ai_service_answers_get_and_post_alike(service: Service, path: str) -> None:
    with service.worker(lambda job: completed("an analysis")):
        by_query = service.client().get(path, query_string=INPUT)
        by_body = service.client().post(path, json=INPUT)
    for answer in (by_query, by_body):
        assert answer.status_code == 200
        assert answer.get_json() == {"result": "an analysis"}
        assert answer.headers["X-Job-ID"]
    assert [job.payload for job in service.seen] == [INPUT, INPUT]


def test_respond_async_answers_202_at_once_and_the_job_can_be_read(service: Service) -> None:
    answer = service.client().post(RUN, json=INPUT, headers=ASYNC)
    job = answer.get_json()
    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert (job["status"], job["queue"]["position"], job["result"]) == ("pending", 1, None)
    service.finish(job["id"], completed("later"))
    read = service.client().get(answer.headers["Location"])
    assert read.status_code == 200
    assert (read.get_json()["status"], read.get_json()["result"]) == ("completed", "later")
    assert read.headers["X-Job-ID"] == job["id"]


def test_wait_answers_202_when_its_seconds_are_over(service: Service) -> None:
    started = time.monotonic()
    answer = service.client().post(RUN, json=INPUT, headers={"Prefer": "wait=1"})
    assert time.monotonic() - started >= 1
    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "wait=1"
    assert answer.get_json()["status"] == "pending"


def test_wait_answers_200_when_the_job_ends_before(service: Service) -> None:
    with service.worker(lambda job: completed("in time")):
        answer = service.client().post(RUN, json=INPUT, headers={"Prefer": "wait=30"})
    assert answer.status_code == 200
    assert answer.get_json()["result"] == "in time"


def test_a_run_over_its_budget_answers_202_and_the_job_goes_on(hurried: Service) -> None:
    answer = hurried.client().post(RUN, json=INPUT)
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers
    hurried.finish(answer.headers["X-Job-ID"], completed("late"))
    assert hurried.client().get(answer.headers["Location"]).get_json()["result"] == "late"


@pytest.mark.parametrize("path", ["/ai_service", "/ai_service_binary"])
def test_the_ai_service_over_its_budget_answers_504_and_the_job_goes_on(hurried: Service, path: str) -> None:
    answer = hurried.client().post(path, json=INPUT)
    assert answer.status_code == 504
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["code"] == "sync_budget_exceeded"
    read = hurried.client().get(answer.headers["Location"]).get_json()
    assert read["id"] == answer.headers["X-Job-ID"]
    assert read["status"] == "pending"


@pytest.mark.parametrize(
    ("code", "status"),
    [("provider_error", 502), ("timeout", 504), ("agent_error", 500), ("unknown_language", 500)],
)
@pytest.mark.parametrize("path", ["/ai_service", RUN])
def test_a_failed_job_is_a_problem_with_its_code(service: Service, path: str, code: str, status: int) -> None:
    with service.worker(lambda job: failed(code, "Why it failed.")):
        answer = service.client().post(path, json=INPUT)
    problem = answer.get_json()
    assert answer.status_code == problem["status"] == status
    assert answer.mimetype == "application/problem+json"
    assert (problem["code"], problem["detail"]) == (code, "Why it failed.")
    assert answer.headers["Location"] == f"/v1/jobs/{answer.headers['X-Job-ID']}"


def test_a_job_that_was_canceled_while_it_was_waited_for_is_409(service: Service) -> None:
    with service.worker(lambda job: canceled()):
        answer = service.client().post("/ai_service", json=INPUT)
    assert answer.status_code == 409
    assert answer.get_json()["code"] == "canceled"


def test_a_failed_job_can_still_be_read(service: Service) -> None:
    with service.worker(lambda job: failed("agent_error", "Why.")):
        answer = service.client().post(RUN, json=INPUT)
    job = service.client().get(answer.headers["Location"]).get_json()
    assert job["error"] == {"code": "agent_error", "detail": "Why."}
    assert job["status"] == "failed"


def test_head_starts_no_job(service: Service) -> None:
    assert service.client().head("/ai_service?param1=x").status_code == 405
    assert service.engine.redis.zcard(service.engine.keys.pending("io")) == 0


def test_refused_input_leaves_nothing_behind(service: Service) -> None:
    assert service.client().post(RUN, json={"param1": 1}).status_code == 422
    left = [name for name in service.engine.redis.scan_iter() if b":limits:" not in name]
    assert left == []  # that somebody asked was counted


def test_a_pending_job_tells_its_place(service: Service) -> None:
    client = service.client()
    for position in (1, 2, 3):
        job = client.post(RUN, json=INPUT, headers=ASYNC).get_json()
        assert job["queue"] == {"position": position, "wait_seconds": None}


def test_times_are_rfc_3339_in_utc(service: Service) -> None:
    with service.worker(lambda job: completed("x")):
        job = service.client().post(RUN, json=INPUT).get_json()
    for name in ("created_at", "started_at", "completed_at", "expires_at"):
        assert job[name].endswith("+00:00")
        assert "T" in job[name]


def test_when_too_much_waits_it_answers_429_and_when_to_come_back(full: Service) -> None:
    answer = full.client().post(RUN, json=INPUT, headers=ASYNC)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert "X-Job-ID" not in answer.headers


def test_an_uploaded_file_reaches_the_job(service: Service) -> None:
    content, contents = b"some text\n" * 30_000, []

    def read(job: Job) -> Ending:
        assert job.payload is not None
        contents.append(b"".join(service.engine.artifacts.open(job.payload["document"]["key"])))
        return completed("read")

    form = {"document": (BytesIO(content), "notes.txt", "text/plain"), "pages": "2"}
    with service.worker(read):
        answer = service.client().post(UPLOAD, data=form)
    assert answer.status_code == 200, answer.text
    assert contents == [content]
    [job] = service.seen
    reference = {"name": "notes.txt", "media_type": "text/plain", "size": len(content), "key": f"{job.id}/0/document"}
    assert job.payload == {"document": reference, "pages": 2}


def test_an_uploaded_file_is_deleted_when_its_job_is_not_accepted(full: Service, tmp_path: Path) -> None:
    answer = full.client().post(UPLOAD, data={"document": (BytesIO(b"text"), "notes.txt")}, headers=ASYNC)
    assert answer.status_code == 429
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_result_too_large_for_the_record_is_answered_whole(service: Service) -> None:
    def large(job: Job) -> Ending:
        key = f"{job.id}/1/result.json"
        service.engine.artifacts.put(key, [b'"' + b"x" * 1_000_000 + b'"'])
        return Ending(Status.COMPLETED, {"usage": {}}, result_ref=key)

    with service.worker(large):
        answer = service.client().post("/ai_service", json=INPUT)
    assert len(answer.get_json()["result"]) == 1_000_000
