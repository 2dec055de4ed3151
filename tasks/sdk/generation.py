"""Text generation as agents see it: messages in, text out, with the provider's own count of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One message of a chat."""

    role: Role
    content: str


@dataclass(frozen=True)
class Usage:
    """Tokens spent, as the provider counts them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Prompt and answer together."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt_tokens + other.prompt_tokens, self.completion_tokens + other.completion_tokens)


@dataclass(frozen=True)
class Completion:
    """A whole answer. `finish_reason` is `stop` or `length`."""

    text: str
    usage: Usage
    finish_reason: str = "stop"


class TextStream(Protocol):
    """An answer while it is made: iterate for its pieces, then read `usage` and `finish_reason`."""

    @property
    def usage(self) -> Usage:
        """Tokens spent so far."""

    @property
    def finish_reason(self) -> str:
        """`stop`, `length`, or an empty text while the answer is not whole."""

    def __iter__(self) -> Iterator[str]: ...

    def close(self) -> None:
        """Stop the answer and give the connection back. Safe to call twice."""


class Provider(Protocol):
    """Where text comes from. Failures are raised as `ProviderError`."""

    @property
    def model(self) -> str:
        """The model's name at the provider."""

    def complete(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0.7,
        max_tokens: int = 1000,
        stop: Sequence[str] = (),
        model: str = "",
    ) -> Completion:
        """Return a whole answer, of another of the provider's models when `model` names one."""

    def stream(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0.7,
        max_tokens: int = 1000,
        stop: Sequence[str] = (),
        model: str = "",
    ) -> TextStream:
        """Return an answer while it is made, of another of the provider's models when `model` names one."""
