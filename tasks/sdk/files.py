"""A file that a caller uploaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tasks.sdk.errors import AgentError


@dataclass(frozen=True)
class File:
    """A file that a caller uploaded. `size` is in bytes; `name` and `media_type` are the caller's own words.

    `source` opens the content anew each time it is called, so a file can be read more than once.
    """

    name: str
    media_type: str
    size: int
    source: Callable[[], Iterable[bytes]] = field(repr=False, compare=False)

    def chunks(self) -> Iterator[bytes]:
        """Yield the content piece by piece: the way to read a file that may be large."""
        yield from self.source()

    def read(self) -> bytes:
        """Return the whole content."""
        return b"".join(self.source())

    def text(self, encoding: str = "utf-8-sig") -> str:
        """Return the content as text. The default reads UTF-8 with or without a byte order mark."""
        try:
            return self.read().decode(encoding)
        except UnicodeDecodeError as error:
            raise AgentError(f"The file {self.name!r} is not text in {encoding}.", code="unreadable_file") from error
