"""Whether Redis is there, and keeps what it is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from redis.exceptions import AuthenticationError, RedisError, ResponseError

from tasks.jobs import Engine
from webapp.doctor.findings import Finding, State

OLDEST = (6, 2)  # ZMSCORE, and streams that are trimmed

START = "Start it (`make run` starts one), or set REDIS_URL to where it is."
LOGIN = "Put the right user and password into REDIS_URL."
OPERATOR = "To have it checked, run this with a REDIS_URL whose user may say INFO."
APPEND_ONLY = "Set `appendonly yes`: without it, a restart loses every job that was accepted."
EVICTION = "Set `maxmemory-policy noeviction`: with any other, jobs vanish when memory is short."
DISK = "Look at the disk that it writes to: it is full or fails, and Redis takes no more jobs."


def broker(engine: Engine) -> Iterator[Finding]:
    """Look at the server."""
    name = _address(engine.settings.redis_url)
    try:
        engine.ping()
    except RedisError as error:
        fix = LOGIN if isinstance(error, AuthenticationError) else START
        yield Finding("redis", State.FAULT, f"Redis at {name} does not answer: {error}", fix)
        return
    yield Finding("redis", State.OK, f"Redis at {name} answers.")
    try:
        information: Any = engine.redis.info()
    except ResponseError:
        yield Finding("redis setup", State.UNKNOWN, "This user may not ask how Redis is set up.", OPERATOR)
        return
    yield from judge(information)


def judge(about: Mapping[str, Any]) -> Iterator[Finding]:
    """Judge what the server says about itself in answer to INFO."""
    yield _version(str(about.get("valkey_version") or about["redis_version"]), str(about.get("server_name", "redis")))
    kept = bool(about["aof_enabled"])
    yield (
        Finding("persistence", State.OK, "It writes an append-only file.")
        if kept
        else Finding("persistence", State.FAULT, "It keeps no append-only file.", APPEND_ONLY)
    )
    if kept and about.get("aof_last_write_status", "ok") != "ok":
        yield Finding("persistence", State.FAULT, "Its last write to the append-only file failed.", DISK)
    policy = about["maxmemory_policy"]
    # Without a limit nothing is evicted now; a limit that somebody sets later would.
    state = State.OK if policy == "noeviction" else State.FAULT if about["maxmemory"] else State.WARNING
    yield Finding("eviction", state, f"Its policy when memory is short is {policy}.", "" if state == "ok" else EVICTION)


def _version(version: str, server: str) -> Finding:
    numbers = tuple(int(part) for part in version.split(".")[:2])
    if numbers >= OLDEST:
        return Finding("redis version", State.OK, f"It is {server.capitalize()} {version}.")
    needed = ".".join(map(str, OLDEST))
    return Finding("redis version", State.FAULT, f"It is {server.capitalize()} {version}.", f"Use {needed} or newer.")


def _address(url: str) -> str:
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
