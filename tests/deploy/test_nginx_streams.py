"""Our own streams, sockets and uploads behind nginx: the whole way, and what happens when it is cut."""

from __future__ import annotations

import json
import signal
import ssl
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from websocket import create_connection

from deploy.local.stack import Stack
from tests.support.client import Client
from tests.support.edge import Edge
from tests.support.sse import Follower, read_frames

TEXT = "Ships are launched from a slipway. A slipway is a ramp into the water."
NUMBERS = "".join(f"{number} " for number in range(1, 41))


@pytest.fixture
def client(edge: Edge, stack: Stack) -> Client:
    return Client(stack, edge.url, str(edge.certificate))


def test_a_stream_arrives_event_by_event(client: Client) -> None:
    headers = {"Accept-Encoding": "gzip"}
    answer = client.post("/v1/agents/count/stream", json={"to": 40, "pause": 0.05}, headers=headers, stream=True)
    with closing(answer):
        frames = read_frames(answer)
        while next(frames).event != "token":
            pass
        # It has 39 numbers to go.
        assert client.job(answer.headers["X-Job-ID"])["status"] == "running"
        rest = list(frames)
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert rest[-1].event == "completed"


def test_a_stream_that_is_cut_goes_on_where_it_was(client: Client) -> None:
    follower = Follower(client, client.submit("count", to=40, pause=0.05))
    for wanted in (5, 20):
        follower.connect(lambda wanted=wanted: len(follower.events) >= wanted)  # type: ignore[misc]
    follower.follow()
    assert follower.connections == 3
    assert follower.content == NUMBERS
    assert follower.ids == [f"1-{number}" for number in range(len(follower.ids))]
    assert follower.connect().status_code == 204


def test_new_settings_of_nginx_cut_no_stream(edge: Edge, client: Client) -> None:
    follower = Follower(client, client.submit("count", to=40, pause=0.05))

    def reload_once() -> bool:
        if len(follower.events) == 5:
            edge.signal(signal.SIGHUP)
        return False

    follower.connect(reload_once)
    assert (follower.connections, follower.content) == (1, NUMBERS)


def test_a_chat_in_the_tutorials_frames(client: Client) -> None:
    answer = client.post("/chat/stream", json={"message": TEXT}, stream=True)
    with closing(answer):
        data = [frame.data for frame in read_frames(answer) if frame.data]
    assert data[-1] == "[DONE]"
    assert json.loads(data[-2])["done"] is True
    assert "".join(json.loads(each)["content"] for each in data[:-2])


@pytest.fixture
def socket(edge: Edge, stack: Stack) -> Iterator[Any]:
    context = ssl.create_default_context(cafile=str(edge.certificate))
    opened = create_connection(
        f"wss://localhost:{edge.port}/ws/me",
        header={"X-API-Key": stack.api_key},
        suppress_origin=True,
        sslopt={"context": context},
        timeout=30,
    )
    yield opened
    opened.shutdown()


def test_a_socket(socket: Any) -> None:
    for _ in range(2):
        socket.send(json.dumps({"message": TEXT}))
        frames = [json.loads(socket.recv())]
        while "done" not in frames[-1]:
            frames.append(json.loads(socket.recv()))
        assert "".join(each["content"] for each in frames[:-1])


def test_a_socket_of_nobody_is_refused_before_it_opens(edge: Edge) -> None:
    with edge.session() as session:
        headers = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        answer = session.get(f"{edge.url}/ws/me", headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_over_the_limit_is_refused(client: Client, chunked: bool) -> None:
    body = json.dumps({"param1": "x" * 2_000_000}).encode()
    pieces = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    headers = {"Content-Type": "application/json"}
    # nginx reads on for a while after its answer, so that the answer is seen.
    answer = client.post("/ai_service", data=pieces if chunked else body, headers=headers)
    assert answer.status_code == 413
    assert answer.json()["code"] == "content_too_large"


def test_a_slow_reader_of_a_stream_holds_up_nobody(edge: Edge, stack: Stack, client: Client) -> None:
    """60 streams that nobody reads, while others call."""
    path = f"/v1/jobs/{client.submit('count', to=40, pause=0.05)}/events"
    slow = [edge.connect() for _ in range(60)]
    for sock in slow:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {stack.api_key}\r\n\r\n".encode())
    for number in range(20):
        # Below nginx' patience with a slow reader (30 s).
        answer = client.post("/v1/agents/echo/run", json={"text": str(number)}, timeout=20)
        assert answer.json()["result"] == str(number)
    for sock in slow:
        sock.close()
