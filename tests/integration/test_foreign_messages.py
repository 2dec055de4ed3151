"""What somebody puts into a queue beside our messages is refused, and the worker lives."""

from __future__ import annotations

import base64
import json
import pickle
from typing import Any

import pytest
import redis

from deploy.local.stack import Stack
from tasks.jobs.keys import Keys
from tasks.jobs.message import make_message
from tests.support.client import Client


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (self.path, "w")


def changed(arguments: bytes | None = None, **envelope: Any) -> str:
    message = json.loads(make_message("a-job", "io"))
    if arguments is not None:
        message["body"] = base64.b64encode(arguments).decode()
    return json.dumps(message | envelope)


def typed(content_type: str, body: bytes) -> str:
    return changed(body, **{"content-type": content_type})


def task(name: str | None) -> str:
    return changed(headers=json.loads(make_message("a-job", "io"))["headers"] | {"task": name})


def arguments(*args: Any) -> str:
    return changed(json.dumps([args, {}, {}]).encode())


def foreign(path: str) -> dict[str, str | bytes]:
    return {
        "a pickle": typed("application/x-python-serialize", pickle.dumps(Bomb(path))),
        "yaml": typed("application/x-yaml", b"!!python/object/apply:os.system ['id']"),
        "another task": task("os.system"),
        "an own task of Celery": task("celery.backend_cleanup"),
        "no task": task(None),
        "two arguments": arguments("a", "b"),
        "no argument": arguments(),
        "an argument that is no id": arguments({"$ne": 1}),
        "an id of a megabyte": arguments("x" * 1_000_000),
        "a job that is not there": arguments("a-job"),
        "a body that is no JSON": changed(b"\xff\xfe{"),
        "an empty body": changed(b"[]"),
        "a body of another shape": changed(b'{"a": 1}'),
        "a body that is no base64": changed(None, body="%%%"),
        "headers that name nothing": changed(headers={}),
        "no properties": changed(properties=None),
        "no delivery": changed(properties={"body_encoding": "base64"}),
        "headers of another shape": changed(headers=[]),
        "no JSON at all": "*not json*",
        "no text at all": b"\xff\xfe\x00",
        "arguments without end": changed(b"[" * 100_000),
        "JSON of another shape": "[1, 2]",
    }


@pytest.mark.parametrize("queue", ["io", "cpu"])
def test_foreign_messages_are_refused_and_the_worker_lives(own_stack: Stack, queue: str) -> None:
    trace = own_stack.directory / "unpickled"
    messages = foreign(str(trace))
    with redis.Redis.from_url(own_stack.redis_url) as client:
        for message in messages.values():
            client.lpush(Keys().queue(queue), message)
    # What is pushed last is taken last: the job waits behind all of them.
    caller = Client(own_stack)
    agent = "echo" if queue == "io" else "echo_cpu"
    assert caller.post(f"/v1/agents/{agent}/run", json={"text": "still here"}).json()["result"] == "still here"
    assert not trace.exists()
    refused = own_stack.log_path(f"worker-{queue}").read_text().count("message.refused")
    assert refused == len(messages) - 1  # a job that is not there is found out later
    own_stack.check()
