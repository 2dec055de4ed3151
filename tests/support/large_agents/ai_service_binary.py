"""A PDF of a chosen size, as far as its first bytes go."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.sdk import Artifact, Context, agent

MEBIBYTE = 1_048_576


def content(mebibytes: int) -> Iterator[bytes]:
    """The file's content, a different byte in each mebibyte."""
    yield b"%PDF-1.7"
    for number in range(mebibytes):
        yield bytes([number % 251]) * MEBIBYTE


@agent(queue="cpu", timeout=60)
def ai_service_binary(context: Context, param1: str, param2: str | None = None) -> Artifact:
    """Make a file of as many mebibytes as `param1` says."""
    return context.artifact("result.pdf", content(int(param1)), "application/pdf")


@agent
def ai_service(param1: str, param2: str | None = None) -> str:
    """Say it back."""
    return param1
