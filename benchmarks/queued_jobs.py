"""What a waiting job costs: the time to submit it and the memory it takes, while the line grows.

    python -m benchmarks.queued_jobs

Starts a Valkey of its own and no worker, submits 10,000 jobs one after the other by the engine (what a POST does
without HTTP), and looks at 100, 1,000 and 10,000. Takes about 15 s. Memory is what the server says it uses for data,
divided by the jobs: record, place in line, indexes of the owner, and message.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from deploy.local.valkey import Valkey, free_port
from tasks.jobs import Engine, LocalArtifacts, NewJob, connect
from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings

MARKS = (100, 1_000, 10_000)
SAMPLE = 100  # submits before each mark whose time is shown
INPUT = {"param1": "x" * 200}
OWNERS = 20  # so that no principal's own limit is what is measured


def used(engine: Engine) -> int:
    engine.redis.memory_purge()
    stats: Any = engine.redis.info("memory")
    return int(stats["used_memory_dataset"])


def submit(engine: Engine, number: int) -> tuple[float, str]:
    new = NewJob(agent="ai_service", queue="io", owner=f"key:{number % OWNERS}", timeout=60, payload=INPUT)
    started = time.perf_counter()
    job = engine.submit(new)
    return (time.perf_counter() - started) * 1000, job.id


def measure(engine: Engine) -> None:
    submit(engine, 0)  # loads the script and what a message is made with
    engine.redis.flushdb()
    before, times, last = used(engine), [], ""
    print(f"{'queued':>8} {'median ms':>10} {'p99 ms':>8} {'bytes a job':>12} {'record':>8} {'beside input':>13}")
    for number in range(1, MARKS[-1] + 1):
        took, last = submit(engine, number)
        times.append(took)
        if number in MARKS:
            recent = sorted(times[-SAMPLE:])
            each = (used(engine) - before) / number
            record: Any = engine.redis.memory_usage(engine.keys.job(last), samples=0)
            beside = each - len(INPUT["param1"])
            print(
                f"{number:>8,} {statistics.median(recent):>10.2f} {recent[int(len(recent) * 0.99) - 1]:>8.2f} "
                f"{each:>12,.0f} {record:>8,} {beside:>13,.0f}"
            )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = Valkey(Path(folder), free_port())
        server.start()
        try:
            settings = EngineSettings(redis_url=Secret(server.url), artifacts_dir=Path(folder) / "artifacts")
            measure(Engine(connect(settings), settings, LocalArtifacts(settings.artifacts_dir)))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
