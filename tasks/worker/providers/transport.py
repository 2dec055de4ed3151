"""Send requests to a model server: one pool of connections, patience, and another try where it makes sense."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import time
from typing import Any
from urllib.parse import unquote

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool, connection_from_url
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Timeout, make_headers, parse_url

from tasks import metrics, tracing
from tasks.jobs import logs
from tasks.jobs.environment import Secret
from tasks.worker.providers.body import Body
from tasks.worker.providers.failures import Verdict, hide, judge_exception, judge_status
from tasks.worker.providers.settings import ProviderSettings

log = logs.get_logger(__name__)

# The first wait before a retry; each later one is twice as long.
_FIRST_WAIT = 0.5

# What is read, and logged, of an answer that is an error.
_ERROR_BODY = 2_000

# A silent connection is probed after a minute, so that one cut by a firewall is noticed before the read time-out.
_PROBE_AFTER = 60


class Transport:
    """The way to one model server. Shared by every thread and greenlet of a process; make it after the fork."""

    def __init__(self, settings: ProviderSettings) -> None:
        url = parse_url(settings.base_url)
        self._settings = settings
        self._path = (url.path or "").rstrip("/")
        self._query = f"?{url.query}" if url.query else ""
        hide(settings.api_key, url.auth or "", url.query or "")
        self._headers = _headers(settings, url.auth)
        self._pool = _make_pool(settings)

    def open(self, method: str, path: str, content: bytes | None = None) -> Body:
        """Send a request and return the body of its answer, unread. Raises `ProviderError`."""
        with tracing.within(f"{method} {path}", "client"):
            return self._open(method, path, content)

    def _open(self, method: str, path: str, content: bytes | None) -> Body:
        attempt, began = 0, time.monotonic()
        metrics.PROVIDER_REQUESTS.add()
        while isinstance(outcome := self._try(method, path, content), Verdict):
            if not outcome.passing or attempt >= self._settings.retries:
                metrics.PROVIDER_FAILURES.add(outcome.reason)
                log.error("provider.failed", error=outcome.error, cause=repr(outcome.error.__cause__))
                raise outcome.error
            wait = choose_wait(attempt, outcome.retry_after, self._settings.max_wait)
            log.warning("provider.retried", retry_in=round(wait, 1), cause=repr(outcome.error.__cause__))
            metrics.PROVIDER_RETRIES.add(outcome.reason)
            time.sleep(wait)
            attempt += 1
        metrics.PROVIDER_SECONDS.observe(time.monotonic() - began)
        return outcome

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    def _try(self, method: str, path: str, content: bytes | None) -> Body | Verdict:
        try:
            response = self._send(method, path, content)
            if response.status == 200:  # noqa: PLR2004 (a status)
                return Body(response)
            return self._judge(response)
        except (HTTPError, OSError) as error:
            return judge_exception(error)

    def _send(self, method: str, path: str, content: bytes | None) -> urllib3.BaseHTTPResponse:
        return self._pool.urlopen(
            method,
            f"{self._path}{path}{self._query}",
            body=content,
            headers=self._headers | ({"traceparent": trace} if (trace := tracing.current()) else {}),
            timeout=Timeout(connect=self._settings.connect_timeout, read=self._settings.read_timeout),
            retries=False,  # ours are above; and a redirect would carry the key to another address
            preload_content=False,
        )

    def _judge(self, response: urllib3.BaseHTTPResponse) -> Verdict:
        said = b""
        with contextlib.suppress(HTTPError, OSError):  # the status says enough
            said = response.read(_ERROR_BODY)
        Body(response).finish()
        return judge_status(response.status, said.decode("utf-8", "replace"), _read_retry_after(response))


def choose_wait(attempt: int, retry_after: float | None, longest: float) -> float:
    """Return the seconds to wait before retry number `attempt` (from 0): what the server asks, or doubling."""
    base = _FIRST_WAIT * 2**attempt if retry_after is None else retry_after
    # Hundreds of requests may have failed together; they must not come back together.
    jitter = random.uniform(0.5, 1.0) if retry_after is None else random.uniform(1.0, 1.1)  # noqa: S311 (no secret)
    return min(longest, base * jitter)


def _read_retry_after(response: urllib3.BaseHTTPResponse) -> float | None:
    try:
        return urllib3.Retry().get_retry_after(response)
    except (InvalidHeader, ValueError, OverflowError):
        return None


def _headers(settings: ProviderSettings, basic_auth: str | None) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "User-Agent": "slipway",
    }
    if settings.api_key:
        headers["Authorization"] = Secret(f"Bearer {settings.api_key}")  # stays hidden in a traceback with variables
    elif basic_auth:
        headers["Authorization"] = Secret(make_headers(basic_auth=unquote(basic_auth))["authorization"])
    return headers


def _make_pool(settings: ProviderSettings) -> HTTPConnectionPool:
    options: dict[str, Any] = {"maxsize": settings.connections, "socket_options": _socket_options()}
    if settings.base_url.lower().startswith("https:"):
        # One for all connections: loading the trusted certificates for each would cost 10 ms and half a megabyte.
        options["ssl_context"] = ssl.create_default_context()
    return connection_from_url(settings.base_url, **options)


def _socket_options() -> list[tuple[int, int, int]]:
    options = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    if hasattr(socket, "TCP_KEEPIDLE"):  # not on every system
        options.append((socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _PROBE_AFTER))
    return options
