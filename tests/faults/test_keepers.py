"""Two keepers at the same time, because the lock between them is lost again and again: nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.stack import Stack
from tasks.jobs import Engine
from tests.faults.conftest import SETTINGS
from tests.support.client import Client, engine_of

JOBS = 20


@contextmanager
def without_lock(engine: Engine) -> Iterator[None]:
    """Take the keepers' lock away all the time, so that each of them believes that it has it."""
    stop = threading.Event()

    def take() -> None:
        while not stop.wait(0.005):
            engine.redis.delete(engine.keys.keeper)

    taker = threading.Thread(target=take, daemon=True)
    taker.start()
    yield
    stop.set()
    taker.join()


def test_two_keepers_lose_a_job_once_and_end_it_once(tmp_path: Path) -> None:
    settings = SETTINGS | {"KEEPER_SECONDS": "0.2", "RESEND_SECONDS": "1"}
    stack = Stack(tmp_path, settings, only=("web", "worker-io"))
    try:
        stack.start()
        for name in ("second", "third"):
            stack.spawn("worker-io", as_name=name)
        stack.wait_until_ready()
        client, engine = Client(stack), engine_of(stack)
        with without_lock(engine):
            jobs = [client.submit("count", to=100, pause=0.1) for _ in range(JOBS)]
            for job_id in jobs:
                client.wait_for(job_id, "running")
            hit = {job_id for job_id in jobs if "second" in engine.get(job_id).worker}  # type: ignore[union-attr]
            stack.lose("second")
            engine.redis.zadd(engine.keys.leases, dict.fromkeys(hit, 0))  # their time passes at once
            ended = {job_id: client.wait_for(job_id) for job_id in jobs}
    finally:
        stack.kill()
    assert hit
    assert {job["status"] for job in ended.values()} == {"completed"}
    assert {job_id: job["attempts"] for job_id, job in ended.items()} == {
        job_id: 2 if job_id in hit else 1 for job_id in jobs
    }
