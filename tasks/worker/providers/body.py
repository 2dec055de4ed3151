"""The body of an answer, read as it comes, and the connection behind it given back or dropped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from http.client import HTTPException

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from tasks.worker.providers.failures import TOO_LARGE, fail, judge_break

# As much as one read of a socket returns; a piece of a stream is far smaller and comes at once.
_READ = 64 * 1024

# The largest answer that is taken. The longest that an agent may ask for, 4,000 tokens, has about 20 KB.
MAX_ANSWER = 16 * 1024 * 1024

# The end of the body follows the last event at once; a server that dawdles costs its connection, not our time.
_GRACE = 0.25

_READ_ERRORS = (HTTPError, HTTPException, OSError, ValueError)


class Body:
    """The unread body of one answer. One reader; `close` may be called from anywhere, also while it reads."""

    def __init__(self, response: BaseHTTPResponse) -> None:
        self._response = response
        # Decoding is passed by where there is nothing to decode: it is a third of what reading a stream costs.
        self._encoded = "content-encoding" in response.headers
        self._reading = False
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield what comes when it comes. Ends early, and quietly, after `close`."""
        left = MAX_ANSWER
        while piece := self._read():
            left -= len(piece)
            if left < 0:
                self.close()
                raise fail(TOO_LARGE, f"more than {MAX_ANSWER} bytes")
            yield piece

    def read(self) -> bytes:
        """Return all of it, and give the connection back."""
        try:
            return b"".join(self)
        finally:
            self.close()

    def finish(self) -> None:
        """Read the little that is left behind an answer, so that its connection can be used again; then close."""
        with contextlib.suppress(*_READ_ERRORS):
            sock = getattr(self._response.connection, "sock", None)
            if sock is not None:
                sock.settimeout(_GRACE)  # urllib3 sets its own again for the next request
                self._response.read1(_READ, decode_content=self._encoded)
                self._response.read1(_READ, decode_content=self._encoded)
        self.close()

    def close(self) -> None:
        """Give the connection back, or drop it when there is more to come on it. Safe to call twice."""
        self.closed = True
        if self._reading:
            # The socket belongs to the reader: it is woken, finds the end, and closes the rest itself.
            with contextlib.suppress(*_READ_ERRORS, RuntimeError):
                self._response.shutdown()
            return
        with contextlib.suppress(*_READ_ERRORS):
            self._response.close()
        self._response.release_conn()

    def _read(self) -> bytes:
        if self.closed:
            return b""
        self._reading = True
        try:
            piece = self._response.read1(_READ, decode_content=self._encoded)
        except _READ_ERRORS as error:
            if self.closed:
                return b""
            raise judge_break(error) from error
        finally:
            self._reading = False
            if self.closed:
                self.close()
        return b"" if self.closed else piece
