"""What is wrong with the agents of a package: every fault, with the place and the fix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong. `source` is `file:line`; a fault of a whole module names no agent."""

    source: str
    problem: str
    fix: str
    agent: str = ""
    parameter: str = ""

    def __str__(self) -> str:
        agent = f"agent {self.agent!r}" if self.agent else ""
        parameter = f"parameter {self.parameter!r}" if self.parameter else ""
        where = ", ".join(filter(None, (agent, parameter)))
        return f"{self.source}: {where}{': ' if where else ''}{self.problem}. Fix: {self.fix}."


class CatalogueError(Exception):
    """The agents cannot be served. The message lists every fault that was found."""

    def __init__(self, package: str, faults: Sequence[Fault]) -> None:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__("\n".join([f"{count} in the agents of {package}:", *(f"  {fault}" for fault in faults)]))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class FaultLog:
    """Collects faults of one agent. The logs that `at` and `inside` make write to the same list."""

    source: str
    agent: str
    parameter: str = ""
    faults: list[Fault] = field(default_factory=list)

    def at(self, parameter: str) -> FaultLog:
        """Return a log for a parameter."""
        return replace(self, parameter=parameter)

    def inside(self, part: str) -> FaultLog:
        """Return a log for a field of this parameter."""
        return replace(self, parameter=f"{self.parameter}.{part}" if self.parameter else part)

    def note(self, problem: str, fix: str) -> None:
        """Add a fault."""
        self.faults.append(Fault(self.source, problem, fix, self.agent, self.parameter))
