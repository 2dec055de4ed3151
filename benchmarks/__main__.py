"""Run benchmarks: `make bench`, `make bench NAME="inflight streams"`.

python -m benchmarks [NAME…] [--rounds 3] [--tiny] [--no-peers] [--results FOLDER] [--list]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import report
from benchmarks.case import Scale, run
from benchmarks.cases import ALL, named
from benchmarks.environment import PEERS

RESULTS = report.HERE / "results"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tiny", action="store_true", help="everything once and small: a smoke test")
    parser.add_argument("--no-peers", action="store_true", help="Slipway and the limits alone")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    given = parse(arguments)
    if given.list:
        for case in ALL:
            print(f"{case.name:16} {case.title}")
        return 0
    peers = not given.no_peers and _make_peers()
    started, cases, whole = time.monotonic(), named(given.names), True
    for case in cases:
        print(f"\n{case.name}: {case.title}", flush=True)
        outcome = run(case, Scale(given.rounds, given.tiny), peers=peers)
        found = report.document(outcome)
        report.write(found, given.results)
        print(f"\n{report.table(found)}", flush=True)
        whole = whole and not outcome.broken
    print(f"\n{len(cases)} benchmarks in {(time.monotonic() - started) / 60:.0f} minutes; results in {given.results}")
    if given.results == RESULTS:
        report.update_readme(ALL, RESULTS)
    return 0 if whole else 1


def _make_peers() -> bool:
    try:
        PEERS.make()
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"The peers cannot be installed, and are left out: {error}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
