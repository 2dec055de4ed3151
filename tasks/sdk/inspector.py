"""Turn a marked function into its description."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from tasks.sdk.answers import is_async, read_returns
from tasks.sdk.declaration import Declaration, locate
from tasks.sdk.description import Agent
from tasks.sdk.faults import Fault, FaultLog
from tasks.sdk.options import check_cost, check_options, check_queue
from tasks.sdk.signature import read_parameters


def describe(
    function: Callable[..., Any], declared: Declaration, queues: Mapping[str, str], faults: list[Fault]
) -> Agent | None:
    """Return the description of a marked function, or None after adding its faults to `faults`."""
    log, before = FaultLog(locate(function), str(declared.name), faults=faults), len(faults)
    if not inspect.isfunction(function):
        log.note(f"is a {type(function).__name__}, not a function", "put @agent on a function made with `def`")
        return None
    check_options(declared, log)
    check_queue(declared, function, queues, log)
    parameters, takes_context = read_parameters(function, log)
    returns = read_returns(function, log)
    check_cost(declared, returns, log)
    if returns is None or len(faults) > before:
        return None
    summary, description = read_docstring(function)
    return Agent(
        name=declared.name,
        summary=summary or declared.name.replace("_", " ").capitalize(),
        description=description,
        queue=declared.queue,
        timeout=float(declared.timeout),
        parameters=parameters,
        returns=returns,
        takes_context=takes_context,
        is_async=is_async(function),
        setup=declared.setup,
        retry_on=tuple(declared.retry_on),
        cost=declared.cost,
        together=declared.together,
        function=function,
        source=log.source,
    )


def read_docstring(function: Callable[..., Any]) -> tuple[str, str]:
    """Return the first line of a docstring, and the rest."""
    summary, _, description = (inspect.getdoc(function) or "").partition("\n")
    return summary.strip(), description.strip()
