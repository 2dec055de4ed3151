"""What a benchmark is: contenders that do the same work in turns, and goals that their figures are held against."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field

from benchmarks.machine import load_average

SLIPWAY, LIMIT = "Slipway", "limit"

Figures = dict[str, float]
Measure = Callable[[], Figures]
Round = Mapping[str, Figures]  # by contender


@dataclass(frozen=True)
class Scale:
    """How much is measured. `tiny` is for a smoke test: everything runs once, and no figure means anything."""

    rounds: int = 3
    tiny: bool = False

    def pick(self, usual: float, tiny: float) -> float:
        return tiny if self.tiny else usual

    def count(self, usual: int, tiny: int) -> int:
        return tiny if self.tiny else usual


@dataclass(frozen=True)
class Contender:
    """Somebody who does the work. `open` starts it and gives what measures it once."""

    name: str
    open: Callable[[Scale], AbstractContextManager[Measure]]
    peer: bool = False  # needs the peers' environment
    # Started anew for each round: what is left over of one would be in the way of the next.
    fresh: bool = False


@dataclass(frozen=True)
class Goal:
    """A figure of one round, and what is asked of it. The median of the rounds counts."""

    name: str
    value: Callable[[Round], float]
    at_least: float
    aim: float | None = None
    at_most: bool = False  # less is better
    unit: str = ""

    def verdict(self, measured: float | None) -> str:
        if measured is None:
            return "not run"
        reached = [limit is not None and self._holds(measured, limit) for limit in (self.aim, self.at_least)]
        return "aim" if reached[0] else "met" if reached[1] else "missed"

    def _holds(self, measured: float, limit: float) -> bool:
        return measured <= limit if self.at_most else measured >= limit


@dataclass(frozen=True)
class Case:
    """A benchmark."""

    name: str
    title: str
    contenders: Sequence[Contender]
    goals: Sequence[Goal]
    plot: str  # the figure that the picture shows
    rounds: int | None = None  # where fewer or more than usual are enough


@dataclass
class Outcome:
    """What came of a benchmark."""

    case: Case
    rounds: list[Round] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)  # load averages of the machine while it was measured
    broken: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def breaking(self, contender: Contender) -> Iterator[None]:
        """Note what goes wrong in the block, and go on."""
        try:
            yield
        except Exception as error:
            self.broken[contender.name] = f"{type(error).__name__}: {error}"
            print(f"  {contender.name} failed: {self.broken[contender.name]}", flush=True)

    def medians(self) -> dict[str, Figures]:
        found: dict[str, Figures] = {}
        for contender in self.case.contenders:
            ran = [each[contender.name] for each in self.rounds if contender.name in each]
            if ran:
                found[contender.name] = {name: statistics.median(each[name] for each in ran) for name in ran[0]}
        return found

    def measured(self, goal: Goal) -> float | None:
        """The median over the rounds; None when somebody did not run, or a figure is not there."""
        values = []
        for each in self.rounds:
            try:
                values.append(goal.value(each))
            except (KeyError, ZeroDivisionError):
                return None
        return statistics.median(values) if values else None


def run(case: Case, scale: Scale, *, peers: bool) -> Outcome:
    """Run a benchmark: all contenders are up, and measured in turns, so that what disturbs falls on all alike.

    A contender that fails is left out from then on, and the outcome says why: the others' figures are worth having.
    """
    outcome = Outcome(case)
    wanted = [each for each in case.contenders if peers or not each.peer]
    with ExitStack() as stack:
        measures: dict[str, Measure] = {}
        for each in wanted:
            with outcome.breaking(each):
                measures[each.name] = (
                    _measured_anew(each, scale) if each.fresh else stack.enter_context(each.open(scale))
                )
        for number in range(1 if scale.tiny else case.rounds or scale.rounds):
            figures: dict[str, Figures] = {}
            # Who comes first changes, so that nobody always has the warm or the tired machine.
            for each in [*wanted[number % len(wanted) :], *wanted[: number % len(wanted)]]:
                if each.name not in outcome.broken:
                    with outcome.breaking(each):
                        figures[each.name] = measures[each.name]()
                        _tell(each.name, figures[each.name])
            outcome.rounds.append(figures)
            outcome.loads.append(load_average())
    return outcome


def _measured_anew(contender: Contender, scale: Scale) -> Measure:
    def measure() -> Figures:
        with contender.open(scale) as started:
            return started()

    return measure


def _tell(name: str, figures: Figures) -> None:
    print(f"  {name:32} " + "  ".join(f"{each} {value:.4g}" for each, value in figures.items()), flush=True)


def ratio(figure: str, one: str, other: str) -> Callable[[Round], float]:
    """How much larger a figure is of `one` than of `other`."""
    return lambda each: each[one][figure] / each[other][figure]
