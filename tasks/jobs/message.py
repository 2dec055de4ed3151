"""The Celery message that wakes a worker. It says which job to look at and nothing else.

It is written here, and pushed by our scripts, so that there is no moment between "recorded" and "sent". And without
Celery, which a web process has no other use for. A test holds it, field by field, against the one that Celery sends.
"""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import orjson

from tasks.jobs.keys import TASK_NAME

PERSISTENT = 2
# What a message of Celery's protocol 2 says of a task that is nothing special.
CALLED_BY_NOBODY = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
HEADERS: dict[str, Any] = {
    "lang": "py",
    "task": TASK_NAME,
    "shadow": None,
    "eta": None,
    "expires": None,
    "group": None,
    "group_index": None,
    "retries": 0,
    "timelimit": [None, None],
    "parent_id": None,
    "argsrepr": "",
    "kwargsrepr": "{}",
    "origin": "slipway",
    "ignore_result": True,
    "replaced_task_nesting": 0,
    "stamped_headers": None,
    "stamps": {},
}


def make_message(job_id: str, queue: str) -> bytes:
    """Make the entry of the queue's list: Celery's protocol 2 in kombu's Redis envelope."""
    body = json.dumps([[job_id], {}, CALLED_BY_NOBODY])
    properties = {
        "correlation_id": job_id,
        "reply_to": "",
        "delivery_mode": PERSISTENT,
        "delivery_info": {"exchange": "", "routing_key": queue},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }
    return orjson.dumps(
        {
            "body": base64.b64encode(body.encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {**HEADERS, "id": job_id, "root_id": job_id},
            "properties": properties,
        }
    )
