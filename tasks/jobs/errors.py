"""What the engine refuses.

EngineError
├── LimitReached    too much is waiting or running already: try again after `retry_after` seconds
├── KeyReused       the idempotency key stands for another request
├── JobGone         the idempotency key stands for a job that was deleted
├── NoConversation  the owner has no conversation of that id
└── ConversationFull  the conversation takes no more messages

Beside them stands StoreFailed, an OSError: a file could not be written.
"""

from __future__ import annotations


class StoreFailed(OSError):
    """A file could not be written (the disk is full, say), and nothing of it is there."""


class EngineError(Exception):
    """The engine refuses, and nothing was changed."""


class LimitReached(EngineError):
    """A limit is reached. `limit` is `queue`, `waiting` or `running`; `retry_after` is in whole seconds."""

    def __init__(self, limit: str, retry_after: int) -> None:
        super().__init__(f"{limit} limit reached")
        self.limit = limit
        self.retry_after = retry_after


class KeyReused(EngineError):
    """The same idempotency key with another request."""


class JobGone(EngineError):
    """The job that the idempotency key stands for was deleted."""


class NoConversation(EngineError):
    """The owner of the job has no conversation of that id, or not any more."""


class ConversationFull(EngineError):
    """The conversation has as many bytes as one may have."""
