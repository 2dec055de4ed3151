"""Whether a credential that opened something long still stands: for what stays open longer than a request."""

from __future__ import annotations

import time

from redis.exceptions import RedisError

from webapp.auth.principals import Principal
from webapp.services import services


def is_live(principal: Principal) -> bool:
    """Whether the credential of `principal` is neither over nor revoked. While Redis does not answer, it stands."""
    if principal.expires_at is not None and time.time() >= principal.expires_at:
        return False
    if not principal.key_id:
        return True
    try:
        record = services().keys.find(principal.key_id)
    except RedisError:
        return True
    return record is not None and not record.expired
