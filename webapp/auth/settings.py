"""The settings of who may do what, and how often."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType

from tasks.jobs.environment import SettingError, setting
from webapp.auth import scopes
from webapp.auth.issuer import is_safe
from webapp.auth.quotas import KINDS, Quotas, rate

# Those whose verifying key is no secret: whoever can verify with another kind can sign, too.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
MOST_LEEWAY = 30  # seconds; clocks that differ more are broken, and an expired token is expired


@dataclasses.dataclass(frozen=True, kw_only=True)
class AccessSettings:
    """A part of the settings of the web side."""

    api_key_scopes: tuple[str, ...] = setting(
        "API_KEY_SCOPES",
        f"What the key of API_KEY may do, of {', '.join(scopes.ALL)}.",
        default=tuple(each for each in scopes.ALL if each in scopes.STATIC),
    )
    oidc_issuer: str = setting(
        "OIDC_ISSUER", "The issuer whose access tokens are accepted, as they spell it; empty: none.", default=""
    )
    oidc_audience: tuple[str, ...] = setting(
        "OIDC_AUDIENCE", "What tokens for this service have as `aud`; needed with `OIDC_ISSUER`.", default=()
    )
    oidc_jwks_url: str = setting(
        "OIDC_JWKS_URL", "Where the issuer's keys are; empty: where its discovery document says.", default=""
    )
    oidc_algorithms: tuple[str, ...] = setting(
        "OIDC_ALGORITHMS", f"The signatures that are accepted, of {', '.join(ALGORITHMS)}.", default=("RS256", "ES256")
    )
    oidc_token_types: tuple[str, ...] = setting(
        "OIDC_TOKEN_TYPES",
        "The `typ` of access tokens. Issuers older than RFC 9068 write `JWT`: then list it, too.",
        default=("at+jwt",),
    )
    oidc_scope_claim: str = setting(
        "OIDC_SCOPE_CLAIM", "The claim with the scopes; `a.b` is the member `b` of the claim `a`.", default="scope"
    )
    oidc_leeway: int = setting(
        "OIDC_LEEWAY_SECONDS", f"How far the issuer's clock may be off; {MOST_LEEWAY} at most.", default=MOST_LEEWAY
    )
    rate_limits: tuple[str, ...] = setting(
        "RATE_LIMITS",
        f"How often each principal may call, as `tier.class=10/minute,…`, with a class of {', '.join(KINDS)}; "
        "`off`: as often as they like. The tier of a key is given when it is made, tokens have the tier `oidc`; what a "
        "tier does not say is as in the tier `default`.",
        # High enough for a busy program, low enough that a loop without a pause is noticed within seconds.
        default=(
            "default.run=3000/minute",
            "default.read=6000/minute",
            "default.infer=3000/minute",
            "default.deploy=60/minute",
            "default.admin=60/minute",
        ),
    )
    address_limit: str = setting(
        "ADDRESS_LIMIT",
        "How often one address may call without a key; `off`: as often as it likes.",
        default="600/minute",
    )
    failure_limit: str = setting(
        "FAILURE_LIMIT", "How many wrong keys one address may send; `off`: as many as it likes.", default="30/minute"
    )
    max_streams: int = setting(
        "MAX_STREAMS", "Most streams that one principal holds open at once; 0 is no limit.", default=500
    )
    token_budgets: Mapping[str, str] = setting(
        "TOKEN_BUDGETS",
        "Tokens that a principal may spend in a month, as `tier:tokens,…`; no limit by default.",
        default=MappingProxyType({}),
    )

    def __post_init__(self) -> None:
        self._check_limits()
        try:
            scopes.known(self.api_key_scopes)
        except ValueError as error:
            raise SettingError(f"API_KEY_SCOPES: {error}") from error
        if self.oidc_issuer:
            self._check_oidc()

    def _check_limits(self) -> None:
        checks: tuple[tuple[str, Callable[[], object]], ...] = (
            ("RATE_LIMITS", lambda: Quotas.read(self.rate_limits)),
            ("ADDRESS_LIMIT", lambda: rate(self.address_limit)),
            ("FAILURE_LIMIT", lambda: rate(self.failure_limit)),
            ("TOKEN_BUDGETS", lambda: [int(each) for each in self.token_budgets.values()]),
        )
        for variable, check in checks:
            try:
                check()
            except ValueError as error:
                raise SettingError(f"{variable}: {error}") from error

    def _check_oidc(self) -> None:
        if not self.oidc_audience:
            # Without it, a token for any other service of the issuer would open this one.
            raise SettingError("OIDC_AUDIENCE is not set: what tokens for this service have as `aud`")
        for variable, url in (("OIDC_ISSUER", self.oidc_issuer), ("OIDC_JWKS_URL", self.oidc_jwks_url)):
            if url and not is_safe(url):
                raise SettingError(f"{variable} must be an https URL (http is for this machine), but is {url!r}")
        if not self.oidc_algorithms or not set(self.oidc_algorithms) <= set(ALGORITHMS):
            raise SettingError(f"OIDC_ALGORITHMS must be of {', '.join(ALGORITHMS)}")
        if not 0 <= self.oidc_leeway <= MOST_LEEWAY:
            raise SettingError(f"OIDC_LEEWAY_SECONDS must be between 0 and {MOST_LEEWAY}")
