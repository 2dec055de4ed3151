"""Chat over real WebSockets, and the tickets that open them."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
from websocket import (
    ABNF,
    WebSocket,
    WebSocketBadStatusException,
    WebSocketConnectionClosedException,
    create_connection,
)

from deploy.local.stack import Stack
from tests.support.client import Client, other_key
from tests.support.model_server import ModelServer

UNICODE = 'a\nb\r\nc\u2028 "\\" 😀 汉字'

Connect = Callable[..., WebSocket]


@pytest.fixture
def client(chat_stack: Stack, model: ModelServer) -> Iterator[Client]:
    model.reset()
    yield Client(chat_stack)
    model.reset()


@pytest.fixture
def connect(chat_stack: Stack) -> Iterator[Connect]:
    opened: list[WebSocket] = []

    def open_socket(name: str, key: str = chat_stack.api_key, query: str = "", **headers: str) -> WebSocket:
        opened.append(open_at(chat_stack, name, key, query, **headers))
        return opened[-1]

    yield open_socket
    for socket in opened:
        socket.shutdown()


def open_at(stack: Stack, name: str, key: str, query: str = "", **headers: str) -> WebSocket:
    sent = {"X-API-Key": key} if key else {}
    origin = headers.pop("Origin", None)
    return create_connection(
        f"ws://127.0.0.1:{stack.port}/ws/{name}{query}",
        header=sent | {header.replace("_", "-"): value for header, value in headers.items()},
        origin=origin,
        suppress_origin=not origin,
        timeout=30,
    )


def frames(socket: WebSocket) -> list[dict[str, Any]]:
    """The frames of one answer."""
    found: list[dict[str, Any]] = []
    while not found or "content" in found[-1]:
        found.append(json.loads(socket.recv()))
    return found


def ask(socket: WebSocket, message: str, **more: Any) -> tuple[str, dict[str, Any]]:
    socket.send(json.dumps({"message": message} | more))
    *pieces, last = frames(socket)
    return "".join(each["content"] for each in pieces), last


def close_code(socket: WebSocket) -> int:
    """Read on until the other side closes, and say with which code."""
    while True:
        opcode, data = socket.recv_data()
        if opcode == ABNF.OPCODE_CLOSE:
            return int.from_bytes(data[:2], "big")


def test_several_messages_on_one_socket_are_one_conversation(connect: Connect, client: Client) -> None:
    socket = connect("several")
    first, done = ask(socket, UNICODE)
    assert first.startswith(f"You said: {UNICODE}\nBefore that: nothing")
    assert done["done"] is True
    assert done["tokens_used"] == done["usage"]["total_tokens"] > 0
    second, again = ask(socket, "And?", temperature=0.1)
    assert f"user: {UNICODE}; assistant: {first}" in second
    assert again["conversation_id"] == done["conversation_id"]
    assert client.job(again["job_id"])["last_event_id"] == again["id"]
    assert client.get(f"/conversation/{done['conversation_id']}").json()["message_count"] == 4


def test_messages_that_are_sent_ahead_are_answered_in_their_order(connect: Connect) -> None:
    socket = connect("ahead")
    for number in range(5):
        socket.send(json.dumps({"message": f"number {number}"}))
    for number in range(5):
        *pieces, done = frames(socket)
        assert done["done"]
        assert "".join(each["content"] for each in pieces).startswith(f"You said: number {number}\n")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("{", "malformed_json"),
        ("[]", "validation_failed"),
        ("null", "validation_failed"),
        ('{"message": ""}', "validation_failed"),
        ('{"message": "x", "nonsense": 1}', "validation_failed"),
        ('{"message": "x", "conversation_id": "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11"}', "not_found"),
    ],
)
def test_what_cannot_be_answered_is_an_error_frame_and_the_socket_lives(connect: Connect, sent: str, code: str) -> None:
    socket = connect("errors")
    socket.send(sent)
    [error] = frames(socket)
    assert error["code"] == code
    assert isinstance(error["error"], str)
    assert ask(socket, "still there?")[1]["done"]


def test_a_model_server_that_fails_is_an_error_frame(connect: Connect, model: ModelServer) -> None:
    socket = connect("failing")
    model.control(fault="400")
    assert ask(socket, "hello")[1]["code"] == "provider_error"
    model.reset()
    assert ask(socket, "hello")[1]["done"]


def test_binary_json_is_read_too_and_bytes_that_are_no_text_are_not(connect: Connect) -> None:
    socket = connect("binary")
    socket.send_binary(b'{"message": "hello"}')
    assert frames(socket)[-1]["done"]
    socket.send_binary(b"\xff\xfe")
    assert frames(socket)[-1]["code"] == "malformed_json"


@pytest.mark.parametrize("key", ["", "wrong"])
def test_without_a_key_there_is_no_socket(connect: Connect, key: str) -> None:
    with pytest.raises(WebSocketBadStatusException) as refused:
        connect("nobody", key=key)
    assert refused.value.status_code == 401


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://page.example", 101), ("https://evil.example", 403), ("null", 403), ("http://127.0.0.1", 403)],
)
def test_only_pages_of_known_origins_may_open_one(connect: Connect, origin: str, status: int) -> None:
    if status == 101:
        assert ask(connect("page", Origin=origin), "hello")[1]["done"]
        return
    with pytest.raises(WebSocketBadStatusException) as refused:
        connect("page", Origin=origin)
    assert refused.value.status_code == status


def test_a_ticket_opens_one_socket_once(connect: Connect, client: Client) -> None:
    made = client.post("/v1/tickets")
    assert (made.status_code, made.headers["Cache-Control"], made.json()["expires_in"]) == (201, "no-store", 30)
    query = f"?ticket={made.json()['ticket']}"
    assert ask(connect("ticket", key="", query=query), "hello")[1]["done"]
    for again in (query, "?ticket=", "?ticket=made-up"):
        with pytest.raises(WebSocketBadStatusException) as refused:
            connect("ticket", key="", query=again)
        assert refused.value.status_code == 401


def test_a_ticket_opens_the_events_of_its_own_principal(client: Client, chat_stack: Stack) -> None:
    job_id = client.submit("spell", text="abc")
    url = f"{chat_stack.url}/v1/jobs/{job_id}/events"
    ticket = client.post("/v1/tickets").json()["ticket"]
    assert "event: completed" in requests.get(url, params={"ticket": ticket}, timeout=30).text
    assert requests.get(url, params={"ticket": ticket}, timeout=30).status_code == 401
    foreign = client.post("/v1/tickets", headers={"X-API-Key": other_key(chat_stack)}).json()["ticket"]
    assert requests.get(url, params={"ticket": foreign}, timeout=30).status_code == 404
    elsewhere = client.post("/v1/tickets").json()["ticket"]
    answer = requests.get(f"{chat_stack.url}/v1/jobs/{job_id}", params={"ticket": elsewhere}, timeout=30)
    assert answer.status_code == 401


def test_a_second_socket_of_the_same_name_takes_over(connect: Connect, chat_stack: Stack) -> None:
    first, bystander = connect("mine"), connect("other")
    ask(first, "hello")
    foreign = connect("mine", key=other_key(chat_stack))
    second = connect("mine")
    assert ask(second, "hello")[1]["done"]
    # A look at the name precedes each answer, so these two have kept theirs.
    assert ask(bystander, "hello")[1]["done"]
    assert ask(foreign, "hello")[1]["done"]
    assert close_code(first) == 4409


def test_messages_that_pile_up_close_the_socket(connect: Connect, model: ModelServer) -> None:
    model.control(delay=5)
    socket = connect("flood")
    with suppress(OSError, WebSocketConnectionClosedException):
        for _ in range(200):
            socket.send(json.dumps({"message": "x" * 1000}))
    assert close_code(socket) == 1008


def test_a_message_that_is_too_large_closes_the_socket(connect: Connect) -> None:
    socket = connect("large")
    with suppress(OSError, WebSocketConnectionClosedException):
        socket.send(json.dumps({"message": "x" * 200_000}))
    assert close_code(socket) == 1009


def test_a_socket_is_pinged_and_lives_as_long_as_it_answers(connect: Connect) -> None:
    socket = connect("quiet")
    socket.settimeout(30)
    opcodes = [socket.recv_data_frame(control_frame=True)[0] for _ in range(3)]  # which answers them
    assert opcodes == [ABNF.OPCODE_PING] * 3
    assert ask(socket, "hello")[1]["done"]


def test_a_client_that_leaves_ends_its_job_only_when_it_said_so(
    connect: Connect, client: Client, model: ModelServer
) -> None:
    for headers, status, tokens in (({}, "completed", 100), ({"X_On_Disconnect": "cancel"}, "canceled", 1000)):
        model.control(tokens=tokens, rate=20)
        socket = connect("leaving", **headers)
        socket.send('{"message": "talk"}')
        job_id = json.loads(socket.recv())["job_id"]
        socket.shutdown()
        assert client.wait_for(job_id)["status"] == status


def test_a_drain_closes_sockets_and_loses_nothing(own_stack: Stack) -> None:
    client = Client(own_stack)
    idle, busy = (open_at(own_stack, name, own_stack.api_key) for name in ("idle", "busy"))
    text = "A ramp is a slope. Ships are launched from it. " * 20
    busy.send(json.dumps({"message": text, "max_tokens": 4000}))
    job_id = json.loads(busy.recv())["job_id"]
    web = own_stack.processes.pop("web")
    web.send_signal(signal.SIGTERM)
    assert close_code(idle) == 1012
    with suppress(WebSocketConnectionClosedException):
        assert close_code(busy) == 1012
    started = time.monotonic()
    assert web.wait(30) == 0
    assert time.monotonic() - started < 25  # far below the time that gunicorn gives to requests
    own_stack.spawn("web")
    own_stack.wait_until_ready()
    assert client.wait_for(job_id)["status"] == "completed"
    for socket in (idle, busy):
        socket.shutdown()
