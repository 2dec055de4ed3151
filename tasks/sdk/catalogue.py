"""Every agent of a package, by name. A package with a fault is refused as a whole, with all its faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from tasks.sdk.declaration import Declaration, declaration_of, locate
from tasks.sdk.description import Agent
from tasks.sdk.faults import CatalogueError, Fault
from tasks.sdk.inspector import describe
from tasks.sdk.modules import import_modules

Marked = tuple[Callable[..., Any], Declaration]


class Catalogue(Mapping[str, Agent]):
    """The agents that are served, in the order of their names."""

    def __init__(self, agents: Iterable[Agent]) -> None:
        self._agents = {agent.name: agent for agent in sorted(agents, key=lambda agent: agent.name)}

    @classmethod
    def load(cls, packages: str | Sequence[str], queues: Mapping[str, str]) -> Catalogue:
        """Find the agents in the modules of one or more packages. `queues` names the pool of each queue.

        Raises `CatalogueError` with everything that is wrong with any of them.
        """
        faults: list[Fault] = []
        names = [packages] if isinstance(packages, str) else list(packages)
        modules = [module for name in names for module in import_modules(name, faults)]
        marked = list(_find_marked(modules))
        described = [describe(function, declared, queues, faults) for function, declared in marked]
        _check_names(marked, faults)
        if faults:
            raise CatalogueError(", ".join(names), faults)
        return cls(filter(None, described))

    def __getitem__(self, name: str) -> Agent:
        return self._agents[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._agents)

    def __len__(self) -> int:
        return len(self._agents)


def _find_marked(modules: Iterable[ModuleType]) -> Iterator[Marked]:
    seen: set[int] = set()
    for module in modules:
        for thing in list(vars(module).values()):
            declared = declaration_of(thing)
            # A module may import another one's agent, to test or to call it: that is still one agent.
            if declared is not None and id(thing) not in seen:
                seen.add(id(thing))
                yield thing, declared


def _check_names(marked: Iterable[Marked], faults: list[Fault]) -> None:
    places: dict[str, str] = {}
    for function, declared in marked:
        place, name = locate(function), str(declared.name)
        if name in places:
            fix = "rename one of the two functions, or give one another @agent(name=...)"
            faults.append(Fault(place, f"has the name of the agent at {places[name]}", fix, name))
        places.setdefault(name, place)
