"""Conversations: the messages of a chat in their order, whoever answers them and however often.

A conversation is a list of turns: a message and, once its job is completed, the answer. The turn is opened by the
script that submits the job and answered by the script that finishes it, so that neither can be without the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from redis import Redis

from tasks.jobs.keys import Keys
from tasks.jobs.settings import EngineSettings

PAGE = 50  # turns of one read: more than most requests to a model can hold


@dataclass(frozen=True)
class Said:
    """A message or an answer. `at` is in UTC."""

    content: str
    at: datetime


@dataclass(frozen=True)
class Turn:
    """A message of the owner and its answer: None while its job runs, or for good when that did not complete."""

    number: int
    job_id: str
    message: Said
    answer: Said | None


@dataclass(frozen=True)
class Conversation:
    """What one owner and a model said to each other, the oldest turn first."""

    id: str
    owner: str
    created_at: datetime
    updated_at: datetime
    turns: tuple[Turn, ...]


class Conversations:
    """Read conversations and delete them. They are written by the transitions of their jobs."""

    def __init__(self, redis: Redis, settings: EngineSettings) -> None:
        self._redis = redis
        self._keys = Keys(settings.namespace)

    def get(self, conversation_id: str) -> Conversation | None:
        """Read a conversation. None: there is none of that id, or it has expired."""
        stored: Any = self._redis.hgetall(self._keys.conversation(conversation_id))
        if not stored:
            return None
        numbers = range(1, int(stored[b"turns"]) + 1)
        return Conversation(
            id=conversation_id,
            owner=stored[b"owner"].decode(),
            created_at=_moment(stored[b"created_at"]),
            updated_at=_moment(stored[b"updated_at"]),
            turns=tuple(_turn(number, stored) for number in numbers),
        )

    def owner(self, conversation_id: str) -> str | None:
        """Whose conversation it is. None: there is none of that id."""
        owner: Any = self._redis.hget(self._keys.conversation(conversation_id), "owner")
        return owner.decode() if owner else None

    def delete(self, conversation_id: str) -> bool:
        """Delete a conversation. False when there was none. Jobs that run for it go on, and are not kept in it."""
        name, index = self._keys.of_conversation(conversation_id)
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(name)
            pipe.zrem(index, name)
            return bool(pipe.execute()[0])

    def count(self) -> int:
        """How many conversations are kept, of all owners."""
        counted: Any = self._redis.zcount(self._keys.conversations, int(time.time() * 1000), "+inf")
        return int(counted)

    def answered_before(self, conversation_id: str, turn: int) -> Iterator[Turn]:
        """The turns before `turn` that are answered by now, the newest first, read page by page."""
        for last in range(turn - 1, 0, -PAGE):
            numbers = range(last, max(last - PAGE, 0), -1)
            names = [f"{part}:{number}" for number in numbers for part in ("q", "a")]
            values: Any = self._redis.hmget(self._keys.conversation(conversation_id), names)
            stored = {name.encode(): value for name, value in zip(names, values, strict=True) if value}
            turns = (_turn(number, stored) for number in numbers if f"q:{number}".encode() in stored)
            yield from (each for each in turns if each.answer)


def _turn(number: int, stored: Mapping[bytes, bytes]) -> Turn:
    message = orjson.loads(stored[f"q:{number}".encode()])
    answer = stored.get(f"a:{number}".encode())
    return Turn(number, message["job"], _said(message), _said(orjson.loads(answer)) if answer else None)


def _said(stored: Mapping[str, Any]) -> Said:
    return Said(stored["content"], _moment(stored["at"]))


def _moment(milliseconds: bytes | str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
