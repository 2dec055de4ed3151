"""How a request hears the end of its job, against a real server: at once, and whatever breaks meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from redis import Redis

from tasks.jobs import Engine, Job, LocalArtifacts, NewJob, Status, connect
from tasks.jobs.attempts import Attempts, Claim, Draft, Ending
from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from tests.faults.proxy import Mode, Proxy
from tests.support.hubs import let_go
from tests.support.timing import eventually
from webapp.events import replies as module
from webapp.events.hub import EventHub
from webapp.events.replies import Replies

# No test waits this long unless it fails.
LONG = 60.0
DONE = Ending(Status.COMPLETED, {"usage": {}}, result='"é/\n', usage={"total_tokens": 7})


@dataclass
class Side:
    """One side's view of the server, through a proxy."""

    proxy: Proxy
    engine: Engine
    hub: EventHub
    replies: Replies


@pytest.fixture
def direct(valkey_url: str, tmp_path: Path) -> Iterator[Engine]:
    """What workers have: nothing breaks here."""
    settings = EngineSettings(redis_url=Secret(valkey_url), artifacts_dir=tmp_path)
    redis = connect(settings)
    redis.flushall()
    yield Engine(redis, settings, LocalArtifacts(tmp_path))
    redis.connection_pool.disconnect()


@pytest.fixture
def attempts(direct: Engine) -> Attempts:
    return Attempts(direct.redis, direct.settings, "worker/1")


@pytest.fixture
def side(direct: Engine, tmp_path: Path) -> Iterator[Side]:
    with Proxy(direct.redis.connection_pool.connection_kwargs["port"]) as proxy:
        settings = replace(direct.settings, redis_url=Secret(f"redis://127.0.0.1:{proxy.port}/0"))
        engine = Engine(connect(settings), settings, LocalArtifacts(tmp_path))
        hub = EventHub(engine, heartbeat=LONG)
        hub.start()
        replies = Replies.of(hub)
        with replies.expect("the first one makes it listen") as first:
            assert first.wait(LONG) is None  # it is heard from now on, and there is no such job
        yield Side(proxy, engine, hub, replies)
        let_go(hub)
        engine.redis.connection_pool.disconnect()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test gets by with a look at the record that it does not ask for."""
    monkeypatch.setattr(module, "FIRST_LOOK", LONG)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(60) as pool:
        yield pool


def new_job(replies: Replies | None = None) -> NewJob:
    channel = replies.channel if replies else ""
    return NewJob(agent="echo", queue="io", owner="me", timeout=60, payload={"text": "x" * 5000}, reply=channel)


def heard(redis: Redis, replies: Replies) -> bool:
    [(_, count)] = redis.pubsub_numsub(replies.channel)
    return int(count) == 1


def claimed(attempts: Attempts, job: Job) -> Claim:
    claim = attempts.claim(job.id, job.queue)
    assert claim is not None
    return claim


def end(attempts: Attempts, claim: Claim, ending: Ending = DONE) -> None:
    attempts.write([(claim, [Draft(1, ending.status.value, b"{}")], ending)])


def calls(redis: Redis) -> dict[str, int]:
    return {name.removeprefix("cmdstat_"): stats["calls"] for name, stats in redis.info("commandstats").items()}


def test_the_reply_is_the_job_as_it_has_ended(side: Side, direct: Engine, attempts: Attempts) -> None:
    new = new_job(side.replies)
    with side.replies.expect(new.id) as reply:
        claim = claimed(attempts, side.engine.submit(new))
        attempts.checkpoint(claim, "half", b'"way"')
        end(attempts, claim)
        job = reply.wait(LONG)

    stored = direct.get(new.id)
    assert job is not None
    assert stored is not None
    assert (job.status, job.result, job.usage) == (Status.COMPLETED, '"é/\n', {"total_tokens": 7})
    # What may be large, and is of no use to who waited, is not sent.
    assert (stored.payload, dict(stored.checkpoints)) == (new.payload, {"half": "way"})
    assert job == replace(stored, payload=None, checkpoints={})


@pytest.mark.parametrize("how", ["canceled", "failed"])
def test_every_end_is_told(how: str, side: Side, attempts: Attempts) -> None:
    new = new_job(side.replies)
    with side.replies.expect(new.id) as reply:
        job = side.engine.submit(new)
        if how == "canceled":  # before anybody ran it
            side.engine.cancel(job)
        else:  # by the keeper, for a worker that died too often
            for _ in range(attempts.settings.max_losses):
                attempts.lose(claimed(attempts, job).job, "gone")
        told = reply.wait(LONG)

    assert told is not None
    assert told.status == how


def test_waiting_for_jobs_costs_no_command(side: Side, attempts: Attempts) -> None:
    before = calls(attempts.redis)
    for _ in range(20):
        new = new_job(side.replies)
        with side.replies.expect(new.id) as reply:
            end(attempts, claimed(attempts, side.engine.submit(new)))
            assert reply.wait(LONG) is not None
    after = calls(attempts.redis)

    assert {each: after.get(each, 0) - before.get(each, 0) for each in ("subscribe", "unsubscribe")} == {
        "subscribe": 0,
        "unsubscribe": 0,
    }
    # Scripts call it, too: once to claim, and once to tell. Nobody reads the job behind that.
    assert after["hgetall"] - before["hgetall"] == 60  # submit tells what has ended of late


def test_many_that_wait_get_each_its_own(side: Side, attempts: Attempts, pool: ThreadPoolExecutor) -> None:
    def ask(_: int) -> bool:
        new = new_job(side.replies)
        with side.replies.expect(new.id) as reply:
            claim = claimed(attempts, side.engine.submit(new))
            end(attempts, claim, replace(DONE, result=new.id))
            job = reply.wait(LONG)
        return job is not None and job.id == job.result == new.id

    assert all(pool.map(ask, range(200)))


def test_an_end_that_came_while_nobody_heard_is_read(
    side: Side, direct: Engine, attempts: Attempts, pool: ThreadPoolExecutor
) -> None:
    with side.replies.expect((new := new_job(side.replies)).id) as reply:
        claim = claimed(attempts, side.engine.submit(new))
        waiting: Future[Job | None] = pool.submit(reply.wait, LONG)
        side.proxy.mode = Mode.REFUSE
        eventually(lambda: not heard(direct.redis, side.replies))
        end(attempts, claim)
        assert not waiting.done()
        side.proxy.mode = Mode.PASS

        job = waiting.result(LONG / 2)
    assert job is not None
    assert job.status is Status.COMPLETED


def test_a_reply_that_was_lost_is_found_in_the_record(
    side: Side, direct: Engine, attempts: Attempts, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_LOOK", 0.1)
    unheard = replace(new_job(), reply="elsewhere")
    with side.replies.expect(unheard.id) as reply:
        waiting: Future[Job | None] = pool.submit(reply.wait, LONG)
        end(attempts, claimed(attempts, direct.submit(unheard)))
        job = waiting.result(LONG / 2)
    assert job is not None
    assert job.status is Status.COMPLETED


def test_the_time_may_be_over_first_and_the_job_goes_on(side: Side) -> None:
    new = new_job(side.replies)
    with side.replies.expect(new.id) as reply:
        side.engine.submit(new)
        assert reply.wait(0.2) is None
    job = side.engine.get(new.id)
    assert job is not None
    assert job.status is Status.PENDING


def test_replies_that_nobody_waits_for_are_dropped(side: Side, attempts: Attempts) -> None:
    gone = new_job(side.replies)
    with side.replies.expect(gone.id):
        claim = claimed(attempts, side.engine.submit(gone))
    end(attempts, claim)
    attempts.redis.publish(side.replies.channel, b"\xff no reply at all")

    new = new_job(side.replies)
    with side.replies.expect(new.id) as reply:
        end(attempts, claimed(attempts, side.engine.submit(new)))
        assert reply.wait(LONG) is not None


def test_a_process_that_is_told_to_stop_hears_the_replies_that_it_waits_for(
    side: Side, direct: Engine, attempts: Attempts, pool: ThreadPoolExecutor
) -> None:
    first = new_job(side.replies)
    begun = threading.Event()

    def ask() -> Job | None:
        with side.replies.expect(first.id) as reply:
            begun.set()
            return reply.wait(LONG)

    waiting = pool.submit(ask)
    assert begun.wait(LONG)
    claim = claimed(attempts, side.engine.submit(first))
    side.hub.close()
    late = new_job(side.replies)  # of a request that comes after that
    with side.replies.expect(late.id) as reply:
        end(attempts, claimed(attempts, side.engine.submit(late)))
        assert reply.wait(LONG) is not None
    end(attempts, claim)

    assert waiting.result(LONG) is not None
    eventually(lambda: not [each for each in direct.redis.client_list() if each["name"] == "event-hub"])
