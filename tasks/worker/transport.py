"""kombu's way to Redis, which lets through our own messages and drops what else is put into a queue.

Without it, a body of another shape ends the worker, is given back when it ends, and ends the next one, too (measured
with Celery 5.7). Whoever can write to the queue may waste a worker's time, but not stop it.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

from tasks.jobs.keys import TASK_NAME

# Our ids are UUIDs; whatever is used for one in a test has no more than these letters.
_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
JSON = "application/json"
SCHEMES = ("redis", "rediss", "redis+socket")  # of the broker's URL

log = logging.getLogger(__name__)


class Channel(redis.Channel):
    """Reads the lists of the queues."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except json.JSONDecodeError:
            refuse("it is no JSON")
        except UnicodeDecodeError:
            refuse("it is no text")
        return True  # there was a message, and it is over


class Transport(redis.Transport):
    """Hands the messages on to the consumers of the queues."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        fault = fault_of(message)
        if fault:
            refuse(fault)
        else:
            super()._deliver(message, queue)  # type: ignore[no-untyped-call]


def install() -> None:
    """Make every connection of this process to Redis or Valkey one of these."""
    TRANSPORT_ALIASES.update(dict.fromkeys(SCHEMES, f"{__name__}:Transport"))


def refuse(fault: str) -> None:
    """Say that a message was dropped, and nothing of what it held."""
    log.warning("a message was refused: %s", fault)


def fault_of(message: Any) -> str:
    """What keeps a message from being one of ours; empty when nothing does."""
    try:
        if message["headers"]["task"] != TASK_NAME:
            return "it is for a task that does not exist"
        if message["content-type"] != JSON or message["properties"]["body_encoding"] != "base64":
            return "it is in another format"
        (job_id,), named, embedded = json.loads(base64.b64decode(message["body"], validate=True))
        delivery = message["properties"]["delivery_info"]["routing_key"], message["properties"]["delivery_tag"]
    except (TypeError, ValueError, LookupError, RecursionError):
        return "it is of another shape"
    if named or not isinstance(embedded, dict) or not all(isinstance(each, str) for each in delivery):
        return "it is of another shape"
    return "" if isinstance(job_id, str) and _ID.fullmatch(job_id) else "its argument is no id of a job"
