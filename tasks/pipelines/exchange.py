"""What a request for an inference sends and wants back, and what a worker answers."""

from __future__ import annotations

from dataclasses import dataclass, field

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.file"
BINARY = "application/octet-stream"
# In place of a media type: a body of the Open Inference Protocol.
OPEN = "open inference"


@dataclass
class Wanted:
    """The media type of the body, that of the answer (`""`: the same), and which parts of a record are wanted.

    `json_bytes` says how much of an `OPEN` body is JSON, when tensors follow.
    """

    content: str
    accept: str = ""
    include: list[str] = field(default_factory=lambda: ["*"])
    exclude: list[str] = field(default_factory=list)
    separator: str = ""
    json_bytes: int = 0

    @property
    def media_type(self) -> str:
        """What the answer is written in."""
        return self.accept or self.content


@dataclass
class Answer:
    """The bytes of the answer, each a character of `body`, or the name of the artifact that holds them.

    `json_bytes` says how much of them is JSON, when tensors follow.
    """

    media_type: str
    body: str = ""
    artifact: str = ""
    json_bytes: int = 0
