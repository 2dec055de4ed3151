"""Connections to Redis, by purpose."""

from __future__ import annotations

from typing import Any

from redis import BlockingConnectionPool, Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from tasks.jobs.settings import EngineSettings


def connect(
    settings: EngineSettings, *, max_connections: int = 12, socket_timeout: float = 2.0, retries: int = 1
) -> Redis:
    """A client for quick commands. All it is used for is safe to repeat, so a lost reply is asked for again.

    The bounds keep a caller from hanging: refused connections are given up after about 0.1 s, a server that
    accepts and never answers after `connect + socket_timeout`. The pool makes greenlets wait for a connection
    instead of opening hundreds.
    """
    pool = BlockingConnectionPool.from_url(
        settings.redis_url,
        max_connections=max_connections,
        timeout=socket_timeout,
        socket_connect_timeout=1.0,
        socket_timeout=socket_timeout,
        socket_keepalive=True,
        health_check_interval=15,
        retry=Retry(
            ExponentialWithJitterBackoff(base=0.01, cap=0.1),
            retries,
            # A connection that Redis closed meanwhile is replaced; a server that does not answer is not
            # asked twice, because the caller's time is bounded.
            supported_errors=(RedisConnectionError,),
        ),
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
