"""What a request for an inference sends and wants back."""

from __future__ import annotations

from dataclasses import dataclass, field

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.file"


@dataclass
class Wanted:
    """The media type of the body, that of the answer (`""`: the same), and which parts of a record are wanted."""

    content: str
    accept: str = ""
    include: list[str] = field(default_factory=lambda: ["*"])
    exclude: list[str] = field(default_factory=list)
    separator: str = ""
