"""Taking a job: a durable 202 with an Idempotency-Key, against the bare `.delay()` of the usual template.

No worker runs, so that what is measured is the taking and not the doing.
"""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from celery import Celery

from benchmarks import servers
from benchmarks.case import SLIPWAY, Case, Contender, Figures, Goal, Measure, Scale, ratio
from benchmarks.client import requests_to
from benchmarks.servers import Server
from tasks.jobs import Engine, Idempotency, LocalArtifacts, NewJob, connect
from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings

BODY = '{"text": "x"}'
TEMPLATE, DELAY = "Flask + .delay()", "Celery's .delay()"


def contender(
    name: str, server: Callable[[], AbstractContextManager[Server]], path: str, *, key: bool = False, peer: bool = False
) -> Contender:
    @contextmanager
    def opened(scale: Scale) -> Iterator[Measure]:
        with server() as running:
            yield lambda: requests_to(
                running,
                path,
                body=BODY,
                idempotent=key or "",
                clients=scale.count(16, 2),
                seconds=scale.pick(4.0, 0.5),
                warm=scale.pick(1.0, 0.0),
            )

    return Contender(name, opened, peer=peer)


def timed(scale: Scale, submit: Callable[[], object]) -> Measure:
    def measure() -> Figures:
        count = scale.count(2000, 20)
        started = time.perf_counter()
        for _ in range(count):
            submit()
        took = time.perf_counter() - started
        return {"rate": count / took, "us": took / count * 1e6}

    return measure


@contextmanager
def _engine(scale: Scale) -> Iterator[Measure]:
    with servers.valkey() as server, tempfile.TemporaryDirectory() as folder:
        settings = EngineSettings(redis_url=Secret(server.url), artifacts_dir=Path(folder), max_queue=0, max_waiting=0)
        engine = Engine(connect(settings), settings, LocalArtifacts(settings.artifacts_dir))

        def submit() -> None:
            key = Idempotency(str(uuid.uuid4()), "fingerprint")
            engine.submit(NewJob("noop", "io", "key:me", 60, {"text": "x"}, idempotency=key))

        yield timed(scale, submit)


@contextmanager
def _delay(scale: Scale) -> Iterator[Measure]:
    with servers.valkey() as server:
        app = Celery("bench", broker=server.url, backend=server.url, set_as_current=False)

        @app.task(name="noop")  # type: ignore[untyped-decorator]
        def task(text: str) -> str:
            return text

        yield timed(scale, lambda: task.delay("x"))


HTTP = Case(
    "submit",
    "202s over HTTP: recorded, with an Idempotency-Key",
    (
        contender("limit (Flask alone, nothing kept)", servers.bare, "/run"),
        contender(SLIPWAY, lambda: servers.slipway(only=("web",)), "/v1/agents/noop/jobs", key=True),
        contender(TEMPLATE, lambda: servers.template(worker=False), "/task", peer=True),
    ),
    (Goal("against Flask + .delay()", ratio("rate", SLIPWAY, TEMPLATE), 1.2, 1.8, unit="×"),),
    plot="rate",
)

ENGINE = Case(
    "submit-engine",
    "the same without HTTP, in one process",
    (Contender(SLIPWAY, _engine), Contender(DELAY, _delay)),
    (Goal("against Celery's .delay()", ratio("rate", SLIPWAY, DELAY), 1.2, 1.8, unit="×"),),
    plot="rate",
)
