"""A caller over real HTTP, as a user's program would be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import requests

from deploy.local.stack import Stack
from tasks.jobs import Engine, LocalArtifacts, connect
from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from webapp.auth.keys import KeyStore

PATIENCE = 60.0  # seconds a test waits for a job; most take milliseconds


class Service(Protocol):
    """What can be called, with a key."""

    @property
    def url(self) -> str: ...

    @property
    def api_key(self) -> str: ...


class Client:
    """Calls a service with its key, or with another one."""

    def __init__(self, stack: Service, url: str = "", certificate: str = "", key: str = "") -> None:
        self._url = url or stack.url  # a proxy's, in front of it
        self.key = key or stack.api_key
        self._session = requests.Session()
        if certificate:
            self._session.trust_env = False  # a bundle that is named there would win over `verify`
            self._session.verify = certificate
        self._session.headers["X-API-Key"] = self.key

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 90)
        return self._session.request(method, self._url + path, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.request("POST", path, **options)

    def submit(self, agent: str, **payload: Any) -> str:
        """Start a job and return its id."""
        answer = self.post(f"/v1/agents/{agent}/run", json=payload, headers={"Prefer": "respond-async"})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait_for(self, job_id: str, *statuses: str, timeout: float = PATIENCE) -> dict[str, Any]:
        """Wait until the job has one of these statuses, or ended when none is named."""
        wanted = statuses or ("completed", "failed", "canceled")
        deadline = time.monotonic() + timeout
        while (job := self.job(job_id))["status"] not in wanted:
            assert time.monotonic() < deadline, f"the job is still {job['status']} after {timeout} s"
            time.sleep(0.05)
        return job


def files_of_jobs(stack: Stack) -> list[Path]:
    """What is in the folder of artifacts, but for the models, which stay."""
    found = (path for path in stack.artifacts_dir.rglob("*") if path.is_file())
    return [path for path in found if path.relative_to(stack.artifacts_dir).parts[0] != "models"]


def engine_of(stack: Stack) -> Engine:
    """The engine on the stack's own state, to look at what HTTP does not show."""
    settings = EngineSettings(redis_url=Secret(stack.redis_url), artifacts_dir=stack.artifacts_dir)
    return Engine(connect(settings), settings, LocalArtifacts(settings.artifacts_dir))


@contextmanager
def key_store(stack: Stack) -> Iterator[KeyStore]:
    """The stack's keys, to make some and take them away."""
    engine = engine_of(stack)
    yield KeyStore(engine.redis, engine.keys, "slipway")
    engine.redis.connection_pool.disconnect()


def other_key(stack: Stack) -> str:
    """A key of another principal."""
    with key_store(stack) as keys:
        return keys.create("another")[1]
