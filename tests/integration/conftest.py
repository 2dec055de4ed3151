"""The real stack, once a session, with the tests' own agents beside the shipped ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from deploy.local.valkey import Valkey, free_port

AGENTS = "tasks.agents,tests.support.agents"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {"AGENTS": AGENTS, "WEB_CONCURRENCY": "2", "IO_CONCURRENCY": "100"}
    with Stack(tmp_path_factory.mktemp("stack"), settings) as running:
        yield running


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack that a test may break."""
    settings = {"AGENTS": AGENTS, "WEB_CONCURRENCY": "1", "IO_CONCURRENCY": "100", "DRAIN_SECONDS": "5"}
    running = Stack(tmp_path, settings)
    running.start()
    yield running
    running.kill()  # what a test broke need not drain


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(tmp_path_factory.mktemp("valkey"), free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def valkey_url(valkey: Valkey) -> str:
    """A real server, empty."""
    import redis

    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    return valkey.url
