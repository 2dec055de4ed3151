"""The machine loses its power: the last second of the append-only file is gone, in the middle of what was written."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from deploy.local.valkey import Valkey, free_port
from tasks.jobs import Engine, Idempotency, Job, LocalArtifacts, NewJob, connect
from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings

JOBS = 200


def submit(engine: Engine, number: int) -> Job:
    key = Idempotency(f"request-{number}", "the same")
    new = NewJob(agent="echo", queue="io", owner="me", timeout=60, payload={"text": str(number)}, idempotency=key)
    return engine.submit(new)


def cut_off(directory: Path, share: float) -> None:
    """What had not reached the disk: the file ends somewhere, whatever stands there."""
    [path] = (directory / "appendonlydir").glob("*.incr.aof")
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share))


def whole(engine: Engine, job_id: str) -> bool:
    """Whether a job has all of its parts, or none."""
    parts: list[Any] = [
        engine.get(job_id) is not None,
        engine.redis.zscore(engine.keys.pending("io"), job_id) is not None,
        engine.redis.zscore(engine.keys.jobs_of("me"), job_id) is not None,
        any(job_id.encode() in message for message in engine.redis.lrange(engine.keys.queue("io"), 0, -1)),
    ]
    assert len(set(parts)) == 1, parts
    return bool(parts[0])


@pytest.mark.parametrize("seed", range(3))
def test_jobs_of_the_last_moment_are_lost_whole_and_come_again_by_their_keys(tmp_path: Path, seed: int) -> None:
    server = Valkey(tmp_path / "valkey", free_port())
    server.start()
    settings = EngineSettings(redis_url=Secret(server.url), artifacts_dir=tmp_path / "artifacts", max_waiting=0)
    engine = Engine(connect(settings), settings, LocalArtifacts(settings.artifacts_dir))
    try:
        submitted = [submit(engine, number) for number in range(JOBS)]
        server.kill()
        cut_off(server.directory, random.Random(seed).uniform(0.3, 0.95))
        server.start()
        kept = [whole(engine, job.id) for job in submitted]
        # What was written first is there: nothing in the middle is missing.
        assert kept == sorted(kept, reverse=True)
        assert 0 < sum(kept) < JOBS
        again = [submit(engine, number) for number in range(JOBS)]
        assert [after.id == before.id for before, after in zip(submitted, again, strict=True)] == kept
        assert engine.redis.zcard(engine.keys.pending("io")) == JOBS
        assert len({job.id for job in again}) == JOBS
        assert all(whole(engine, job.id) for job in again)
    finally:
        server.kill()
