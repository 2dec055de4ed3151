"""What a WebSocket takes and from whom: floods, giants, bytes that are no text, keys that end."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from websocket import ABNF, WebSocket, WebSocketBadStatusException, WebSocketConnectionClosedException

from deploy.local.stack import Stack
from tests.integration.test_sockets import ask, open_at
from tests.support.client import key_store
from webapp.http.websocket import MOST_FRAMES

TEXT = json.dumps({"message": "hello"})


@pytest.fixture
def socket(chat_stack: Stack) -> Iterator[WebSocket]:
    opened = open_at(chat_stack, os.urandom(4).hex(), chat_stack.api_key)
    yield opened
    opened.shutdown()


def frame(opcode: int, data: bytes, *, final: bool = True) -> bytes:
    """A frame as a client sends it, masked with zeros."""
    head = bytes([(0x80 if final else 0) | opcode])
    size, marked = len(data), 0x80
    if size < 126:
        return head + struct.pack("!B", marked | size) + bytes(4) + data
    if size < 65_536:
        return head + struct.pack("!BH", marked | 126, size) + bytes(4) + data
    return head + struct.pack("!BQ", marked | 127, size) + bytes(4) + data


def close_code(socket: WebSocket) -> int:
    """Read on until the other side closes, without a polite answer to that: it may not listen any more."""
    while (received := socket.recv_frame()).opcode != ABNF.OPCODE_CLOSE:
        if received.opcode == ABNF.OPCODE_PING:
            socket.pong(received.data)
    return int.from_bytes(received.data[:2], "big")


def send(socket: WebSocket, *frames: bytes) -> None:
    # Whoever is hung up on in the middle of a flood may be told so by the connection first.
    with suppress(OSError, WebSocketConnectionClosedException):
        for each in frames:
            socket.sock.sendall(each)  # type: ignore[union-attr]


FLOODS = {
    "a message of 16 MB": ([frame(ABNF.OPCODE_TEXT, b"x" * 16_000_000)], 1009),
    "a message that grows without end": (
        [frame(ABNF.OPCODE_TEXT, b"{", final=False), *[frame(ABNF.OPCODE_CONT, b" " * 10_000, final=False)] * 50],
        1009,
    ),
    "text that is not UTF-8": ([frame(ABNF.OPCODE_TEXT, b"\xff\xfe\xfd")], 1007),
    "a thousand messages": ([frame(ABNF.OPCODE_TEXT, TEXT.encode()) * 1_000], 1008),
    "parts of nothing": (
        [frame(ABNF.OPCODE_TEXT, b"", final=False), frame(ABNF.OPCODE_CONT, b"", final=False) * 20 * MOST_FRAMES],
        1008,
    ),
    "pings": ([frame(ABNF.OPCODE_PING, b"") * 20 * MOST_FRAMES], 1008),
}


@pytest.mark.parametrize(("frames", "code"), FLOODS.values(), ids=FLOODS)
def test_what_is_too_much_closes_its_socket_and_no_other(
    socket: WebSocket, chat_stack: Stack, frames: list[bytes], code: int
) -> None:
    bystander = open_at(chat_stack, "bystander", chat_stack.api_key)
    send(socket, *frames)
    assert close_code(socket) == code
    assert ask(bystander, "hello")[1]["done"]
    bystander.shutdown()


def test_a_key_that_ends_or_is_revoked_takes_its_sockets_with_it(chat_stack: Stack) -> None:
    with key_store(chat_stack) as keys:
        _, ending = keys.create("ends", lifetime=timedelta(seconds=4))
        revoked, leaked = keys.create("leaks")
        sockets = [open_at(chat_stack, "long", key) for key in (ending, leaked)]
        for each in sockets:
            assert ask(each, "hello")[1]["done"]
        keys.revoke(revoked.id)
        # Both are read at once: one that answers no ping while the other is waited for is closed for that (1008).
        with ThreadPoolExecutor() as readers:
            assert list(readers.map(close_code, sockets)) == [4401, 4401]
        for each in sockets:
            each.shutdown()


def test_the_longest_message_may_come_in_pieces(socket: WebSocket) -> None:
    body = json.dumps({"message": "x" * 20_000}).encode()
    pieces = [body[start : start + 1024] for start in range(0, len(body), 1024)]
    send(socket, frame(ABNF.OPCODE_TEXT, pieces[0], final=False))
    send(socket, *(frame(ABNF.OPCODE_CONT, piece, final=False) for piece in pieces[1:]))
    send(socket, frame(ABNF.OPCODE_CONT, b""))
    assert "content" in json.loads(socket.recv())


def test_a_key_that_may_only_read_opens_no_socket(chat_stack: Stack) -> None:
    with key_store(chat_stack) as keys:
        _, reader = keys.create("reads", scopes=["read"])
    with pytest.raises(WebSocketBadStatusException) as refused:
        open_at(chat_stack, "reader", reader)
    assert refused.value.status_code == 403
