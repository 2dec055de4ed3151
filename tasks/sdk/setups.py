"""The function that an agent loads its model with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Setup: TypeAlias = Callable[..., Any]


def run_setup(setup: Setup | None, settings: Mapping[str, str]) -> Any:
    """Call a setup function, with the settings when it has a parameter of that name."""
    return setup(**_arguments(setup, settings)) if setup else None


def is_setup(setup: Any) -> bool:
    """Say whether `run_setup` can call it."""
    if not callable(setup) or inspect.iscoroutinefunction(setup) or inspect.isgeneratorfunction(setup):
        return False
    try:
        inspect.signature(setup).bind(**_arguments(setup, {}))
    except TypeError:
        return False
    except ValueError:  # Some built-in functions do not tell their parameters.
        return True
    return True


def _arguments(setup: Setup, settings: Mapping[str, str]) -> dict[str, Any]:
    try:
        return {"settings": settings} if "settings" in inspect.signature(setup).parameters else {}
    except ValueError:
        return {}
