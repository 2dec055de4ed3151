"""The real stack behind the real nginx, once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.stack import Stack
from tests.support.edge import Edge
from tests.support.mirror import mirror
from tests.support.programs import find_program

AGENTS = "tasks.agents,tests.support.agents"
# High enough that no test meets it by accident; tests of the limits have an nginx of their own.
GENEROUS = {"RATE": "1000r/s", "BURST": "1000"}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {"AGENTS": AGENTS, "WEB_CONCURRENCY": "1", "IO_CONCURRENCY": "50", "PROXIES": "1"}
    find_program("nginx")  # before anything is started
    with Stack(tmp_path_factory.mktemp("stack"), settings) as running:
        yield running


@pytest.fixture(scope="session")
def edge(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with Edge(tmp_path_factory.mktemp("edge"), stack.port, **GENEROUS) as running:
        yield running


@pytest.fixture(scope="session")
def mirror_port() -> Iterator[int]:
    with mirror() as port:
        yield port


@pytest.fixture(scope="session")
def mirror_edge(mirror_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """nginx in front of an upstream that shows what reached it."""
    with Edge(tmp_path_factory.mktemp("mirror"), mirror_port, **GENEROUS) as running:
        yield running
