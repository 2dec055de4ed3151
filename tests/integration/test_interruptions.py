"""Time limits and cancels, on both pools, over real workers."""

from __future__ import annotations

import time

import pytest

from deploy.local.stack import Stack
from tasks.jobs import Engine
from tests.support.client import Client, engine_of


@pytest.fixture
def client(stack: Stack) -> Client:
    return Client(stack)


@pytest.fixture
def engine(stack: Stack) -> Engine:
    return engine_of(stack)


@pytest.mark.parametrize("agent", ["sleep_too_long", "compute_too_long"])
def test_a_job_over_its_time_limit_fails(client: Client, agent: str) -> None:
    job = client.wait_for(client.submit(agent))
    assert (job["status"], job["error"]["code"]) == ("failed", "timeout")


@pytest.mark.parametrize(
    ("agent", "payload"),
    [
        ("count", {"to": 1000}),
        ("compute", {"seconds": 50}),
        ("compute", {"seconds": 50, "cooperative": False}),
    ],
)
def test_a_cancel_reaches_a_running_job(client: Client, engine: Engine, agent: str, payload: dict[str, object]) -> None:
    job_id = client.submit(agent, **payload)
    client.wait_for(job_id, "running")
    job = engine.get(job_id)
    assert job is not None
    assert engine.cancel(job) == "canceling"
    assert client.wait_for(job_id)["status"] == "canceled"
    assert engine.events(job_id, count=10_000)[-1].type == "canceled"


def test_leases_are_renewed_under_code_that_computes_on_a_gevent_worker(client: Client) -> None:
    job_id = client.submit("compute_io", seconds=12)  # longer than a lease
    assert client.wait_for(job_id)["result"] == "computed in attempt 1"


def test_an_agents_own_error_reaches_its_caller_and_a_bug_does_not(client: Client) -> None:
    own = client.wait_for(client.submit("fail", how="agent_error"))
    assert own["error"] == {"code": "unknown_language", "detail": "The text is in no known language."}
    bug = client.wait_for(client.submit("fail", how="bug"))
    assert bug["error"] == {"code": "agent_failed", "detail": "The agent fail failed."}


def test_what_an_agent_lists_in_retry_on_is_tried_again(client: Client) -> None:
    job = client.wait_for(client.submit("fail", how="flaky"))
    assert (job["result"], job["attempts"]) == ("done in attempt 3", 3)


def test_jobs_that_wait_run_side_by_side(client: Client) -> None:
    begun = time.monotonic()
    job_ids = [client.submit("count", to=1, pause=1) for _ in range(60)]
    assert {client.wait_for(job_id)["status"] for job_id in job_ids} == {"completed"}
    assert time.monotonic() - begun < 60  # one after the other they would take longer
