"""What a file is by its first bytes."""

from __future__ import annotations

import pytest

from webapp.http.content import fits


@pytest.mark.parametrize(
    ("media_type", "head", "expected"),
    [
        ("application/pdf", b"%PDF-1.7\n", True),
        ("application/pdf", b"<script>alert(1)", False),
        ("application/pdf", b"", False),
        ("image/png", b"\x89PNG\r\n\x1a\n....", True),
        ("image/png", b"MZ\x90\x00", False),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK\x03\x04", True),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"\x7fELF", False),
        ("text/plain", b"anything", True),
        ("application/octet-stream", b"%PDF-", True),
    ],
)
def test_a_file_must_begin_like_its_type(media_type: str, head: bytes, expected: bool) -> None:
    assert fits(media_type, head) is expected
