"""Failures are sorted, and told to the caller without anything that is not theirs."""

from __future__ import annotations

import ssl

import pytest
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from tasks.worker.providers.failures import UpstreamError, hide, judge_exception, judge_status

CONNECTION = HTTPConnection("models.internal")
POOL = HTTPConnectionPool("models.internal")


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 413, 422])
def test_a_request_that_is_wrong_stays_wrong(status: int) -> None:
    verdict = judge_status(status, "no")
    assert verdict.error.permanent
    assert not verdict.passing


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(status: int) -> None:
    verdict = judge_status(status, "busy", retry_after=3.0)
    assert verdict.passing
    assert not verdict.error.permanent
    assert verdict.retry_after == 3.0


@pytest.mark.parametrize("status", [408, 501, 529])
def test_other_troubles_are_neither_repeated_nor_permanent(status: int) -> None:
    verdict = judge_status(status, "")
    assert not verdict.passing
    assert not verdict.error.permanent


def test_an_account_without_quota_is_not_asked_again() -> None:
    verdict = judge_status(429, '{"error": {"code": "insufficient_quota"}}')
    assert verdict.error.permanent
    assert not verdict.passing


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (NewConnectionError(CONNECTION, "refused"), True),
        (NameResolutionError("models.internal", CONNECTION, OSError()), True),  # type: ignore[arg-type]
        (ConnectTimeoutError(), True),
        (ProtocolError("Connection aborted."), True),
        (ReadTimeoutError(POOL, "/v1", "timed out"), False),
        (SSLError(ssl.SSLError("handshake failure")), True),
        (SSLError(ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED")), False),
        (HTTPError("something else"), False),
    ],
)
def test_a_connection_that_failed_is_tried_again_where_nothing_was_answered(error: HTTPError, passing: bool) -> None:
    verdict = judge_exception(error)
    assert verdict.passing == passing
    assert verdict.error.__cause__ is error
    assert verdict.error.code == "provider_error"
    assert "models.internal" not in verdict.error.detail


def test_the_caller_does_not_read_what_the_server_said() -> None:
    error = judge_status(500, "Traceback: /srv/model.py").error
    assert "Traceback" not in error.detail
    assert "Traceback" in str(error.__cause__)


def test_a_key_is_shown_to_nobody() -> None:
    hide("sk-very-secret", "", "x")
    assert str(UpstreamError("Incorrect key sk-very-secret, next")) == "Incorrect key ***, next"
