"""Send away who asks too often, and tell everybody where they stand."""

from __future__ import annotations

import ipaddress

from flask import Flask, Response, g, request
from limits import RateLimitItem

from tasks import metrics
from tasks.jobs import logs
from webapp.auth.limiter import Count
from webapp.auth.principals import Principal
from webapp.auth.quotas import kind_of
from webapp.http.problem import Problem
from webapp.services import services

# Whoever gets an IPv6 address gets a network of at least this size with it.
IPV6_PREFIX = 64

log = logs.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Put the headers on every answer of `app` to a request that was counted."""
    app.after_request(_tell)


def count_principal(principal: Principal, scope: str) -> None:
    """Count a request of somebody who is known. Raises a `Problem` with 429."""
    _count(services().quotas.limit(principal, scope), kind_of(scope), principal.id)


def count_address() -> None:
    """Count a request of somebody who is not known (yet), by address. Raises a `Problem` with 429."""
    _count(services().address_limit, "address", caller_network())


def count_failure() -> None:
    """Count a key that was wrong. Who has a right one is not kept out by a neighbour who has not.

    Raises a `Problem` with 429.
    """
    _count(services().failure_limit, "failures", caller_network())


def caller_network() -> str:
    """Who calls, as far as the network tells: the address, of IPv6 the part that one customer has."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"  # a Unix socket has no address
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False).network_address)
        address = address.ipv4_mapped
    return str(address)


def _count(limit: RateLimitItem | None, kind: str, who: str) -> None:
    if limit is None:
        return
    g.counted = kind, (count := services().limiter.hit(limit, kind, who))
    if not count.allowed:
        log.warning("limits.refused", kind=kind, who=who)
        raise too_many(f"{limit.amount} requests in {_window(limit)} are the limit.", count.reset, kind)


def too_many(detail: str, retry_after: int, kind: str) -> Problem:
    """The answer to too much of something."""
    metrics.RATE_REFUSALS.add(kind)
    headers = {"Retry-After": str(retry_after)}
    return Problem(429, "rate_limited", f"{detail} Try again later.", headers=headers, extra={"limit": kind})


def _window(limit: RateLimitItem) -> str:
    seconds = limit.get_expiry()
    return "a minute" if seconds == 60 else f"{seconds} seconds"  # noqa: PLR2004


def _tell(response: Response) -> Response:
    counted: tuple[str, Count] | None = g.get("counted")
    if counted is not None:
        kind, count = counted
        response.headers["RateLimit-Policy"] = f'"{kind}";q={count.limit.amount};w={count.limit.get_expiry()}'
        # When the window ends is asked for only when that matters; without `t` nothing is claimed about it.
        response.headers["RateLimit"] = f'"{kind}";r={count.remaining}' + ("" if count.allowed else f";t={count.reset}")
    return response
