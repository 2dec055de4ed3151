"""Tell whose key was presented."""

from __future__ import annotations

import contextlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from redis.exceptions import RedisError

from webapp.auth.keys import KeyRecord, digest
from webapp.auth.principals import STATIC, Principal

# Redis is asked once per key and this time. It is also how long a revoked key may go on working.
MEMORY_SECONDS = 5.0

# More keys than this are not remembered at once, so that memory stays bounded whoever calls.
MEMORY_KEYS = 10_000

# How often a process writes down that a key was used. Who asks wants to know the day, and a write for each request
# would cost as much as the request.
NOTE_SECONDS = 60.0

# What an unknown id is compared with, so that it costs the same work as a known one.
NOBODY = digest("nobody")


class Records(Protocol):
    """Where the records of keys are."""

    def id_in(self, key: str) -> str | None: ...
    def digest_of(self, key_id: str) -> str | None: ...
    def find(self, key_id: str) -> KeyRecord | None: ...
    def note_use(self, key_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Verified:
    principal: Principal
    until: float


class Verifier:
    """Finds the principal of a key: the static one, a remembered one, or one that Redis knows."""

    def __init__(
        self,
        records: Records,
        static_key: str = "",
        clock: Callable[[], float] = time.monotonic,
        *,
        static: Principal = STATIC,
    ) -> None:
        self._records = records
        self._static = digest(static_key) if static_key else ""
        self._static_principal = static
        self._clock = clock
        self._remembered: dict[str, _Verified] = {}
        self._noted: dict[str, float] = {}

    def principal(self, key: str) -> Principal | None:
        """Whose key this is; None when it is nobody's. Raises `redis.RedisError` when that cannot be told."""
        presented = digest(key)
        if self._static and hmac.compare_digest(presented, self._static):
            return self._static_principal
        remembered = self._remembered.get(presented)
        # The clock is read before Redis is asked, so that a slow answer does not lengthen the memory.
        now = self._clock()
        if remembered and now < remembered.until:
            return remembered.principal
        return self._ask(key, presented, now)

    def _ask(self, key: str, presented: str, now: float) -> Principal | None:
        key_id = self._records.id_in(key)
        # The digest alone, so that a wrong secret takes no longer than a wrong id: reading a whole record takes a few
        # per cent of a request, which can be measured.
        known = self._records.digest_of(key_id) if key_id else None
        right = hmac.compare_digest(presented, known or NOBODY) and known is not None
        record = self._records.find(key_id) if right and key_id else None
        if record is None or record.expired:
            self._remembered.pop(presented, None)
            return None
        principal = record.principal()
        self._remember(presented, _Verified(principal, now + _seconds_left(principal)))
        self._note_use(record.id, now)
        return principal

    def _note_use(self, key_id: str, now: float) -> None:
        if now - self._noted.get(key_id, -NOTE_SECONDS) < NOTE_SECONDS:
            return
        if len(self._noted) >= MEMORY_KEYS:
            self._noted.clear()
        self._noted[key_id] = now
        # The request does not depend on this.
        with contextlib.suppress(RedisError):
            self._records.note_use(key_id)

    def _remember(self, presented: str, verified: _Verified) -> None:
        if len(self._remembered) >= MEMORY_KEYS:
            self._remembered.clear()
        self._remembered[presented] = verified


def _seconds_left(principal: Principal) -> float:
    """How long a verified key may be remembered: not beyond its own end."""
    left = MEMORY_SECONDS if principal.expires_at is None else principal.expires_at - time.time()
    return min(MEMORY_SECONDS, left)
