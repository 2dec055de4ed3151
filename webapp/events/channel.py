"""A channel of Redis, and who listens to it."""

from __future__ import annotations

import math
from typing import Protocol


class Listener(Protocol):
    """Who listens to a channel. All but its name is called from the hub's own thread."""

    @property
    def channel(self) -> str:
        """The channel's name."""

    def push(self, message: bytes) -> None:
        """A message has come."""

    def confirm(self) -> None:
        """The channel is heard from now on."""

    def lose(self) -> None:
        """The connection broke."""

    def drain(self) -> None:
        """The process is to end."""


class Channel:
    """A channel and who listens to it."""

    __slots__ = ("confirmed", "listeners", "name", "ticket")

    def __init__(self, name: bytes) -> None:
        self.name = name
        # Replaced, never changed: the reader goes through it without a lock.
        self.listeners: tuple[Listener, ...] = ()
        # The SUBSCRIBE of this channel is confirmed when the wire has answered this many. Without it the confirmation
        # of an earlier SUBSCRIBE of the same name, given up since, would be taken for it.
        self.ticket: float = math.inf
        self.confirmed = False
