"""The benchmarks, in the order in which they run."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.case import Case
from benchmarks.cases import batching, growth, held, infer, inflight, pdf, roundtrip, scale, start, streams, submit

ALL: tuple[Case, ...] = (
    inflight.CASE,
    roundtrip.CASE,
    streams.AT_ONCE,
    streams.MOST,
    streams.ALL_OPEN,
    held.CASE,
    submit.HTTP,
    submit.ENGINE,
    infer.CASE,
    batching.CASE,
    pdf.REPORT,
    pdf.LARGE,
    growth.CASE,
    start.CASE,
    scale.CASE,
)


def named(names: Sequence[str]) -> list[Case]:
    """The benchmarks of these names, or whose names begin with one of them and a dash; all without names."""
    found = [case for case in ALL if not names or any(f"{case.name}-".startswith(f"{name}-") for name in names)]
    if not found:
        raise SystemExit(f"There is no such benchmark. There are: {', '.join(case.name for case in ALL)}")
    return found
