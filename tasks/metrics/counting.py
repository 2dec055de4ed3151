"""Begin to count in a process, and put together what all processes of its service have counted."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.exceptions import RedisError

from tasks import locks, metrics
from tasks.jobs.keys import Keys
from tasks.jobs.load import Load, read_load
from tasks.metrics.metric import DECLARED, Reading

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/metrics"


def count(folder: Path, slot: str) -> None:
    """Count in this process, in files of `folder`. To be called after the fork.

    Of the processes that live at the same time each has a `slot` of its own. One that takes the slot of another
    goes on with its counts, so that the files do not grow in number with every process that is replaced.
    """
    # The library asks the environment for the folder, and nothing else.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    import prometheus_client  # noqa: PLC0415 - not at all where nothing is counted
    from prometheus_client import metrics as library  # noqa: PLC0415
    from prometheus_client import values  # noqa: PLC0415

    values.Lock = library.Lock = locks.plain  # type: ignore[assignment,attr-defined]
    for left in folder.glob(f"gauge_*_{slot}.db"):  # what a dead process had open is open no more
        left.unlink()
    values.ValueClass = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]
    for each in DECLARED:
        each.begin(prometheus_client)


def at_once(work: Callable[[], bytes]) -> bytes:
    """Do it here and now."""
    return work()


def exposition(
    folder: Path,
    redis: Redis,
    keys: Keys,
    queues: Iterable[str],
    aside: Callable[[Callable[[], bytes]], bytes] = at_once,
) -> WSGIApplication:
    """The application that answers Prometheus, and 404 to everything else.

    To read the files of all processes takes tens of milliseconds. Where nothing may stand still for so long, `aside`
    is what does it elsewhere.
    """
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    class Written(MultiProcessCollector):
        def collect(self) -> Any:
            return self.merge(written_files(folder), accumulate=True)  # type: ignore[no-untyped-call]

    counts, readings = CollectorRegistry(), CollectorRegistry()
    Written(counts, str(folder))  # type: ignore[no-untyped-call]
    readings.register(Readings(redis, keys, tuple(queues)))

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return []
        body = aside(lambda: generate_latest(counts)) + generate_latest(readings)
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_PLAIN_0_0_4), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def written_files(folder: Path) -> list[str]:
    """The files that hold counts. One is empty when it is just made, and stays so when its process dies then."""
    found = []
    for path in folder.glob("*.db"):
        with contextlib.suppress(FileNotFoundError):  # its process has just ended
            if path.stat().st_size:
                found.append(str(path))
    return found


class Readings:
    """What is read from Redis at each scrape, in one round trip."""

    def __init__(self, redis: Redis, keys: Keys, queues: tuple[str, ...]) -> None:
        self._redis = redis
        self._keys = keys
        self._queues = queues

    def describe(self) -> list[Any]:
        """Nothing: the library would ask Redis when this is registered."""
        return []

    def collect(self) -> Iterator[Any]:
        try:
            load = read_load(self._redis, self._keys, self._queues)
        except RedisError:
            yield _family(metrics.REDIS_UP, {(): 0})
            return
        for reading, values in _readings(load):
            yield _family(reading, values)


def _readings(load: Load) -> Iterator[tuple[Reading, dict[tuple[str, ...], float]]]:
    yield metrics.REDIS_UP, {(): 1}
    yield metrics.DEAD_JOBS, {(): load.dead}
    yield metrics.WEBHOOKS_WAITING, {(): load.webhooks}
    queues = {(name,): each for name, each in load.queues.items()}
    yield metrics.JOBS_WAITING, {name: each.waiting for name, each in queues.items()}
    yield metrics.JOBS_RUNNING, {name: each.running for name, each in queues.items()}
    yield metrics.QUEUE_LOAD, {name: each.waiting + each.running for name, each in queues.items()}
    yield metrics.OLDEST_WAITING, {name: each.oldest for name, each in queues.items()}
    yield metrics.QUEUE_MESSAGES, {name: each.messages for name, each in queues.items()}
    yield metrics.WORKERS, {name: each.workers for name, each in queues.items()}


def _family(reading: Reading, values: dict[tuple[str, ...], float]) -> Any:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

    family = GaugeMetricFamily(reading.name, reading.doc, labels=reading.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family
