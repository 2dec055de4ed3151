"""The Celery message that wakes a worker. It says which job to look at and nothing else.

It is made with Celery's and kombu's own functions, but pushed by our scripts, so that there is no moment
between "recorded" and "sent". A contract test holds it against a real worker.
"""

from __future__ import annotations

import uuid

from celery import Celery
from kombu.serialization import dumps
from kombu.transport.virtual import Base64
from kombu.utils.json import dumps as to_json

from tasks.jobs.keys import TASK_NAME

# Never connected and never current: it is asked for the layout of a message only.
_celery = Celery("slipway", set_as_current=False, broker="memory://")

PERSISTENT = 2


def make_message(job_id: str, queue: str) -> str:
    """Make the entry of the queue's list: Celery's protocol 2 in kombu's Redis envelope."""
    made = _celery.amqp.as_task_v2(job_id, TASK_NAME, args=[job_id], kwargs={}, argsrepr="", ignore_result=True)
    content_type, encoding, body = dumps(made.body, serializer="json")
    properties = {
        **made.properties,
        "delivery_mode": PERSISTENT,
        "delivery_info": {"exchange": "", "routing_key": queue},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }
    envelope: str = to_json(
        {
            "body": Base64().encode(body),
            "content-encoding": encoding,
            "content-type": content_type,
            "headers": made.headers,
            "properties": properties,
        },
        separators=(",", ":"),  # thousands of them may wait
    )
    return envelope
