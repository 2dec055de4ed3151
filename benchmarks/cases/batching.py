"""64 clients that send one row each, run one by one and together: the model takes as long for 1 row as for 32."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import orjson

from benchmarks import models, servers
from benchmarks.case import LIMIT, SLIPWAY, Case, Contender, Goal, Measure, Scale, ratio
from benchmarks.client import requests_to
from benchmarks.servers import Server
from tests.support.onnx_models import WIDTH

ROW = [[1.0] * WIDTH]
PATH = "/v1/api/pipelines/infer/costly-1"
BODY = json.dumps({"text_input": ROW})
BATCH, DELAY = 32, 0.005
ALONE, PEER = "Slipway, one by one", "LitServe, batches of 32"
TINY_SIDE = 8


def load(server: Server, path: str, scale: Scale) -> Measure:
    return lambda: requests_to(
        server,
        path,
        body=BODY,
        clients=scale.count(64, 2),
        seconds=scale.pick(6.0, 0.5),
        warm=scale.pick(3.0, 0.0),
    )


def made(scale: Scale) -> bytes:
    return models.costly(scale.count(models.SIDE, TINY_SIDE))


def declare(folder: Path, scale: Scale, batching: Mapping[str, float]) -> None:
    """Put the model into a folder of pipelines."""
    declared = folder / "costly"
    declared.mkdir()
    (declared / "costly.onnx").write_bytes(made(scale))
    models_of = [{"name": "costly-model", "file": "costly.onnx"}]
    said = {"workspace": "bench", "pipeline": "costly", "models": models_of, "batching": batching}
    (declared / "pipeline.json").write_bytes(orjson.dumps(said))


def pipeline(name: str, batching: Mapping[str, float]) -> Contender:
    @contextmanager
    def opened(scale: Scale) -> Iterator[Measure]:
        with tempfile.TemporaryDirectory() as folder:
            declare(Path(folder), scale, batching)
            settings = {"PIPELINES": folder, "CPU_CONCURRENCY": "1"}
            with servers.slipway(settings, only=("web", "worker-cpu")) as server:
                yield load(server, PATH, scale)

    return Contender(name, opened)


@contextmanager
def _alone(scale: Scale) -> Iterator[Measure]:
    session, rows = models.session_of(made(scale)), np.array(ROW * BATCH, dtype=np.float32)

    def once() -> float:
        started = time.perf_counter()
        session.run(None, {"text_input": rows})
        return time.perf_counter() - started

    def measure() -> dict[str, float]:
        took = statistics.median(once() for _ in range(scale.count(30, 2)))
        return {"rate": BATCH / took, "run_ms": took * 1000}

    yield measure


@contextmanager
def _litserve(scale: Scale) -> Iterator[Measure]:
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        file.write(made(scale))
        file.flush()
        with servers.litserve_batches(Path(file.name), BATCH, DELAY) as server:
            yield load(server, "/predict", scale)


CASE = Case(
    "batching",
    "64 clients × 1 row, a model that takes as long for 32, one process that runs it",
    (
        Contender(f"{LIMIT} (the model alone, {BATCH} rows a run)", _alone),
        pipeline(ALONE, {"max_batch": 1}),
        pipeline(SLIPWAY, {"max_batch": BATCH, "max_delay": DELAY}),
        Contender(PEER, _litserve, peer=True),
    ),
    (Goal("batches of 32 against one by one", ratio("rate", SLIPWAY, ALONE), 3, 6, unit="×"),),
    plot="rate",
)
