"""Requests for inferences: one by one, or several with one run of the models."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import orjson

from tasks.pipelines.description import Deployment
from tasks.pipelines.exchange import ARROW, BINARY, JSON, OPEN, Answer, Wanted
from tasks.pipelines.runtime import answers
from tasks.pipelines.runtime.execution import Result, run
from tasks.pipelines.runtime.open_inference import OpenRows, read_open, write_open
from tasks.pipelines.runtime.rows import Rows, read_json
from tasks.pipelines.runtime.sessions import ModelError
from tasks.pipelines.runtime.tensors import Array
from tasks.sdk import AgentError, Canceled, Context

# A longer answer is an artifact: it is sent from the store piece by piece.
LONGEST_INLINE = 128 * 1024
FILES = {ARROW: "answer.arrow", BINARY: "answer.bin", JSON: "answer.json"}

Call = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """A request whose body was read. `parsed` is in nanoseconds."""

    context: Context
    deployment: Deployment
    wanted: Wanted
    files: Mapping[str, Callable[[], bytes]]
    rows: Rows
    parsed: int

    @classmethod
    def read(cls, call: Call) -> Request:
        """Read the body of a call. Raises `InputError`."""
        call["context"].check()
        deployment = Deployment.read(orjson.loads(call["plan"]))
        files = {file.name: file.read for file in call["models"]}
        began = time.perf_counter_ns()
        body = call["upload"].read() if call["upload"] else call["body"].encode("latin-1")
        rows = read_body(body, call["wanted"], deployment)
        parsed = time.perf_counter_ns() - began
        return cls(call["context"], deployment, call["wanted"], files, rows, parsed)

    def run(self, arrays: Mapping[str, Array]) -> Result:
        """Run the models on these rows: its own, or those of several requests. Raises `AgentError`."""
        try:
            return run(self.deployment, self.context.model, self.files, arrays)
        except ModelError as error:
            raise AgentError(f"A model cannot be loaded: {error}", code="model_failed") from error

    def answer(self, result: Result) -> Answer:
        """Hand the bytes of the answer over: with the job's result, or as a file when they are many."""
        self.context.check()
        kind, json_bytes = self.wanted.media_type, 0
        if isinstance(self.rows, OpenRows):
            content, json_bytes = write_open(self.deployment, self.rows, result)
            kind = BINARY if json_bytes else JSON
        else:
            content = write_body(self, result)
        if len(content) <= LONGEST_INLINE:
            return Answer(kind, body=content.decode("latin-1"), json_bytes=json_bytes)
        pieces: Any = (content[at : at + LONGEST_INLINE] for at in range(0, len(content), LONGEST_INLINE))
        return Answer(kind, artifact=self.context.artifact(FILES[kind], pieces, kind).name, json_bytes=json_bytes)


def read_body(body: bytes, wanted: Wanted, deployment: Deployment) -> Rows:
    """The rows of a body. Raises `InputError`."""
    if wanted.content == ARROW:
        from tasks.pipelines.runtime.arrow import read_arrow  # noqa: PLC0415 - not loaded before somebody sends it

        return read_arrow(body, deployment.inputs)
    if wanted.content == OPEN:
        return read_open(body, wanted.json_bytes, deployment)
    return read_json(body, deployment.inputs)


def write_body(request: Request, result: Result) -> bytes:
    """The answer in the form that the caller wants."""
    wanted, times = request.wanted, answers.timing(request.parsed, result)
    dataset = answers.Dataset(tuple(wanted.include), tuple(wanted.exclude), wanted.separator)
    if wanted.media_type == ARROW:
        from tasks.pipelines.runtime.arrow import write_arrow  # noqa: PLC0415

        return write_arrow(request.deployment, request.rows, result, times, dataset)
    if request.rows.records:
        return answers.records(request.deployment, request.rows, result, times, dataset)
    return answers.one_result(request.deployment, request.rows, result, times)


def answer(call: Call) -> Answer:
    """Answer one request."""
    request = Request.read(call)
    request.context.check()
    return request.answer(request.run(request.rows.arrays))


def answer_together(calls: Sequence[Call]) -> list[Any]:
    """Answer several requests to one deployment: for each an answer, or what was raised instead of one.

    What is wrong with one of them is its own: if the run of all fails, each is run alone.
    """
    requests = [_attempt(Request.read, call) for call in calls]
    read = [each for each in requests if isinstance(each, Request)]
    results = dict(zip(map(id, read), _results(read), strict=True))
    return [_attempt(_finish, each, results[id(each)]) if isinstance(each, Request) else each for each in requests]


def _finish(request: Request, result: Result | None) -> Answer:
    return request.answer(result or request.run(request.rows.arrays))


def _results(requests: Sequence[Request]) -> Iterator[Result | None]:
    """The part of each in the run of all; None when there was none."""
    whole = _attempt(_run_all, requests) if len(requests) > 1 else None
    start = 0
    for each in requests:
        end = start + each.rows.count
        # An output that has no row for each row of the input cannot be parted.
        yield whole.part(start, end) if isinstance(whole, Result) and whole.by_row else None
        start = end


def _run_all(requests: Sequence[Request]) -> Result:
    names = requests[0].rows.arrays
    return requests[0].run({name: np.concatenate([each.rows.arrays[name] for each in requests]) for name in names})


def _attempt(function: Callable[..., T], *arguments: Any) -> T | BaseException:
    try:
        return function(*arguments)
    except (Exception, Canceled) as error:
        return error
