"""Callers that leave in the middle of a stream, a socket or a download: nothing of them stays."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from websocket import create_connection

from deploy.local.stack import Stack
from tasks.jobs import Engine
from tests.faults.arena import children_of
from tests.support.client import Client, engine_of

EACH = 30
MIB = 1024 * 1024
PATIENCE = 30.0  # a stream notices with its next frame, a heartbeat (here 1 s) at the latest


def held(stack: Stack, engine: Engine) -> tuple[int, int, int]:
    """What the web process holds: its sockets, its connections to Redis, and the channels that it listens to."""
    [pid] = children_of(stack.processes["web"].pid)
    sockets = 0
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # it has just been closed
            sockets += str(each.readlink()).startswith("socket:")
    clients: Any = engine.redis.client_list()
    channels: Any = engine.redis.pubsub_channels(engine.keys.channel("*"))
    return sockets, len(clients), len(channels)


def begin(stack: Stack, request: str) -> socket.socket:
    """Ask, and wait for the first bytes of the answer."""
    connection = socket.create_connection(("127.0.0.1", stack.port), timeout=PATIENCE)
    connection.sendall(f"{request}Host: x\r\nX-API-Key: {stack.api_key}\r\n\r\n".encode())
    assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    return connection


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_nothing_stays_of_callers_that_leave(lasting_stack: Stack) -> None:
    stack = lasting_stack
    client, engine = Client(stack), engine_of(stack)
    jobs = [client.submit("count", to=2, pause=25) for _ in range(EACH)]  # silent: noticed by a heartbeat
    file = client.wait_for(client.submit("write_file", megabytes=30))["artifacts"][0]["url"]
    path = "/" + file.split("/", 3)[3] if "://" in file else file
    client.get("/readyz")
    before = held(stack, engine)
    streams = [begin(stack, f"GET /v1/jobs/{job_id}/events HTTP/1.1\r\n") for job_id in jobs]
    downloads = [begin(stack, f"GET {path} HTTP/1.1\r\n") for _ in range(EACH)]
    key = {"X-API-Key": stack.api_key}
    talks = [create_connection(f"ws://127.0.0.1:{stack.port}/ws/{n}", header=key, timeout=30) for n in range(EACH)]
    during = held(stack, engine)
    assert during[0] >= before[0] + 3 * EACH
    assert during[2] >= EACH
    for each in [*streams, *downloads, *(talk.sock for talk in talks)]:
        assert each is not None
        reset(each)
    deadline = time.monotonic() + PATIENCE
    # A pool keeps a few connections to Redis; the sockets of callers and the channels go.
    while (after := held(stack, engine))[2] or after[0] > before[0] + 12 or after[1] > before[1] + 12:
        assert time.monotonic() < deadline, (before, during, after)
        time.sleep(0.1)
    print(f"sockets, connections to Redis, channels: {before} before, {during} meanwhile, {after} after")
    assert len(client.get(path).content) == 30 * MIB
    assert {client.job(job_id)["status"] for job_id in jobs} == {"running"}
