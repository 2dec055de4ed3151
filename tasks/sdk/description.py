"""The description of an agent: the one thing that its URL, its document and its worker are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.sdk.binding import OpenFile, bind
from tasks.sdk.declaration import Cost, Together
from tasks.sdk.encoding import encode_result
from tasks.sdk.parameters import Parameter
from tasks.sdk.returns import Returns
from tasks.sdk.setups import Setup, run_setup


# Compared and hashed by identity: there is one description for each agent.
@dataclass(frozen=True, kw_only=True, eq=False)
class Agent:
    """What is known of an agent. `source` is `file:line`, `timeout` is in seconds."""

    name: str
    summary: str
    description: str
    queue: str
    timeout: float
    parameters: tuple[Parameter, ...]
    returns: Returns
    takes_context: bool
    is_async: bool
    setup: Setup | None
    retry_on: tuple[type[Exception], ...]
    cost: Cost | None
    together: Together | None
    function: Callable[..., Any]
    source: str

    def bind(self, payload: Mapping[str, Any], open_file: OpenFile) -> dict[str, Any]:
        """Return the keyword arguments that a JSON payload stands for. Raises `PayloadError`, a `ValueError`."""
        return bind(self.parameters, payload, open_file)

    def encode(self, value: Any) -> Any:
        """Return the JSON value of what the function returned. Raises `ResultError`."""
        return encode_result(value, self.returns)

    def prepare(self, settings: Mapping[str, str]) -> Any:
        """Call the setup function, with the settings when it takes them. Its answer becomes `context.model`."""
        return run_setup(self.setup, settings)
