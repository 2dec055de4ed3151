"""The model server's side of HTTP: requests read from a socket, answers sent to it, whole or broken."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from dataclasses import dataclass
from http.client import parse_headers, responses
from typing import Any, BinaryIO

import gevent
from gevent.socket import wait_read

from tests.support.model_answers import Answer

# The next write notices a client that left; only where that is far away is the connection watched.
_LONG_PAUSE = 0.5


@dataclass(frozen=True)
class Request:
    """One request as it was read."""

    method: str
    path: str
    headers: Any
    body: bytes


class BrokenAnswerError(Exception):
    """A fault wants the connection closed."""


def read_request(reader: BinaryIO) -> Request | None:
    """Read one request; None when the client has closed the connection."""
    line = reader.readline().split()
    if not line:
        return None
    headers = parse_headers(reader)
    body = reader.read(int(headers.get("Content-Length", 0)))
    return Request(line[0].decode(), line[1].decode().partition("?")[0], headers, body)


def send(sock: socket.socket, status: int, body: bytes, extra: dict[str, str] | None = None) -> None:
    """Send an answer of one piece."""
    sock.sendall(head(status, {"Content-Length": str(len(body)), **(extra or {})}) + body)


def head(status: int, headers: dict[str, str], media_type: str = "application/json") -> bytes:
    """Return the status line and the headers of an answer."""
    lines = [f"HTTP/1.1 {status} {responses.get(status, 'Status')}", f"Content-Type: {media_type}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def send_plain(sock: socket.socket, answer: Answer, fault: str) -> None:
    """Send a plain answer, or the fault in place of it."""
    body = {
        "garbage": b'{"choices": [{"mess',
        "error": b'{"error": {"message": "the model fell over"}}',
        "html": b"<html><body>Welcome</body></html>",
    }.get(fault) or answer.as_object()
    if fault in {"cut", "reset"}:
        sock.sendall(head(200, {"Content-Length": str(len(body))}) + body[: len(body) // 2])
        break_off(sock, reset=fault == "reset")
    send(sock, 200, body)


def send_stream(sock: socket.socket, answer: Answer, fault: str, rate: float) -> None:
    """Send a stream, with its fault after half of the tokens."""
    if fault == "html":
        send(sock, 200, b"<html><body>Welcome</body></html>")
        return
    framed = fault != "unframed"
    headers = {"Transfer-Encoding": "chunked"} if framed else {"Connection": "close"}
    sock.sendall(head(200, headers, "text/event-stream"))
    start, half = time.monotonic(), len(answer.tokens) // 2
    for number, data in enumerate(answer.as_chunks()):
        if rate and number:
            pause(sock, start + number / rate - time.monotonic())
        if number == half:
            disturb(sock, fault)
        if not (fault == "no_end" and number >= len(answer.tokens)):
            send_event(sock, data, framed=framed)
    if fault not in {"no_done", "no_end"}:
        send_event(sock, b"[DONE]", framed=framed)
    if fault in {"linger", "unframed"}:
        break_off(sock, hang=fault == "linger")
    sock.sendall(b"0\r\n\r\n")


def disturb(sock: socket.socket, fault: str) -> None:
    """Do what a fault does in the middle of a stream; most do nothing."""
    sick = {"garbage": b'{"choices": [{"del', "error": b'{"error": {"message": "the model fell over"}}'}
    if fault in sick:
        send_event(sock, sick[fault])
    elif fault == "huge":
        send_event(sock, b"x" * 3_000_000)
    elif fault in {"cut", "reset"}:
        break_off(sock, reset=fault == "reset")


def pause(sock: socket.socket, seconds: float) -> None:
    """Wait; in a long wait, notice when the client leaves."""
    if seconds < _LONG_PAUSE:
        gevent.sleep(max(0.0, seconds))
        return
    with contextlib.suppress(TimeoutError):
        wait_read(sock.fileno(), timeout=seconds)
        raise ConnectionResetError


def send_event(sock: socket.socket, data: bytes, *, framed: bool = True) -> None:
    """Send one event, as a chunk of its own, or bare and with the line ends of Windows."""
    if framed:
        sock.sendall(b"%x\r\ndata: %b\n\n\r\n" % (len(data) + 8, data))
    else:
        sock.sendall(b"data:%b\r\n\r\n" % data)


def break_off(sock: socket.socket, *, hang: bool = False, reset: bool = False) -> None:
    """Close the connection: at once, once the client has left, or with a reset."""
    if hang:
        sock.recv(1)
    if reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise BrokenAnswerError
