"""Many rows through the service, as JSON and as Arrow, beside one process that reads, runs and writes."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from urllib.parse import urlsplit

import numpy as np
import orjson
import pyarrow as pa

from benchmarks import servers
from benchmarks.case import SLIPWAY, Case, Contender, Figures, Goal, Measure, Round, Scale, ratio
from benchmarks.models import session_of
from benchmarks.servers import Server
from deploy.local.processes import ROOT
from tasks.pipelines.exchange import ARROW, JSON

MODEL = ROOT / "tasks" / "pipelines" / "sample" / "urldemomodel.onnx"
INPUT, WIDTH, CODES = "text_input", 50, 38
PATH = "/v1/api/pipelines/infer/urldemopipeline-1"
ONE = "one process: JSON, onnxruntime, JSON"
TRIES = 5
PATIENCE = 60.0  # seconds


def rows(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, CODES, (count, WIDTH)).astype(np.float32)


def as_json(values: np.ndarray) -> bytes:
    return orjson.dumps({INPUT: values.astype(int).tolist()})


def as_arrow(values: np.ndarray) -> bytes:
    table = pa.table({INPUT: pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), WIDTH)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def sizes(scale: Scale) -> dict[str, int]:
    return {"1k": scale.count(1_000, 2), "25k": scale.count(25_000, 3)}


def medians(scale: Scale, works: Mapping[str, Callable[[], object]]) -> Figures:
    """Milliseconds that each takes. They take turns."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(scale.count(TRIES, 1)):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            times[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(each) for name, each in times.items()}


class Caller:
    """One connection, which large bodies go over."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
        self._key = server.key

    def connect(self) -> None:
        self.close()
        self._connection.connect()

    def close(self) -> None:
        self._connection.close()

    def infer(self, body: bytes, kind: str = JSON) -> bytes:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": kind, "Accept": kind}
        self._connection.request("POST", PATH, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{answer.status}: {content[:200]!r}")
        return content


@contextmanager
def _one(scale: Scale) -> Iterator[Measure]:
    session = session_of(MODEL)

    def infer(body: bytes) -> bytes:
        """The answer has the shape of the service's."""
        document = orjson.loads(body)
        found = session.run(None, {INPUT: np.array(document[INPUT], dtype=np.float32)})
        outputs = [{"Float": {"v": 1, "dim": each.shape, "data": each.ravel()}} for each in found]
        return orjson.dumps([{"outputs": outputs, "original_data": document}], option=orjson.OPT_SERIALIZE_NUMPY)

    works = {f"{name}_ms": partial(infer, as_json(rows(count))) for name, count in sizes(scale).items()}
    yield lambda: medians(scale, works)


@contextmanager
def _slipway(scale: Scale) -> Iterator[Measure]:
    with servers.slipway(only=("web", "worker-cpu")) as server, closing(Caller(server)) as caller:
        values = {name: rows(count) for name, count in sizes(scale).items()}
        bodies = {f"{name}_ms": (as_json(each), JSON) for name, each in values.items()}
        bodies |= {f"arrow_{name}_ms": (as_arrow(each), ARROW) for name, each in values.items()}
        bodies["one_row_ms"] = as_json(rows(1)), JSON
        for _ in range(scale.count(4, 1)):  # each child of the worker loads what is loaded with its first request
            caller.infer(*bodies["1k_ms"])
            caller.infer(*bodies["arrow_1k_ms"])

        def measure() -> Figures:
            caller.connect()  # the server has closed the last one while others were measured
            return medians(scale, {name: partial(caller.infer, *sent) for name, sent in bodies.items()})

        yield measure


def without_the_way(each: Round) -> float:
    """1,000 rows without one way there and back, which is what a single row takes."""
    return (each[SLIPWAY]["1k_ms"] - each[SLIPWAY]["one_row_ms"]) / each[ONE]["1k_ms"]


CASE = Case(
    "infer",
    "1,000 and 25,000 rows of 50 numbers through the sample model, one client",
    (Contender(ONE, _one), Contender(SLIPWAY, _slipway)),
    (
        Goal("25,000 rows against one process", ratio("25k_ms", SLIPWAY, ONE), 1.3, 1.15, at_most=True, unit="×"),
        Goal("1,000 rows less a round trip against it", without_the_way, 1.3, 1.15, at_most=True, unit="×"),
        Goal(
            "25,000 rows: Arrow faster than JSON",
            lambda each: each[SLIPWAY]["25k_ms"] / each[SLIPWAY]["arrow_25k_ms"],
            1.5,
            unit="×",
        ),
    ),
    plot="25k_ms",
    rounds=5,
)
