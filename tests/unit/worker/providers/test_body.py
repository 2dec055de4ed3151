"""The body of an answer, as it comes from the connection."""

from __future__ import annotations

import gzip
from io import BytesIO

import pytest
from urllib3 import HTTPResponse

from tasks.worker.providers.body import Body

SAID = b'data: {"choices": []}\n\n' * 3


@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        (SAID, {}),
        (gzip.compress(SAID), {"Content-Encoding": "gzip"}),  # not asked for, but gateways do it
    ],
    ids=["plain", "gzip"],
)
def test_a_body_is_read_as_it_was_said(sent: bytes, headers: dict[str, str]) -> None:
    response = HTTPResponse(BytesIO(sent), headers=headers, preload_content=False)
    assert Body(response).read() == SAID
