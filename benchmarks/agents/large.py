"""An agent that makes a large file, piece by piece."""

from collections.abc import Iterator
from typing import Annotated

from tasks.sdk import Artifact, Context, Param, agent

PIECE = bytes(range(256)) * 4096  # 1 MiB


@agent(queue="io", timeout=300)
def large(context: Context, mebibytes: Annotated[int, Param("How large", ge=1, le=1024)] = 100) -> Artifact:
    """Make a file of that size."""

    def pieces() -> Iterator[bytes]:
        for _ in range(mebibytes):
            yield PIECE

    return context.artifact("large.bin", pieces(), "application/octet-stream")
