"""What else may be in a queue, or suddenly not be there: the worker lives on and the jobs end."""

from __future__ import annotations

import json
import time

import pytest

from deploy.local.stack import Stack
from tasks.jobs import Engine
from tasks.jobs.message import make_message
from tests.support.client import Client, engine_of


@pytest.fixture(scope="module")
def stack(proxied: tuple[Stack, object]) -> Stack:
    return proxied[0]


@pytest.fixture
def engine(stack: Stack) -> Engine:
    return engine_of(stack)


def changed(queue: str, **headers: object) -> str:
    message = json.loads(make_message("0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11", queue))
    message["headers"].update(headers)
    return json.dumps(message)


def malformed(queue: str) -> list[str | bytes]:
    message = json.loads(make_message("no such job", queue))
    return [
        "not JSON",
        b"\xff\xfe\x00",
        "[]",
        "{}",
        "null",
        changed(queue, task="no.such.task"),
        changed(queue, id=None),
        json.dumps({**message, "body": "bm90IEpTT04="}),
        json.dumps({**message, "body": "%%%"}),
        json.dumps({**message, "body": "W1tdLCB7fSwge31d"}),  # [[], {}, {}]: the argument is missing
        json.dumps({**message, "content-type": "application/x-python-serialize"}),
        json.dumps({**message, "content-type": "no/such-type"}),
        json.dumps({**message, "headers": {}}),
        json.dumps({**message, "properties": {}}),
        json.dumps({name: part for name, part in message.items() if name != "properties"}),
        make_message("no such job", queue),
        make_message("../../etc/passwd", queue),
    ]


@pytest.mark.parametrize(("queue", "agent"), [("io", "echo"), ("cpu", "echo_cpu")])
def test_malformed_and_foreign_messages_do_no_harm(stack: Stack, engine: Engine, queue: str, agent: str) -> None:
    client = Client(stack)
    process = stack.processes[f"worker-{queue}"]
    for message in malformed(queue):
        engine.redis.lpush(engine.keys.queue(queue), message)
        time.sleep(0.1)
    assert client.wait_for(client.submit(agent, text="still here"))["result"] == "still here"
    assert stack.processes[f"worker-{queue}"] is process
    assert process.poll() is None
    assert engine.redis.llen(engine.keys.queue(queue)) == 0


def test_a_purged_queue_is_filled_again_from_the_records(stack: Stack, engine: Engine) -> None:
    client = Client(stack)
    held = [client.submit("compute", seconds=3, cooperative=False) for _ in range(2)]  # both processes are busy
    waiting = [client.submit("echo_cpu", text=str(number)) for number in range(5)]
    engine.redis.delete(engine.keys.queue("cpu"))  # what `celery purge` does
    assert [client.wait_for(job_id)["result"] for job_id in waiting] == [str(number) for number in range(5)]
    assert {client.wait_for(job_id)["status"] for job_id in held} == {"completed"}


def test_every_message_twice_runs_every_job_once(stack: Stack, engine: Engine) -> None:
    client = Client(stack)
    job_ids = [client.submit("echo", text=str(number)) for number in range(20)]
    for job_id in job_ids:
        engine.redis.rpush(engine.keys.queue("io"), *[make_message(job_id, "io")] * 2)
    for job_id in job_ids:
        assert client.wait_for(job_id)["attempts"] == 1
