"""Agents that behave, each in one way that a test needs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Annotated

from tasks.sdk import AgentError, Artifact, Context, Param, agent


@agent(queue="io", timeout=30)
def echo(text: Annotated[str, Param("What to say")]) -> str:
    """Say it back."""
    return text


@agent(queue="io", timeout=30, cost=2)
def priced(text: Annotated[str, Param("What to say")]) -> str:
    """Say it back, for two credits."""
    return text


@agent(queue="cpu", timeout=30)
def echo_cpu(text: Annotated[str, Param("What to say")]) -> str:
    """Say it back, from a process of its own."""
    return text


@agent(queue="io", timeout=60)
def count(
    context: Context,
    to: Annotated[int, Param("The last number", ge=0)],
    pause: Annotated[float, Param("Seconds before each number", ge=0)] = 0.05,
) -> Iterator[str]:
    """Count, one token a number."""
    for number in range(1, to + 1):
        time.sleep(pause)
        context.progress(number / to, f"at {number}")
        yield f"{number} "


@agent(queue="cpu", timeout=60)
def compute(
    context: Context,
    seconds: Annotated[float, Param("How long", ge=0)],
    cooperative: Annotated[bool, Param("Whether to look for a cancel")] = True,
) -> str:
    """Keep a processor busy."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(10_000))
        if cooperative:
            context.check()
    return f"computed in attempt {context.attempt}"


@agent(queue="io", timeout=60)
def compute_io(context: Context, seconds: Annotated[float, Param("How long", ge=0)]) -> str:
    """Compute where one should only wait: every greenlet of the process stands still."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(10_000))
    return f"computed in attempt {context.attempt}"


@agent(queue="io", timeout=1)
def sleep_too_long() -> str:
    """Wait beyond the time limit."""
    time.sleep(30)
    return "woke up"


@agent(queue="cpu", timeout=1)
def compute_too_long() -> str:
    """Compute beyond the time limit."""
    while True:
        sum(range(10_000))


@agent(queue="cpu", timeout=60)
def write_file(context: Context, megabytes: Annotated[int, Param("Size of the file", ge=0, le=200)] = 1) -> Artifact:
    """Make a file of a known content."""
    return context.artifact("file.bin", (bytes([n % 251]) * 1_048_576 for n in range(megabytes)), "application/pdf")


@agent(queue="io", timeout=30, retry_on=(ConnectionError,))
def fail(context: Context, how: Annotated[str, Param("agent_error, bug or flaky")]) -> str:
    """Fail in a chosen way."""
    if how == "agent_error":
        raise AgentError("The text is in no known language.", code="unknown_language")
    if how == "flaky" and context.attempt < 3:
        raise ConnectionError("the other side hung up")
    if how == "bug":
        raise RuntimeError("a secret detail")
    return f"done in attempt {context.attempt}"


@agent(queue="cpu", timeout=30)
def kill_own_process() -> str:
    """Die with the process, as under the kernel's out-of-memory killer."""
    os.kill(os.getpid(), signal.SIGKILL)
    return "unreachable"


@agent(queue="io", timeout=60)
def talk(context: Context, events: Annotated[int, Param("How many", ge=0)], kind: str = "artifact") -> str:
    """Say very much: files cannot be joined, progress can."""
    for number in range(events):
        if kind == "artifact":
            context.artifact(f"{number}.txt", b"x", "text/plain")
        else:
            context.progress(number / events, f"at {number}")
            time.sleep(0.001)
    return "said"


@agent(queue="cpu", timeout=60)
def talk_cpu(context: Context, events: Annotated[int, Param("How many", ge=0)]) -> str:
    """Say very much, and then compute without listening."""
    for number in range(events):
        context.artifact(f"{number}.txt", b"x", "text/plain")
    return "said"


@agent(queue="io", timeout=30)
def spell(text: Annotated[str, Param("What to say")]) -> Iterator[str]:
    """Say it back, one token a character."""
    for character in text:
        time.sleep(0.002)
        yield character


@agent(queue="io", timeout=30, retry_on=(ConnectionError,))
def stumble(context: Context, text: Annotated[str, Param("What to say")]) -> Iterator[str]:
    """Say half of it, and begin again."""
    if context.attempt == 1:
        yield "half "
        raise ConnectionError("the other side hung up")
    yield text


@agent(queue="cpu", timeout=60)
def steps(context: Context, count: Annotated[int, Param("How many", ge=1)], pause: float = 0.2) -> str:
    """Go step by step; say in which attempt each was done."""
    for number in range(count):
        if context.load(str(number)) is None:
            time.sleep(pause)
            context.save(str(number), context.attempt)
            context.progress((number + 1) / count, f"done {number + 1}")
    return " ".join(str(context.load(str(number))) for number in range(count))
