"""What a job costs is said and counted once, whoever asks how often."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.service import Service, canceled, completed, failed, serve

RUN = "/v1/agents/priced/run"
JOBS = "/v1/agents/priced/jobs"
HEADER = "NVMCreditsConsumed"
PRICE = "4"  # two for each of the prompt tokens that `completed` tells


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with serve(valkey_url, tmp_path) as found:
        yield found


@pytest.fixture
def client(service: Service) -> FlaskClient:
    return service.client()


def credits(client: FlaskClient) -> int:
    return int(client.get("/v1/usage").get_json()["credits"])


def ended(service: Service, client: FlaskClient) -> str:
    job_id = client.post(JOBS, json={"text": "x"}).headers["X-Job-ID"]
    service.finish(job_id, completed("x"))
    return str(job_id)


def test_the_answer_of_a_run_costs_and_a_later_one_does_not(service: Service, client: FlaskClient) -> None:
    with service.worker(lambda job: completed("x")):
        answer = client.post(RUN, json={"text": "x"}, headers={"Idempotency-Key": "1"})
        again = client.post(RUN, json={"text": "x"}, headers={"Idempotency-Key": "1"})
    later = client.get(f"/v1/jobs/{answer.headers['X-Job-ID']}")
    assert [each.headers[HEADER] for each in (answer, again, later)] == [PRICE, "0", "0"]
    assert credits(client) == 4


@pytest.mark.parametrize("path", ["/v1/jobs/{}", "/v1/jobs/{}/result", "/task/{}"])
def test_the_first_delivery_costs_wherever_it_is(service: Service, client: FlaskClient, path: str) -> None:
    job_id = ended(service, client)
    assert client.head(path.format(job_id)).headers.get(HEADER) is None
    assert client.get(path.format(job_id)).headers[HEADER] == PRICE
    assert client.get(path.format(job_id)).headers[HEADER] == "0"


def test_what_delivers_nothing_costs_nothing(service: Service, client: FlaskClient) -> None:
    accepted = client.post(JOBS, json={"text": "x"})
    job_id = accepted.headers["X-Job-ID"]
    waiting = client.get(f"/v1/jobs/{job_id}")
    refused = client.get(f"/v1/jobs/{job_id}/result")
    service.finish(job_id, failed("unknown_language"))
    broken = client.get(f"/v1/jobs/{job_id}/result")
    read = client.get(f"/v1/jobs/{job_id}")
    listed = client.get("/v1/jobs")
    for answer in (accepted, waiting, refused, broken, read, listed):
        assert HEADER not in answer.headers
    assert credits(client) == 0


def test_a_state_that_is_known_costs_nothing_again(service: Service, client: FlaskClient) -> None:
    job_id = ended(service, client)
    etag = client.get(f"/v1/jobs/{job_id}").headers["ETag"]
    known = client.get(f"/v1/jobs/{job_id}", headers={"If-None-Match": etag})
    assert known.status_code == 304
    assert HEADER not in known.headers


def test_an_agent_without_a_price_says_nothing(service: Service, client: FlaskClient) -> None:
    with service.worker(lambda job: completed("x")):
        assert HEADER not in client.post("/ai_service", json={"param1": "x"}).headers


def test_many_deliveries_at_once_cost_once(service: Service, client: FlaskClient) -> None:
    job_id = ended(service, client)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: service.client().get(f"/v1/jobs/{job_id}/result").headers[HEADER], range(40)))
    assert sorted(told) == ["0"] * 39 + [PRICE]
    assert credits(client) == 4


STREAM = "/v1/agents/counted/stream"


def test_a_stream_says_its_price_first_and_what_comes_after_is_free(service: Service, client: FlaskClient) -> None:
    with service.worker(lambda job: completed("x")):
        streamed = client.post(STREAM, json={"text": "x"}, headers={"Idempotency-Key": "1"})
        assert "completed" in streamed.text
        job_id = streamed.headers["X-Job-ID"]
        again = client.post(STREAM, json={"text": "x"}, headers={"Idempotency-Key": "1"})
    resumed = client.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": "1-0"})
    result = client.get(f"/v1/jobs/{job_id}/result")
    told = [each.headers[HEADER] for each in (streamed, again, resumed, result)]
    assert told == ["3", "0", "0", "0"]
    assert credits(client) == 3


def test_the_same_by_accept_and_by_the_events_of_a_job_that_runs(service: Service, client: FlaskClient) -> None:
    job_id = client.post("/v1/agents/counted/jobs", json={"text": "x"}).headers["X-Job-ID"]
    with service.worker(lambda job: completed("x")):
        events = client.get(f"/v1/jobs/{job_id}/events")
        accepted = client.post(
            "/v1/agents/counted/run", json={"text": "x"}, headers={"Accept": "text/event-stream"}, buffered=True
        )
    assert [events.headers[HEADER], accepted.headers[HEADER]] == ["3", "3"]
    assert credits(client) == 6


def test_a_stream_does_not_say_a_price_that_nobody_knows_yet(service: Service, client: FlaskClient) -> None:
    with service.worker(lambda job: completed("x")):
        streamed = client.post("/v1/agents/priced/stream", json={"text": "x"}, buffered=True)
    assert HEADER not in streamed.headers
    after = client.get(f"/v1/jobs/{streamed.headers['X-Job-ID']}/events")
    assert after.headers[HEADER] == PRICE
    assert credits(client) == int(PRICE)


def test_the_events_of_a_job_that_failed_cost_nothing(service: Service, client: FlaskClient) -> None:
    job_id = client.post("/v1/agents/counted/jobs", json={"text": "x"}).headers["X-Job-ID"]
    service.finish(job_id, failed("unknown_language"))
    assert HEADER not in client.get(f"/v1/jobs/{job_id}/events").headers
    assert credits(client) == 0


def test_usage_counts_jobs_by_their_end_and_tokens(service: Service, client: FlaskClient) -> None:
    ended(service, client)
    for ending in (failed("timeout"), canceled()):
        service.finish(client.post(JOBS, json={"text": "x"}).headers["X-Job-ID"], ending)
    client.post(f"/v1/jobs/{client.post(JOBS, json={'text': 'x'}).headers['X-Job-ID']}/cancel")
    usage = client.get("/v1/usage?days=1").get_json()
    assert usage["jobs"] == {"completed": 1, "failed": 1, "canceled": 2}
    assert usage["tokens"] == {"prompt_tokens": 2, "completion_tokens": 0, "total_tokens": 0}
    assert usage["first_day"] == usage["last_day"]


@pytest.mark.parametrize("days", ["0", "32", "x"])
def test_a_window_has_bounds(client: FlaskClient, days: str) -> None:
    assert client.get(f"/v1/usage?days={days}").status_code == 422
