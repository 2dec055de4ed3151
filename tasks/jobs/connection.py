"""Connections to Redis, by purpose, and every bound that they have, with its reason.

* Quick commands (`connect`): transitions, reads, keys. All are safe to repeat, and are once, on a connection that
  was closed. A caller waits at most for a place in the pool and a reply.
* What must not be done twice (`connect_once`): `INCR`, `XADD` with ids that Redis makes. Never repeated.
* The hub's reads (`webapp/events/wire.py`): a connection of its own that asks for a sign of life every two seconds.
* The broker's (`broker_options`): kombu's own connections.

They never share a connection: a read that waits would hold up a command.
"""

from __future__ import annotations

from typing import Any

from redis import BlockingConnectionPool, Redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from tasks.jobs.places import Places
from tasks.jobs.settings import EngineSettings

# Across a network a connection stands within milliseconds; the kernel's second SYN comes after one second.
CONNECT_SECONDS = 1.0
# Our scripts take below a millisecond; a server that rewrites its file on a slow disk may stand still for a second.
REPLY_SECONDS = 2.0
# How long nobody may have had an answer while callers wait for a place. With the reply it stays below the three seconds
# in which a caller is told that Redis does not answer.
POOL_SECONDS = 0.9
# Greenlets share these: twelve carry some ten thousand commands a second.
POOL_SIZE = 12
# A connection that was idle longer is asked whether it still stands. Firewalls forget after minutes.
IDLE_SECONDS = 15


def connect(
    settings: EngineSettings,
    *,
    max_connections: int = POOL_SIZE,
    socket_timeout: float = REPLY_SECONDS,
    retries: int = 1,
) -> Redis:
    """A client for quick commands. All it is used for is safe to repeat, so a lost reply is asked for again.

    The bounds keep a caller from hanging: refused connections are given up after about 0.1 s, a server that
    accepts and never answers after `POOL_SECONDS + socket_timeout`. The pool makes greenlets wait for a connection
    instead of opening hundreds: for as long as others have their turn, see `Places`.
    """
    # A connection that Redis closed meanwhile is replaced; a server that does not answer is not asked twice,
    # because the caller's time is bounded.
    retry = Retry(ExponentialWithJitterBackoff(base=0.01, cap=0.1), retries, supported_errors=(RedisConnectionError,))
    return _client(settings, retry, max_connections, socket_timeout)


def connect_once(settings: EngineSettings, *, max_connections: int = POOL_SIZE) -> Redis:
    """A client for commands that must not be done twice: after a lost reply nobody knows whether they were."""
    return _client(settings, Retry(NoBackoff(), 0), max_connections, REPLY_SECONDS)


def broker_options() -> dict[str, Any]:
    """Kombu's transport options for the workers' connections."""
    return {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": 5,  # above the second that kombu's BRPOP waits
        "socket_keepalive": True,
        "health_check_interval": 10,  # a connection that died silently is found within it
        "retry_on_timeout": False,  # a pop whose reply was lost must not be repeated blindly
        # Kombu would note each message that a worker has in hand, and strike it off again: two transactions a job, and
        # a quarter of an io worker's processor time (measured). The record brings back what is lost.
        "ack_emulation": False,
    }


def _client(settings: EngineSettings, retry: Retry, max_connections: int, socket_timeout: float) -> Redis:
    pool = BlockingConnectionPool.from_url(
        settings.redis_url,
        max_connections=max_connections,
        timeout=POOL_SECONDS,
        queue_class=Places,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=socket_timeout,
        socket_keepalive=True,
        health_check_interval=IDLE_SECONDS,
        retry=retry,
        protocol=2,
        **tls(settings),
    )
    return Redis.from_pool(pool)


def tls(settings: EngineSettings) -> dict[str, Any]:
    """What a connection over TLS is checked by; empty for one without. The certificate must be for the URL's host."""
    if not settings.redis_url.startswith("rediss://"):
        return {}
    # "required" and the host's name are redis-py's defaults, but kombu's are none.
    return {"ssl_cert_reqs": "required", "ssl_check_hostname": True, "ssl_ca_certs": settings.redis_ca_file or None}
