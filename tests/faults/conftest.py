"""Stacks that a test may break."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from deploy.local.valkey import Valkey, free_port
from tests.faults.proxy import Proxy

SETTINGS = {
    "RATE_LIMITS": "off",  # faults are to hold up jobs, and nothing else
    "AGENTS": "tasks.agents,tests.support.agents",
    "WEB_CONCURRENCY": "1",
    "IO_CONCURRENCY": "50",
    "CPU_CONCURRENCY": "2",
    "DRAIN_SECONDS": "4",
}


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """Everything, once for one test."""
    running = Stack(tmp_path, SETTINGS)
    running.start()
    yield running
    running.kill()  # what a test broke need not drain


@pytest.fixture(scope="session")
def lasting_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack for what breaks nothing in it: callers and what stands before it. Its streams are seldom silent."""
    settings = SETTINGS | {"HEARTBEAT_SECONDS": "1", "WS_PING_SECONDS": "1"}
    with Stack(tmp_path_factory.mktemp("lasting"), settings) as running:
        yield running


@pytest.fixture
def valkey_url(tmp_path: Path) -> Iterator[str]:
    """A server alone."""
    server = Valkey(tmp_path / "valkey", free_port())
    server.start()
    yield server.url
    server.kill()


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Proxy]]:
    """A stack for a module that mends what it breaks: its processes reach Valkey through a proxy."""
    with ExitStack() as on_exit:
        port = free_port()
        proxy = on_exit.enter_context(Proxy(port, rate=0.05))
        settings = SETTINGS | {"REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0"}
        stack = Stack(tmp_path_factory.mktemp("proxied"), settings, valkey_port=port)
        on_exit.callback(stack.kill)
        stack.start()
        yield stack, proxy
