"""Kombu's Redis transport, made to survive what does not belong into a queue."""

from __future__ import annotations

import logging
from queue import Empty
from typing import Any

from kombu import transport
from kombu.transport import redis

log = logging.getLogger(__name__)

SCHEMES = ("redis", "rediss", "redis+socket")  # of the broker's URL
# What reading something that is no message raises: no JSON, no base64, a part that is missing or of a wrong kind.
MALFORMED = (ValueError, LookupError, TypeError, AttributeError)


class Channel(redis.Channel):
    """Drops a malformed entry of a queue. Kombu lets it end the consumer, and the next worker's after it.

    The entry was popped and nothing is lost with it: what has to be done stands in records, not in messages.
    """

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except MALFORMED:
            log.exception("what was in the queue is no message, and was dropped")
            raise Empty from None


class Transport(redis.Transport):
    """See `Channel`."""

    Channel = Channel


def install() -> None:
    """Let brokers of this process be reached by this transport."""
    for scheme in SCHEMES:
        transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
