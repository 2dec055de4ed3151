"""What schemathesis cannot know of this service."""

from __future__ import annotations

import re
import uuid
from typing import Any

import schemathesis

# Any bytes: what is in a batch of records is for the tests of the pipelines.
schemathesis.serializer.alias("application/vnd.apache.arrow.file", "application/octet-stream")

HEADER = "Idempotency-Key"
WELL_FORMED = re.compile(r"[!-~]{1,255}")


@schemathesis.hook
def before_call(_: Any, case: Any, __: Any) -> None:
    """Give each request a key of its own, of the length that it had; what is no key stays what it is."""
    key = (case.headers or {}).get(HEADER, "")
    # Two different requests with one key are refused, as they must be: tests/integration/test_api_idempotency.py.
    if WELL_FORMED.fullmatch(key):
        case.headers[HEADER] = uuid.uuid4().hex + key[32:]
