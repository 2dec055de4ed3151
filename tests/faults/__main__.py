"""`make faults`: let every fault loose on a stack under load, and print what came of it.

    python -m tests.faults [--share 0.1] [--minutes 60] [--rate 15] [--only TEXT] [--directory var/faults]

`--share` is the part of the full number of faults, `--minutes` bounds the whole run: what there is no time for is
said. It ends with 1 when anything was lost, repeated or wrong, or took longer than promised.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.arena import Arena, arena
from tests.faults.cuts import Cuts, cut_streams
from tests.faults.faults import ROUNDS, Fault, Strike
from tests.faults.load import Load
from tests.faults.measure import Row, recoveries
from tests.faults.verdict import Verdict, judge, wait_until_ended

STREAMS = "streams cut and resumed"
CUTS = 1_000
EVERY = 4.0  # seconds between two web processes that are killed meanwhile
StrikeAll = Callable[[Sequence[Fault], Sequence[int]], Iterable[list[Strike]]]

SETTLED = 90.0  # seconds after the last strike within which every job must have ended


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    until = time.monotonic() + options.minutes * 60
    rows: list[Row] = []
    cuts = Cuts()
    most = max(map(len, ROUNDS))
    # The threads outlive the rounds: a process that was started by a thread is on its leash and ends with it.
    with ThreadPoolExecutor(most) as pool, arena(options.directory / time.strftime("%Y%m%d-%H%M%S")) as field:
        for chosen in _rounds(options.only):
            strike = partial(pool.map, partial(_strike, field, until))
            rows += _run(field, chosen, options.share, options.rate, strike)
        if options.only in STREAMS:
            cuts = cut_streams(field.stack, math.ceil(CUTS * options.share), every=EVERY)
    _report(rows, cuts, options.directory)
    return 0 if all(row.good for row in rows) and not cuts.wrong else 1


def _rounds(only: str) -> list[list[Fault]]:
    rounds = ([fault for fault in each if only in fault.name] for each in ROUNDS)
    return [each for each in rounds if each]


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="part of the full number of faults")
    parser.add_argument("--minutes", type=float, default=90.0, help="bound of the whole run")
    parser.add_argument("--rate", type=float, default=15.0, help="jobs submitted a second")
    parser.add_argument("--only", default="", help="faults whose name holds this text")
    parser.add_argument("--directory", type=Path, default=Path("var/faults"), help="where logs and ledgers go")
    return parser.parse_args(arguments)


def _run(field: Arena, faults: Sequence[Fault], share: float, rate: float, strike: StrikeAll) -> list[Row]:
    """Some faults, many times, under load; then heal, wait, and judge every promise that was made meanwhile."""
    first, refused = len(field.ledger.promises), field.ledger.refused.total()
    times = [max(1, math.ceil(fault.times * share)) for fault in faults]
    load = Load(field.stack, field.ledger, rate)
    load.start()
    try:
        struck = list(strike(faults, times))
        time.sleep(3)  # some jobs after the last strike: they show that it is over
    finally:
        load.stop()
    promises = field.ledger.promises[first:]
    field.wait_until_idle(60)
    wait_until_ended(field.engine, promises, SETTLED)
    verdict: Verdict | None = judge(field.engine, field.ledger, promises)
    refusals = field.ledger.refused.total() - refused
    starts = field.ledger.starts()
    rows = []
    for fault, strikes, wanted in zip(faults, struck, times, strict=True):
        rows.append(Row(fault, strikes, verdict, recoveries(strikes, starts), refusals, load.slowest, wanted))
        print(rows[-1].line(), flush=True)
        verdict = None  # it is that of all of them, and told once
    return rows


def _strike(field: Arena, until: float, fault: Fault, most: int) -> list[Strike]:
    strikes: list[Strike] = []
    while len(strikes) < most and time.monotonic() < until:
        time.sleep(fault.pause * random.uniform(0.5, 1.5))
        strikes.append(fault.strike(field))
    return strikes


def _report(rows: Sequence[Row], cuts: Cuts, directory: Path) -> None:
    table = Table(*Row.HEAD, title="Faults")
    for row in rows:
        table.add_row(*row.cells())
    total = Verdict()
    for verdict in (row.verdict for row in rows if row.verdict):
        total.merge(verdict)
    table.add_section()
    table.add_row("all", str(sum(len(row.strikes) for row in rows)), *Row.counts(total))
    with (directory / "table.txt").open("w") as file:
        for console in (Console(file=file, width=160), Console(width=160)):
            console.print(table)
            if cuts.cuts:
                console.print(f"{STREAMS}: {cuts}")
    for problem in [*total.lost, *total.repeated, *total.wrong, *cuts.wrong]:
        print(problem)
    for row in rows:
        if len(row.strikes) < row.wanted:
            print(f"{row.fault.name}: no time for {row.wanted - len(row.strikes)} of {row.wanted}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
