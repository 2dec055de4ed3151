"""What an agent gives back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tasks.sdk.parameters import Record


class ReturnKind(StrEnum):
    """The four shapes of an answer."""

    TEXT = "text"
    TOKENS = "tokens"
    OBJECT = "object"
    ARTIFACT = "artifact"


@dataclass(frozen=True)
class Returns:
    """The shape of an agent's answer. `record` describes the dataclass of an OBJECT and is None otherwise."""

    kind: ReturnKind
    record: Record | None = None

    @property
    def streams(self) -> bool:
        """Say whether the answer comes piece by piece."""
        return self.kind is ReturnKind.TOKENS
