"""Files that are uploaded before the jobs that read them. Each belongs to one owner, for a while.

What is stored goes like what a job leaves behind: by its entry in `expiries`, which is written first, so that an
upload whose process dies in the middle leaves nothing for good.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.client import Pipeline

from tasks.jobs.engine import Engine
from tasks.jobs.errors import LimitReached

# The content stays this long after its record: who has just read the record finds the content.
GRACE_MS = 60_000


@dataclass(frozen=True)
class StoredFile:
    """A file that was uploaded. `size` is in bytes; `name` and `media_type` are shown and never trusted."""

    id: str
    owner: str
    name: str
    media_type: str
    size: int
    created_at: datetime
    expires_at: datetime

    @property
    def key(self) -> str:
        return _key(self.id)

    def reference(self) -> dict[str, Any]:
        """What stands for it in the payload of a job."""
        return {"name": self.name, "media_type": self.media_type, "size": self.size, "key": self.key}


class Files:
    """Keep the files of owners. `retention` is in seconds, from the last use on; `most` is for each owner (0: any)."""

    def __init__(self, engine: Engine, retention: float, most: int) -> None:
        self._engine = engine
        self._retention = math.ceil(retention * 1000)
        self._most = most

    def add(self, owner: str, name: str, media_type: str, chunks: Iterable[bytes]) -> StoredFile:
        """Store a file piece by piece. Raises `LimitReached`, StoreFailed, or what `chunks` raises: then it is gone."""
        file_id = str(uuid.uuid4())
        now = self._now()
        self._take_place(owner, file_id, now)
        try:
            size = self._engine.artifacts.put(_key(file_id), chunks)
            found = StoredFile(file_id, owner, name, media_type, size, _moment(now), _moment(now + self._retention))
            self._write(found, now)
        except BaseException:
            self._remove(file_id, owner)
            raise
        return found

    def get(self, file_id: str) -> StoredFile | None:
        """Read about a file. None: there is none of that id, or not any more."""
        stored: Any = self._engine.redis.hgetall(self._engine.keys.file(file_id))
        if b"owner" not in stored:  # also when it was deleted while a job was about to use it
            return None
        owner, name, media_type = (stored[each].decode() for each in (b"owner", b"name", b"media_type"))
        times = (_moment(int(stored[each])) for each in (b"created_at", b"expires_at"))
        return StoredFile(file_id, owner, name, media_type, int(stored[b"size"]), *times)

    def keep(self, file: StoredFile) -> None:
        """A job is about to use it: its time begins anew."""
        now = self._now()
        with self._engine.redis.pipeline(transaction=True) as pipe:
            self._set_expiry(pipe, file.id, file.owner, now)
            pipe.execute()

    def delete(self, file: StoredFile) -> None:
        """Forget it. A job that has not read it yet will fail and say so."""
        self._remove(file.id, file.owner)

    def _take_place(self, owner: str, file_id: str, now: int) -> None:
        keys, redis = self._engine.keys, self._engine.redis
        index, gone = keys.files_of(owner), now + self._retention + GRACE_MS
        with redis.pipeline(transaction=True) as pipe:
            pipe.zremrangebyscore(index, "-inf", now)
            pipe.zadd(index, {file_id: gone})
            pipe.pexpireat(index, gone)
            pipe.zadd(keys.expiries, {_member(file_id, owner): gone})
            pipe.zrange(index, 0, 0, withscores=True)
            pipe.zcard(index)
            *_, [(_, first)], count = pipe.execute()
        if 0 < self._most < count:
            self._remove(file_id, owner)
            raise LimitReached("files", math.ceil((first - now) / 1000))

    def _write(self, file: StoredFile, now: int) -> None:
        fields: dict[Any, Any] = {
            "owner": file.owner,
            "name": file.name,
            "media_type": file.media_type,
            "size": file.size,
            "created_at": now,
        }
        with self._engine.redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._engine.keys.file(file.id), mapping=fields)
            self._set_expiry(pipe, file.id, file.owner, now)
            pipe.execute()

    def _set_expiry(self, pipe: Pipeline, file_id: str, owner: str, now: int) -> None:
        keys, expires = self._engine.keys, now + self._retention
        pipe.hset(keys.file(file_id), "expires_at", expires)
        pipe.pexpireat(keys.file(file_id), expires)
        pipe.zadd(keys.files_of(owner), {file_id: expires + GRACE_MS})
        pipe.pexpireat(keys.files_of(owner), expires + GRACE_MS)
        pipe.zadd(keys.expiries, {_member(file_id, owner): expires + GRACE_MS})

    def _remove(self, file_id: str, owner: str) -> None:
        """The record first: content without one is found by the keeper, a record without content by its owner."""
        keys = self._engine.keys
        with self._engine.redis.pipeline(transaction=True) as pipe:
            pipe.delete(keys.file(file_id))
            pipe.zrem(keys.files_of(owner), file_id)
            pipe.zadd(keys.expiries, {_member(file_id, owner): self._now()})
            pipe.execute()
        self._engine.artifacts.delete(_key(file_id))
        self._engine.redis.zrem(keys.expiries, _member(file_id, owner))

    def _now(self) -> int:
        return int(self._engine.now() * 1000)


def _key(file_id: str) -> str:
    return f"{file_id}/0/content"


def _member(file_id: str, owner: str) -> str:
    return f"{file_id} {owner}"


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
