"""Agents that say what they were given."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Annotated, Literal

from tasks.sdk import Artifact, Context, File, Param, agent


@dataclass
class Options:
    """A record in a form."""

    depth: Annotated[int, Param("How deep", ge=1, le=5)] = 2
    note: Annotated[str | None, Param("A short note", max_length=40)] = None


@agent(queue="io", timeout=30)
def every_kind(
    *,
    words: Annotated[str, Param("Any text")],
    whole: Annotated[int, Param("A count", ge=1, le=10)],
    size: Literal["small", "large"],
    lines: Annotated[list[int], Param("Some numbers")],
    yes: bool = False,
    maybe: bool | None = None,
    number: Annotated[float | None, Param("A number", ge=0)] = None,
    options: Options | None = None,
) -> str:
    """Say what arrived, with `code` in the summary."""
    found = {name: value for name, value in locals().items() if value is not None}
    return json.dumps(found, default=dataclasses.asdict, sort_keys=True)


@agent(queue="io", timeout=30)
def every_file(
    first: Annotated[File, Param("One file")], others: list[File] | None = None, times: Annotated[int, Param(ge=1)] = 1
) -> str:
    """Say how long the files are."""
    return ", ".join(f"{each.name}: {each.size * times}" for each in (first, *(others or [])))


@agent(queue="cpu", timeout=30)
def picture(context: Context) -> Artifact:
    """Make a picture."""
    shape = b'<rect width="40" height="40" fill="teal"/>'
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">%s</svg>' % shape
    return context.artifact("picture.svg", [svg], "image/svg+xml")
