"""What a job says while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

TERMINAL = frozenset({"completed", "failed", "canceled"})


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Its id is `<attempt>-<seq>`: within an attempt the seqs have no gap."""

    id: str
    type: str
    data: dict[str, Any]

    @property
    def terminal(self) -> bool:
        return self.type in TERMINAL

    @property
    def position(self) -> tuple[int, int]:
        """Attempt and seq, to compare ids by."""
        return position(self.id)

    @classmethod
    def from_log(cls, event_id: bytes, fields: Mapping[bytes, bytes]) -> Event:
        return cls(event_id.decode(), fields[b"type"].decode(), orjson.loads(fields[b"data"]))

    @staticmethod
    def decode_batch(payload: bytes) -> list[Event]:
        """Read a message of the job's channel: a list of [id, type, data as JSON]."""
        return [Event(event_id, kind, orjson.loads(data)) for event_id, kind, data in orjson.loads(payload)]


def position(event_id: str) -> tuple[int, int]:
    """Split an event's id. Raises ValueError when it is none."""
    attempt, _, seq = event_id.partition("-")
    return int(attempt), int(seq)
