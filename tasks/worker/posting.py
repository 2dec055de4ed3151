"""Post one webhook: to the address that was judged, over a certificate that was checked, within bounded time."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from tasks.jobs.settings import EngineSettings
from tasks.jobs.webhooks import Refused, connect_to

CONNECT, READ = 5.0, 10.0  # seconds for the connection, and for each read of the answer
# Seconds for all of it: who answers one byte at a time keeps within READ for ever. Below what a taken delivery is held
# for, so that nobody else begins it meanwhile.
WHOLE = 20.0
LOOK = 0.5


class Deadlines:
    """Ends the connections that have lasted too long, whatever their thread waits for."""

    def __init__(self) -> None:
        self._open: dict[socket.socket, float] = {}

    def run(self) -> None:
        while True:
            time.sleep(LOOK)
            for each, until in list(self._open.items()):
                if time.monotonic() > until:
                    with contextlib.suppress(OSError):  # it has just ended by itself
                        each.shutdown(socket.SHUT_RDWR)

    def add(self, connection: socket.socket) -> socket.socket:
        """Begin its time. Returns what `remove` is to be told when it is over."""
        handle = connection.dup()  # TLS takes the socket itself over
        self._open[handle] = time.monotonic() + WHOLE
        return handle

    def remove(self, handle: socket.socket) -> None:
        self._open.pop(handle, None)
        handle.close()


def post(url: str, body: bytes, signed: Mapping[str, str], settings: EngineSettings, deadlines: Deadlines) -> int:
    """Send one message and return the receiver's status. Redirects are not followed, and its answer is not read."""
    headers = {"content-type": "application/json", "user-agent": "slipway-webhooks", **signed}
    with _pool(url, settings, deadlines) as pool:
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        response = pool.urlopen("POST", path, body, headers, retries=False, redirect=False, preload_content=False)
        response.close()
        return int(response.status)


def _pool(url: str, settings: EngineSettings, deadlines: Deadlines) -> urllib3.HTTPConnectionPool:
    parts = urlsplit(url)
    host, allowed = parts.hostname or "", frozenset(settings.webhook_allow)
    timeout = urllib3.Timeout(connect=CONNECT, read=READ)
    if parts.scheme == "https":
        context = _trust(settings.webhook_ca_file)
        pool: urllib3.HTTPConnectionPool = urllib3.HTTPSConnectionPool(
            host, parts.port, timeout=timeout, ssl_context=context
        )
        pool.ConnectionCls = _guarded(HTTPSConnection, allowed, deadlines)
        return pool
    if host not in allowed:
        raise Refused("it must be https")
    pool = urllib3.HTTPConnectionPool(host, parts.port, timeout=timeout)
    pool.ConnectionCls = _guarded(HTTPConnection, allowed, deadlines)
    return pool


def _trust(ca_file: str) -> ssl.SSLContext:
    """The system's authorities, and those of the setting: receivers inside may have certificates of their own."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def _guarded(kind: type[HTTPConnection], allowed: frozenset[str], deadlines: Deadlines) -> Any:
    """A connection that goes to the address that was judged, and still checks the certificate of the name."""

    class Guarded(kind):  # type: ignore[valid-type, misc]
        _handle: socket.socket | None = None

        def _new_conn(self) -> socket.socket:
            connection = connect_to(self.host, self.port, CONNECT, allowed)
            self._handle = deadlines.add(connection)
            return connection

        def close(self) -> None:
            super().close()
            handle, self._handle = self._handle, None
            if handle is not None:
                deadlines.remove(handle)

    return Guarded
