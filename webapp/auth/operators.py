"""What only an operator may do."""

from __future__ import annotations

from webapp.auth.principals import current_principal
from webapp.http.problem import Problem

ADMIN = "admin"


def require_operator() -> None:
    """Refuse the request with 403 unless its key is the environment's own, or has the scope `admin`.

    `*` is not enough: it means everything that is the caller's own, and this is about everybody's jobs.
    """
    principal = current_principal()
    if principal.kind != "static" and ADMIN not in principal.scopes:
        raise Problem(403, "forbidden", "This needs a key with the scope `admin`.")
