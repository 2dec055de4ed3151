"""What a file is by its first bytes, for those types whose first bytes tell."""

from __future__ import annotations

from collections.abc import Mapping

# As many bytes as the longest of these needs.
HEAD = 16

SIGNATURES: Mapping[str, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "application/zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "application/gzip": (b"\x1f\x8b",),
}
# What the formats of office programs are inside.
ZIPPED = "application/vnd.openxmlformats-officedocument."


def fits(media_type: str, head: bytes) -> bool:
    """Whether a file that begins with `head` can be of this type. Types without a signature cannot be told: True."""
    kind = "application/zip" if media_type.startswith(ZIPPED) else media_type
    signatures = SIGNATURES.get(kind)
    return signatures is None or head.startswith(signatures)
