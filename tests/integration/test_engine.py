"""The state machine against a real server: what each transition does, and that each may be repeated."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tasks.jobs import (
    ArtifactInfo,
    Engine,
    Event,
    Idempotency,
    Job,
    KeyReused,
    LimitReached,
    LocalArtifacts,
    NewJob,
    Status,
    connect,
)
from tasks.jobs.attempts import Attempts, Claim, Draft, Ending
from tasks.jobs.environment import Secret
from tasks.jobs.record import JobError
from tasks.jobs.settings import EngineSettings
from tasks.jobs.upkeep import lose_expired, remove_expired, resend_waiting

DONE = Ending(Status.COMPLETED, {"usage": {}}, result="done")


@pytest.fixture
def settings(valkey_url: str, tmp_path: Path) -> EngineSettings:
    return EngineSettings(
        redis_url=Secret(valkey_url),
        artifacts_dir=tmp_path,
        lease=60,
        resend_after=60,
        retention=60,
        inline_limit=1000,
    )


@pytest.fixture
def engine(settings: EngineSettings) -> Iterator[Engine]:
    redis = connect(settings)
    redis.flushall()
    yield Engine(redis, settings, LocalArtifacts(settings.artifacts_dir))
    redis.connection_pool.disconnect()


@pytest.fixture
def attempts(engine: Engine, settings: EngineSettings) -> Attempts:
    return Attempts(engine.redis, settings, "worker/1")


def submit(engine: Engine, **payload: object) -> Job:
    return engine.submit(
        NewJob(agent="echo", queue="io", owner="me", timeout=60, payload=payload, request_id="request-1")
    )


def claimed(attempts: Attempts, job: Job) -> Claim:
    claim = attempts.claim(job.id, job.queue)
    assert claim is not None
    return claim


def finish(attempts: Attempts, claim: Claim, ending: Ending = DONE, seq: int = 1) -> str:
    [answer] = attempts.write([(claim, [Draft(seq, ending.status.value, b"{}")], ending)])
    assert isinstance(answer, str)
    return answer


def operations(redis: Redis) -> int:
    """All that the server has run so far, within scripts and without."""
    stats: Any = redis.info("commandstats")
    return sum(each["calls"] for name, each in stats.items() if name not in ("cmdstat_evalsha", "cmdstat_info"))


def event_ids(engine: Engine, job: Job) -> list[str]:
    return [event.id for event in engine.events(job.id)]


def test_a_submitted_job_is_recorded_in_line_and_sent(engine: Engine) -> None:
    job = submit(engine, text="hello")
    assert engine.get(job.id) == job
    assert (job.status, job.version, job.attempt, job.losses) == (Status.PENDING, 1, 0, 0)
    assert job.payload == {"text": "hello"}
    assert engine.redis.llen(engine.keys.queue("io")) == 1
    assert engine.queue_place(job) == job.place == (1, None)


def test_a_job_takes_as_many_operations_as_the_page_on_growing_says(engine: Engine, attempts: Attempts) -> None:
    def new() -> NewJob:
        return NewJob(agent="echo", queue="io", owner="me", timeout=60, payload={}, reply="somewhere")

    finish(attempts, claimed(attempts, engine.submit(new())))  # the first one of a day also sets when its counts expire
    counted = [operations(engine.redis)]
    job = engine.submit(new())
    counted.append(operations(engine.redis))
    claim = claimed(attempts, job)
    counted.append(operations(engine.redis))
    finish(attempts, claim)
    counted.append(operations(engine.redis))
    submitting, claiming, finishing = (after - before for before, after in pairwise(counted))
    assert (submitting, claiming) == (11, 10)
    assert finishing in (16, 17)  # one more, should a slice of the ended jobs begin with it


def test_a_submitted_job_knows_its_place_without_asking_for_it(engine: Engine, attempts: Attempts) -> None:
    finish(attempts, claimed(attempts, submit(engine)), Ending(Status.COMPLETED, {}))  # so that a rate is known
    submit(engine)
    time.sleep(0.002)  # of one millisecond they would have no order
    second = submit(engine)
    place, seconds = engine.queue_place(second)
    assert second.place is not None
    assert (second.place[0], place) == (2, 2)
    assert second.place[1] == pytest.approx(seconds, rel=0.2)  # the clock goes on between the two


def test_a_repeated_submit_makes_no_second_job_or_message(engine: Engine) -> None:
    new = NewJob(agent="echo", queue="io", owner="me", timeout=60, payload={})
    assert engine.submit(new) == engine.submit(new)
    assert engine.redis.llen(engine.keys.queue("io")) == 1


def test_a_large_input_and_a_large_result_live_in_the_artifact_store(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine, text="x" * 2000)
    assert job.payload is None
    assert engine.artifacts.stat(job.input_ref) == len('{"text":""}') + 2000
    engine.artifacts.put(f"{job.id}/1/result.json", [b'"large"'])
    finish(attempts, claimed(attempts, job), Ending(Status.COMPLETED, {}, result_ref=f"{job.id}/1/result.json"))
    ended = engine.get(job.id)
    assert ended is not None
    assert engine.result(ended) == "large"


def test_only_one_worker_claims_a_job(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    assert claimed(attempts, job).attempt == 1
    assert attempts.claim(job.id, job.queue) is None
    assert event_ids(engine, job) == ["1-0"]
    assert engine.queue_place(job) == (0, None)


def test_a_claim_whose_reply_was_lost_is_recognised_by_its_nonce(
    engine: Engine, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(engine)
    monkeypatch.setattr("tasks.jobs.attempts.secrets.token_hex", lambda _: "the same nonce")
    first, again = claimed(attempts, job), claimed(attempts, job)
    assert first.attempt == again.attempt == 1
    assert event_ids(engine, job) == ["1-0"]


def test_events_that_are_written_again_stand_in_the_log_once(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    claim = claimed(attempts, job)
    drafts = [Draft(1, "token", b'{"content":"a"}'), Draft(2, "token", b'{"content":"b"}')]
    assert attempts.write([(claim, drafts, None)]) == attempts.write([(claim, drafts, None)]) == ["running"]
    assert event_ids(engine, job) == ["1-0", "1-1", "1-2"]


def test_a_finish_that_is_repeated_ends_the_job_once(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    claim = claimed(attempts, job)
    assert finish(attempts, claim) == finish(attempts, claim) == "ok"
    ended = engine.get(job.id)
    assert ended is not None
    assert (ended.status, ended.result, ended.last_event_id) == (Status.COMPLETED, "done", "1-1")
    assert event_ids(engine, job) == ["1-0", "1-1"]
    assert engine.redis.zcard(engine.keys.leases) == 0


def test_an_ended_job_and_its_events_expire_together(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    finish(attempts, claimed(attempts, job))
    job_ttl, events_ttl = engine.redis.pttl(engine.keys.job(job.id)), engine.redis.pttl(engine.keys.events(job.id))
    assert 0 < job_ttl <= 60_000
    assert 0 < events_ttl <= 60_000


def let_expire(engine: Engine, job: Job) -> None:
    """The time of a lease passes at once: a slow machine could not hold a short one."""
    engine.redis.zadd(engine.keys.leases, {job.id: 0})


def test_a_stale_attempt_changes_nothing(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    zombie = claimed(attempts, job)
    let_expire(engine, job)
    assert lose_expired(attempts) == 1
    claim = claimed(attempts, job)
    assert claim.attempt == 2
    late = [Draft(5, "token", b'{"content":"late"}')]
    assert attempts.write([(zombie, late, None)]) == ["stale"]
    assert finish(attempts, zombie) == "stale"
    assert attempts.hand_back(zombie) == "stale"
    assert attempts.renew([zombie, claim]) == ["stale", "running"]
    assert event_ids(engine, job) == ["1-0", "2-0"]
    assert finish(attempts, claim) == "ok"


def test_a_stale_attempt_writes_nothing_while_the_job_waits_again(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    zombie = claimed(attempts, job)
    let_expire(engine, job)
    lose_expired(attempts)
    assert finish(attempts, zombie) == "stale"
    assert event_ids(engine, job) == ["1-0"]


def test_an_attempt_whose_events_redis_has_forgotten_is_not_told_with_a_gap(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    claim = claimed(attempts, job)
    one, two, three = (Draft(seq, "token", b'{"content":"x"}') for seq in (1, 2, 3))
    assert attempts.write([(claim, [one, two], None)]) == ["running"]
    # What a server that was killed has not written down is as if it had never been.
    engine.redis.xdel(engine.keys.events(job.id), "1-2")
    engine.redis.hset(engine.keys.job(job.id), "last_event_id", "1-1")
    ending = Ending(Status.COMPLETED, {"usage": {}}, result="x")
    assert attempts.write([(claim, [three], None)]) == ["stale"]
    assert attempts.write([(claim, [Draft(3, "completed", b"{}")], ending)]) == ["stale"]
    assert event_ids(engine, job) == ["1-0", "1-1"]
    let_expire(engine, job)
    assert lose_expired(attempts) == 1
    assert finish(attempts, claimed(attempts, job)) == "ok"
    assert event_ids(engine, job) == ["1-0", "1-1", "2-0", "2-1"]


def test_a_renewed_lease_is_not_lost(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    claim = claimed(attempts, job)
    let_expire(engine, job)
    assert attempts.renew([claim]) == ["running"]
    assert lose_expired(attempts) == 0
    assert attempts.lose(claim.job, "expired") == "alive"


def test_a_job_that_loses_its_worker_three_times_is_given_up(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    assert [attempts.lose(claimed(attempts, job).job, "gone") for _ in range(3)] == ["pending", "pending", "failed"]
    ended = engine.get(job.id)
    assert ended is not None
    assert ended.error is not None
    assert (ended.status, ended.error.code, ended.losses) == (Status.FAILED, "worker_lost", 3)
    assert event_ids(engine, job) == ["1-0", "2-0", "3-0", "4-0"]


def test_a_hand_back_counts_no_loss_and_keeps_the_place_in_line(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    claim = claimed(attempts, job)
    time.sleep(0.002)
    submit(engine)
    assert attempts.hand_back(claim) == "pending"
    waiting = engine.get(job.id)
    assert waiting is not None
    assert (waiting.status, waiting.losses) == (Status.PENDING, 0)
    assert engine.queue_place(waiting)[0] == 1


def test_a_waiting_job_is_canceled_at_once_and_never_starts(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    assert engine.cancel(job) == "canceled"
    assert attempts.claim(job.id, job.queue) is None
    assert [event.type for event in engine.events(job.id)] == ["canceled"]
    assert event_ids(engine, job) == ["1-0"]


def test_a_running_job_is_canceled_only_when_it_stopped(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    claim = claimed(attempts, job)
    assert engine.cancel(job) == "canceling"
    assert attempts.renew([claim]) == ["canceling"]
    assert finish(attempts, claim, Ending(Status.CANCELED, {})) == "ok"
    assert engine.cancel(job) == "canceled"


def test_a_job_whose_worker_dies_while_canceling_is_canceled(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    claim = claimed(attempts, job)
    engine.cancel(job)
    assert attempts.lose(claim.job, "gone") == "canceled"


def test_a_condemned_job_fails_with_its_verdict(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    claim = claimed(attempts, job)
    assert attempts.condemn(claim, JobError("timeout", "too long")) == "ok"
    assert attempts.lose(claim.job, "gone") == "failed"
    ended = engine.get(job.id)
    assert ended is not None
    assert ended.error == JobError("timeout", "too long")


def test_a_lost_message_is_sent_again_and_not_more_often_than_needed(engine: Engine, attempts: Attempts) -> None:
    jobs = [submit(engine) for _ in range(3)]
    queue = engine.keys.queue("io")
    engine.redis.rpop(queue)
    assert resend_waiting(attempts) == 0  # it has not waited long enough
    for job in jobs:
        engine.redis.zincrby(engine.keys.pending("io"), -60_000, job.id)
    assert resend_waiting(attempts) == 1
    assert resend_waiting(attempts) == 0
    assert engine.redis.llen(queue) == len(jobs)


def test_scripts_survive_a_restarted_server_that_has_forgotten_them(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    claim = claimed(attempts, job)
    engine.redis.script_flush()
    assert finish(attempts, claim) == "ok"


def test_what_happened_is_published_in_order(engine: Engine, attempts: Attempts, settings: EngineSettings) -> None:
    job = submit(engine)
    pubsub = Redis.from_url(settings.redis_url, protocol=2).pubsub()  # type: ignore[no-untyped-call]
    pubsub.subscribe(engine.keys.channel(job.id))
    assert pubsub.get_message(timeout=30)
    claim = claimed(attempts, job)
    attempts.write([(claim, [Draft(1, "token", '{"content":"é\\n"}'.encode())], None)])
    finish(attempts, claim, seq=2)

    received: list[Event] = []
    while not received or not received[-1].terminal:
        message = pubsub.get_message(timeout=30)
        assert message is not None
        received += Event.decode_batch(message["data"])
    assert received == engine.events(job.id)
    assert received[1].data == {"content": "é\n"}
    pubsub.close()


def test_an_artifact_is_removed_from_the_store_and_marked_in_the_record(engine: Engine, attempts: Attempts) -> None:

    job = submit(engine)
    claim = claimed(attempts, job)
    key = f"{job.id}/1/result.pdf"
    size = engine.artifacts.put(key, [b"%PDF"])
    info = ArtifactInfo("result.pdf", "application/pdf", size, key, 1)
    finish(attempts, claim, Ending(Status.COMPLETED, {}, artifacts=[info]))
    assert engine.remove_artifact(job.id, "result.pdf")
    assert not engine.remove_artifact(job.id, "result.pdf")
    assert engine.artifacts.stat(key) is None
    ended = engine.get(job.id)
    assert ended is not None
    assert ended.artifacts[0].removed


def with_key(key: str, fingerprint: str = "f", owner: str = "me") -> NewJob:
    return NewJob(
        agent="echo", queue="io", owner=owner, timeout=60, payload={}, idempotency=Idempotency(key, fingerprint)
    )


def test_an_idempotency_key_stands_for_one_job_of_one_owner(engine: Engine) -> None:
    first = engine.submit(with_key("k"))
    assert engine.submit(with_key("k")).id == first.id
    assert engine.submit(with_key("k", owner="you")).id != first.id
    with pytest.raises(KeyReused):
        engine.submit(with_key("k", fingerprint="another request"))
    assert engine.redis.llen(engine.keys.queue("io")) == 2


def test_an_idempotency_key_is_kept_as_long_as_its_job(engine: Engine, attempts: Attempts) -> None:
    job = engine.submit(with_key("k"))
    [key] = engine.redis.keys("*idempotency*")
    assert engine.redis.pttl(key) == -1
    finish(attempts, claimed(attempts, job))
    assert 0 < engine.redis.pttl(key) <= 60_000


def with_limit(settings: EngineSettings, limit: str) -> EngineSettings:
    changed: dict[str, Any] = {limit: 1}
    return dataclasses.replace(settings, **changed)


@pytest.mark.parametrize(
    ("limit", "name"), [("max_queue", "queue"), ("max_waiting", "waiting"), ("max_running", "running")]
)
def test_over_a_limit_nothing_is_accepted(
    engine: Engine, attempts: Attempts, settings: EngineSettings, limit: str, name: str
) -> None:
    job = submit(engine)
    if name == "running":
        claimed(attempts, job)
    engine.settings = with_limit(settings, limit)
    with pytest.raises(LimitReached) as refused:
        submit(engine)
    assert refused.value.limit == name
    assert 1 <= refused.value.retry_after <= 60
    assert engine.redis.zcard(engine.keys.jobs_of("me")) == 1


def test_limits_count_what_is_open_only(engine: Engine, attempts: Attempts, settings: EngineSettings) -> None:
    engine.settings = dataclasses.replace(settings, max_waiting=1, max_running=1)
    for _ in range(3):
        finish(attempts, claimed(attempts, submit(engine)))
    engine.cancel(submit(engine))
    attempts.hand_back(claimed(attempts, submit(engine)))
    with pytest.raises(LimitReached):
        submit(engine)


def test_what_outlives_a_job_is_removed_with_it(engine: Engine, attempts: Attempts, settings: EngineSettings) -> None:
    short = Attempts(engine.redis, dataclasses.replace(settings, retention=0.05), "worker/1")
    job = submit(engine, text="x" * 2000)
    finish(short, claimed(short, job))
    time.sleep(0.1)
    assert remove_expired(engine) == 1
    assert list(engine.artifacts.list(job.id)) == []
    assert engine.redis.zcard(engine.keys.jobs_of("me")) == 0
    assert engine.get(job.id) is None


def test_a_claim_that_is_repeated_after_a_lost_reply_is_recognised(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    first, again = (attempts.claim(job.id, job.queue, "our-nonce") for _ in range(2))
    assert first is not None
    assert again is not None
    assert (first.attempt, again.attempt) == (1, 1)


def lost_twice(engine: Engine, attempts: Attempts) -> Job:
    job = submit(engine)
    for _ in range(2):
        assert attempts.lose(claimed(attempts, job).job, "gone") == "pending"
    return job


def test_jobs_on_their_last_chance_run_one_at_a_time(engine: Engine, attempts: Attempts) -> None:
    first, second, fresh = lost_twice(engine, attempts), lost_twice(engine, attempts), submit(engine)
    claim = claimed(attempts, first)
    assert attempts.claim(second.id, second.queue) is None
    assert claimed(attempts, fresh).attempt == 1
    waiting = engine.get(second.id)
    assert waiting is not None
    assert waiting.status is Status.PENDING
    assert engine.queue_place(waiting)[0] == 1  # it keeps its place, so that the keeper sends its message again
    assert finish(attempts, claim) == "ok"
    assert claimed(attempts, second).attempt == 3


def test_a_last_chance_that_is_lost_lets_the_next_one_go(engine: Engine, attempts: Attempts) -> None:
    first, second = lost_twice(engine, attempts), lost_twice(engine, attempts)
    assert attempts.lose(claimed(attempts, first).job, "gone") == "failed"
    assert claimed(attempts, second).attempt == 3


def test_a_record_of_a_newer_release_is_left_to_its_workers(engine: Engine, attempts: Attempts) -> None:
    job = submit(engine)
    engine.redis.hset(engine.keys.job(job.id), "version", 2)
    assert attempts.claim(job.id, job.queue) is None
    waiting = engine.get(job.id)
    assert waiting is not None
    assert (waiting.status, engine.queue_place(waiting)[0]) == (Status.PENDING, 1)
