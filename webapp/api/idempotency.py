"""`Idempotency-Key`: a POST that is sent again makes no second job."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import orjson
from flask import Flask, Response, g, request
from werkzeug.datastructures import FileStorage

from tasks.jobs import Idempotency, JobGone, KeyReused
from webapp.api.uploads import PIECE, payload_of
from webapp.http.problem import Problem

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
# Visible ASCII: what every proxy hands on unchanged, and room for any UUID or hash.
_VALID = re.compile(r"[!-~]{1,255}", re.ASCII)

PARAMETER = {
    "in": "header",
    "name": HEADER,
    "description": (
        "Names this request (1 to 255 visible ASCII characters). The same key with the same request answers with the "
        "job that the first one made, marked `Idempotency-Replayed: true`; with another request it is refused (422). "
        "A key is kept as long as its job."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "example": "order-2026-0042",
}

# What a POST that takes a key answers besides: its job was deleted since.
ERRORS = (410,)


def init_app(app: Flask) -> None:
    """Let `app` answer what the engine says of keys, and mark the answers of jobs that were there before."""
    app.register_error_handler(KeyReused, _reused)
    app.register_error_handler(JobGone, _gone)
    app.after_request(_mark)


def idempotency_of(values: Mapping[str, Any]) -> Idempotency | None:
    """The key of this request, bound to its route and to what it sends. None: it is no POST, or has no key.

    Raises a `Problem` with 400 for a key that is not well-formed.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return None
    if not _VALID.fullmatch(key):
        raise Problem(400, "invalid_idempotency_key", f"{HEADER} takes 1 to 255 visible ASCII characters.")
    return Idempotency(key, fingerprint(request.path, values))


def fingerprint(path: str, values: Mapping[str, Any]) -> str:
    """What two requests have in common that mean the same: spaces, the order of members and boundaries do not count."""
    canonical = orjson.dumps(payload_of(values, _content), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(path.encode() + b"\0" + canonical).hexdigest()


def mark_replayed() -> None:
    """Say in the answer to this request that its job is not new."""
    g.idempotency_replayed = True


def _content(_: str, file: FileStorage) -> dict[str, Any]:
    digest = hashlib.sha256()
    while piece := file.stream.read(PIECE):
        digest.update(piece)
    file.stream.seek(0)  # it is read again when it is stored
    return {"name": file.filename, "media_type": file.mimetype, "sha256": digest.hexdigest()}


def _reused(_: KeyReused) -> Response:
    detail = f"This {HEADER} was sent with another request before. Use a new one."
    return Problem(422, "idempotency_key_reused", detail).response()


def _gone(_: JobGone) -> Response:
    return Problem(410, "job_gone", f"The job that this {HEADER} made has been deleted.").response()


def _mark(response: Response) -> Response:
    if g.get("idempotency_replayed"):
        response.headers[REPLAYED] = "true"
    return response
