"""A TCP proxy that spoils a connection in the way that a test asks for."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from enum import Enum
from types import TracebackType

PIECE = 65_536
RESET_NOW = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST, and throws away what is under way


class Mode(Enum):
    """What happens to what passes through."""

    PASS = "pass"
    REFUSE = "refuse"  # nobody listens, and what was connected is reset
    BLACK_HOLE = "black hole"  # connections stand, nothing arrives and nothing comes back
    LOSE_REPLIES = "lost replies"  # what is sent arrives; now and then the connection goes instead of the reply
    RESET = "resets"  # now and then a connection goes in the middle
    DELAY = "delays"  # everything takes `delay` seconds longer, each way


class Proxy:
    """Listens on 127.0.0.1 and passes on to `target`. Use it as a context manager; `mode` may change at any time."""

    def __init__(self, target: int, *, rate: float = 0.02, delay: float = 0.1) -> None:
        self._target = target
        self._rate = rate  # the share of pieces that are hit
        self._delay = delay
        self._mode = Mode.PASS
        self._changed = threading.Condition()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._listener: socket.socket | None = None
        self._closed = False
        self.hits = 0
        self.port = 0

    def __enter__(self) -> Proxy:
        self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._close_listener()
        self.cut()
        with self._changed:
            self._changed.notify_all()

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        with self._changed:
            before, self._mode = self._mode, mode
            self._changed.notify_all()
        if mode is Mode.REFUSE:
            self._close_listener()
            self.cut()
        elif before is Mode.REFUSE:
            self._listen()
        elif before is Mode.BLACK_HOLE:
            self.cut()  # what fell into it does not come out again

    def cut(self) -> None:
        """Reset every connection."""
        for pair in list(self._pairs):
            self._drop(pair)

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(1000)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _close_listener(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # closed
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:  # the server is down: so are we
                _reset(client)
                continue
            pair = (client, server)
            self._pairs.add(pair)
            for source, sink, reply in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pump, args=(pair, source, sink, reply), daemon=True).start()

    def _pump(
        self, pair: tuple[socket.socket, socket.socket], source: socket.socket, sink: socket.socket, reply: bool
    ) -> None:
        try:
            while piece := source.recv(PIECE):
                if not self._let_through(reply):
                    break
                sink.sendall(piece)
        except OSError:
            pass
        self._drop(pair)

    def _let_through(self, reply: bool) -> bool:
        with self._changed:
            while self._mode is Mode.BLACK_HOLE and not self._closed:
                self._changed.wait()
        if self._mode is Mode.DELAY:
            time.sleep(self._delay)
        spoiled = self._mode is Mode.RESET or (self._mode is Mode.LOSE_REPLIES and reply)
        if spoiled and random.random() < self._rate:
            self.hits += 1
            return False
        return not self._closed

    def _drop(self, pair: tuple[socket.socket, socket.socket]) -> None:
        self._pairs.discard(pair)
        for each in pair:
            _reset(each)


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_NOW)
        connection.shutdown(socket.SHUT_RDWR)  # wakes the other pump, which a mere close would not
    with contextlib.suppress(OSError):
        connection.close()
