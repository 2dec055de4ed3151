"""Read what a model takes and gives, and refuse what is none: the web side has no library for it."""

from __future__ import annotations

import dataclasses

import orjson

from tasks.pipelines.description import QUEUE, READ_MODEL, READ_SECONDS
from tasks.sdk import AgentError, Context, File, agent


@agent(name=READ_MODEL, queue=QUEUE, timeout=READ_SECONDS)
def read_model(context: Context, model: File) -> str:
    """Load a model, and say in JSON what its inputs and outputs are."""
    from tasks.pipelines.runtime.sessions import ModelError  # noqa: PLC0415 - only workers have its libraries

    try:
        session = context.model.open(model.read())
    except ModelError as error:
        raise AgentError(f"The model is refused: {error}.", code="invalid_model") from error
    described = {name: list(map(dataclasses.asdict, getattr(session, name))) for name in ("inputs", "outputs")}
    return orjson.dumps(described).decode()
