"""What the processes of a stack write, line by line in one stream, as honcho shows it."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from honcho.colour import get_colours
from honcho.printer import Message, Printer


class Output:
    """Follows log files. A log on disk outlives its process, and nobody waits for a reader as with a pipe."""

    def __init__(self, logs: Mapping[str, Path]) -> None:
        self._printer = Printer(sys.stdout, width=max(map(len, logs)))
        self._logs = [
            _Log(name, path, colour) for (name, path), colour in zip(logs.items(), get_colours(), strict=False)
        ]

    def show(self) -> None:
        """Print the lines that came since the last time."""
        now = datetime.datetime.now()
        for log in self._logs:
            for line in log.lines():
                self._printer.write(Message("line", line, now, log.name, log.colour))


class _Log:
    def __init__(self, name: str, path: Path, colour: str) -> None:
        self.name = name
        self.colour = colour
        self._path = path
        self._read = 0

    def lines(self) -> Iterator[bytes]:
        """The whole lines that were not given yet."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._read += len(line)
                yield line
