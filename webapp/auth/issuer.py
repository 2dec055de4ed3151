"""What is said about an issuer of tokens without the library that reads them: it takes 10 MiB and half a second."""

from __future__ import annotations

from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class KeysUnavailable(Exception):
    """There is no key to tell by: the issuer has not been reached in time."""


def is_safe(url: str) -> bool:
    """Whether keys may be fetched from there: over TLS, or from this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
