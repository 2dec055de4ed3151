"""What holds for all tests."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

UNIT = Path(__file__).parent / "unit"


@pytest.fixture(autouse=True)
def no_connections_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that connects anywhere is no unit test."""
    if UNIT in request.path.parents:

        def refuse(_: socket.socket, address: Any) -> None:
            pytest.fail(f"a unit test connects to {address}")

        monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(autouse=True)
def counters_in_memory_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are counted in Redis, which no unit test has: each application counts for itself there."""
    if UNIT in request.path.parents:
        monkeypatch.setattr("webapp.auth.limiter.shared_storage", lambda settings: None)


@pytest.fixture(scope="session", autouse=True)
def bare_environment() -> Iterator[None]:
    """The settings of whoever runs the tests must not change them."""
    names = ("API_KEY", "BEARER_TOKEN", "REDIS_URL", "PORT", "OPENAI_BASE_URL", "OPENAI_API_KEY", "AI_MODEL", "QUEUES")
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    yield
    os.environ.update(kept)
