"""Where a webhook may go. A caller chooses the address and our network makes the call, so most addresses are refused.

Names are judged by what they resolve to, and judged again at the moment of the connection, which goes to the very
address that was judged: a name that resolves to something else the second time gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

LONGEST = 2048  # characters of a URL, as browsers and proxies have it
HIGHEST_PORT = 65535

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Refused(ValueError):
    """A destination that is not called. The message is for the caller who named it."""


def check_destination(url: str, allowed: Collection[str]) -> None:
    """Raise `Refused` unless `url` may be called. `allowed` are the hosts that may be private and plain http.

    Resolves the name, so it may take as long as the resolver does.
    """
    parts, port = _parse(url)
    host = parts.hostname or ""
    if host in allowed:
        return
    if parts.scheme != "https":
        raise Refused("it must be https")
    resolve(host, port, allowed)


def connect_to(host: str, port: int, timeout: float, allowed: Collection[str]) -> socket.socket:
    """Connect to the first address of `host` that answers. Raises `Refused`, or OSError when none does."""
    failed: OSError | None = None
    for address in resolve(host, port, allowed):
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            failed = error
    raise failed or OSError("no address")


def resolve(host: str, port: int, allowed: Collection[str]) -> list[str]:
    """The addresses of `host`. One that is not public makes all of them refused: nobody honest mixes them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused("its name does not resolve") from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if host not in allowed and not all(is_public(ipaddress.ip_address(each.partition("%")[0])) for each in addresses):
        raise Refused("it is a private, loopback, link-local or otherwise reserved address")
    return addresses


def is_public(address: Address) -> bool:
    """Whether an address is anybody's on the internet, whatever it is wrapped in."""
    inner = _inside(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast


def _inside(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, 6to4, Teredo, or NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]


def _parse(url: str) -> tuple[SplitResult, int]:
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise Refused(f"it must be written in at most {LONGEST} characters of ASCII without spaces")
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise Refused("it is no URL") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused("it must be an absolute https URL")
    if parts.username is not None or parts.password is not None:
        raise Refused("it must not hold a user or a password")
    return parts, port
