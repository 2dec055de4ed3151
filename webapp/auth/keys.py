"""API keys: how they are made, stored and found again.

A key reads `<prefix>_<id>_<secret>`. Redis holds the SHA-256 of the whole key under its id: the secret has
256 random bits, so a slow hash would add cost and no safety, and whoever reads the database cannot call.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis import Redis

from tasks.jobs.keys import Keys

ID_BYTES = 8
SECRET_BYTES = 32


@dataclass(frozen=True)
class KeyRecord:
    """What is stored about a key: everything but the key."""

    id: str
    name: str
    digest: str
    created_at: datetime


def digest(key: str) -> str:
    """The form in which a key is stored and compared."""
    return hashlib.sha256(key.encode()).hexdigest()


class KeyStore:
    """The keys of this service in Redis."""

    def __init__(self, redis: Redis, names: Keys, prefix: str) -> None:
        self._redis = redis
        self._names = names
        self._prefix = prefix

    def create(self, name: str) -> tuple[KeyRecord, str]:
        """Make a key. It is returned here, once, and nowhere kept."""
        key_id = secrets.token_hex(ID_BYTES)
        key = f"{self._prefix}_{key_id}_{secrets.token_hex(SECRET_BYTES)}"
        record = KeyRecord(key_id, name, digest(key), datetime.now(UTC))
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._names.api_key(key_id), items=_to_hash(record))
            pipe.sadd(self._names.api_keys, key_id)
            pipe.execute()
        return record, key

    def revoke(self, key_id: str) -> bool:
        """Delete a key. False when there is none of that id."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(self._names.api_key(key_id))
            pipe.srem(self._names.api_keys, key_id)
            return bool(pipe.execute()[0])

    def find(self, key_id: str) -> KeyRecord | None:
        """Read the record of one key."""
        stored: Any = self._redis.hgetall(self._names.api_key(key_id))
        return _from_hash(key_id, stored) if stored else None

    def all(self) -> list[KeyRecord]:
        """Read every record, the oldest first."""
        ids: Any = self._redis.smembers(self._names.api_keys)
        records = (self.find(key_id.decode()) for key_id in ids)
        return sorted((record for record in records if record), key=lambda record: record.created_at)

    def any(self) -> bool:
        """Whether there is a key at all."""
        return bool(self._redis.exists(self._names.api_keys))

    def id_in(self, key: str) -> str | None:
        """The id that a key names, or None when it is not written like one of ours."""
        prefix, key_id, secret = (*key.split("_", 2), "", "")[:3]
        wellformed = prefix == self._prefix and len(key_id) == 2 * ID_BYTES and len(secret) == 2 * SECRET_BYTES
        return key_id if wellformed and key_id.isalnum() and key_id.isascii() else None


def _to_hash(record: KeyRecord) -> list[str]:
    return ["name", record.name, "digest", record.digest, "created_at", record.created_at.isoformat()]


def _from_hash(key_id: str, stored: dict[bytes, bytes]) -> KeyRecord:
    return KeyRecord(
        id=key_id,
        name=stored[b"name"].decode(),
        digest=stored[b"digest"].decode(),
        created_at=datetime.fromisoformat(stored[b"created_at"].decode()),
    )
