"""Chat over real processes and a real model server, which echoes what it was told."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.local.stack import Stack
from tests.support.client import Client, other_key
from tests.support.model_server import ModelServer
from tests.support.sse import Follower, Frame, read_frames

UNICODE = 'a\nb\r\nc\u2028 data: x\n\nid: 9-9\n\n "\\" 😀 汉字'


@pytest.fixture
def client(chat_stack: Stack, model: ModelServer) -> Iterator[Client]:
    model.reset()
    yield Client(chat_stack)
    model.reset()


def chat(client: Client, message: str, **more: Any) -> dict[str, Any]:
    answer = client.post("/chat", json={"message": message, **more})
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Job-ID"]
    found = dict(answer.json())
    assert answer.headers["X-Conversation-ID"] == found["conversation_id"]
    return found


def conversation(client: Client, conversation_id: str) -> list[tuple[str, str]]:
    found = client.get(f"/conversation/{conversation_id}").json()
    assert found["message_count"] == len(found["messages"])
    return [(message["role"], message["content"]) for message in found["messages"]]


def stream(client: Client, message: str, headers: dict[str, str] | None = None, **more: Any) -> tuple[str, list[Frame]]:
    answer = client.post("/chat/stream", json={"message": message, **more}, headers=headers or {}, stream=True)
    with closing(answer):
        assert answer.status_code == 200, answer.text
        return answer.headers["X-Job-ID"], list(read_frames(answer))


def test_a_conversation_remembers_and_can_be_read_and_deleted(client: Client) -> None:
    first = chat(client, "I am called Ada.", temperature=0.25)
    assert first["response"].startswith("You said: I am called Ada.\nBefore that: nothing\nAt temperature 0.25.")
    assert first["tokens_used"] > 0
    assert abs((datetime.now(UTC) - datetime.fromisoformat(first["timestamp"])).total_seconds()) < 60
    known = first["conversation_id"]
    second = chat(client, "Who am I?", conversation_id=known, system_prompt="Be kind.")
    assert second["conversation_id"] == known
    before = f"system: Be kind.; user: I am called Ada.; assistant: {first['response']}"
    assert second["response"].startswith(f"You said: Who am I?\nBefore that: {before}")
    assert conversation(client, known) == [
        ("user", "I am called Ada."),
        ("assistant", first["response"]),
        ("user", "Who am I?"),
        ("assistant", second["response"]),
    ]
    assert client.get("/health").json()["active_conversations"] >= 1
    gone = client.request("DELETE", f"/conversation/{known}")
    assert (gone.status_code, gone.json()) == (200, {"status": "deleted"})
    for answer in (
        client.get(f"/conversation/{known}"),
        client.request("DELETE", f"/conversation/{known}"),
        client.post("/chat", json={"message": "again", "conversation_id": known}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "X-Conversation-ID" not in answer.headers


def test_another_principals_conversation_is_one_that_does_not_exist(client: Client, chat_stack: Stack) -> None:
    known = chat(client, "private")["conversation_id"]
    other = {"X-API-Key": other_key(chat_stack)}
    answers = [
        (
            client.get(f"/conversation/{each}", headers=other),
            client.request("DELETE", f"/conversation/{each}", headers=other),
            client.post("/chat", json={"message": "hello", "conversation_id": each}, headers=other),
            client.post("/chat/stream", json={"message": "hello", "conversation_id": each}, headers=other),
        )
        for each in (known, str(uuid.uuid4()))
    ]
    for foreign, unknown in zip(*answers, strict=True):
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.json()["detail"] == unknown.json()["detail"]
    assert len(conversation(client, known)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"message": ""},
        {"message": "x" * 32_001},
        {"message": 1},
        {"message": "x", "temperature": 2.1},
        {"message": "x", "max_tokens": 0},
        {"message": "x", "max_tokens": 4001},
        {"message": "x", "conversation_id": "mine"},
        {"message": "x", "nonsense": 1},
    ],
)
def test_bad_input_is_refused_and_leaves_no_conversation(client: Client, wrong: dict[str, Any]) -> None:
    before = client.get("/health").json()["active_conversations"]
    for path in ("/chat", "/chat/stream"):
        answer = client.post(path, json=wrong)
        assert answer.status_code == 422, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert client.get("/health").json()["active_conversations"] == before


def test_messages_of_the_same_moment_are_all_kept_with_their_answers(client: Client) -> None:
    known = chat(client, "begin")["conversation_id"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: chat(client, f"message {n}", conversation_id=known), range(24)))
    found = conversation(client, known)
    assert [role for role, _ in found] == ["user", "assistant"] * 25
    pairs = [(found[at][1], found[at + 1][1]) for at in range(2, len(found), 2)]
    assert sorted(pairs) == sorted((f"message {n}", each["response"]) for n, each in enumerate(answers))


def test_a_conversation_longer_than_the_models_context_is_kept_whole(client: Client, model: ModelServer) -> None:
    known = chat(client, "the very first " + "x" * 9_000)["conversation_id"]
    chat(client, "second " + "y" * 9_000, conversation_id=known)
    chat(client, "third", conversation_id=known, max_tokens=100)
    sent = [message["content"][:20] for message in model.stats()["last"]["messages"]]
    assert sent[-1] == "third"
    assert not any(each.startswith("the very first") for each in sent)
    assert conversation(client, known)[0][1].startswith("the very first")
    assert len(conversation(client, known)) == 6


def test_a_stream_speaks_frames_of_content_then_done(client: Client) -> None:
    job_id, (retry, *frames) = stream(client, UNICODE)
    assert retry.retry == 2000
    *tokens, done, end = frames
    assert end == Frame(data="[DONE]")
    content = "".join(frame.json["content"] for frame in tokens)
    assert content.startswith(f"You said: {UNICODE}")
    usage = done.json["usage"]
    assert done.json == {
        "done": True,
        "tokens_used": usage["prompt_tokens"] + usage["completion_tokens"],
        "usage": usage,
        "conversation_id": done.json["conversation_id"],
    }
    assert all(frame.id.startswith("1-") and not frame.event for frame in (*tokens, done))
    assert conversation(client, done.json["conversation_id"]) == [("user", UNICODE), ("assistant", content)]
    resumed = Follower(client, job_id, events=[tokens[0]])
    resumed.connect()
    assert [event.id for event in resumed.events] == [frame.id for frame in (*tokens, done)]


def test_a_model_server_that_fails_ends_the_stream_with_an_error(client: Client, model: ModelServer) -> None:
    model.control(fault="cut")
    _, frames = stream(client, "hello there, how are you today")
    *_, error, end = frames
    assert set(error.json) == {"error", "code"}
    assert error.json["code"] == "provider_error"
    assert end.data == "[DONE]"
    answer = client.post("/chat", json={"message": "hello"})
    assert (answer.status_code, answer.json()["code"]) == (502, "provider_error")
    assert conversation(client, answer.headers["X-Conversation-ID"]) == [("user", "hello")]
    model.reset()
    again = chat(client, "and now?", conversation_id=answer.headers["X-Conversation-ID"])
    assert "Before that: nothing" in again["response"]


@pytest.mark.parametrize(("headers", "status"), [({}, "completed"), ({"X-On-Disconnect": "cancel"}, "canceled")])
def test_a_client_that_leaves_a_chat(client: Client, model: ModelServer, headers: dict[str, str], status: str) -> None:
    model.control(tokens=60, rate=20)
    answer = client.post("/chat/stream", json={"message": "talk"}, headers=headers, stream=True)
    with closing(answer):
        next(frame for frame in read_frames(answer) if frame.data)
    assert client.wait_for(answer.headers["X-Job-ID"])["status"] == status
    kept = conversation(client, answer.headers["X-Conversation-ID"])
    assert len(kept) == (2 if status == "completed" else 1)
    if status == "canceled":
        deadline = time.monotonic() + 10
        while model.stats()["active"]:  # the model server is let go of too
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_the_chat_agent_runs_without_a_conversation_too(client: Client) -> None:
    answer = client.post("/v1/agents/chat/run", json={"message": "alone"}).json()
    assert answer["result"].startswith("You said: alone\nBefore that: nothing")
