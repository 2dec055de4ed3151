"""What a file is by its first bytes, for those types whose first bytes tell."""

from __future__ import annotations

from collections.abc import Mapping

# As many bytes as the longest of these needs.
HEAD = 16

ZIP = "application/zip"
SIGNATURES: Mapping[str, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    ZIP: (b"PK\x03\x04", b"PK\x05\x06"),
    "application/gzip": (b"\x1f\x8b",),
}
# What the formats of office programs are inside.
ZIPPED = "application/vnd.openxmlformats-officedocument."


def type_of(head: bytes) -> str | None:
    """What a file that begins with `head` is, when its first bytes tell. A ZIP may be many things, so they do not."""
    told = (kind for kind, signatures in SIGNATURES.items() if head.startswith(signatures) and kind != ZIP)
    return next(told, None)


def fits(media_type: str, head: bytes) -> bool:
    """Whether a file that begins with `head` can be of this type. Types without a signature cannot be told: True."""
    kind = ZIP if media_type.startswith(ZIPPED) else media_type
    signatures = SIGNATURES.get(kind)
    return signatures is None or head.startswith(signatures)
