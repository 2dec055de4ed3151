"""Conversations as the transitions of their jobs write them, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from tasks.jobs import (
    ConversationFull,
    Engine,
    Job,
    JobError,
    LimitReached,
    LocalArtifacts,
    NewJob,
    NewTurn,
    NoConversation,
    Status,
    connect,
)
from tasks.jobs.attempts import Attempts, Claim, Draft, Ending
from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from tasks.sdk import Message
from tasks.worker.history import FRAME, History, estimate

UNICODE = 'line\r\nline\u2028 "quoted" \\ \0 😀 über </script> \x7f'


@pytest.fixture
def engine(valkey_url: str, tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(valkey_url, tmp_path)
    yield engine
    engine.redis.connection_pool.disconnect()


def make_engine(url: str, folder: Path, **settings: object) -> Engine:
    chosen = EngineSettings(redis_url=Secret(url), artifacts_dir=folder, **settings)  # type: ignore[arg-type]
    return Engine(connect(chosen), chosen, LocalArtifacts(folder))


def ask(engine: Engine, conversation: str, message: str, *, new: bool = False, owner: str = "me") -> Job:
    turn = NewTurn(conversation, message, new=new)
    return engine.submit(NewJob("chat", "io", owner, 30.0, {"message": message}, turn=turn))


def claim(engine: Engine, job: Job) -> tuple[Attempts, Claim]:
    attempts = Attempts(engine.redis, engine.settings, "worker/tests")
    claimed = attempts.claim(job.id, job.queue)
    assert claimed is not None
    return attempts, claimed


def finish(attempts: Attempts, claimed: Claim, ending: Ending) -> object:
    draft = Draft(1, ending.status.value, orjson.dumps(ending.data))
    return attempts.write([(claimed, [draft], ending)])[0]


def completed(text: str) -> Ending:
    return Ending(Status.COMPLETED, {"usage": {}}, result=text, answer=text)


def answer(engine: Engine, job: Job, text: str) -> None:
    assert finish(*claim(engine, job), completed(text)) == "ok"


def said(engine: Engine, conversation: str) -> list[tuple[str, str | None]]:
    found = engine.conversations.get(conversation)
    assert found is not None
    return [(turn.message.content, turn.answer.content if turn.answer else None) for turn in found.turns]


def test_messages_and_answers_are_kept_exactly(engine: Engine) -> None:
    answer(engine, ask(engine, "c", UNICODE, new=True), UNICODE[::-1])
    assert said(engine, "c") == [(UNICODE, UNICODE[::-1])]


def test_an_answer_stands_behind_its_message_whichever_is_ready_first(engine: Engine) -> None:
    first, second = ask(engine, "c", "1", new=True), ask(engine, "c", "2")
    answer(engine, second, "to 2")
    assert said(engine, "c") == [("1", None), ("2", "to 2")]
    answer(engine, first, "to 1")
    assert said(engine, "c") == [("1", "to 1"), ("2", "to 2")]


def test_messages_of_the_same_moment_are_all_there_in_one_order(engine: Engine) -> None:
    ask(engine, "c", "first", new=True)
    with ThreadPoolExecutor(10) as pool:
        jobs = list(pool.map(lambda number: ask(engine, "c", str(number)), range(100)))
    messages = [message for message, _ in said(engine, "c")]
    assert messages[0] == "first"
    assert sorted(messages[1:], key=int) == [str(number) for number in range(100)]
    read = [engine.get(job.id) for job in jobs]
    assert sorted(job.turn for job in read if job) == list(range(2, 102))


def test_another_owners_conversation_and_a_deleted_one_take_no_message(engine: Engine) -> None:
    ask(engine, "c", "mine", new=True)
    with pytest.raises(NoConversation):
        ask(engine, "c", "not yours", owner="you")
    with pytest.raises(NoConversation):
        ask(engine, "unknown", "hello")
    assert engine.conversations.delete("c")
    assert not engine.conversations.delete("c")
    with pytest.raises(NoConversation):
        ask(engine, "c", "again")
    assert engine.redis.zcard(engine.keys.pending("io")) == 1


def test_a_refused_job_leaves_no_message(valkey_url: str, tmp_path: Path) -> None:
    engine = make_engine(valkey_url, tmp_path, max_waiting=1)
    ask(engine, "c", "taken", new=True)
    with pytest.raises(LimitReached):
        ask(engine, "c", "refused")
    assert said(engine, "c") == [("taken", None)]
    engine.redis.connection_pool.disconnect()


def test_a_full_conversation_takes_no_more_and_loses_nothing(valkey_url: str, tmp_path: Path) -> None:
    engine = make_engine(valkey_url, tmp_path, conversation_bytes=1000)
    answer(engine, ask(engine, "c", "x" * 300, new=True), "y" * 400)
    with pytest.raises(ConversationFull):
        ask(engine, "c", "z")
    assert said(engine, "c") == [("x" * 300, "y" * 400)]
    engine.redis.connection_pool.disconnect()


def test_only_the_attempt_that_completes_the_job_answers_and_once(engine: Engine) -> None:
    job = ask(engine, "c", "1", new=True)
    attempts, zombie = claim(engine, job)
    assert attempts.hand_back(zombie) == "pending"
    attempts, second = claim(engine, job)
    assert finish(attempts, zombie, completed("of the zombie")) == "stale"
    assert said(engine, "c") == [("1", None)]
    for _ in range(2):  # the second call is the one after a lost reply
        assert finish(attempts, second, completed("of the second attempt")) == "ok"
    assert said(engine, "c") == [("1", "of the second attempt")]
    read = engine.get(job.id)
    assert read is not None
    assert read.result == "of the second attempt"
    assert not engine.redis.hexists(engine.keys.job(job.id), "answer")


def test_a_turn_that_was_canceled_or_failed_stays_without_an_answer(engine: Engine) -> None:
    waiting = ask(engine, "c", "1", new=True)
    assert engine.cancel(waiting) == "canceled"
    failed = Ending(Status.FAILED, {"code": "x", "detail": "y"}, error=JobError("x", "y"))
    assert finish(*claim(engine, ask(engine, "c", "2")), failed) == "ok"
    assert finish(*claim(engine, ask(engine, "c", "3")), Ending(Status.CANCELED, {})) == "ok"
    answer(engine, ask(engine, "c", "4"), "to 4")
    assert said(engine, "c") == [("1", None), ("2", None), ("3", None), ("4", "to 4")]


def test_what_was_deleted_stays_deleted(engine: Engine) -> None:
    job = ask(engine, "c", "1", new=True)
    attempts, claimed = claim(engine, job)
    engine.conversations.delete("c")
    assert finish(attempts, claimed, completed("late")) == "ok"
    assert engine.conversations.get("c") is None
    assert engine.conversations.count() == 0


def test_conversations_are_counted_until_they_expire(valkey_url: str, tmp_path: Path) -> None:
    engine = make_engine(valkey_url, tmp_path, conversation_retention=3600)
    for name in ("a", "b"):
        ask(engine, name, "hello", new=True)
    assert engine.conversations.count() == 2
    assert 0 < engine.redis.ttl(engine.keys.conversation("a")) <= 3600
    engine.redis.zadd(engine.keys.conversations, {engine.keys.conversation("a"): 1})
    assert engine.conversations.count() == 1
    engine.redis.connection_pool.disconnect()


def test_history_is_the_newest_answered_turns_that_fit(engine: Engine) -> None:
    begun = False
    for number in range(120):  # more than one page of the record
        job = ask(engine, "c", f"q{number}", new=not begun)
        begun = True
        if number % 10 != 5:
            answer(engine, job, f"a{number}")
    last = ask(engine, "c", "now")
    latest = engine.get(last.id)
    assert latest is not None
    everything = History(engine.conversations, 1_000_000).before(latest, (), 100)
    asked = [number for number in range(120) if number % 10 != 5]
    assert everything == [
        message for n in asked for message in (Message("user", f"q{n}"), Message("assistant", f"a{n}"))
    ]
    question = [Message("user", "now")]
    a_turn = estimate("q119") + estimate("a119")
    room = History(engine.conversations, 100 + estimate("now") + 2 * a_turn)
    assert room.before(latest, question, 100) == everything[-4:]
    assert History(engine.conversations, 50).before(latest, question, 100) == []
    assert said(engine, "c")[-1] == ("now", None)


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 1), ("a word", 2), ("x" * 300, 100), ("汉字汉字", 4), ("\ud800", 1)], ids=ascii
)
def test_an_estimate_is_never_below_the_words_or_a_third_of_the_bytes(text: str, tokens: int) -> None:
    assert estimate(text) == FRAME + tokens
