"""What is bounded about a WebSocket, without one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from simple_websocket import ConnectionClosed

from webapp.http.websocket import FLOODED, FloodedError, Inbox, Line, OpenSockets, end

LARGE = bytes(range(256)) * 40_000  # far more than the buffers of a connection


class FakeSocket:
    """As much of a server's WebSocket as is looked at."""

    def __init__(self, *, open_: bool = True) -> None:
        self.input_buffer: list[Any] = []
        self.event = threading.Event()
        self.closed_with: list[int] = []
        self._open = open_

    def close(self, code: int, reason: str) -> None:
        if not self._open:
            raise ConnectionClosed
        self.closed_with.append(code)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_frame_is_sent_whole_to_a_slow_reader(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    line, received = Line(ours), b""
    sender = threading.Thread(target=line.send, args=(LARGE,))
    sender.start()
    while len(received) < len(LARGE):
        received += theirs.recv(10_000)
    sender.join()
    assert received == LARGE


def test_two_threads_do_not_mix_their_frames(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    line, received = Line(ours), b""
    senders = [threading.Thread(target=line.send, args=(byte * 300_000,)) for byte in (b"a", b"b")]
    for sender in senders:
        sender.start()
    while len(received) < 600_000:
        received += theirs.recv(10_000)
    for sender in senders:
        sender.join()
    assert received in (b"a" * 300_000 + b"b" * 300_000, b"b" * 300_000 + b"a" * 300_000)


def test_a_close_reads_out_what_the_other_side_still_sends(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(b"x" * 1000)
    theirs.shutdown(socket.SHUT_WR)
    Line(ours).close()
    assert theirs.recv(10) == b""  # an orderly end, not a reset


def test_one_message_too_many_closes_the_socket() -> None:
    ws = FakeSocket()
    ws.input_buffer = ["already there"]
    inbox = Inbox(ws, 2)
    inbox.append("second")
    with pytest.raises(FloodedError):
        inbox.append("third")
    assert inbox == ["already there", "second"]
    assert ws.closed_with == [FLOODED]
    assert ws.event.is_set()


def test_a_drain_closes_the_open_sockets_and_those_that_come_later() -> None:
    sockets, early, gone, late = OpenSockets(), FakeSocket(), FakeSocket(), FakeSocket()
    sockets.add(early)
    sockets.add(gone)
    sockets.discard(gone)
    sockets.close()
    sockets.add(late)
    assert early.event.wait(30)
    assert (early.closed_with, gone.closed_with, late.closed_with) == ([1012], [], [1012])


def test_a_socket_that_is_closed_already_can_be_ended_again() -> None:
    ws = FakeSocket(open_=False)
    end(ws, 1012, "")
    assert ws.event.is_set()
