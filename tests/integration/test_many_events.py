"""A job that says more than its log may hold, over real processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from tests.integration.conftest import AGENTS
from tests.support.client import Client, engine_of

MOST = 60


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {"AGENTS": AGENTS, "WEB_CONCURRENCY": "1", "MAX_EVENTS": str(MOST)}
    with Stack(tmp_path_factory.mktemp("stack"), settings) as running:
        yield running


@pytest.mark.parametrize("agent", ["talk", "talk_cpu"])
def test_what_cannot_be_joined_ends_the_job(stack: Stack, agent: str) -> None:
    client, engine = Client(stack), engine_of(stack)
    job = client.wait_for(client.submit(agent, events=MOST * 2))
    assert (job["status"], job["error"]["code"]) == ("failed", "too_many_events")
    events = engine.events(job["id"])
    assert len(events) <= MOST
    assert (events[0].type, events[-1].type) == ("started", "failed")
    # The files of an attempt that failed are not the job's; they go with it.
    assert job["artifacts"] == []
    engine.redis.connection_pool.disconnect()


def test_what_can_be_joined_is(stack: Stack) -> None:
    client, engine = Client(stack), engine_of(stack)
    job = client.wait_for(client.submit("talk", events=2_000, kind="progress"))
    assert (job["status"], job["result"]) == ("completed", "said")
    assert job["progress"]["message"] == "at 1999"
    assert len(engine.events(job["id"])) <= MOST
    text = client.wait_for(client.submit("count", to=400, pause=0.005))["result"]
    assert text == "".join(f"{number} " for number in range(1, 401))
    engine.redis.connection_pool.disconnect()
