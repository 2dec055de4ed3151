"""Signatures as Standard Webhooks has them (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import hashlib
import hmac

PREFIX = "whsec_"


def secret_of(service_secret: str, owner: str) -> bytes:
    """The secret of one principal: from its own it can tell nothing of the others'."""
    return hmac.digest(service_secret.encode(), b"webhook\0" + owner.encode(), hashlib.sha256)


def shown(secret: bytes) -> str:
    """A secret as the libraries of receivers take it."""
    return PREFIX + base64.b64encode(secret).decode()


def signed_headers(secret: bytes, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that let the receiver check who sent this body, and when."""
    signature = hmac.digest(secret, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
