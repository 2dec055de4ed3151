"""One line a step, with a sign of life while it takes. Imports the standard library only: the installer uses it."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from types import TracebackType

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
TURN = 0.1  # seconds between two frames of the wheel
PULSE = 1.0  # seconds between two dots, where there is no terminal


class Step:
    """`with Step("starting"):` prints the line, shows that time passes, and says how long it took.

    On a terminal a wheel turns in front of the line, elsewhere dots follow it. `state` may be set meanwhile.
    """

    def __init__(self, what: str) -> None:
        self.state = ""
        self._what = what
        self._begun = time.monotonic()
        self._done = threading.Event()
        self._terminal = sys.stdout.isatty()
        self._sign_of_life = threading.Thread(target=self._turn if self._terminal else self._beat, daemon=True)

    def __enter__(self) -> Step:
        if not self._terminal:
            _write(f"{self._what} ")
        self._sign_of_life.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        took = time.monotonic() - self._begun
        self._done.set()
        self._sign_of_life.join()
        if self._terminal:
            _write(f"\r\033[K{'✗' if kind else '✓'} {self._what} ({took:.1f} s)\n")
        else:
            _write(f" {'failed' if kind else 'done'} ({took:.1f} s)\n")

    def _turn(self) -> None:
        for frame in itertools.cycle(FRAMES):
            _write(f"\r\033[K{frame} {self._what} {self.state} ({time.monotonic() - self._begun:.0f} s)")
            if self._done.wait(TURN):
                return

    def _beat(self) -> None:
        while not self._done.wait(PULSE):
            _write(".")


def _write(text: str) -> None:
    # A terminal that cannot show a sign gets a question mark, not an exception.
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()
