"""The real stack, once a session, with the tests' own agents beside the shipped ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.processes import procfile
from deploy.local.stack import Stack
from deploy.local.valkey import Valkey, free_port
from tests.support.collector import Collector
from tests.support.copies import Served, add_agents, copy_project, served
from tests.support.identity_provider import Running, identity_provider
from tests.support.issuer import AUDIENCE
from tests.support.model_server import ModelServer

AGENTS = "tasks.agents,tests.support.agents"


def metrics_port() -> str:
    """Web has this one, each worker one of those behind it."""
    return str(free_port(behind=len(procfile()) - 1))


@pytest.fixture(scope="session")
def provider() -> Iterator[Running]:
    """Who gives tokens for the stack, beside its keys."""
    with identity_provider() as running:
        yield running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, provider: Running) -> Iterator[Stack]:
    settings = {"AGENTS": AGENTS, "WEB_CONCURRENCY": "2", "IO_CONCURRENCY": "100", "METRICS_PORT": metrics_port()}
    settings["INTERNAL_PORT"] = str(free_port())
    # An issuer of before RFC 9068: its tokens are of the type JWT.
    settings |= {"OIDC_ISSUER": provider.issuer, "OIDC_AUDIENCE": AUDIENCE, "OIDC_TOKEN_TYPES": "JWT"}
    with Stack(tmp_path_factory.mktemp("stack"), settings) as running:
        yield running


@pytest.fixture(scope="session")
def model() -> Iterator[ModelServer]:
    with ModelServer(key="sk-model") as server:
        yield server


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    with Collector() as listening:
        yield listening


@pytest.fixture(scope="session")
def chat_stack(tmp_path_factory: pytest.TempPathFactory, model: ModelServer, collector: Collector) -> Iterator[Stack]:
    """A stack whose provider is the model server, and whose traces go to the collector; it may not be broken."""
    settings = {
        "AGENTS": AGENTS,
        "WEB_CONCURRENCY": "2",
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": "sk-model",
        "AI_MODEL": "small",
        "CORS_ORIGINS": "https://page.example",
        "WS_PING_SECONDS": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "METRICS_PORT": metrics_port(),
    }
    running = Stack(tmp_path_factory.mktemp("chat"), settings, only=("web", "worker-io"))
    with running:
        yield running


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A copy of the project with a newcomer's agents, and a queue of its own: one setting, one line."""
    copy = copy_project(tmp_path_factory.mktemp("theirs") / "project")
    add_agents(copy)
    [cpu] = [line for line in (copy / "Procfile").read_text().splitlines() if line.startswith("worker-cpu:")]
    with (copy / "Procfile").open("a") as procfile:
        procfile.write(
            cpu.replace("worker-cpu", "worker-gpu").replace("cpu@", "gpu@").replace("-queues cpu", "-queues gpu")
        )
    # What the pages call a model of yours.
    shutil.copy(copy / "tasks" / "pipelines" / "sample" / "urldemomodel.onnx", copy / "model.onnx")
    (copy / ".env").write_text("QUEUES=io:gevent,cpu:prefork,gpu:prefork\n")  # as `make run` and `flask` read it
    with served(copy, {"WEB_CONCURRENCY": "1", "QUEUES": "io:gevent,cpu:prefork,gpu:prefork"}) as service:
        yield service


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
