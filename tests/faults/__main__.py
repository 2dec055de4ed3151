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
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.arena import Arena, arena
from tests.faults.faults import FAULTS, Fault, Strike
from tests.faults.load import Load
from tests.faults.measure import Row, recoveries
from tests.faults.verdict import Verdict, judge, wait_until_ended

SETTLED = 90.0  # seconds after the last strike within which every job must have ended


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    until = time.monotonic() + options.minutes * 60
    chosen = [fault for fault in FAULTS if options.only in fault.name]
    rows: list[Row] = []
    with arena(options.directory / time.strftime("%Y%m%d-%H%M%S")) as field:
        for fault in chosen:
            times = max(1, math.ceil(fault.times * options.share))
            rows.append(_run(field, fault, times, options.rate, until))
            print(rows[-1].line(), flush=True)
    _report(rows, options.directory)
    return 0 if all(row.good for row in rows) else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="part of the full number of faults")
    parser.add_argument("--minutes", type=float, default=90.0, help="bound of the whole run")
    parser.add_argument("--rate", type=float, default=15.0, help="jobs submitted a second")
    parser.add_argument("--only", default="", help="faults whose name holds this text")
    parser.add_argument("--directory", type=Path, default=Path("var/faults"), help="where logs and ledgers go")
    return parser.parse_args(arguments)


def _run(field: Arena, fault: Fault, times: int, rate: float, until: float) -> Row:
    """One fault, many times, under load; then heal, wait, and judge every promise that was made meanwhile."""
    first, refused = len(field.ledger.promises), field.ledger.refused.total()
    load = Load(field.stack, field.ledger, rate)
    load.start()
    strikes: list[Strike] = []
    try:
        while len(strikes) < times and time.monotonic() < until:
            time.sleep(fault.pause * random.uniform(0.5, 1.5))
            strikes.append(fault.strike(field))
        time.sleep(3)  # some jobs after the last strike: they show that it is over
    finally:
        load.stop()
    promises = field.ledger.promises[first:]
    field.wait_until_idle(60)
    wait_until_ended(field.engine, promises, SETTLED)
    verdict: Verdict = judge(field.engine, field.ledger, promises)
    refusals = field.ledger.refused.total() - refused
    return Row(fault, strikes, verdict, recoveries(strikes, field.ledger.starts()), refusals, load.slowest, times)


def _report(rows: Sequence[Row], directory: Path) -> None:
    table = Table(*Row.HEAD, title="Faults")
    for row in rows:
        table.add_row(*row.cells())
    total = Verdict()
    for row in rows:
        total.merge(row.verdict)
    table.add_section()
    table.add_row("all", str(sum(len(row.strikes) for row in rows)), *Row.counts(total))
    with (directory / "table.txt").open("w") as file:
        Console(file=file, width=160).print(table)
    Console(width=160).print(table)
    for problem in [*total.lost, *total.repeated, *total.wrong]:
        print(problem)
    for row in rows:
        if len(row.strikes) < row.wanted:
            print(f"{row.fault.name}: no time for {row.wanted - len(row.strikes)} of {row.wanted}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
