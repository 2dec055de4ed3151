"""Which agents take files."""

from __future__ import annotations

from tasks.sdk import Agent, ListOf, ParameterType, Upload


def takes_files(agent: Agent) -> bool:
    """Whether the agent's input must come as a multipart form."""
    return any(is_upload(parameter.type) for parameter in agent.parameters)


def is_upload(kind: ParameterType) -> bool:
    """Whether values of this type are files, or lists of them."""
    return isinstance(kind, Upload) or (isinstance(kind, ListOf) and is_upload(kind.item.type))
