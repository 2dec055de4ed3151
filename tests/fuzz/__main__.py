"""`make fuzz`: ten thousand requests and more."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from deploy.local.stack import Stack
from tests.fuzz.runner import SETTINGS, fuzz, server_errors

WANTED = 10_000


def main() -> int:
    """Fuzz until enough was sent. Returns the exit code."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as directory, Stack(Path(directory), SETTINGS) as stack:
        sent, clean, seed = 0, True, int(time.time())
        while sent < WANTED and clean:
            for with_key in (True, False):
                outcome = fuzz(stack, examples=examples, with_key=with_key, seed=seed)
                sent, clean, seed = sent + outcome.sent, clean and outcome.clean, seed + 1
                print(outcome.report)
        errors = server_errors(stack)
        print(f"{sent} requests, {len(errors)} answers of 500 and above, {'no' if clean else 'some'} failed checks")
        print(*errors[:20], sep="\n")
        return 0 if clean and not errors else 1


if __name__ == "__main__":
    sys.exit(main())
