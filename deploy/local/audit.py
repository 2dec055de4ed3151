"""`make audit`: known holes in the packages of the locks, by pip-audit."""

from __future__ import annotations

import subprocess
import sys

from deploy.local.processes import ROOT

LOCKS = ("requirements.txt", "requirements-local.txt")

# How pip-audit tells that it did not look: the network's absence, or an index that knows nothing of holes, for which it
# ends with "no known vulnerabilities" all the same.
NOT_AUDITED = ("could not be audited", "ConnectionError", "Max retries exceeded", "timed out", "Could not connect")
# For those who call it: nothing was found because nobody could look.
NOT_LOOKED = 3


def main() -> int:
    """Audit each lock. Returns 0 when nothing is known, 1 when something is, 3 when the database is out of reach."""
    return max(_audit(lock) for lock in LOCKS)


def _audit(lock: str) -> int:
    # The hashes are in the lock, and nothing is installed or resolved for this.
    command = [sys.executable, "-m", "pip_audit", "--requirement", lock, "--require-hashes", "--disable-pip"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if any(sign in said for sign in NOT_AUDITED):
        print(f"{lock}: NOT audited, or not all of it: the database of vulnerabilities cannot be reached from here")
        return NOT_LOOKED
    print(f"{lock}: {said.strip()}")
    return min(done.returncode, 1)


if __name__ == "__main__":
    sys.exit(main())
