"""kombu's way to Redis: several messages at a time, and none that is not ours.

Kombu takes one message a turn of the loop, and each turn waits for whatever the jobs that run do in theirs: of 200
streams opened at once the last began seconds after the first. A worker that has room takes up to `TOGETHER` at once.

What else is put into a queue is dropped. Otherwise a body of another shape ends the worker, is given back when it ends,
and ends the next one, too (measured with Celery 5.7). Whoever can write to the queue may waste a worker's time, but not
stop it.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Sequence
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

from tasks.jobs import logs
from tasks.jobs.keys import TASK_NAME

# Our ids are UUIDs; whatever is used for one in a test has no more than these letters.
_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
JSON = "application/json"
# Messages of one turn. Few enough that workers share a burst, and that little has to be sent again when one is killed.
TOGETHER = 10
LOOK = 0.01  # seconds between two looks whether a full worker has a place again
TURN = 0.5  # seconds after which a full worker looks for anything else that was said to it
SCHEMES = ("redis", "rediss", "redis+socket")  # of the broker's URL

# Where Celery's own messages go, its answers and events: with CELERY_EVENTS, and in Flower.
CONTROL = re.compile(r"\.pidbox$|^celeryev\.")

log = logs.get_logger(__name__)


class Channel(redis.Channel):
    """Reads the lists of the queues."""

    # How many jobs more this worker takes; given by its consumer.
    room: Callable[[], int] = staticmethod(lambda: 1)
    _behind: Sequence[str] = ()
    _in_poll: Any = None
    _brpop_sent_at: Any = None

    def _brpop_start(self, timeout: float | None = None) -> None:
        """Ask for a message, and behind it for more: Redis looks for those when the first has come."""
        queues = self._queue_cycle.consume(len(self.active_queues))
        if not queues:
            return
        more = (min(self.room(), TOGETHER) - 1) // len(queues)
        self._behind = queues if more > 0 else ()
        keys = {queue: f"{self.global_keyprefix}{queue}" for queue in queues}
        first = ("BRPOP", *keys.values(), timeout or self.brpop_timeout)
        commands = [first, *(("RPOP", keys[queue], more) for queue in self._behind)]
        self._in_poll = connection = self.client.connection
        self._brpop_sent_at = time.monotonic()
        connection.send_packed_command(connection.pack_commands(commands))

    def _brpop_read(self, **options: Any) -> bool:
        """Hand on what has come. Raises `Empty` when nothing has."""
        found = self._read_replies(options)
        for queue, body in found:
            self._hand_on(queue, body)
        if not found:
            raise Empty
        return True

    def _read_replies(self, options: dict[str, Any]) -> list[tuple[str, bytes]]:
        """The messages with their queues: read all of them, before one of them can do anything."""
        client, connection = self.client, self.client.connection
        try:
            first = client.parse_response(connection, "BRPOP", **options)
            more = [(queue, client.parse_response(connection, "RPOP")) for queue in self._behind]
        except BaseException:
            connection.disconnect()  # a reply that is still to come would be taken for another's
            raise
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()  # type: ignore[no-untyped-call]
        found = [(queue, body) for queue, bodies in more for body in bodies or ()]
        if first:
            queue = first[0].decode()
            self._queue_cycle.rotate(queue)
            found.insert(0, (queue, first[1]))
        return found

    def _hand_on(self, queue: str, body: bytes) -> None:
        try:
            message = json.loads(body.decode())
        except json.JSONDecodeError:
            refuse("it is no JSON")
        except (UnicodeDecodeError, RecursionError):
            refuse("it is no text")
        else:
            self.connection._deliver(message, queue)


class Transport(redis.Transport):
    """Hands the messages on to the consumers of the queues."""

    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None, **options: Any) -> None:
        """Wait for messages. It is what the blocking loop (gevent) does in each turn.

        A full worker does not listen to its queues, and nothing tells this loop that a job has ended: kombu would look
        again after the timeout, which is two seconds (measured: 8 places did 4 jobs of 0.25 s a second).
        """
        until = time.monotonic() + TURN
        while (full := Channel.room() <= 0) and time.monotonic() < until:
            time.sleep(LOOK)
        super().drain_events(connection, 0 if full else timeout, **options)  # type: ignore[no-untyped-call]

    def _deliver(self, message: Any, queue: str) -> None:
        fault = "" if CONTROL.search(queue) else fault_of(message)
        if fault:
            refuse(fault)
        else:
            super()._deliver(message, queue)  # type: ignore[no-untyped-call]


def install() -> None:
    """Make every connection of this process to Redis or Valkey one of these."""
    TRANSPORT_ALIASES.update(dict.fromkeys(SCHEMES, f"{__name__}:Transport"))


def refuse(fault: str) -> None:
    """Say that a message was dropped, and nothing of what it held."""
    log.warning("message.refused", reason=fault)


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
