"""Calling an agent's function, whatever its kind: plain, generator, `async def`, async generator."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from tasks.sdk import Agent


def call(agent: Agent, arguments: Mapping[str, Any], on_token: Callable[[str], None]) -> Any:
    """Run an agent to its end. The pieces that it yields go to `on_token`; what it returns is returned.

    A function that yields gives the text of all its pieces. `async def` functions get an event loop of their
    own, which only a prefork child can give: the catalogue refuses them elsewhere.
    """
    made = agent.function(**arguments)
    if inspect.iscoroutine(made):
        return asyncio.run(made)
    if not agent.returns.streams:
        return made
    if isinstance(made, AsyncIterable):
        return asyncio.run(_collect_async(aiter(made), on_token))
    return _collect(made, on_token)


def _collect(pieces: Iterable[str], on_token: Callable[[str], None]) -> str:
    text = []
    try:
        for piece in pieces:
            on_token(piece)
            text.append(piece)
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:  # let an interrupted generator clean up now, not when it is collected
            close()
    return "".join(text)


async def _collect_async(pieces: AsyncIterator[str], on_token: Callable[[str], None]) -> str:
    text = []
    try:
        async for piece in pieces:
            on_token(piece)
            text.append(piece)
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
    return "".join(text)
