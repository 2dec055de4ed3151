"""Where webhooks may go, and that the address that was judged is the one that is called."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Sequence

import pytest

from tasks.jobs.webhooks import Refused, check_destination, connect_to
from tasks.jobs.webhooks.destination import is_public
from tasks.jobs.webhooks.signing import secret_of, shown, signed_headers

PUBLIC = "93.184.215.14"


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: Sequence[str]) -> list[str]:
    """Names resolve to these addresses, one answer a question; returned is who was asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
        *("::", "::1", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2001:db8::1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1"),
    ],
)
def test_addresses_that_are_not_public_are_known_in_every_wrapping(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", f"::ffff:{PUBLIC}"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://127.0.0.1",
            "https://127.0.0.1/x",
            "https://169.254.169.254/latest",
            "https://[::1]/",
            "https://[::]",
        ),
        *("https://0.0.0.0/", "https://0x7f.1/", "https://100.100.100.200/", "https://[64:ff9b::a9fe:a9fe]/"),
        *("http://127.0.0.1:6379/", "https://127.0.0.1:6379/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_INFO"),
        *("https://user@93.184.215.14/", "https://93.184.215.14@127.0.0.1/"),
        *("https://localhost/", "https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://0177.0.0.1/"),
        *("http://93.184.215.14/", "ftp://example.com", "https://", "https:///x", "//example.com", "example.com", ""),
        *(
            "https://user:pass@example.com",
            "https://example.com:99999",
            "https://exa mple.com",
            "https://ex\u00e4mple.com",
        ),
        *(
            "https://example.com/" + "x" * 3000,
            "https://[::1",
            "https://[fe80::1%25eth0]/",
            "https://[::ffff:127.0.0.1]/",
        ),
    ],
)
def test_a_destination_that_is_not_public_https_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        check_destination(url, ())


def test_a_name_is_judged_by_every_address_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, [PUBLIC])
    check_destination("https://example.com/hook?x=1", ())
    for addresses in ([PUBLIC, "10.0.0.1"], ["127.0.0.1"], ["169.254.169.254"], ["::1"]):  # as *.nip.io has it
        resolving(monkeypatch, addresses)
        with pytest.raises(Refused, match="private"):
            check_destination("https://example.com/hook", ())


def test_hosts_that_are_allowed_may_be_private_and_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    check_destination("http://receiver.default.svc:8080/hook", ("receiver.default.svc",))
    with pytest.raises(Refused):
        check_destination("http://other.default.svc/hook", ("receiver.default.svc",))


def test_a_name_that_is_rebound_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[str] = []

    def connect(address: tuple[str, int], timeout: float) -> None:
        connected.append(address[0])

    monkeypatch.setattr(socket, "create_connection", connect)
    asked = resolving(monkeypatch, [PUBLIC], ["127.0.0.1"])
    connect_to("example.com", 443, 1, ())
    assert (connected, asked) == ([PUBLIC], ["example.com"])  # by the address that was judged, not by the name
    with pytest.raises(Refused):
        connect_to("example.com", 443, 1, ())
    assert connected == [PUBLIC]


def test_a_message_is_signed_as_standard_webhooks_has_it() -> None:
    secret = secret_of("the service's", "key:1")
    headers = signed_headers(secret, "msg_1", 1700000000, b'{"a":1}')
    version, _, signature = headers["webhook-signature"].partition(",")
    key = base64.b64decode(shown(secret).removeprefix("whsec_"))
    expected = hmac.new(key, b'msg_1.1700000000.{"a":1}', hashlib.sha256).digest()
    assert (version, base64.b64decode(signature)) == ("v1", expected)
    assert secret_of("the service's", "key:2") != secret
