"""What schemathesis cannot know: that a key for idempotency is spent by the request that used it first."""

from __future__ import annotations

import re
import uuid
from typing import Any

import schemathesis

HEADER = "Idempotency-Key"
WELL_FORMED = re.compile(r"[!-~]{1,255}")


@schemathesis.hook
def before_call(_: Any, case: Any, __: Any) -> None:
    """Give each request a key of its own, of the length that it had; what is no key stays what it is."""
    key = (case.headers or {}).get(HEADER, "")
    # Two different requests with one key are refused, as they must be: tests/integration/test_api_idempotency.py.
    if WELL_FORMED.fullmatch(key):
        case.headers[HEADER] = uuid.uuid4().hex + key[32:]
