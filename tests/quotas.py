"""`make quotas`: one principal takes all that it may, jobs and streams, and somebody else goes on beside it.

    python -m tests.quotas [--jobs 10000] [--streams 1000]

It ends with 1 when the principal got more or less than its quota, or somebody else got anything but an answer. Opening
files must be allowed: each stream is one.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.stack import Stack
from tests.support.client import Client, key_store

CALLERS = 8
MORE = 20  # requests beyond each quota
CALM = 5.0  # seconds for which somebody else is watched before, and again while all streams are open


@dataclass
class Found:
    """What came of it: the answers' statuses, and the seconds that each request of somebody else took."""

    jobs: Counter[int]
    streams: Counter[int]
    others: dict[str, list[float]]

    def good(self, jobs: int, streams: int) -> bool:
        return (
            self.jobs == {202: jobs, 429: MORE}
            and self.streams == {200: streams, 429: MORE}
            and all(self.others.values())
        )

    def lines(self) -> Iterator[str]:
        yield f"jobs of one principal:    {dict(self.jobs)}"
        yield f"streams of one principal: {dict(self.streams)}"
        for when, seconds in self.others.items():
            ordered = sorted(each * 1000 for each in seconds)
            p50, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
            yield f"jobs of somebody else {when}: {len(ordered)}, p50 {p50:.0f} ms, p99 {p99:.0f} ms"


@contextmanager
def quota_stack(directory: Path, jobs: int, streams: int) -> Iterator[Stack]:
    """A stack with these quotas. Nobody takes jobs of the queue `cpu`: whatever is put there waits."""
    settings = {
        "AGENTS": "tasks.agents,tests.support.agents",
        "RATE_LIMITS": "off",  # it is the quotas that are to say no
        "MAX_WAITING": str(jobs),
        "MAX_QUEUE": str(2 * jobs),
        "MAX_STREAMS": str(streams),
        "WEB_CONCURRENCY": "2",
        "LOG_LEVEL": "warning",
    }
    with Stack(directory, settings, only=("web", "worker-io")) as stack:
        yield stack


def crowd(stack: Stack, jobs: int, streams: int, calm: float = CALM) -> Found:
    """Take all of the quotas and ask for more, with somebody else beside it all the time."""
    greedy, other = Client(stack, key=new_key(stack)), Client(stack, key=new_key(stack))
    others: dict[str, list[float]] = {}
    with watching(other, others, "before"):
        time.sleep(calm)
    with watching(other, others, "while one submits"):
        submitted, waiting = submit(greedy, jobs)
    with watching(other, others, "while one opens and holds streams"), ExitStack() as on_exit:
        opened = Counter(open_stream(stack, greedy, waiting, on_exit) for _ in range(streams + MORE))
        time.sleep(calm)
    return Found(submitted, opened, others)


def new_key(stack: Stack) -> str:
    with key_store(stack) as keys:
        return keys.create("somebody")[1]


@contextmanager
def watching(client: Client, found: dict[str, list[float]], when: str) -> Iterator[None]:
    """Run one job after the other while the block runs; whatever fails ends the watch with no figure at all."""
    stop, seconds = threading.Event(), found.setdefault(when, [])

    def run() -> None:
        while not stop.is_set():
            begun = time.monotonic()
            answer = client.post("/v1/agents/echo/run", json={"text": "hello"})
            if answer.status_code != 200:
                seconds.clear()
                print(f"somebody else was answered {answer.status_code}: {answer.text}")
                return
            seconds.append(time.monotonic() - begun)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def submit(client: Client, jobs: int) -> tuple[Counter[int], str]:
    """Submit the quota, and only then more. Returns the statuses and the id of a job that waits."""

    def one(_: int) -> tuple[int, str]:
        answer = client.post("/v1/agents/echo_cpu/jobs", json={"text": "x" * 200})
        return answer.status_code, answer.headers.get("X-Job-ID", "")

    with ThreadPoolExecutor(CALLERS) as pool:
        answers = [*pool.map(one, range(jobs)), *pool.map(one, range(MORE))]
    return Counter(status for status, _ in answers), answers[0][1]


def open_stream(stack: Stack, client: Client, job_id: str, on_exit: ExitStack) -> int:
    """Open the stream of a job that waits, and leave it open."""
    connection = on_exit.enter_context(closing(HTTPConnection(urlsplit(stack.url).netloc, timeout=30)))
    connection.request("GET", f"/v1/jobs/{job_id}/events", headers={"X-API-Key": client.key})
    return connection.getresponse().status


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.quotas", description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--streams", type=int, default=1_000)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, quota_stack(Path(folder), given.jobs, given.streams) as stack:
        found = crowd(stack, given.jobs, given.streams)
    print(*found.lines(), sep="\n")
    return 0 if found.good(given.jobs, given.streams) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
