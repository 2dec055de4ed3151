"""Settings that are allowed, and unwise where strangers call."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from webapp.doctor.findings import Finding, State
from webapp.services import Services
from webapp.settings import WebSettings

SHORTEST = 16  # characters of a secret that nobody guesses
OFF = "off"
RANDOM = "Make a long one: python -c 'import secrets; print(secrets.token_urlsafe(32))'"


def configuration(services: Services) -> Iterator[Finding]:
    """Judge the settings, by whether others than this machine are meant to call."""
    settings = services.settings
    public = not _is_here(settings.public_base_url)
    found = [*_secrets(services, public=public), *_redis(services.engine.settings.redis_url)]
    if public:
        found += _public(settings)
    yield from found
    if not found:
        yield Finding(
            "settings", State.OK, "They are fit for production." if public else "They are fit for this machine."
        )


def _secrets(services: Services, *, public: bool) -> Iterator[Finding]:
    secrets = {"API_KEY": services.settings.api_key, "WEBHOOK_SECRET": services.engine.settings.webhook_secret}
    for variable, secret in secrets.items():
        if 0 < len(secret) < SHORTEST:
            state = State.FAULT if public else State.WARNING
            yield Finding("settings", state, f"{variable} is shorter than {SHORTEST} characters.", RANDOM)


def _redis(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    if parts.scheme == "unix" or _is_here(url):
        return
    if not parts.password:
        fix = "Give Redis users and passwords (deploy/redis/users.acl), and put them into REDIS_URL."
        yield Finding("settings", State.WARNING, "Redis on another machine is used without a password.", fix)
    if parts.scheme != "rediss":
        fix = "Use rediss://, or a network that nobody else is in."
        yield Finding("settings", State.WARNING, "What is said to Redis on another machine is not encrypted.", fix)


def _public(settings: WebSettings) -> Iterator[Finding]:
    if urlsplit(settings.public_base_url).scheme != "https":
        fix = "Put nginx before it (deploy/nginx) and set PUBLIC_BASE_URL to https://…"
        yield Finding("settings", State.FAULT, "Keys travel readable: PUBLIC_BASE_URL is http.", fix)
    if not settings.proxies:
        fix = (
            "Set PROXIES to how many proxies of yours every request comes through, or limits count them as one caller."
        )
        yield Finding("settings", State.WARNING, "PROXIES is 0: addresses of callers are not known.", fix)
    if settings.rate_limits == (OFF,) or OFF in (settings.address_limit, settings.failure_limit):
        fix = "Leave RATE_LIMITS, ADDRESS_LIMIT and FAILURE_LIMIT as they are by default, or set higher ones."
        yield Finding("settings", State.WARNING, "Limits of requests are off.", fix)


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")
