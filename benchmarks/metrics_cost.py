"""What counting costs a request, a job and a scrape: `python -m benchmarks.metrics_cost`."""

from __future__ import annotations

import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path

from redis import Redis

from deploy.local.valkey import Valkey, free_port
from tasks import metrics
from tasks.jobs.keys import Keys
from tasks.metrics.counting import count, exposition

REPEAT = 20_000
PROCESSES, ROUTES = 4, 50
QUEUES = ("io", "cpu")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        print(f"a request, not counted {_best(_request):6.1f} µs")
        count(folder, "0")
        print(f"a request              {_best(_request):6.1f} µs")
        print(f"a job                  {_best(_job):6.1f} µs")
        for slot in range(PROCESSES):
            count(folder, str(slot))
            _fill()
        valkey = Valkey(folder / "valkey", free_port())
        valkey.start()
        try:
            scrape = exposition(folder, Redis.from_url(valkey.url), Keys(), QUEUES)
            asked = {"PATH_INFO": "/metrics", "REQUEST_METHOD": "GET"}
            size = len(b"".join(scrape(asked, lambda *_: print)))
            spent = _best(lambda: scrape(asked, lambda *_: print), 5)
            print(f"a scrape of {size / 1000:.0f} KB      {spent / 1000:6.1f} ms")
        finally:
            valkey.stop()


def _best(work: Callable[[], object], times: int = REPEAT) -> float:
    """Microseconds that it takes when the machine lets it."""
    return min(timeit.repeat(work, number=times, repeat=5)) / times * 1e6


def _request(route: str = "/ai_service", method: str = "GET", status: str = "200") -> None:
    metrics.HTTP_REQUESTS.add(route, method, status)
    metrics.HTTP_SECONDS.observe(0.013, route)


def _job() -> None:
    metrics.JOB_WAIT.observe(0.1, "agent", "io")
    metrics.FIRST_TOKEN.observe(0.1, "agent", "io")
    metrics.JOB_SECONDS.observe(0.1, "agent", "io")
    metrics.JOBS_ENDED.add("agent", "io", "completed")
    metrics.TOKENS.add("agent", "prompt", by=3)
    metrics.TOKENS.add("agent", "completion", by=3)


def _fill() -> None:
    for route in range(ROUTES):
        for method in ("GET", "POST"):
            for status in ("200", "404", "422"):
                _request(f"/route/{route}", method, status)


if __name__ == "__main__":
    main()
