"""An upstream that shows what reached it, streams and takes over sockets: for what is nginx's alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 30.0


class Mirror(BaseHTTPRequestHandler):
    """A stream's second event comes when `go_on` is set."""

    protocol_version = "HTTP/1.1"
    go_on = threading.Event()

    def do_GET(self) -> None:
        if self.headers.get("Upgrade") == "websocket":
            self._take_over()
        elif self.path.endswith("/events"):
            self._stream()
        else:
            self._show(b"")

    def do_POST(self) -> None:
        self._show(self.rfile.read(int(self.headers["Content-Length"])))

    def _show(self, body: bytes) -> None:
        answer = json.dumps(
            {"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "length": len(body)}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _stream(self) -> None:
        # Long enough for nginx to want to compress it, and without the header that switches its buffers off.
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for number in range(2):
            self.wfile.write(f"id: {number}\ndata: {'x' * 500}\n\n".encode())
            self.go_on.wait(PATIENCE)

    def _take_over(self) -> None:
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        self.close_connection = True
        while piece := self.connection.recv(4096):
            self.connection.sendall(piece.upper())

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def mirror() -> Iterator[int]:
    """Serve on a port of 127.0.0.1 that the system chose, and give that port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
