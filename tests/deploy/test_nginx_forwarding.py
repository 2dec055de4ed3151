"""What reaches the application, and how streams and sockets pass: before an upstream that shows it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.edge import Edge
from tests.support.mirror import Mirror

FORGED = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "X-Real-IP": "6.6.6.6",
    "Forwarded": "for=6.6.6.6",
    "X_Forwarded_For": "6.6.6.6",
    "X-HTTP-Method-Override": "DELETE",
    "X-Original-URL": "/metrics",
    "Proxy": "http://evil.example",
}


def test_what_a_caller_says_of_itself_is_overwritten(mirror_edge: Edge) -> None:
    for path in ("/", "/v1/jobs/x/artifacts/y", "/v1/agents/x/run", "/ws/x"):
        with mirror_edge.session() as session:
            seen = session.get(mirror_edge.url + path, headers=FORGED, timeout=10).json()["headers"]
        assert seen["x-forwarded-for"] == "127.0.0.1"
        assert seen["x-forwarded-proto"] == "https"
        assert seen["host"] == f"localhost:{mirror_edge.port}"
        kept = {"x-forwarded-for", "x-forwarded-proto"}
        assert not {name.lower() for name in FORGED}.difference(kept) & set(seen), path


def test_paths_arrive_as_they_were_sent(mirror_edge: Edge) -> None:
    with mirror_edge.session() as session:
        seen = session.get(f"{mirror_edge.url}/a%2Fb%20c?q=%C3%A4&r=a+b", timeout=10).json()
    assert seen["path"] == "/a%2Fb%20c?q=%C3%A4&r=a+b"


@pytest.fixture
def go_on() -> Iterator[threading.Event]:
    """What the streams of the mirror wait for behind their first event."""
    Mirror.go_on.clear()
    yield Mirror.go_on
    Mirror.go_on.set()


def test_a_stream_s_events_come_when_they_are_sent(mirror_edge: Edge, go_on: threading.Event) -> None:
    with mirror_edge.session() as session:
        headers = {"Accept-Encoding": "gzip"}
        answer = session.get(f"{mirror_edge.url}/v1/jobs/x/events", headers=headers, stream=True, timeout=30)
        assert "Content-Encoding" not in answer.headers
        events = (line for line in answer.iter_lines(chunk_size=1) if line.startswith(b"data: "))
        assert next(events)  # the first is here before the second is sent
        go_on.set()
        assert len(list(events)) == 1


def test_sockets_are_handed_through(mirror_edge: Edge) -> None:
    with mirror_edge.connect() as sock:
        sock.sendall(
            b"GET /ws/me HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert b" 101 " in sock.recv(4096)
        for word in (b"hello", b"again"):
            sock.sendall(word)
            assert sock.recv(4096) == word.upper()


def test_only_the_place_for_sockets_upgrades(mirror_edge: Edge) -> None:
    with mirror_edge.session() as session:
        headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
        seen = session.get(f"{mirror_edge.url}/v1/agents", headers=headers, timeout=10).json()
    assert "upgrade" not in seen["headers"]


def test_forged_addresses_count_as_one_client(mirror_port: int, tmp_path: Path) -> None:
    with Edge(tmp_path, mirror_port, RATE="1r/m", BURST="10") as edge, edge.session() as session:
        answers = [
            session.get(edge.url, headers={"X-Forwarded-For": f"10.0.0.{number}"}, timeout=10) for number in range(40)
        ]
    refused = [answer for answer in answers if answer.status_code == 429]
    # All but one and the burst: these 40 calls take less than a minute.
    assert len(refused) == 29
    assert refused[0].headers["Retry-After"] == "1"
    assert refused[0].headers["Content-Type"] == "application/problem+json"


def test_a_load_balancer_of_ours_is_believed(mirror_port: int, tmp_path: Path) -> None:
    settings = {"REAL_IP_FROM": "set_real_ip_from 127.0.0.1;", "RATE": "1r/m", "BURST": "1"}
    with Edge(tmp_path, mirror_port, **settings) as edge, edge.session() as session:
        headers = [{"X-Forwarded-For": f"10.0.0.{number}"} for number in range(8)]
        answers = [session.get(edge.url, headers=each, timeout=10) for each in headers]
    assert [answer.status_code for answer in answers] == [200] * 8
    assert answers[3].json()["headers"]["x-forwarded-for"] == "10.0.0.3"


def test_streams_of_one_address_are_bounded(mirror_port: int, tmp_path: Path, go_on: threading.Event) -> None:
    with Edge(tmp_path, mirror_port, STREAMS="2") as edge:

        def status() -> int:
            session = on_exit.enter_context(edge.session())
            answer = session.get(f"{edge.url}/v1/jobs/x/events", stream=True, timeout=30)
            return on_exit.enter_context(answer).status_code  # it stays open

        with ExitStack() as on_exit:
            assert [status() for _ in range(5)] == [200, 200, 429, 429, 429]
            go_on.set()


def test_the_ids_of_two_requests_differ(mirror_edge: Edge) -> None:
    with mirror_edge.session() as session:
        seen = [session.get(mirror_edge.url, timeout=10).json()["headers"]["x-request-id"] for _ in range(2)]
        own = uuid.uuid4().hex
        sent = session.get(mirror_edge.url, headers={"X-Request-ID": own}, timeout=10).json()
    assert seen[0] != seen[1]
    assert sent["headers"]["x-request-id"] == own
