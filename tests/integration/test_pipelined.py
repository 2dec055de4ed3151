"""Calls of one moment share a packet, and nothing else: neither their answers nor their faults."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis

from deploy.local.processes import ROOT
from deploy.local.valkey import Valkey, free_port
from tasks.jobs.pipelined import MOST, Pipelined

PROGRAM = """
from gevent import monkey; monkey.patch_all()
import json, sys, gevent, socket
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from tasks.jobs.pipelined import MOST, Pipelined

redis = Redis.from_url(sys.argv[1])
echo = redis.script_load("return ARGV[1]")
fails = redis.script_load("return redis.call('INCR', KEYS[1])")
redis.set("text", "no number")
pipelined, raised = Pipelined(redis), []

def said(*command):
    try:
        return pipelined.evalsha(*command).decode()
    except Exception as error:
        raised.append(error)
        return type(error).__name__

def at_once(*commands):
    greenlets = [gevent.spawn(said, *command) for command in commands]
    return [greenlet.get(timeout=60) for greenlet in greenlets]

def reads():
    return redis.info("stats")["total_reads_processed"]

def away():
    global pipelined
    pipelined = Pipelined(Redis(port=int(sys.argv[2])))
    raised.clear()
    return at_once(*((echo, 0, "x") for _ in range(20)))

def killed():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        global pipelined
        pipelined = Pipelined(Redis(port=silent.getsockname()[1], socket_timeout=600))
        sender, follower = gevent.spawn(said, echo, 0, "x"), gevent.spawn(said, echo, 0, "y")
        silent.accept()  # it has connected, and waits for an answer
        sender.kill()
        return follower.get(timeout=60)

def unanswered():
    # How many connections it takes until all are told.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        global pipelined
        port, never = silent.getsockname()[1], Retry(NoBackoff(), 0)
        pipelined = Pipelined(Redis(port=port, socket_timeout=0.5, retry=never))
        told = at_once(*((echo, 0, "x") for _ in range(3 * MOST)))
        silent.settimeout(0.1)
        seen = []
        try:
            while True:
                seen.append(silent.accept())
        except TimeoutError:
            return [len(seen), sorted(set(told))]

before = reads()
answers = at_once(*((echo, 0, str(number)) for number in range(2 * MOST + 1)))
print(json.dumps({
    "answers": answers,
    "reads": reads() - before,
    "faults": at_once((echo, 0, "a"), ("0" * 40, 0), (fails, 1, "text"), (echo, 0, "b")),
    "unwritable": at_once((echo, 0, "a"), (echo, 0, object()), (echo, 0, "\\ud800"), (echo, 0, "b")),
    "away": away(),
    "exceptions": len(set(map(id, raised))),
    "killed": killed(),
    "unanswered": unanswered(),
}))
"""


@pytest.fixture(scope="module")
def seen(valkey: Valkey) -> dict[str, Any]:
    """What a process with greenlets has seen."""
    command = [sys.executable, "-c", PROGRAM, valkey.url, str(free_port())]
    out = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=90)
    found: dict[str, Any] = json.loads(out.stdout)
    return found


def test_each_greenlet_has_its_own_answer(seen: dict[str, Any]) -> None:
    assert seen["answers"] == [str(number) for number in range(2 * MOST + 1)]


def test_they_are_sent_in_few_packets(seen: dict[str, Any]) -> None:
    # Three, and two questions how many there were. A packet may be read in several parts.
    assert seen["reads"] < MOST / 4


def test_a_fault_is_told_to_whoever_made_it(seen: dict[str, Any]) -> None:
    assert seen["faults"] == ["a", "NoScriptError", "ResponseError", "b"]


def test_what_cannot_be_written_down_keeps_nobody_else_from_being_sent(seen: dict[str, Any]) -> None:
    assert seen["unwritable"] == ["a", "DataError", "UnicodeEncodeError", "b"]


def test_a_greenlet_that_is_ended_leaves_nobody_waiting(seen: dict[str, Any]) -> None:
    assert seen["killed"] == "ConnectionError"


def test_of_many_that_are_not_answered_only_the_first_wait_for_the_time_out(seen: dict[str, Any]) -> None:
    connections, told = seen["unanswered"]
    assert connections == 1
    assert set(told) <= {"ConnectionError", "TimeoutError"}


def test_each_is_told_by_an_exception_of_its_own_that_redis_is_away(seen: dict[str, Any]) -> None:
    # A traceback is written into an exception.
    assert seen["away"] == ["ConnectionError"] * 20
    assert seen["exceptions"] == 20


def test_threads_call_redis_itself(valkey: Valkey) -> None:
    with Redis.from_url(valkey.url) as redis, ThreadPoolExecutor(20) as pool:
        digest, pipelined = redis.script_load("return ARGV[1]"), Pipelined(redis)
        answers = list(pool.map(lambda number: pipelined.evalsha(digest, 0, number), range(500)))
    assert answers == [b"%d" % number for number in range(500)]
