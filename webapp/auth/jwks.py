"""The keys of the token issuer: fetched over HTTP, kept, and asked for again when a token names an unknown one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import urllib3
from joserfc import jwk
from joserfc.errors import JoseError

from tasks.jobs import logs
from webapp.auth.issuer import KeysUnavailable, is_safe

Key = jwk.RSAKey | jwk.ECKey | jwk.OKPKey
Fetch = Callable[[], Mapping[str, Key]]

# Issuers announce a new key before they sign with it. Keys older than this are asked for again.
FRESH_SECONDS = 300.0
# A token with an unknown `kid` costs its sender nothing, so it may not cost the issuer more than this.
REFETCH_SECONDS = 30.0
# The same while there is no key at all: then everybody waits for the issuer to come back.
RETRY_SECONDS = 5.0
# How long keys serve when the issuer cannot be reached. What it has withdrawn meanwhile is not known.
STALE_SECONDS = 3600.0

# Per step on the network, and for the whole document: issuers answer in some tens of milliseconds.
STEP_SECONDS = 2.0
WHOLE_SECONDS = 5.0
# A set of ten keys with their certificate chains has about 30 KiB.
MOST_BYTES = 256 * 1024
# Only so many keys are kept; issuers have two or three.
MOST_KEYS = 50

PIECE = 16 * 1024
KINDS: dict[str, Any] = {"RSA": jwk.RSAKey, "EC": jwk.ECKey, "OKP": jwk.OKPKey}
OK = 200

log = logs.get_logger(__name__)


class FetchError(Exception):
    """The keys could not be fetched; the message says why, for the log."""


class KeySource:
    """The issuer's keys by their `kid`. Safe to use from many greenlets or threads: one fetches for all."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, Key] = {}
        self._fetched = self._asked = float("-inf")

    def find(self, kid: str) -> Key | None:
        """The key of that id; None when the issuer has none. Raises `KeysUnavailable` when that cannot be told."""
        keys = self._usable()
        if kid not in keys or self._clock() - self._fetched > FRESH_SECONDS:
            # Who has a key to work with does not wait while another one asks.
            self._refresh(wait=kid not in keys)
            keys = self._usable()
        if not keys:
            raise KeysUnavailable
        return keys.get(kid)

    def _usable(self) -> Mapping[str, Key]:
        return self._keys if self._clock() - self._fetched <= STALE_SECONDS else {}

    def _refresh(self, *, wait: bool) -> None:
        if self._asked_lately() or not self._lock.acquire(blocking=wait):
            return
        try:
            if not self._asked_lately():
                self._ask()
        finally:
            self._lock.release()

    def _ask(self) -> None:
        try:
            self._keys = self._fetch()
            self._fetched = self._clock()
        except FetchError as error:
            log.warning("oidc.keys_unavailable", error=error)
        finally:
            self._asked = self._clock()

    def _asked_lately(self) -> bool:
        return self._clock() - self._asked < (REFETCH_SECONDS if self._usable() else RETRY_SECONDS)


class Issuer:
    """Fetches the keys of an issuer: at `jwks_url`, or where its discovery document says."""

    def __init__(self, issuer: str, jwks_url: str = "") -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        timeout = urllib3.Timeout(connect=STEP_SECONDS, read=STEP_SECONDS)
        self._http = urllib3.PoolManager(timeout=timeout, retries=False)

    def fetch(self) -> dict[str, Key]:
        """Fetch the keys. Raises `FetchError`, also when there is none among them that could be used."""
        document = self._get(self._jwks_url or self._discover())
        listed = document.get("keys")
        keys = _read(listed[:MOST_KEYS] if isinstance(listed, list) else [])
        if not keys:
            raise FetchError("the issuer's document holds no usable key")
        return keys

    def _discover(self) -> str:
        document = self._get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self._issuer:
            raise FetchError("the discovery document is another issuer's")
        return str(document.get("jwks_uri"))

    def _get(self, url: str) -> dict[str, Any]:
        if not is_safe(url):
            raise FetchError(f"{url} is not https")
        try:
            # A redirect would let whoever controls one path of the issuer's host choose the keys.
            response = self._http.request("GET", url, redirect=False, preload_content=False, decode_content=False)
            try:
                body = _body(response)
            finally:
                # Never back into the pool: what was not read would be taken for the next answer.
                response.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise FetchError(f"{url}: {type(error).__name__}") from error
        return _object(body, url)


def _body(response: urllib3.BaseHTTPResponse) -> bytes:
    if response.status != OK:
        raise FetchError(f"the issuer answered with status {response.status}")
    deadline, body = time.monotonic() + WHOLE_SECONDS, b""
    while piece := response.read1(PIECE):
        body += piece
        if len(body) > MOST_BYTES:
            raise FetchError(f"the issuer's document has more than {MOST_BYTES} bytes")
        if time.monotonic() > deadline:
            raise FetchError(f"the issuer's document did not come within {WHOLE_SECONDS:g} s")
    return body


def _object(body: bytes, url: str) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise FetchError(f"{url} is no JSON") from error
    return document if isinstance(document, dict) else {}


def _read(listed: list[Any]) -> dict[str, Key]:
    found = (_key(each) for each in listed if isinstance(each, dict))
    return {key.kid: key for key in found if key is not None and key.kid}


def _key(described: dict[str, Any]) -> Key | None:
    """The key, or None for what does not verify signatures. Secrets (`oct`) are never among an issuer's keys."""
    kind = KINDS.get(str(described.get("kty")))
    if kind is None or described.get("use", "sig") != "sig" or not isinstance(described.get("kid"), str):
        return None
    try:
        key: Key = kind.import_key(described)
    except (JoseError, ValueError, TypeError, KeyError):
        return None  # one that we cannot read does not keep us from the others
    return key
