"""The one pub/sub connection of a process: everybody may write to it, one thread reads it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

# Silence after which the server is asked whether it is there, and the time that it has to answer: together the
# time in which a dead connection is found.
IDLE = 2.0
# Channels that one command names, so that a reconnect with thousands of them does not fill the server's buffers.
BATCH = 200

Reply = Sequence[Any]


class Wire:
    """A connection in subscriber mode.

    Writers take turns. The one reader needs no lock against them, because the two directions of a socket are
    independent, under gevent too. `sent` counts the channels named in commands and `answered` those named in
    replies: Redis answers in order, so a command is confirmed when `answered` has reached its count.
    """

    def __init__(self, redis: Redis) -> None:
        pool = redis.connection_pool
        options = {
            **pool.connection_kwargs,
            "client_name": "event-hub",
            "decode_responses": False,
            "socket_timeout": IDLE,
            # Both would act in the middle of our reads: we ask for life signs and reconnect ourselves.
            "health_check_interval": 0,
            "retry": Retry(NoBackoff(), 0),
        }
        self._connection = pool.connection_class(**options)
        self._connection.connect()
        self._writing = threading.Lock()
        self._pinged = False
        self._closed = False
        self.sent = 0
        self.answered = 0

    def subscribe(self, channels: Sequence[bytes]) -> None:
        """Ask for the messages of `channels`; the confirmations come with the messages."""
        self._send(b"SUBSCRIBE", channels)

    def unsubscribe(self, channels: Sequence[bytes]) -> None:
        """Give `channels` up. Messages that are under way still come."""
        self._send(b"UNSUBSCRIBE", channels)

    def read(self) -> Reply | None:
        """The next reply or message, None after a time of silence. Raises `RedisError` when the server is gone."""
        try:
            reply = self._connection.read_response(disconnect_on_error=False, push_request=True)
        except RedisTimeoutError:
            self._ask_for_life()
            return None
        self._pinged = False
        if not isinstance(reply, list):  # the answer to PING, while nothing is subscribed
            return None
        if reply[0] in (b"subscribe", b"unsubscribe"):
            self.answered += 1
        return reply

    def close(self) -> None:
        """Drop the connection."""
        with self._writing:
            self._closed = True
            self._connection.disconnect()

    def _ask_for_life(self) -> None:
        if self._pinged:
            raise RedisConnectionError("the server has not answered for too long")
        self._pinged = True
        self._write(["PING"], 0)

    def _send(self, command: bytes, channels: Sequence[bytes]) -> None:
        for start in range(0, len(channels), BATCH):
            batch = channels[start : start + BATCH]
            self._write([command, *batch], len(batch))

    def _write(self, command: Sequence[bytes | str], channels: int) -> None:
        packed = self._connection.pack_command(*command)
        with self._writing:
            if self._closed:  # redis-py would connect again, for nobody to read
                raise RedisConnectionError("the connection is closed")
            self.sent += channels
            self._connection.send_packed_command(packed, check_health=False)
