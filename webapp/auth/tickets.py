"""Tickets: one request without a key, for what a browser cannot give headers to (EventSource, WebSocket).

A ticket is good for one use within seconds, so that an address that was logged or shared opens nothing.
"""

from __future__ import annotations

import dataclasses
import secrets
from typing import Any

import orjson
from redis import Redis

from tasks.jobs.keys import Keys
from webapp.auth.keys import digest
from webapp.auth.principals import Principal

SECONDS = 30  # from the answer to the connection that it is for, over a slow network
PARAMETER = "ticket"


class Tickets:
    """The tickets that were issued and not yet used, in Redis: any web process takes them."""

    def __init__(self, redis: Redis, names: Keys) -> None:
        self._redis = redis
        self._names = names

    def issue(self, principal: Principal) -> str:
        """Make a ticket that acts for `principal`. Only its digest is stored."""
        ticket = secrets.token_urlsafe(32)
        stored = dataclasses.asdict(principal) | {"scopes": sorted(principal.scopes)}
        self._redis.set(self._names.ticket(digest(ticket)), orjson.dumps(stored), ex=SECONDS)
        return ticket

    def redeem(self, ticket: str) -> Principal | None:
        """Use a ticket up. None: it is unknown, used or too old."""
        found: Any = self._redis.getdel(self._names.ticket(digest(ticket)))
        if found is None:
            return None
        stored = orjson.loads(found)
        return Principal(**stored | {"scopes": frozenset(stored["scopes"])})
