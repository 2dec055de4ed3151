"""How much longer a wrong secret takes than a wrong id: `python -m benchmarks.key_timing [rounds]`.

Requests of the kinds alternate, over one connection to a real web server, so that whatever else the machine does falls
on all of them alike. Two series of the same kind say what difference is noise.
"""

from __future__ import annotations

import http.client
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.stack import Stack

SETTINGS = {"WEB_CONCURRENCY": "1", "FAILURE_LIMIT": "off", "LOG_LEVEL": "ERROR"}
WARM_UP = 200  # requests of each kind that are not counted


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    with tempfile.TemporaryDirectory() as directory, Stack(Path(directory), SETTINGS, only=("web",)) as stack:
        key = _make_key(stack)
        prefix, key_id, secret = key.split("_")
        kinds = {
            "wrong secret": f"{prefix}_{key_id}_{'0' * len(secret)}",
            "wrong id": f"{prefix}_{'0' * len(key_id)}_{secret}",
            "wrong id again": f"{prefix}_{'1' * len(key_id)}_{secret}",
        }
        times = _measure(stack, kinds, rounds)
    medians = {kind: statistics.median(each[WARM_UP:]) * 1e6 for kind, each in times.items()}
    for kind, median in medians.items():
        print(f"{kind:16} median {median:7.1f} µs")
    base = medians["wrong id"]
    print(f"secret against id: {(medians['wrong secret'] / base - 1) * 100:+.2f} %")
    print(f"id against id:     {(medians['wrong id again'] / base - 1) * 100:+.2f} % (noise)")


def _make_key(stack: Stack) -> str:
    command = [sys.executable, "-m", "flask", "--app", "webapp.wsgi", "keys", "create", "--name", "timing"]
    made = subprocess.run(command, env=stack.environment, capture_output=True, text=True, check=True)
    return made.stdout.strip()


def _measure(stack: Stack, kinds: dict[str, str], rounds: int) -> dict[str, list[float]]:
    connection = http.client.HTTPConnection(urlsplit(stack.url).netloc)
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(rounds + WARM_UP):
        for kind, key in kinds.items():
            started = time.perf_counter()
            connection.request("GET", "/v1/agents", headers={"X-API-Key": key})
            connection.getresponse().read()
            times[kind].append(time.perf_counter() - started)
    return times


if __name__ == "__main__":
    main()
