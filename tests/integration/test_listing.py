"""Listing and deleting jobs in the engine, against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.jobs import ArtifactInfo, Engine, Job, LocalArtifacts, NewJob, Status, connect
from tasks.jobs.attempts import Attempts, Draft, Ending
from tasks.jobs.environment import Secret
from tasks.jobs.listing import Filter, page, queue_places
from tasks.jobs.removal import delete_job, owner_of_gone
from tasks.jobs.settings import EngineSettings
from tasks.jobs.upkeep import remove_expired

EVERY = Filter()


@pytest.fixture
def engine(valkey_url: str, tmp_path: Path) -> Iterator[Engine]:
    settings = EngineSettings(redis_url=Secret(valkey_url), artifacts_dir=tmp_path)
    redis = connect(settings)
    yield Engine(redis, settings, LocalArtifacts(tmp_path))
    redis.connection_pool.disconnect()


def submit(engine: Engine, owner: str = "me", agent: str = "echo") -> Job:
    return engine.submit(NewJob(agent=agent, queue="io", owner=owner, timeout=60, payload={}))


def end(engine: Engine, job: Job) -> Job:
    attempts = Attempts(engine.redis, engine.settings, "worker/1")
    claim = attempts.claim(job.id, job.queue)
    assert claim is not None
    key = f"{job.id}/1/a.pdf"
    info = ArtifactInfo("a.pdf", "application/pdf", engine.artifacts.put(key, [b"pdf"]), key, 1)
    ending = Ending(Status.COMPLETED, {"usage": {}}, result="done", artifacts=(info,))
    attempts.write([(claim, [Draft(1, "completed", b"{}")], ending)])
    ended = engine.get(job.id)
    assert ended is not None
    return ended


def walk(engine: Engine, wanted: Filter, limit: int) -> list[str]:
    ids: list[str] = []
    after = None
    while True:
        found = page(engine, "me", wanted, limit, after)
        assert len(found.jobs) <= limit
        ids += [job.id for job in found.jobs]
        if found.next is None:
            return ids
        after = found.next


def test_pages_hold_every_job_of_the_owner_once_the_newest_first(engine: Engine) -> None:
    jobs = [submit(engine) for _ in range(250)]  # many of them in the same millisecond
    submit(engine, owner="somebody else")
    expected = sorted(jobs, key=lambda job: (job.created_at, job.id), reverse=True)
    for limit in (1, 7, 250, 300):
        assert walk(engine, EVERY, limit) == [job.id for job in expected]


def test_a_page_that_ends_with_the_last_job_says_so(engine: Engine) -> None:
    submit(engine)
    assert page(engine, "me", EVERY, 1).next is None


def test_jobs_are_filtered_by_status_and_agent(engine: Engine) -> None:
    ended, other, _ = end(engine, submit(engine)), submit(engine, agent="count"), submit(engine)
    assert walk(engine, Filter(Status.COMPLETED), 1) == [ended.id]
    assert walk(engine, Filter(agent="count"), 1) == [other.id]
    assert walk(engine, Filter(Status.COMPLETED, "count"), 1) == []


def test_a_filter_that_passes_nothing_does_not_read_everything(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.jobs.listing.MOST_LOOKED_AT", 100)
    oldest = submit(engine, agent="count")
    for _ in range(150):
        submit(engine)
    first = page(engine, "me", Filter(agent="count"), 10)
    assert first.jobs == []
    assert first.next is not None
    assert walk(engine, Filter(agent="count"), 10) == [oldest.id]


def test_a_listed_job_has_everything_but_its_input_and_result(engine: Engine) -> None:
    job = end(engine, submit(engine))
    engine.remove_artifact(job.id, "a.pdf")
    [listed] = page(engine, "me", EVERY, 10).jobs
    expected = engine.get(job.id)
    assert expected is not None
    assert expected.artifacts[0].removed
    assert listed == replace(expected, result=None, payload=None, worker="")


def test_places_of_many_jobs_are_those_of_each(engine: Engine) -> None:
    end(engine, submit(engine))
    jobs = [submit(engine) for _ in range(3)]
    assert queue_places(engine, jobs) == {job.id: engine.queue_place(job) for job in jobs}
    assert [queue_places(engine, jobs)[job.id][0] for job in sorted(jobs, key=lambda j: (j.created_at, j.id))] == [
        1,
        2,
        3,
    ]


def test_a_job_that_has_not_ended_is_not_deleted(engine: Engine) -> None:
    job = submit(engine)
    assert delete_job(engine, job) is Status.PENDING
    assert engine.get(job.id) == job


def test_a_deleted_job_leaves_nothing_but_the_name_of_its_owner(engine: Engine) -> None:
    job = end(engine, submit(engine))
    assert delete_job(engine, job) is None
    assert delete_job(engine, job) is None
    assert engine.get(job.id) is None
    assert engine.events(job.id) == []
    assert list(engine.artifacts.list(job.id)) == []
    assert page(engine, "me", EVERY, 10).jobs == []
    assert owner_of_gone(engine, job.id) == "me"
    assert 6 * 86400 < engine.redis.ttl(engine.keys.gone(job.id)) <= 7 * 86400


def test_files_that_a_deletion_left_are_taken_by_the_keeper(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    job = end(engine, submit(engine))
    with monkeypatch.context() as patched:
        patched.setattr(LocalArtifacts, "delete", lambda *_: (_ for _ in ()).throw(OSError("the process dies here")))
        with pytest.raises(OSError, match="dies"):
            delete_job(engine, job)
    assert remove_expired(engine) == 1
    assert list(engine.artifacts.list(job.id)) == []


def test_an_expired_job_is_known_as_gone_from_the_first_moment(engine: Engine) -> None:
    job = end(engine, submit(engine))
    engine.redis.delete(engine.keys.job(job.id))  # as its time to live does
    assert owner_of_gone(engine, job.id) == "me"
    assert owner_of_gone(engine, "no-such-job") is None
