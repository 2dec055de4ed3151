"""A job's webhook, and the log of its deliveries, as the record keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson


@dataclass(frozen=True)
class Webhook:
    """Where to tell, and of which ends: `completed`, `failed`, `canceled`."""

    url: str
    events: tuple[str, ...]

    def encode(self) -> bytes:
        return orjson.dumps(asdict(self))

    @classmethod
    def decode(cls, stored: Mapping[str, Any]) -> Webhook:
        return cls(stored["url"], tuple(stored["events"]))


@dataclass(frozen=True)
class Delivery:
    """One try. `at` is in seconds since the epoch; `status` is the receiver's, 0 when it did not answer."""

    at: float
    attempt: int
    status: int
    error: str = ""

    @property
    def delivered(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's range of success


def encode_log(deliveries: Sequence[Delivery]) -> bytes:
    """The log as the record keeps it."""
    return orjson.dumps([asdict(each) for each in deliveries])


def decode_log(stored: Sequence[Mapping[str, Any]]) -> tuple[Delivery, ...]:
    """The log as it was kept."""
    return tuple(Delivery(**each) for each in stored)
