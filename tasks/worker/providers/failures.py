"""Say what went wrong with the model server: a sentence for the caller, the cause for the log.

The caller never reads an address, a key or what the server wrote; the log reads all of it but the secrets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProtocolError, ReadTimeoutError, SSLError

from tasks import metrics
from tasks.jobs import logs
from tasks.sdk.errors import ProviderError

log = logs.get_logger(__name__)

# A try may succeed where the one before it met one of these.
PASSING = frozenset({429, 500, 502, 503, 504})

# Client errors that are about the moment and not about the request.
_NOT_PERMANENT = frozenset({408, 409, 425, 429})

_REFUSALS = {
    400: "The model server refused the request (400).",
    401: "The model server did not accept its key (401).",
    403: "The model server does not allow this (403).",
    404: "The model server does not know the model or the address (404).",
    413: "The request is too large for the model server (413).",
    422: "The model server refused the request (422).",
    429: "The model server is over its limit (429).",
}

UNREACHABLE = "The model server cannot be reached."
UNTRUSTED = "No secure connection to the model server could be made."
BROKEN = "The connection to the model server broke before it answered."
SILENT = "The model server did not answer in time."
CUT_SHORT = "The model server's answer was cut short."
UNREADABLE = "The model server's answer could not be understood."
TOO_LARGE = "The model server's answer is too large."
REPORTED = "The model server reported an error while it answered."
FILTERED = "The model server's content filter stopped the answer."

# The same for the metrics; an answer that is an error goes by its status.
REASONS = {
    UNREACHABLE: "unreachable",
    UNTRUSTED: "untrusted",
    BROKEN: "broken",
    SILENT: "silent",
    CUT_SHORT: "cut_short",
    UNREADABLE: "unreadable",
    TOO_LARGE: "too_large",
    REPORTED: "reported",
    FILTERED: "filtered",
}


# Keys and passwords that this process uses. A server may echo them in its errors, and errors are logged.
_secrets: set[str] = set()

# A local server's key may be "x"; hiding every x would make the log unreadable and nothing safer.
_SHORTEST_SECRET = 6


def hide(*secrets: str) -> None:
    """Never show these again, in no `UpstreamError`."""
    _secrets.update(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)


class UpstreamError(Exception):
    """What the model server itself said, with our secrets taken out; for the log and for `__cause__` only."""

    def __init__(self, said: str) -> None:
        for secret in _secrets:
            said = said.replace(secret, "***")
        super().__init__(said)


@dataclass(frozen=True)
class Verdict:
    """A failed try: the error to raise, and whether (and when) another try makes sense."""

    error: ProviderError
    reason: str
    passing: bool = False
    retry_after: float | None = None


def make_error(detail: str, cause: BaseException | None = None, *, permanent: bool = False) -> ProviderError:
    """Build the error that the caller reads, with the cause that the log reads."""
    error = ProviderError(detail, permanent=permanent)
    error.__cause__ = cause
    return error


def fail(detail: str, cause: object = None, *, permanent: bool = False) -> ProviderError:
    """Log a failure in the middle of an answer and return the error to raise."""
    error = make_error(detail, _as_exception(cause), permanent=permanent)
    log.warning("provider.failed", error=error, cause=repr(error.__cause__))
    metrics.PROVIDER_FAILURES.add(REASONS[detail])
    return error


def judge_status(status: int, said: str, retry_after: float | None = None) -> Verdict:
    """Judge an answer whose status is not 200; `said` is its body, or the beginning of it."""
    cause = UpstreamError(f"HTTP {status}: {said}")
    # A used-up account answers 429 too, and stays used up however often it is asked.
    exhausted = status == 429 and "insufficient_quota" in said  # noqa: PLR2004 (a status)
    permanent = exhausted or (300 <= status < 500 and status not in _NOT_PERMANENT)  # noqa: PLR2004 (statuses)
    detail = _REFUSALS.get(status, f"The model server failed ({status}).")
    passing = status in PASSING and not permanent
    return Verdict(make_error(detail, cause, permanent=permanent), str(status), passing, retry_after)


def judge_exception(error: Exception) -> Verdict:
    """Judge a try that ended without any answer."""
    if isinstance(error, ReadTimeoutError):
        # Not tried again: the model may still be at work on it, and a second request would double its load.
        return Verdict(make_error(SILENT, error), REASONS[SILENT])
    if isinstance(error, (NewConnectionError, ConnectTimeoutError)):
        return Verdict(make_error(UNREACHABLE, error), REASONS[UNREACHABLE], passing=True)
    if isinstance(error, SSLError):
        untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
        return Verdict(make_error(UNTRUSTED, error, permanent=untrusted), REASONS[UNTRUSTED], passing=not untrusted)
    return Verdict(make_error(BROKEN, error), REASONS[BROKEN], passing=isinstance(error, (ProtocolError, OSError)))


def judge_break(error: Exception) -> ProviderError:
    """Judge an answer that began and did not end."""
    return fail(SILENT if isinstance(error, ReadTimeoutError) else CUT_SHORT, error)


def _as_exception(cause: Any) -> BaseException | None:
    if cause is None or isinstance(cause, BaseException):
        return cause
    return UpstreamError(str(cause))
