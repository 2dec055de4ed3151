"""Agents that note outside of the system what they do, for the fault loops to compare with what it says."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Annotated

from tasks.sdk import Artifact, Context, Param, agent


def note(context: Context, what: str) -> None:
    """Append a line, whole or not at all: `what job attempt moment`."""
    path = context.settings.get("NOTES")
    if path:
        line = f"{what} {context.job_id} {context.attempt} {time.time():.3f}\n"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(file, line.encode())
        os.close(file)


@agent(queue="io", timeout=60)
def tell(
    context: Context,
    to: Annotated[int, Param("The last number", ge=1)],
    pause: Annotated[float, Param("Seconds before each number", ge=0)] = 0.05,
) -> Iterator[str]:
    """Count, one token a number."""
    note(context, "start")
    for number in range(1, to + 1):
        time.sleep(pause)
        yield f"{number} "
    note(context, "end")


@agent(queue="cpu", timeout=60)
def print_file(
    context: Context,
    to: Annotated[int, Param("Lines of the file", ge=1)],
    pause: Annotated[float, Param("Seconds that it takes", ge=0)] = 0.1,
) -> Artifact:
    """Make a file of a known content."""
    note(context, "start")
    time.sleep(pause)
    artifact = context.artifact("file.txt", (b"a line\n" for _ in range(to)), "text/plain")
    note(context, "end")
    return artifact
