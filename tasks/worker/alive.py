"""Is a worker alive? `python -m tasks.worker.alive io` ends with 0, or with 1 and the reason. No name means all here.

A worker process can be up and do nothing: its consumer hangs, or lost its connection and never got it back. So the
parts that must turn say so in a small file, and this command reads it. It imports next to nothing, asks nobody and is
done in some ten milliseconds, so that Kubernetes, systemd or a cron job may call it as often as they like.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path

FOLDER = "var/alive"
# An agent that computes on an io worker holds up its consumer: a restart would not help it, and cost its neighbours.
STALE = 60.0
# While Redis is away a restart does not help and kills the jobs that run. But if it stays away this long, a restart
# costs little, and cures what nobody has thought of.
OUTAGE = 600.0
WIDTH = 20  # bytes of a moment in the file: they are overwritten in place, so that a full disk stops no mark


class Mark(IntEnum):
    """Who says that it turns. The number is the place in the file."""

    CONSUMER = 0  # the loop that takes messages, while it is connected
    KEEPER = 1
    REDIS = 2  # the keeper was answered
    LEASES = 3  # of a gevent worker: with prefork they are renewed in the children
    DRAIN = 4  # the worker was told to stop: it takes no messages any more


class Marks:
    """The file of one worker. Moments are by the machine's monotonic clock, which all its processes share."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        os.pwrite(self._file, b" " * WIDTH * len(Mark), 0)
        for mark in (Mark.CONSUMER, Mark.KEEPER, Mark.REDIS):
            self.touch(mark)

    def touch(self, mark: Mark) -> None:
        """Say that it turned just now."""
        os.pwrite(self._file, b"%-*.3f" % (WIDTH, time.monotonic()), WIDTH * mark)


def path_of(folder: Path, worker: str) -> Path:
    """The file of the worker that Celery calls `io@host`, by the name before the `@`."""
    return folder / f"{worker.partition('@')[0]}.alive"


def why_not(path: Path, stale: float = STALE, outage: float = OUTAGE) -> str:
    """Why the worker is not alive; empty when it is."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"its file cannot be read: {error}"
    now = time.monotonic()
    parts = {mark: content[WIDTH * mark : WIDTH * (mark + 1)].strip() for mark in Mark}
    return _judge({mark: now - float(part) for mark, part in parts.items() if part}, stale, outage)


def _judge(ages: Mapping[Mark, float], stale: float, outage: float) -> str:
    for mark in (Mark.KEEPER, Mark.LEASES):
        if ages.get(mark, 0.0) > stale:
            return f"its {mark.name.lower()} thread stands still since {ages[mark]:.0f} s"
    silent = ages[Mark.CONSUMER]
    if Mark.DRAIN in ages or silent <= stale:
        return ""
    if ages[Mark.REDIS] <= stale:
        return f"Redis answers, but its consumer stands still since {silent:.0f} s"
    return f"it has no connection since {silent:.0f} s" if silent > outage else ""


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Run the command. Returns its exit code."""
    stale = float(environ.get("ALIVE_SECONDS") or STALE)
    outage = float(environ.get("ALIVE_OUTAGE_SECONDS") or OUTAGE)
    folder = Path(environ.get("ALIVE_DIR") or FOLDER)
    names = arguments or [path.stem for path in folder.glob("*.alive")]
    reasons = {name: why_not(path_of(folder, name), stale, outage) for name in names}
    for name, reason in reasons.items():
        if reason:
            print(f"worker {name} is not alive: {reason}", file=sys.stderr)
    if not names:
        print(f"no worker has said anything in {folder}", file=sys.stderr)
    return 1 if any(reasons.values()) or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
