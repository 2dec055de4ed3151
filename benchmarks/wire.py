"""A client of HTTP/1.1 that costs little, so that what is measured is the server: keep-alive, one request at a time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit


class Refused(Exception):
    """The server answered, but not with what was asked for."""


class Connection:
    """One connection to one URL, opened again when the server has closed it."""

    def __init__(self, url: str, headers: dict[str, str], patience: float) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "", parts.port or 80
        self._patience = patience
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        lines = [f"Host: {parts.netloc}", *(f"{name}: {value}" for name, value in headers.items())]
        self._tail = "\r\n".join(lines).encode()
        self._path = path.encode()
        self._socket: socket.socket | None = None
        self._buffer = b""

    def send(self, method: str, body: bytes = b"", extra: str = "") -> None:
        """Send a request. `extra` is a header line of this request alone."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._patience)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._buffer = b""
        lines = [b"%b %b HTTP/1.1" % (method.encode(), self._path), self._tail]
        if extra:
            lines.append(extra.encode())
        if body:
            lines.append(b"Content-Type: application/json\r\nContent-Length: %d" % len(body))
        self._socket.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    def head(self) -> tuple[int, dict[bytes, bytes]]:
        """Read the status and the headers of the answer."""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        pairs = (line.partition(b":") for line in lines)
        return int(first.split(None, 2)[1]), {name.lower(): value.strip() for name, _, value in pairs}

    def body(self, headers: dict[bytes, bytes]) -> bytes:
        """Read the whole body."""
        if headers.get(b"transfer-encoding") == b"chunked":
            return b"".join(self.chunks())
        length = int(headers.get(b"content-length", b"0"))
        while len(self._buffer) < length:
            self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        if headers.get(b"connection", b"").lower() == b"close":
            self.close()
        return body

    def chunks(self) -> Iterator[bytes]:
        """Read the chunks of a streamed body as they come."""
        while True:
            while b"\r\n" not in self._buffer:
                self._more()
            size, _, self._buffer = self._buffer.partition(b"\r\n")
            length = int(size, 16)
            while len(self._buffer) < length + 2:
                self._more()
            piece, self._buffer = self._buffer[:length], self._buffer[length + 2 :]
            if not length:
                return
            yield piece

    def ask(self, method: str, body: bytes = b"", extra: str = "") -> bytes:
        """Send a request and read its answer, which must be a success."""
        self.send(method, body, extra)
        status, headers = self.head()
        content = self.body(headers)
        if status >= 300:
            raise Refused(f"{status}: {content[:200]!r}")
        return content

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _more(self) -> None:
        assert self._socket is not None
        piece = self._socket.recv(65536)
        if not piece:
            raise ConnectionResetError("the server closed the connection")
        self._buffer += piece
