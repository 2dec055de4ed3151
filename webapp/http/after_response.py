"""Do something after an answer has left, knowing whether all of it did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus

from flask import Response

from tasks.jobs import logs

Callback = Callable[[bool], None]

log = logs.get_logger(__name__)


def after_response(response: Response, callback: Callback) -> Response:
    """Call `callback(delivered)` exactly once, when the server is done with the body of `response`.

    `delivered` is True when every byte of a whole answer was handed to the server and taken: not after a HEAD,
    not for a part (206) or an error, not when the caller has gone or the body failed half-way. It does not say that
    the bytes have arrived: what fits into the buffers on the way is taken before a reset is seen.

    The callback runs outside of the request's context, after the caller has its answer. What it raises is logged.
    """
    whole = response.status_code < HTTPStatus.BAD_REQUEST and response.status_code != HTTPStatus.PARTIAL_CONTENT
    if response.content_length is None and response.is_sequence:
        response.content_length = response.calculate_content_length()
    body = _Body(
        response.iter_encoded(), response.response, response.content_length, callback if whole else _never(callback)
    )
    # A passed-through file never closes its response, so its end is never seen.
    response.direct_passthrough = False
    # Whoever read the body into memory on its way would make it look delivered.
    response.implicit_sequence_conversion = False
    response.response = body
    return response


def _never(callback: Callback) -> Callback:
    return lambda _: callback(False)


class _Body:
    """The body of an answer. The server asks for a piece when it has taken the one before, and closes at the end."""

    __slots__ = ("_callback", "_ended", "_expected", "_handed", "_pieces", "_source")

    def __init__(
        self, pieces: Iterator[bytes], source: Iterable[object], expected: int | None, callback: Callback
    ) -> None:
        self._pieces = pieces
        self._source = source
        self._expected = expected
        self._handed = 0
        self._ended = False
        self._callback: Callback | None = callback

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = next(self._pieces)
        except StopIteration:
            self._ended = True
            raise
        self._handed += len(piece)
        return piece

    def close(self) -> None:
        callback, self._callback = self._callback, None
        if callback is None:
            return
        self._close_source()
        try:
            callback(self._ended and self._expected in (None, self._handed))
        except Exception:
            log.exception("after_response.failed")

    def _close_source(self) -> None:
        close = getattr(self._source, "close", None)
        try:
            if close is not None:
                close()
        except Exception:
            log.exception("after_response.close_failed")

    def __del__(self) -> None:
        # An answer that another one replaced (a later hook failed) never reaches the server.
        self.close()
