"""Access tokens of an OpenID Connect issuer (RFC 9068), told from everything else that looks like one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol
from joserfc.jws import JWSRegistry

from tasks.jobs import logs
from webapp.auth.jwks import Issuer, Key, KeySource
from webapp.auth.principals import Principal
from webapp.auth.scopes import ALL
from webapp.auth.settings import AccessSettings

# Where a token would bring or name its own key, or ask for a processing that is not ours.
REFUSED_HEADERS = frozenset({"jku", "jwk", "x5u", "crit"})
# The kind of key that each family of algorithms verifies with.
KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
# Of a token that says who logged in, for the client that asked; no permission follows from it.
ID_TOKEN_CLAIMS = frozenset({"nonce", "at_hash", "c_hash"})
# RFC 7519 has no limit, OpenID Connect says 255.
LONGEST_SUBJECT = 255

TIER = "oidc"

log = logs.get_logger(__name__)


class InvalidToken(Exception):
    """A token that is not valid here; the message says why, for the log alone."""


class Tokens:
    """Verifies the access tokens of one issuer."""

    def __init__(self, settings: AccessSettings, keys: KeySource) -> None:
        self._keys = keys
        self._types = frozenset(each.lower() for each in settings.oidc_token_types)
        self._claim = settings.oidc_scope_claim
        # Headers that we do not know are no harm: issuers have their own.
        self._registry = JWSRegistry(algorithms=list(settings.oidc_algorithms), strict_check_header=False)
        self._claims = jwt.JWTClaimsRegistry(
            leeway=settings.oidc_leeway,
            iss={"essential": True, "value": settings.oidc_issuer},
            aud={"essential": True, "values": list(settings.oidc_audience)},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )

    def principal(self, token: str) -> Principal | None:
        """Whose token this is; None when it is not valid here. Raises `KeysUnavailable` when that cannot be told."""
        try:
            return self._principal_of(self._verified(token))
        except (InvalidToken, JoseError, ValueError, TypeError, LookupError, RecursionError) as error:
            # The library's messages name the claim or the header, and quote nothing of the token.
            log.info("auth.token_refused", reason=f"{type(error).__name__}: {error}"[:200])
            return None

    def _verified(self, token: str) -> Mapping[str, Any]:
        decoded = jwt.decode(token, self._key_of, registry=self._registry)
        self._claims.validate(decoded.claims)
        if ID_TOKEN_CLAIMS & decoded.claims.keys() or decoded.claims.get("typ") == "ID":
            raise InvalidToken("it is an id token")
        return decoded.claims

    def _key_of(self, token: GuestProtocol) -> Key:
        header = token.headers()
        if REFUSED_HEADERS & header.keys():
            raise InvalidToken("it brings its own key")
        if str(header.get("typ", "")).lower().removeprefix("application/") not in self._types:
            raise InvalidToken("it is of another type")
        key = self._keys.find(str(header.get("kid", "")))
        if key is None:
            raise InvalidToken("the issuer has no such key")
        _check_fit(key, str(header["alg"]))
        return key

    def _principal_of(self, claims: Mapping[str, Any]) -> Principal:
        subject = claims["sub"]
        if not 0 < len(subject) <= LONGEST_SUBJECT:
            raise InvalidToken("its subject is empty or too long")
        return Principal(
            id=f"oidc:{quote(subject, safe='')}",
            name=subject,
            kind="oidc",
            scopes=scopes_in(claims, self._claim),
            tier=TIER,
            expires_at=float(claims["exp"]),
        )


def tokens_of(settings: AccessSettings) -> Tokens:
    """The verifier of the issuer that the settings name."""
    return Tokens(settings, KeySource(Issuer(settings.oidc_issuer, settings.oidc_jwks_url).fetch))


def scopes_in(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """Our scopes among those of a claim: words with spaces between, or a list. `a.b` is the member `b` of `a`."""
    value: Any = claims.get(name)
    if value is None:
        value = claims
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    words = value.split() if isinstance(value, str) else value if isinstance(value, list) else ()
    return frozenset(word for word in words if word in ALL)


def _check_fit(key: Key, algorithm: str) -> None:
    # A key is for one kind of algorithm, whatever a token says.
    declared = key.as_dict().get("alg")
    if KEY_TYPES.get(algorithm[:2]) != key.key_type or declared not in (None, algorithm):
        raise InvalidToken("its algorithm is not its key's")
