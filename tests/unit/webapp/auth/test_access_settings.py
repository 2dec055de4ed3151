"""The settings of who may do what."""

from __future__ import annotations

import pytest

from tasks.jobs.environment import load
from webapp.settings import WebSettings

OIDC = {"OIDC_ISSUER": "https://id.example", "OIDC_AUDIENCE": "https://api.example"}


def test_an_issuer_and_an_audience_are_enough() -> None:
    assert load(WebSettings, OIDC).oidc_algorithms == ("RS256", "ES256")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"OIDC_AUDIENCE": ""}, "OIDC_AUDIENCE"),
        ({"OIDC_ISSUER": "http://id.example"}, "OIDC_ISSUER"),
        ({"OIDC_ISSUER": "file:///etc/passwd"}, "OIDC_ISSUER"),
        ({"OIDC_JWKS_URL": "http://id.example/keys"}, "OIDC_JWKS_URL"),
        ({"OIDC_ALGORITHMS": "RS256,HS256"}, "OIDC_ALGORITHMS"),
        ({"OIDC_ALGORITHMS": "none"}, "OIDC_ALGORITHMS"),
        ({"OIDC_LEEWAY_SECONDS": "31"}, "OIDC_LEEWAY_SECONDS"),
    ],
)
def test_what_would_not_be_safe_is_refused_by_name(wrong: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        load(WebSettings, OIDC | wrong)
