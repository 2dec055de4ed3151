"""nginx that is reloaded or killed while streams pass through it, and callers that never say what they want."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from deploy.local.stack import Stack, web_is_ready
from tests.faults.front import Front
from tests.support.client import Client
from tests.support.sse import Follower

STREAMS = 20
TOKENS = 80
EXPECTED = "".join(f"{number} " for number in range(1, TOKENS + 1))
HALF_OPEN = 500


@pytest.fixture
def stack(lasting_stack: Stack) -> Stack:
    return lasting_stack


@pytest.fixture
def front(stack: Stack, tmp_path: Path) -> Iterator[Front]:
    with Front(tmp_path / "nginx", stack.port) as running:
        stack.wait_for("nginx", lambda: web_is_ready(running.url), 30)
        yield running


def followers(stack: Stack, front: Front) -> list[Follower]:
    client = Client(stack)
    jobs = [client.submit("count", to=TOKENS, pause=0.05) for _ in range(STREAMS)]
    return [Follower(Client(stack, front.url), job_id) for job_id in jobs]


def follow(found: list[Follower]) -> list[threading.Thread]:
    """Follow all of them, and wait until each has heard something."""
    threads = [threading.Thread(target=each.follow) for each in found]
    for thread in threads:
        thread.start()
    while not all(each.events for each in found):
        time.sleep(0.02)
    return threads


def test_a_reload_breaks_no_stream(stack: Stack, front: Front) -> None:
    found = followers(stack, front)
    threads = follow(found)
    front.reload()
    for thread in threads:
        thread.join()
    assert [each.connections for each in found] == [1] * STREAMS
    assert {each.content for each in found} == {EXPECTED}


def test_streams_go_on_behind_an_nginx_that_was_killed(stack: Stack, front: Front) -> None:
    found = followers(stack, front)
    threads = follow(found)
    front.kill()
    front.start()
    for thread in threads:
        thread.join()
    assert all(each.connections >= 2 for each in found)
    assert {each.content for each in found} == {EXPECTED}
    for each in found:
        uncut = Follower(Client(stack), each.job_id)
        uncut.connect()
        assert each.events == uncut.events


def test_half_open_connections_do_not_keep_others_out(stack: Stack, front: Front) -> None:
    where = urlsplit(front.url)
    assert where.port
    with ExitStack() as on_exit:
        for number in range(HALF_OPEN):
            opened = on_exit.enter_context(socket.create_connection(("127.0.0.1", where.port), timeout=30))
            # Some say nothing at all, some begin, some promise a body.
            opened.sendall(
                (b"", b"GET /livez HTT", b"POST /task HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")[number % 3]
            )
        with requests.Session() as session:
            times = []
            for _ in range(200):
                begun = time.monotonic()
                answer = session.get(f"{front.url}/v1/agents", headers={"X-API-Key": stack.api_key}, timeout=30)
                times.append(time.monotonic() - begun)
                assert answer.status_code == 200
    print(f"beside {HALF_OPEN} half-open connections: p99 {sorted(times)[-2] * 1000:.0f} ms")
