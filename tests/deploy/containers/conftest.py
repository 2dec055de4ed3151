"""compose.yaml as it is, from images that are built here, once for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.client import Client
from tests.support.compose import Compose, build
from tests.support.programs import find_program


@pytest.fixture(scope="session")
def base() -> str:
    """What the images are built on. They are built now."""
    name = os.environ.get("CONTAINER_BASE", "")
    if not name:
        pytest.skip("set CONTAINER_BASE, or use `make deploy-test`")
    find_program("podman")
    build(name)
    return name


@pytest.fixture(scope="session")
def service(base: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    with Compose(tmp_path_factory.mktemp("compose")) as running:
        yield running


@pytest.fixture
def client(service: Compose) -> Client:
    """A caller from outside: through nginx and TLS, with a key."""
    return Client(service, service.url, str(service.certificate))
