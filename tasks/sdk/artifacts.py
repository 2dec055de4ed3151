"""A file that a job made."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The name becomes part of a path, of a URL and of a header. So it starts with a letter or a digit and holds no
# separator, quote or control character; 128 characters are at most 512 bytes of UTF-8 in the store's key.
_NAME = re.compile(r"[^\W_][\w .()+,@-]{0,127}")


@dataclass(frozen=True)
class Artifact:
    """A file that a job made: return it, or make it beside another answer. `size` is in bytes."""

    name: str
    media_type: str
    size: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"{self.name!r} cannot name an artifact: start with a letter or a digit, go on with letters, digits, "
                "spaces and . _ - ( ) + , @ to at most 128 characters"
            )
