"""API keys: how they are made, stored and found again.

A key reads `<prefix>_<id>_<secret>`. Redis holds the SHA-256 of the whole key under its id: the secret has
256 random bits, so a slow hash would add cost and no safety, and whoever reads the database cannot call.

Keys belong to a client, who owns the jobs. A client is named by its first key, and may have two keys at once: the
second replaces the first without a moment in which neither works.
"""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis

from tasks.jobs.keys import Keys
from webapp.auth.principals import TIER, Principal
from webapp.auth.scopes import USUAL

ID_BYTES = 8
SECRET_BYTES = 32
# One that is used and one that replaces it. More would be keys that nobody remembers.
MOST_LIVE = 2


class TooManyKeys(Exception):
    """The client has as many live keys as it may have."""


@dataclass(frozen=True)
class KeyRecord:
    """What is stored about a key: everything but the key."""

    id: str
    name: str
    digest: str
    created_at: datetime
    client: str = ""
    scopes: frozenset[str] = USUAL
    tier: str = TIER
    expires_at: datetime | None = None

    @property
    def expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= datetime.now(UTC)

    def principal(self) -> Principal:
        """Whom the key stands for."""
        expires_at = self.expires_at.timestamp() if self.expires_at else None
        client = self.client or self.id
        return Principal(f"key:{client}", self.name, "api_key", self.scopes, self.tier, expires_at, self.id)


def digest(key: str) -> str:
    """The form in which a key is stored and compared."""
    return hashlib.sha256(key.encode()).hexdigest()


class KeyStore:
    """The keys of this service in Redis."""

    def __init__(self, redis: Redis, names: Keys, prefix: str) -> None:
        self._redis = redis
        self._names = names
        self._prefix = prefix

    def create(
        self,
        name: str,
        *,
        scopes: Iterable[str] = USUAL,
        tier: str = TIER,
        lifetime: timedelta | None = None,
    ) -> tuple[KeyRecord, str]:
        """Make a key for a new client. It is returned here, once, and nowhere kept."""
        now = datetime.now(UTC)
        expires_at = now + lifetime if lifetime else None
        draft = KeyRecord("", name, "", now, scopes=frozenset(scopes), tier=tier, expires_at=expires_at)
        return self._issue(draft)

    def rotate(self, key_id: str, overlap: timedelta, lifetime: timedelta | None = None) -> tuple[KeyRecord, str]:
        """Make a second key for the client of this one, which goes on working for `overlap`.

        Raises KeyError when there is no live key of that id, TooManyKeys when the client has two already.
        """
        old, now = self.find(key_id), datetime.now(UTC)
        if old is None or old.expired:
            raise KeyError(key_id)
        if sum(each.client == old.client and not each.expired for each in self.all()) >= MOST_LIVE:
            raise TooManyKeys
        made = self._issue(dataclasses.replace(old, created_at=now, expires_at=now + lifetime if lifetime else None))
        # The new key first: what fails in between leaves two that work.
        ends = min(now + overlap, old.expires_at or now + overlap)
        self._write(dataclasses.replace(old, expires_at=ends))
        return made

    def revoke(self, key_id: str) -> bool:
        """Delete a key. False when there is none of that id."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(self._names.api_key(key_id))
            pipe.srem(self._names.api_keys, key_id)
            pipe.hdel(self._names.api_keys_used, key_id)
            return bool(pipe.execute()[0])

    def find(self, key_id: str) -> KeyRecord | None:
        """Read the record of one key."""
        stored: Any = self._redis.hgetall(self._names.api_key(key_id))
        return _from_hash(key_id, stored) if stored else None

    def digest_of(self, key_id: str) -> str | None:
        """Read the digest of one key and nothing else of it."""
        stored: Any = self._redis.hget(self._names.api_key(key_id), "digest")
        return stored.decode() if stored else None

    def all(self) -> list[KeyRecord]:
        """Read every record, the oldest first."""
        ids: Any = self._redis.smembers(self._names.api_keys)
        records = (self.find(key_id.decode()) for key_id in ids)
        return sorted((record for record in records if record), key=lambda record: record.created_at)

    def any(self) -> bool:
        """Whether there is a key at all."""
        return bool(self._redis.exists(self._names.api_keys))

    def note_use(self, key_id: str) -> None:
        """Write down that a key was used now. In a hash of its own, so that it cannot bring a revoked key back."""
        self._redis.hset(self._names.api_keys_used, key_id, datetime.now(UTC).isoformat(timespec="seconds"))

    def used(self) -> dict[str, datetime]:
        """When each key was last used, by its id; those that never were are missing."""
        stored: Any = self._redis.hgetall(self._names.api_keys_used)
        return {key_id.decode(): datetime.fromisoformat(moment.decode()) for key_id, moment in stored.items()}

    def id_in(self, key: str) -> str | None:
        """The id that a key names, or None when it is not written like one of ours."""
        prefix, key_id, secret = (*key.split("_", 2), "", "")[:3]
        wellformed = prefix == self._prefix and len(key_id) == 2 * ID_BYTES and len(secret) == 2 * SECRET_BYTES
        return key_id if wellformed and key_id.isalnum() and key_id.isascii() else None

    def _issue(self, draft: KeyRecord) -> tuple[KeyRecord, str]:
        key_id = secrets.token_hex(ID_BYTES)
        key = f"{self._prefix}_{key_id}_{secrets.token_hex(SECRET_BYTES)}"
        record = dataclasses.replace(draft, id=key_id, digest=digest(key), client=draft.client or key_id)
        self._write(record)
        return record, key

    def _write(self, record: KeyRecord) -> None:
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._names.api_key(record.id), items=_to_hash(record))
            pipe.sadd(self._names.api_keys, record.id)
            pipe.execute()


def _to_hash(record: KeyRecord) -> list[str]:
    values = {
        "name": record.name,
        "digest": record.digest,
        "created_at": record.created_at.isoformat(),
        "client": record.client,
        "scopes": " ".join(sorted(record.scopes)),
        "tier": record.tier,
        "expires_at": record.expires_at.isoformat() if record.expires_at else "",
    }
    return [part for pair in values.items() for part in pair]


def _from_hash(key_id: str, stored: dict[bytes, bytes]) -> KeyRecord:
    values = {name.decode(): value.decode() for name, value in stored.items()}
    return KeyRecord(
        id=key_id,
        name=values["name"],
        digest=values["digest"],
        created_at=datetime.fromisoformat(values["created_at"]),
        client=values["client"],
        scopes=frozenset(values["scopes"].split()),
        tier=values["tier"],
        expires_at=datetime.fromisoformat(values["expires_at"]) if values["expires_at"] else None,
    )
