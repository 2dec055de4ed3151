"""A WebSocket whose reader and writer are bounded, which those of simple-websocket are not."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from flask import Response, request

from tasks import metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from simple_websocket import Server

FLOODED = 1008  # policy violation
RESTARTING = 1012  # service restart: come back
EXPIRED = 4401  # as 401 says it: the key has ended
TOO_MANY = 4429  # as 429 says it: one more than this caller may have open
REPLACED = 4409  # a newer socket of the same name is there

WRITE_SECONDS = 30.0  # a client that takes nothing for so long is not there any more
MOST_FRAMES = 500  # in a second; the longest message in pieces of a kilobyte has fewer
LINGER_SECONDS = 1.0  # for the client to read why it is closed: a close with unread input resets the connection
LINGER_BYTES = 1024 * 1024


class LostError(Exception):
    """The connection broke under what was being said."""


class FloodedError(OSError):
    """The client does not wait for answers. An OSError, which ends the reader of the socket."""


class Inbox(list[Any]):
    """The unread messages of a socket. One too many closes it."""

    def __init__(self, ws: Server, most: int) -> None:
        super().__init__(ws.input_buffer)
        self._ws = ws
        self._most = most

    def append(self, message: Any) -> None:
        """Take a message from the wire."""
        if len(self) >= self._most:
            end(self._ws, FLOODED, f"More than {self._most} messages are unread.")
            raise FloodedError
        super().append(message)


class Frames:
    """The protocol of a socket, which counts what comes: parts of messages and pings have no other bound."""

    def __init__(self, ws: Server) -> None:
        self._ws = ws
        self._protocol = ws.ws
        self._since = 0.0
        self._seen = 0

    def send(self, event: Any) -> bytes:
        """Encode what is to be sent."""
        encoded: bytes = self._protocol.send(event)
        return encoded

    def receive_data(self, data: bytes) -> None:
        """Take what has arrived."""
        self._protocol.receive_data(data)

    def events(self) -> Iterator[Any]:
        """Yield what it holds. Too much within a second closes the socket."""
        for event in self._protocol.events():
            now = time.monotonic()
            if now - self._since >= 1:
                self._since, self._seen = now, 0
            self._seen += 1
            if self._seen > MOST_FRAMES:
                end(self._ws, FLOODED, f"More than {MOST_FRAMES} frames in a second.")
                raise FloodedError
            yield event


class Line:
    """The connection under a WebSocket: sends whole frames one after the other, and closes so that it is understood."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sending = threading.Lock()
        # Of the socket, so of both directions, which are used at the same time.
        sock.settimeout(WRITE_SECONDS)

    def send(self, data: bytes) -> int:
        """Send all of `data`. A part of it, which `socket.send` may leave it at, would be half a frame."""
        with self._sending:
            self._sock.sendall(data)
        return len(data)

    def recv(self, most: int) -> bytes:
        """Wait for input, for as long as it takes."""
        while True:
            with contextlib.suppress(TimeoutError):
                return self._sock.recv(most)

    def fileno(self) -> int:
        """The descriptor, to wait for."""
        return self._sock.fileno()

    def close(self) -> None:
        """Close, after the other side had a moment to."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            self._read_out(time.monotonic() + LINGER_SECONDS)
        self._sock.close()

    def _read_out(self, until: float) -> None:
        left = LINGER_BYTES
        while left > 0 and (wait := until - time.monotonic()) > 0:
            self._sock.settimeout(wait)
            piece = self._sock.recv(min(left, 65536))
            if not piece:
                return
            left -= len(piece)


def serve(talk: Callable[[Server], None], ping: float, most: int) -> Response:
    """Open the socket that the request asks for, and hold it until `talk` returns or the connection ends.

    It is pinged every `ping` seconds, and a message has at most `most` characters.
    """
    # With its parsers it is 4 % of all that a web process imports: the first socket waits for it, and no start does.
    from simple_websocket import ConnectionClosed, Server  # noqa: PLC0415

    ws = Server(request.environ, ping_interval=ping, max_message_size=most)
    with contextlib.suppress(ConnectionClosed, LostError):
        talk(ws)
    with contextlib.suppress(Exception):  # in whatever state the connection is by now
        ws.close()
    return _Answered()


class _Answered(Response):
    """Nothing more: the request was answered on the socket itself."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        if "gunicorn.socket" in environ:
            raise StopIteration  # it writes nothing behind the last frame, and lets go of the connection
        return super().__call__(environ, start_response)


def bound(ws: Server, most_unread: int) -> None:
    """Bound a socket that has just been accepted."""
    ws.sock = Line(ws.sock)
    ws.ws = Frames(ws)
    ws.input_buffer = Inbox(ws, most_unread)


class OpenSockets:
    """The WebSockets of this process, to be closed when it drains."""

    def __init__(self) -> None:
        self._sockets: set[Server] = set()
        self._draining = False

    def add(self, ws: Server) -> None:
        """Remember an open socket; one that comes while the process drains is closed."""
        self._sockets.add(ws)
        metrics.SOCKETS_OPEN.add(1)
        if self._draining:
            end(ws, RESTARTING, "The server restarts.")

    def discard(self, ws: Server) -> None:
        """Forget a socket."""
        self._sockets.discard(ws)
        metrics.SOCKETS_OPEN.add(-1)

    def close(self) -> None:
        """Close them all, each for itself: one that does not read must not hold up the others."""
        self._draining = True
        for ws in list(self._sockets):
            threading.Thread(target=end, args=(ws, RESTARTING, "The server restarts."), daemon=True).start()


def see_off(ws: Server) -> None:
    """Wait a moment for the reader of a socket that is closed: the server drops the connection after this."""
    ws.thread.join(LINGER_SECONDS + 1)


def end(ws: Server, code: int, reason: str) -> None:
    """Close a socket, whoever else may be doing so, and wake who waits for it."""
    with contextlib.suppress(RuntimeError, OSError):  # the first is how it says that it is closed already
        ws.close(code, reason)
    ws.event.set()
