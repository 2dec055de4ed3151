"""Send artifacts: streamed from the store, resumable, and named so that nothing runs by itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from http import HTTPStatus

from flask import Response, request

from tasks.jobs import ArtifactInfo, ArtifactStore, Job
from webapp.http.disposition import Disposition, content_disposition
from webapp.http.problem import Problem
from webapp.http.ranges import Selection, select

PDF = "application/pdf"
UNKNOWN = "application/octet-stream"
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,64}(; ?[\w-]{1,32}=[\w-]{1,64})?", re.ASCII)


class TruncatedError(OSError):
    """The store gave less than it promised. Raised in the body: the connection breaks, and the caller sees it."""


def send_artifact(
    store: ArtifactStore, info: ArtifactInfo, *, job: Job, disposition: Disposition, filename: str
) -> Response:
    """Answer the current request with an artifact, or with the part that it asks for.

    Raises a `Problem` with 410 when its bytes are gone, 412 or 416 when the request's conditions do not fit.
    Only PDF is ever shown inline: whatever else a model may have written is saved, not run.
    """
    size = None if info.removed else store.stat(info.key)
    if size is None:
        raise gone()
    etag = etag_of(info.key, size)
    part = select(request, etag, size)
    response = Response(_body(store, info.key, part), part.status)
    response.headers.update(
        {
            "ETag": f'"{etag}"',
            "Accept-Ranges": "bytes",
            # It belongs to its owner, and may be removed: a cache has to ask again.
            "Cache-Control": "private, no-cache",
            # A proxy that spooled it would take the last byte long before the caller has it.
            "X-Accel-Buffering": "no",
            "X-Content-Type-Options": "nosniff",
            "X-Job-ID": job.id,
        }
    )
    _describe(response, info, part, size)
    _name(response, disposition, filename)
    return response


def etag_of(key: str, size: int) -> str:
    """A strong validator: what is stored under a key is never written again."""
    return hashlib.sha256(f"{key}\0{size}".encode()).hexdigest()[:32]


def gone() -> Problem:
    """The answer for an artifact that was there once."""
    return Problem(410, "artifact_gone", "This file has been removed.")


def _describe(response: Response, info: ArtifactInfo, part: Selection, size: int) -> None:
    if part.status == HTTPStatus.NOT_MODIFIED:
        del response.headers["Content-Type"]
        return
    response.headers["Content-Type"] = info.media_type if _MEDIA_TYPE.fullmatch(info.media_type) else UNKNOWN
    response.content_length = part.end - part.start
    if part.status == HTTPStatus.PARTIAL_CONTENT:
        response.headers["Content-Range"] = part.content_range(size)


def _name(response: Response, disposition: Disposition, filename: str) -> None:
    shown = disposition == "inline" and response.mimetype == PDF
    response.headers["Content-Disposition"] = content_disposition("inline" if shown else "attachment", filename)
    if not shown:
        # Should a browser open it nevertheless. Not for PDF, whose viewer does not work in a sandbox.
        response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"


def _body(store: ArtifactStore, key: str, part: Selection) -> Iterator[bytes]:
    if request.method == "HEAD" or part.start == part.end:
        return iter(())
    try:
        # Opened before the answer begins: what was removed since `stat` is still a clean 410.
        pieces = store.open(key, part.start, part.end)
    except FileNotFoundError:
        raise gone() from None
    return _whole(pieces, part.end - part.start)


def _whole(pieces: Iterator[bytes], length: int) -> Iterator[bytes]:
    for piece in pieces:
        length -= len(piece)
        yield piece
    if length:
        raise TruncatedError(f"{length} bytes are missing")
