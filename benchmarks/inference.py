"""What the service adds to an inference, and what batches spare: ratios, each taken in one run side by side.

    python -m benchmarks.inference

Starts the stack (one web process, two processes of a `cpu` worker) and takes about two minutes. First 1,000 and 25,000
rows through the service against the same rows read from JSON, run and written to JSON in this process. Then small
requests of 32 clients, each with one row: without batches and with them, alternating.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import orjson
import requests

from deploy.local.stack import Stack
from tests.support.pipelines import Caller

MODEL = Path("tasks/pipelines/sample/urldemomodel.onnx")
SIZES = (1_000, 25_000)
REPEATS = 9
CLIENTS = 32
SECONDS = 6.0  # of each turn
BATCHES = {"alone": {"max_batch": 1}, "batches": {"max_batch": 32}}


def session_of(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # as a worker has it
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def directly(session: onnxruntime.InferenceSession, body: bytes) -> bytes:
    """Read, run and write, in the shape of the service's answer."""
    document = orjson.loads(body)
    [name] = [each.name for each in session.get_inputs()]
    found = session.run(None, {name: np.array(document[name], dtype=np.float32)})
    outputs = [{"Float": {"v": 1, "dim": list(each.shape), "data": each.ravel()}} for each in found]
    return orjson.dumps([{"outputs": outputs, "original_data": document}], option=orjson.OPT_SERIALIZE_NUMPY)


def median_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def sent(caller: Caller, deployment: str, body: bytes) -> requests.Response:
    answer = caller.infer(deployment, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer


def many_rows(caller: Caller, deployment: str, session: onnxruntime.InferenceSession, name: str) -> None:
    for size in SIZES:
        rows = np.random.default_rng(size).integers(0, 38, (size, 50)).tolist()
        body = orjson.dumps({name: rows})
        sent(caller, deployment, body)
        alone = median_ms(lambda body=body: directly(session, body))  # type: ignore[misc]
        through = median_ms(lambda body=body: sent(caller, deployment, body))  # type: ignore[misc]
        print(
            f"{size:>7,} rows: {alone:7.1f} ms in one process, {through:7.1f} ms through: {through / alone:.2f} times"
        )


def per_second(caller: Caller, deployment: str, body: bytes) -> float:
    until, counts = time.monotonic() + SECONDS, [0] * CLIENTS

    def ask(number: int) -> None:
        own = caller.another()
        while time.monotonic() < until:
            sent(own, deployment, body)
            counts[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def small_requests(caller: Caller, deployments: dict[str, str], body: bytes) -> None:
    rates: dict[str, list[float]] = {kind: [] for kind in deployments}
    for _ in range(3):
        for kind, deployment in deployments.items():
            rates[kind].append(per_second(caller, deployment, body))
    alone, batches = (statistics.median(rates[kind]) for kind in ("alone", "batches"))
    print(f"small requests: {alone:.0f}/s alone, {batches:.0f}/s in batches: {batches / alone:.2f} times")


def main(path: Path) -> None:
    model = path.read_bytes()
    session = session_of(model)
    [name] = [each.name for each in session.get_inputs()]
    settings: dict[str, Any] = {"WEB_CONCURRENCY": "1", "RATE_LIMITS": "off", "LOG_LEVEL": "warning"}
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), settings, only=("web", "worker-cpu")) as stack:
        caller = Caller(stack)
        workspace = caller.workspace("measured")
        deployments = {
            kind: caller.deploy(workspace, kind, model, {"batching": batching}) for kind, batching in BATCHES.items()
        }
        for deployment in deployments.values():
            caller.wait_until_running(deployment)
        many_rows(caller, deployments["alone"], session, name)
        small_requests(caller, deployments, orjson.dumps({name: [[0] * 50]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else MODEL)
