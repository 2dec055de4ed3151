"""A package of agents, written to a folder and loaded as the application loads its own."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tasks.sdk import Agent, Catalogue, CatalogueError, Fault

QUEUES = {"io": "gevent", "cpu": "prefork"}

LoadAgents = Callable[..., Catalogue]
_numbers = itertools.count(1)


@pytest.fixture
def load_agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoadAgents]:
    """Write modules, given as `name="source"`, and load their agents."""
    package = f"agents_of_test_{next(_numbers)}"
    monkeypatch.syspath_prepend(tmp_path)

    def load(**modules: str) -> Catalogue:
        (tmp_path / package).mkdir()
        for name, source in {"__init__": "", **modules}.items():
            (tmp_path / package / f"{name}.py").write_text(dedent(source), encoding="utf-8")
        return Catalogue.load(package, QUEUES)

    yield load
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]


@pytest.fixture
def load_agent(load_agents: LoadAgents) -> Callable[[str], Agent]:
    """Load the one agent of a source, which need not import the SDK."""

    def load(source: str) -> Agent:
        (found,) = load_agents(module=PREAMBLE + dedent(source)).values()
        return found

    return load


@pytest.fixture
def faults_of(load_agents: LoadAgents) -> Callable[[str], tuple[Fault, ...]]:
    """Return the faults of a source that must have some."""

    def load(source: str) -> tuple[Fault, ...]:
        with pytest.raises(CatalogueError) as refused:
            load_agents(module=PREAMBLE + dedent(source))
        return refused.value.faults

    return load


PREAMBLE = """\
from __future__ import annotations
import dataclasses, datetime, enum, pathlib, typing
from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Annotated, Any, List, Literal, Optional, Union
from tasks.sdk import *
"""
