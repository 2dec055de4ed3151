"""Import the modules of a package, and say why one cannot be imported."""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType

from tasks.sdk.declaration import shorten
from tasks.sdk.faults import Fault


def import_modules(package: str, faults: list[Fault]) -> Iterator[ModuleType]:
    """Yield the modules of a package in the order of their names. Folders and names with a leading `_` are left out."""
    root = _import(package, "", faults)
    for found in pkgutil.iter_modules(getattr(root, "__path__", ())):
        if found.ispkg or found.name.startswith("_"):
            continue
        module = _import(f"{package}.{found.name}", package, faults)
        if module is not None:
            yield module


def _import(name: str, package: str, faults: list[Fault]) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        faults.append(Fault(_place(name, error), f"cannot be imported ({reason})", _fix(error, package)))
        return None


def _fix(error: BaseException, package: str) -> str:
    library = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if library and library != package.partition(".")[0]:
        needed = f"{package.replace('.', '/')}/requirements.in"
        return f"import {library} in the agent's setup function, which only workers call, and list it in {needed}"
    return "correct it; what is slow or needs a heavy library belongs in the agent's setup function"


def _place(name: str, error: BaseException) -> str:
    """Return the line of the module that failed, or its first when the fault is nowhere in it."""
    file = _file(name)
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shorten(error.filename)}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f"{shorten(file)}:{lines[-1] if lines else 1}"


def _file(name: str) -> str:
    try:
        spec = find_spec(name)
    except Exception:  # Its package cannot be imported either.
        spec = None
    return spec.origin if spec and spec.origin else name
