"""What an earlier release left in Redis is worked off by this one.

`fixtures/version-1.json` is what workers of record version 1 find: two jobs that wait, with their messages, and one
that lost its worker. It is never written anew; a release that changes the record adds a file of its own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from deploy.local.stack import Stack
from tests.faults.conftest import SETTINGS
from tests.support.client import Client, engine_of

RECORDED = sorted((Path(__file__).parent / "fixtures").glob("version-*.json"))


def restore(redis: Redis, key: str, kind: str, value: Any) -> None:
    if kind == "hash":
        redis.hset(key, mapping=value)
    elif kind == "list":
        redis.rpush(key, *value)
    elif kind == "zset":
        redis.zadd(key, value)
    elif kind == "set":
        redis.sadd(key, *value)
    elif kind == "stream":
        for event_id, fields in value:
            redis.xadd(key, fields, id=event_id)
    else:
        raise AssertionError(kind)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.stem)
def test_a_queue_that_an_earlier_release_filled_is_worked_off(recorded: Path, tmp_path: Path) -> None:
    stack = Stack(tmp_path, SETTINGS, only=())
    try:
        stack.start()
        engine = engine_of(stack)
        for key, (kind, value) in json.loads(recorded.read_text()).items():
            restore(engine.redis, key, kind, value)
        for name in ("web", "worker-io", "worker-cpu"):
            stack.spawn(name)
        stack.wait_until_ready()
        client = Client(stack)
        for digit, text, attempts in ((1, "from version 1", 1), (2, "lost in version 1", 2), (3, "from version 1", 1)):
            job = client.wait_for("dddddddd-dddd-4ddd-8ddd-dddddddddddd".replace("d", str(digit)))
            assert (job["status"], job["result"], job["attempts"]) == ("completed", text, attempts)
    finally:
        stack.kill()
