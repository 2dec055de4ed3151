"""How long it took until things went on after a fault."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tests.faults.faults import Fault, Strike
from tests.faults.ledger import Start
from tests.faults.verdict import Verdict


def recoveries(strikes: Sequence[Strike], starts: Sequence[Start]) -> list[float]:
    """Seconds from each strike to the next attempt of each job that it hit, or to the next start of any job."""
    found = []
    for strike in strikes:
        if strike.jobs is None:
            found += [start.moment - strike.moment for start in starts if start.moment >= strike.moment][:1]
        for job_id, attempt in (strike.jobs or {}).items():
            later = (start.moment for start in starts if start.job_id == job_id and start.attempt > attempt)
            # A job that ended before it was hit after all has no next attempt.
            found += [moment - strike.moment for moment in later][:1]
    return [max(0.0, seconds) for seconds in found]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of all lies."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]


@dataclass(frozen=True)
class Row:
    """One fault's line of the table. What strikes together has one verdict, in the line of the first."""

    fault: Fault
    strikes: Sequence[Strike]
    verdict: Verdict | None
    recovery: Sequence[float]
    refused: int
    slowest: float  # seconds of the slowest answer to a submission
    wanted: int

    HEAD: ClassVar = (
        "fault", "times", "jobs", "lost", "repeated", "wrong", "given up", "outside twice",
        "recovery p50", "p99", "promised", "refused", "slowest answer",
    )  # fmt: skip

    @property
    def good(self) -> bool:
        return (self.verdict is None or self.verdict.good) and percentile(self.recovery, 0.99) <= self.fault.bound

    @staticmethod
    def counts(verdict: Verdict) -> list[str]:
        counts = (verdict.jobs, len(verdict.lost), len(verdict.repeated), len(verdict.wrong))
        return [str(count) for count in (*counts, verdict.given_up, verdict.outside)]

    def cells(self) -> list[str]:
        measured = (percentile(self.recovery, share) if self.recovery else None for share in (0.5, 0.99))
        return [
            self.fault.name,
            str(len(self.strikes)),
            *(self.counts(self.verdict) if self.verdict else ['"'] * 6),
            *("-" if seconds is None else f"{seconds:.1f} s" for seconds in (*measured, self.fault.bound)),
            *((str(self.refused), f"{self.slowest:.1f} s") if self.verdict else ['"'] * 2),
        ]

    def line(self) -> str:
        return ", ".join(f"{name} {cell}" for name, cell in zip(self.HEAD, self.cells(), strict=True))
