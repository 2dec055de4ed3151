"""What holds for all tests."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local import valkey
from deploy.local.reference import variables

UNIT = Path(__file__).parent / "unit"

# Each of several processes of pytest has ports of its own: two that look at the same time would find the same one free.
COUNT, WORKER = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")), os.environ.get("PYTEST_XDIST_WORKER", "gw0")
SHARES = 2 * COUNT  # one that takes the place of a crashed one has the next number, and ports of its own, too
SHARE = len(valkey.FREE_PORTS) // SHARES
valkey.FREE_PORTS = valkey.FREE_PORTS[int(WORKER.removeprefix("gw")) % SHARES * SHARE :][:SHARE]

# What Python says before a socket reaches anything. Making one is allowed: asyncio makes a pair for itself.
REACHING_OUT = frozenset({"socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo"})


class Guard:
    """Forbids sockets to unit tests, whichever library would open them. An audit hook stays for ever, so it is one."""

    def __init__(self) -> None:
        self._closed = False
        self._others: set[int | None] = set()
        sys.addaudithook(self._hear)

    def close(self) -> None:
        # Threads that an earlier test left are not this test's fault.
        self._others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
        self._closed = True

    def open(self) -> None:
        self._closed = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._closed and event in REACHING_OUT and threading.get_ident() not in self._others:
            pytest.fail(f"a unit test opens a connection: {event} {arguments[1:]}")


GUARD = Guard()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A report must be UTF-8 to get to the process that prints it; what a test logs may hold half a character."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(autouse=True)
def no_connections_in_unit_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    """A unit test that connects anywhere is no unit test."""
    if UNIT in request.path.parents:
        GUARD.close()
    yield
    GUARD.open()


@pytest.fixture(autouse=True)
def counters_in_memory_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are counted in Redis, which no unit test has: each application counts for itself there."""
    if UNIT in request.path.parents:
        monkeypatch.setattr("webapp.auth.limiter.shared_storage", lambda settings: None)


@pytest.fixture(scope="session", autouse=True)
def bare_environment() -> Iterator[None]:
    """The settings of whoever runs the tests must not change them."""
    own = [name for name in os.environ if name.removesuffix("_FILE") in variables() or name.startswith("AGENT_")]
    kept = {name: os.environ.pop(name) for name in own}
    yield
    os.environ.update(kept)
