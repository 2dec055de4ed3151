"""The web side alone: a Flask client on a real server of state, and a worker that ends jobs as a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import orjson
from flask import Flask
from flask.testing import FlaskClient

from tasks.jobs import ArtifactInfo, Engine, Job, JobError, Status
from tasks.jobs.attempts import Attempts, Draft, Ending
from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from tasks.sdk import Agent, Artifact, Catalogue, Fault, File, Param, agent
from tasks.sdk.declaration import declaration_of
from tasks.sdk.inspector import describe
from tests.support.hubs import let_go
from webapp import lifecycle
from webapp.factory import create_app
from webapp.services import services_of
from webapp.settings import WebSettings

KEY = "the-static-key-of-the-tests"
PDF = b"%PDF-1.7 " + bytes(range(256)) * 1000


@agent
def ai_service(param1: Annotated[str, Param("The text")], param2: str | None = None) -> str:
    """Analyse a text."""
    return param1


@agent(queue="cpu")
def ai_service_binary(param1: str, param2: str | None = None) -> Artifact:
    """Analyse a text as a file."""
    raise NotImplementedError


@agent
def read_file(document: File, pages: int = 1) -> str:
    """Read a file."""
    return document.text()


@agent(cost=lambda usage: usage.prompt_tokens * 2)
def priced(text: str) -> str:
    """Cost something."""
    return text


@agent(cost=3)
def counted(text: str) -> Iterator[str]:
    """Cost the same each time, and stream."""
    yield text


Handle = Callable[[Job], Ending]


def completed(result: object) -> Ending:
    return Ending(Status.COMPLETED, {"usage": {}}, result=result, usage={"prompt_tokens": 2})


def failed(code: str, detail: str = "It did not work.") -> Ending:
    return Ending(Status.FAILED, {"code": code, "detail": detail}, error=JobError(code, detail))


def canceled() -> Ending:
    return Ending(Status.CANCELED, {})


@dataclass
class Service:
    """An application and the job engine behind it."""

    app: Flask
    engine: Engine
    seen: list[Job] = field(default_factory=list)

    def client(self, key: str = KEY) -> FlaskClient:
        client = self.app.test_client()
        client.environ_base["HTTP_X_API_KEY"] = key
        return client

    @contextmanager
    def worker(self, handle: Handle) -> Iterator[None]:
        """End every job as `handle` says, while the block runs."""
        stop = threading.Event()
        thread = threading.Thread(target=self._work, args=(handle, stop), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def finish(self, job_id: str, ending: Ending) -> None:
        """Run one job to its end."""
        job = self.engine.get(job_id)
        assert job is not None
        attempts = Attempts(self.engine.redis, self.engine.settings, "worker/tests")
        claim = attempts.claim(job.id, job.queue)
        assert claim is not None
        attempts.write([(claim, [Draft(1, ending.status.value, orjson.dumps(ending.data))], ending)])

    def pdf(self, job: Job, content: bytes = PDF) -> Ending:
        """A job that ends with a file."""
        key = f"{job.id}/1/analysis.pdf"
        size = self.engine.artifacts.put(key, [content])
        info = ArtifactInfo("analysis.pdf", "application/pdf", size, key, 1)
        result = {"name": info.name, "media_type": info.media_type, "size": size}
        return Ending(Status.COMPLETED, {"usage": {}}, result=result, artifacts=(info,))

    def _work(self, handle: Handle, stop: threading.Event) -> None:
        keys = [self.engine.keys.pending(queue) for queue in ("io", "cpu")]
        while not stop.wait(0.01):
            for name in keys:
                waiting: Any = self.engine.redis.zrange(name, 0, -1)
                for job_id in waiting:
                    job = self.engine.get(job_id.decode())
                    if job is not None:
                        self.seen.append(job)
                        self.finish(job.id, handle(job))


def catalogue() -> Catalogue:
    """The agents of these tests. They are described only: the worker of a test says what comes of their jobs."""
    return Catalogue(_described(each) for each in (ai_service, ai_service_binary, read_file, priced, counted))


def application(redis_url: str, artifacts: Path, *, max_waiting: int = 0, **settings: Any) -> Flask:
    """The application. `settings` are those of the web side."""
    engine_settings = EngineSettings(
        redis_url=Secret(redis_url),
        artifacts_dir=artifacts,
        max_waiting=max_waiting,
        webhook_secret=Secret("what-secrets-of-webhooks-are-made-of"),
    )
    return create_app(WebSettings(**{"api_key": Secret(KEY)} | settings), engine_settings, catalogue=catalogue())


def close(app: Flask) -> None:
    """Let go of what the application has opened."""
    lifecycle.stop(app)
    let_go(services_of(app).hub)
    services_of(app).engine.redis.connection_pool.disconnect()


@contextmanager
def serve(redis_url: str, artifacts: Path, **settings: Any) -> Iterator[Service]:
    """A service on an empty database."""
    app = application(redis_url, artifacts, **settings)
    engine = services_of(app).engine
    engine.redis.flushdb()
    yield Service(app, engine)
    close(app)


def _described(function: Callable[..., object]) -> Agent:
    faults: list[Fault] = []
    declared = declaration_of(function)
    assert declared is not None
    found = describe(function, declared, {"io": "gevent", "cpu": "prefork"}, faults)
    assert found is not None, faults
    return found
