"""What one principal may hold open and spend, over real processes: one too many is refused, others do not notice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import pytest
import requests
from websocket import WebSocketBadStatusException

from deploy.local.stack import Stack
from tests.integration.conftest import AGENTS
from tests.integration.test_sockets import ask, close_code, open_at
from tests.support.client import Client, engine_of, key_store

MOST = 3
BUDGET = 50
EVENTS = {"Accept": "text/event-stream", "X-On-Disconnect": "cancel"}
LONG = {"to": 600, "pause": 0.05}
ASKED = {"model": "offline", "stream": True, "messages": [{"role": "user", "content": "Hello?"}]}
TEXT = "The bridge was opened in 1932. It took eight years to build. It carries eight lanes."


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {
        "AGENTS": AGENTS,
        "WEB_CONCURRENCY": "2",
        "MAX_STREAMS": str(MOST),
        "TOKEN_BUDGETS": f"small:{BUDGET}",
    }
    with Stack(tmp_path_factory.mktemp("limited"), settings, only=("web", "worker-io")) as running:
        yield running


class Somebody(Client):
    """A principal of its own."""

    def __init__(self, stack: Stack, tier: str = "default") -> None:
        super().__init__(stack)
        with key_store(stack) as keys:
            record, self.key = keys.create("somebody", tier=tier)
        self.id = record.principal().id
        self._session.headers["X-API-Key"] = self.key

    def stream(self) -> requests.Response:
        return self.post("/v1/agents/count/stream", json=LONG, headers=EVENTS, stream=True)


@pytest.fixture
def somebody(limited: Stack) -> Somebody:
    return Somebody(limited)


@pytest.fixture
def busy(somebody: Somebody) -> Iterator[Somebody]:
    """One who has as many streams open as it may."""
    with ExitStack() as stack:
        for _ in range(MOST):
            assert stack.enter_context(closing(somebody.stream())).status_code == 200
        yield somebody


def one_more(client: Client) -> dict[str, requests.Response]:
    """What every other way to open a stream is answered."""
    job = client.get("/v1/jobs").json()["jobs"][0]["id"]
    return {
        "stream": client.post("/v1/agents/count/stream", json=LONG, headers=EVENTS),
        "run": client.post("/v1/agents/count/run", json=LONG, headers=EVENTS),
        "events": client.get(f"/v1/jobs/{job}/events"),
        "chat": client.post("/chat/stream", json={"message": "Hello?"}),
        "openai": client.post("/v1/chat/completions", json=ASKED),
    }


def test_one_stream_too_many_is_refused_at_every_door_and_begins_nothing(busy: Somebody, limited: Stack) -> None:
    answers = one_more(busy)
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 429)
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers.values())
    assert answers["events"].json()["code"] == "too_many_streams"
    assert answers["openai"].json()["error"]["type"] == "rate_limit_error"
    socket = open_at(limited, "one-more", busy.key)
    assert close_code(socket) == 4429
    socket.shutdown()
    assert len(busy.get("/v1/jobs").json()["jobs"]) == MOST


def test_others_do_not_notice_hundreds_of_streams_of_one(busy: Somebody, limited: Stack) -> None:
    with ThreadPoolExecutor(16) as pool:
        refused = list(pool.map(lambda _: busy.stream().status_code, range(300)))
    assert set(refused) == {429}
    with closing(Somebody(limited).stream()) as answer:
        assert answer.status_code == 200


def test_a_place_is_free_again_when_a_stream_ends_and_when_its_client_left(somebody: Somebody) -> None:
    for _ in range(2 * MOST):
        assert somebody.post("/chat/stream", json={"message": "Hello?"}).status_code == 200
    answers = [somebody.stream() for _ in range(MOST)]
    assert somebody.stream().status_code == 429
    for answer in answers:
        answer.close()
    # That a client left is seen at the next frame.
    deadline = time.monotonic() + 30
    while (again := somebody.stream()).status_code == 429:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    again.close()


def test_a_stream_that_is_refused_for_what_it_asks_takes_no_place(somebody: Somebody, limited: Stack) -> None:
    for _ in range(MOST + 1):
        assert somebody.post("/v1/agents/count/stream", json={"to": "many"}).status_code == 422
        assert somebody.post("/v1/chat/completions", json=ASKED | {"model": "none"}).status_code == 404
        conversation = {"message": "x", "conversation_id": "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11"}
        assert somebody.post("/chat/stream", json=conversation).status_code == 404
    engine = engine_of(limited)
    assert engine.redis.zcard(engine.keys.streams_of(somebody.id)) == 0
    engine.redis.connection_pool.disconnect()


def test_a_budget_counts_what_jobs_took_however_they_were_asked_for(limited: Stack) -> None:
    somebody = Somebody(limited, tier="small")
    socket = open_at(limited, "spender", somebody.key)
    assert somebody.get("/v1/usage").json()["budget"]["spent"] == 0
    assert somebody.post("/chat/stream", json={"message": TEXT}).status_code == 200
    spent = wait_for_spending(somebody)
    assert spent["tokens"] == BUDGET
    paths: dict[str, Any] = {
        "/ai_service": {"param1": TEXT},
        "/chat": {"message": "x"},
        "/chat/stream": {"message": "x"},
        "/v1/agents/count/stream": LONG,
        "/v1/agents/echo/jobs": {"text": "x"},
        "/task": {"prompt": "x"},
    }
    for path, body in paths.items():
        refused = somebody.post(path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (429, "budget_spent"), path
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.json()["spent"] == spent["spent"]
    assert somebody.post("/v1/chat/completions", json=ASKED).status_code == 429
    assert ask(socket, "hello")[1]["code"] == "budget_spent"
    socket.shutdown()
    with pytest.raises(WebSocketBadStatusException) as refused_socket:
        open_at(limited, "spender", somebody.key)
    assert refused_socket.value.status_code == 429
    # What costs nothing goes on: reading what was paid for.
    assert somebody.get("/v1/jobs").status_code == 200
    assert Somebody(limited, tier="small").post("/chat", json={"message": "x"}).status_code == 200
    assert Client(limited).get("/v1/usage").json()["budget"] is None


def wait_for_spending(client: Client) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while (budget := client.get("/v1/usage").json()["budget"])["spent"] < BUDGET:
        assert time.monotonic() < deadline, json.dumps(budget)
        client.post("/chat", json={"message": TEXT})
    return dict(budget)
