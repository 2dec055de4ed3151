"""Run a deployed pipeline on the body of a request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from tasks.pipelines.description import INFER, INFER_SECONDS, QUEUE, Deployment
from tasks.pipelines.wanted import ARROW, Wanted
from tasks.sdk import AgentError, Context, File, agent

if TYPE_CHECKING:
    from tasks.pipelines.runtime.answers import Dataset
    from tasks.pipelines.runtime.execution import Result
    from tasks.pipelines.runtime.rows import Rows

# A longer answer is an artifact: it is sent from the store piece by piece.
LONGEST_INLINE = 128 * 1024


@dataclass
class Answer:
    """The bytes of the answer, each a character of `body`, or the name of the artifact that holds them."""

    media_type: str
    body: str = ""
    artifact: str = ""


@agent(name=INFER, queue=QUEUE, timeout=INFER_SECONDS)
def infer(  # noqa: PLR0917 - each is a member of the payload
    context: Context, plan: str, models: list[File], wanted: Wanted, body: str = "", upload: File | None = None
) -> Answer:
    """Run the models of a deployment (`plan`) on a body, which is given with the job or stored beside it."""
    from tasks.pipelines.runtime.execution import run  # noqa: PLC0415 - only workers have its libraries
    from tasks.pipelines.runtime.sessions import ModelError  # noqa: PLC0415

    deployment = Deployment.read(orjson.loads(plan))
    began = time.perf_counter_ns()
    rows = read(upload.read() if upload else body.encode("latin-1"), wanted, deployment)
    parsed = time.perf_counter_ns() - began
    context.check()
    try:
        result = run(deployment, context.model, {file.name: file.read for file in models}, rows.arrays)
    except ModelError as error:
        raise AgentError(f"A model cannot be loaded: {error}", code="model_failed") from error
    context.check()
    return answer(context, write(deployment, rows, result, parsed, wanted), media_type(wanted))


def read(body: bytes, wanted: Wanted, deployment: Deployment) -> Rows:
    """The rows of a body. Raises `InputError`."""
    if wanted.content == ARROW:
        from tasks.pipelines.runtime.arrow import read_arrow  # noqa: PLC0415 - not loaded before somebody sends it

        return read_arrow(body, deployment.inputs)
    from tasks.pipelines.runtime.rows import read_json  # noqa: PLC0415

    return read_json(body, deployment.inputs)


def write(deployment: Deployment, rows: Rows, result: Result, parsed: int, wanted: Wanted) -> bytes:
    """The answer in the form that the caller wants."""
    from tasks.pipelines.runtime import answers  # noqa: PLC0415

    times, dataset = answers.timing(parsed, result), dataset_of(wanted)
    if media_type(wanted) == ARROW:
        from tasks.pipelines.runtime.arrow import write_arrow  # noqa: PLC0415

        return write_arrow(deployment, rows, result, times, dataset)
    if rows.records:
        return answers.records(deployment, rows, result, times, dataset)
    return answers.one_result(deployment, rows, result, times)


def media_type(wanted: Wanted) -> str:
    """What the answer is written in: what the caller sent, unless they want another."""
    return wanted.accept or wanted.content


def dataset_of(wanted: Wanted) -> Dataset:
    """The parts of a record that are wanted."""
    from tasks.pipelines.runtime.answers import Dataset  # noqa: PLC0415

    return Dataset(tuple(wanted.include), tuple(wanted.exclude), wanted.separator)


def answer(context: Context, content: bytes, kind: str) -> Answer:
    """Hand the bytes over: with the job's result, or as a file when they are many."""
    if len(content) <= LONGEST_INLINE:
        return Answer(kind, body=content.decode("latin-1"))
    name = "answer.arrow" if kind == ARROW else "answer.json"
    pieces: Any = (content[at : at + LONGEST_INLINE] for at in range(0, len(content), LONGEST_INLINE))
    return Answer(kind, artifact=context.artifact(name, pieces, kind).name)
