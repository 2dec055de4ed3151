"""The flusher against an engine in memory: ids, joining, repeats and the fence."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from tasks.jobs import Job, Status
from tasks.jobs.attempts import Batch, Claim, Draft, Ending
from tasks.jobs.settings import EngineSettings
from tasks.worker.flusher import MOST_WAITING, EventWriter, Flusher
from tasks.worker.running import Interrupted, Reason, Running


class Log:
    """Keeps what is written; answers as told."""

    def __init__(self) -> None:
        self.settings = EngineSettings(max_events=5_000)
        self.batches: list[tuple[list[Draft], Ending | None]] = []
        self.answers: list[str | RedisError] = []

    def write(self, batches: Sequence[Batch]) -> list[str | RedisError]:
        answers: list[str | RedisError] = []
        for _, drafts, ending in batches:
            answer = self.answers.pop(0) if self.answers else "running"
            if not isinstance(answer, RedisError):
                self.batches.append((list(drafts), ending))
            answers.append(answer)
        return answers


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def flusher(log: Log) -> Flusher:
    return Flusher(log, delay=0)  # type: ignore[arg-type] # only these are used


@pytest.fixture
def writer(flusher: Flusher) -> EventWriter:
    job = Job(1, "job", "echo", "io", "me", Status.RUNNING, 1, 0, 60.0, datetime.now(UTC))
    return EventWriter(Running(Claim(job, "nonce")), flusher)


def talkative(log: Log, most: int) -> tuple[Flusher, EventWriter]:
    log.settings = EngineSettings(max_events=most)
    flusher = Flusher(log, delay=0)  # type: ignore[arg-type] # only these are used
    job = Job(1, "job", "echo", "io", "me", Status.RUNNING, 1, 0, 60.0, datetime.now(UTC))
    return flusher, EventWriter(Running(Claim(job, "nonce")), flusher)


def written(log: Log) -> list[tuple[int, str, bytes]]:
    return [(draft.seq, draft.type, draft.data) for drafts, _ in log.batches for draft in drafts]


def test_tokens_that_stand_side_by_side_become_one_event(log: Log, flusher: Flusher, writer: EventWriter) -> None:
    for piece in ("a", "b\n", "é"):
        writer.emit("token", {"content": piece})
    writer.emit("progress", {"fraction": 0.5, "message": ""})
    writer.emit("token", {"content": "c"})
    assert flusher.flush()
    assert [(seq, kind) for seq, kind, _ in written(log)] == [(1, "token"), (2, "progress"), (3, "token")]
    assert written(log)[0][2] == '{"content":"ab\\né"}'.encode()


def test_seqs_go_on_over_batches(log: Log, flusher: Flusher, writer: EventWriter) -> None:
    for piece in ("a", "b"):
        writer.emit("token", {"content": piece})
        flusher.flush()
    assert [seq for seq, _, _ in written(log)] == [1, 2]


def test_what_redis_did_not_take_is_written_again_with_the_same_ids(
    log: Log, flusher: Flusher, writer: EventWriter
) -> None:
    log.answers = [RedisConnectionError("away")]
    writer.emit("token", {"content": "a"})
    assert not flusher.flush()
    writer.emit("token", {"content": "b"})
    assert flusher.flush()
    assert written(log) == [(1, "token", b'{"content":"a"}'), (2, "token", b'{"content":"b"}')]


def test_a_stale_attempt_is_told_and_may_say_no_more(log: Log, flusher: Flusher, writer: EventWriter) -> None:
    log.answers = ["stale"]
    writer.emit("token", {"content": "a"})
    flusher.flush()
    assert writer.running.reason is Reason.LOST
    with pytest.raises(Interrupted):
        writer.emit("token", {"content": "b"})


def test_the_end_comes_last_and_once(log: Log, flusher: Flusher, writer: EventWriter) -> None:
    flusher.start()
    writer.emit("token", {"content": "a"})
    log.answers = [RedisConnectionError("away")]
    assert writer.finish(Ending(Status.COMPLETED, {"usage": {}}, result="a"))
    assert [kind for _, kind, _ in written(log)] == ["token", "completed"]
    assert log.batches[-1][1] is not None


def test_an_end_that_is_not_ours_to_write_is_reported(log: Log, flusher: Flusher, writer: EventWriter) -> None:
    flusher.start()
    log.answers = ["stale"]
    assert not writer.finish(Ending(Status.COMPLETED, {}))


def test_an_agent_that_is_faster_than_redis_waits(flusher: Flusher, writer: EventWriter) -> None:
    finished = threading.Event()

    def talk() -> None:
        for number in range(1500):
            writer.emit("progress", {"fraction": 0, "message": str(number)})
        finished.set()

    threading.Thread(target=talk, daemon=True).start()
    assert not finished.wait(0.2)
    flusher.flush()
    assert finished.wait(30)


def test_an_agent_that_is_faster_than_redis_waits_also_while_redis_is_away(log: Log) -> None:
    flusher, writer = talkative(log, 100_000)
    log.answers = [RedisConnectionError("away")] * 100

    def talk() -> None:
        for number in range(9000):
            writer.emit("progress", {"at": number})

    threading.Thread(target=talk, daemon=True).start()
    for _ in range(50):
        flusher.flush()
    assert len(writer.batch()[1]) <= 2 * MOST_WAITING
    log.answers = []
    until = time.monotonic() + 60
    while len(written(log)) < 9000 and time.monotonic() < until:
        flusher.flush()
    assert [seq for seq, _, _ in written(log)] == list(range(1, 9001))


def test_an_end_waits_for_redis_but_not_beyond_the_drain(
    log: Log, flusher: Flusher, writer: EventWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.worker.flusher.LAST_TRY", 0.0)
    over = threading.Event()
    draining = EventWriter(writer.running, flusher, over.is_set)
    log.answers = [RedisConnectionError("away")] * 10_000
    flusher.start()
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(draining.finish(Ending(Status.COMPLETED, {}))))
    waiting.start()
    waiting.join(1.2)
    assert waiting.is_alive()
    over.set()
    waiting.join(30)
    assert answers == [False]


def test_an_end_goes_after_everything_there_was_no_room_for(log: Log, flusher: Flusher, writer: EventWriter) -> None:
    log.answers = [RedisConnectionError("away")]
    for number in range(MOST_WAITING):
        writer.emit("progress", {"at": number})
    flusher.flush()
    for number in range(10):
        writer.emit("progress", {"at": number})
    flusher.start()
    assert writer.finish(Ending(Status.COMPLETED, {}))
    assert [seq for seq, _, _ in written(log)] == list(range(1, MOST_WAITING + 12))
    assert written(log)[-1][1] == "completed"


def test_what_cannot_be_written_is_its_agents_fault_and_nobody_elses(
    log: Log, flusher: Flusher, writer: EventWriter
) -> None:
    with pytest.raises(TypeError):
        writer.emit("token", {"content": "half a character: \ud800"})
    flusher.start()
    job = Job(1, "other", "echo", "io", "me", Status.RUNNING, 1, 0, 60.0, datetime.now(UTC))
    other = EventWriter(Running(Claim(job, "nonce")), flusher)
    assert not writer.finish(Ending(Status.FAILED, {"detail": "\ud800"}))
    assert other.finish(Ending(Status.COMPLETED, {}))
    assert [kind for _, kind, _ in written(log)] == ["completed"]


def test_an_attempt_that_has_said_half_of_what_it_may_is_written_once_a_while(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.worker.flusher.CALM", 5.0)
    flusher, writer = talkative(log, 10)
    flusher.start()
    for number in range(10):
        writer.emit("progress", {"fraction": number / 10, "message": ""})
        writer.emit("token", {"content": f"{number} "})
        time.sleep(0.02)
    assert writer.finish(Ending(Status.COMPLETED, {"usage": {}}))
    text = "".join(orjson.loads(data)["content"] for _, kind, data in written(log) if kind == "token")
    assert text == "".join(f"{number} " for number in range(10))
    assert len(written(log)) <= 9  # and the event of the claim
    assert written(log)[-1][1] == "completed"


def test_what_waits_is_written_although_nothing_follows_it(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.worker.flusher.CALM", 0.1)
    flusher, writer = talkative(log, 4)
    flusher.start()
    deadline = time.monotonic() + 30
    for count, piece in enumerate(("a", "b"), 1):
        writer.emit("token", {"content": piece})
        while len(written(log)) < count and time.monotonic() < deadline:
            time.sleep(0.01)
    assert [data for _, _, data in written(log)] == [b'{"content":"a"}', b'{"content":"b"}']


def test_an_attempt_that_says_more_than_it_may_is_stopped_and_fails(log: Log) -> None:
    flusher, writer = talkative(log, 6)
    for number in range(5):
        writer.emit("artifact", {"name": str(number)})
        flusher.flush()
    with pytest.raises(Interrupted) as interrupted:
        writer.emit("artifact", {"name": "one more"})
    assert interrupted.value.reason is Reason.TALKATIVE
    flusher.start()
    assert writer.finish(Ending(Status.COMPLETED, {"usage": {}}))
    assert [kind for _, kind, _ in written(log)] == ["artifact"] * 4 + ["failed"]
    ending = log.batches[-1][1]
    assert ending is not None
    assert ending.status is Status.FAILED
