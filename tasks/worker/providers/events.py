"""Read a stream of server-sent events: bytes in, as they come, the data of whole events out."""

from __future__ import annotations

from collections.abc import Iterator

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLargeError(ValueError):
    """An event without an end in sight."""


class EventReader:
    """Feed it bytes cut anywhere; it yields the `data` of every event, several lines joined by a line feed.

    Lines may end with CR, LF or both. Comments and other fields are left out: an OpenAI stream uses none.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0
        self._started = False
        self.count = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the data of each event that `piece` completes. Raises `EventTooLargeError`."""
        for line in self._lines(piece):
            if line:
                self._field(line)
            elif self._data and (event := self._event()):
                yield event

    def flush(self) -> bytes | None:
        """Return the data of an event that the end of the stream left without its empty line."""
        if self._rest:
            self._field(self._rest.rstrip(b"\r"))
            self._rest = b""
        return self._event() if self._data else None

    def _lines(self, piece: bytes) -> list[bytes]:
        lines = (self._rest + piece).splitlines(keepends=True)
        # A CR at the very end may be half of a CRLF: the line is whole when the next byte is known.
        whole = not lines or lines[-1].endswith(b"\n")
        self._rest = b"" if whole else lines.pop()
        if self._size + len(self._rest) > self._limit:
            raise EventTooLargeError(f"an event of more than {self._limit} bytes")
        return [line.rstrip(b"\r\n") for line in lines]

    def _field(self, line: bytes) -> None:
        if not self._started:
            self._started, line = True, line.removeprefix(_BYTE_ORDER_MARK)
        if not line.startswith(b"data:"):
            return
        self._data.append(line[6:] if line[5:6] == b" " else line[5:])
        self._size += len(line)
        if self._size > self._limit:
            raise EventTooLargeError(f"an event of more than {self._limit} bytes")

    def _event(self) -> bytes:
        data = b"\n".join(self._data) if len(self._data) > 1 else self._data[0]
        self._data.clear()
        self._size = 0
        self.count += 1
        return data
