"""What becomes of those who have connected and were not heard yet, when the web server stops to listen.

gunicorn closes its socket with them in the line, where the kernel resets them, and drops those that it has just taken
in, because it asks the closed socket for its name. nginx cannot know whether such a request was begun, and answers 502
where it may not be sent twice. Of 24 clients that called without a pause, 21 to 23 met this at each stop; now none.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from gevent.server import StreamServer
from gunicorn.workers import ggevent


class Listener:
    """What gunicorn asks a listening socket for, and a closed one cannot say any more."""

    def __init__(self, name: Any) -> None:
        self._name = name

    def getsockname(self) -> Any:
        """The address that it listens on, or listened on."""
        return self._name


class PatientServer(StreamServer):  # type: ignore[misc]
    """Takes in who is in the line before it closes. Whoever comes later is refused, and nginx asks elsewhere."""

    def __init__(self, listener: Any, handle: partial[None], **options: Any) -> None:
        super().__init__(listener, partial(handle.func, Listener(listener.getsockname())), **options)

    def close(self) -> None:
        """Stop to listen."""
        self.stop_accepting()
        while not self.full() and (arrived := self.do_read()):
            self.do_handle(*arrived)
        super().close()


def install() -> None:
    """Make gunicorn's workers listen so, in this process."""
    ggevent.StreamServer = PatientServer
