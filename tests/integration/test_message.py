"""Our message is what Celery itself would have sent, field by field."""

from __future__ import annotations

import base64
import json
from typing import Any

from celery import Celery
from redis import Redis

from tasks.jobs.keys import TASK_NAME, Keys
from tasks.jobs.message import make_message

# What differs from one message to the next, whoever sends it.
# `argsrepr` is for people who read logs; ours do not have it.
OWN = {"headers": {"origin", "argsrepr"}, "properties": {"delivery_tag", "reply_to"}}


def sent_by_celery(url: str, job_id: str) -> dict[str, Any]:
    app = Celery("contract", broker=url, set_as_current=False)
    app.conf.broker_transport_options = {"global_keyprefix": Keys("contract").queue_prefix}
    app.send_task(TASK_NAME, args=[job_id], task_id=job_id, queue="io", ignore_result=True)
    stored: Any = Redis.from_url(url).rpop(Keys("contract").queue("io"))
    return dict(json.loads(stored))


def test_the_message_is_celerys_own(valkey_url: str) -> None:
    theirs = sent_by_celery(valkey_url, "a-job")
    ours = json.loads(make_message("a-job", "io"))
    assert ours.keys() == theirs.keys()
    assert base64.b64decode(ours["body"]) == base64.b64decode(theirs["body"])
    for part in ("headers", "properties"):
        assert ours[part].keys() == theirs[part].keys()
        differing = {name for name in ours[part] if ours[part][name] != theirs[part][name]}
        assert differing <= OWN[part]


def test_every_message_has_a_tag_of_its_own() -> None:
    tags = {json.loads(make_message("a-job", "io"))["properties"]["delivery_tag"] for _ in range(100)}
    assert len(tags) == 100
