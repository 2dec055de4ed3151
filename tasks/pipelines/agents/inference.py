"""Run a deployed pipeline on the body of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.pipelines.description import INFER, INFER_SECONDS, QUEUE
from tasks.pipelines.exchange import Answer, Wanted
from tasks.sdk import Context, File, agent


def infer_together(calls: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
    """Run the models once for the rows of several requests to one deployment."""
    from tasks.pipelines.runtime.requests import answer_together  # noqa: PLC0415 - only workers have its libraries

    return answer_together(calls)


@agent(name=INFER, queue=QUEUE, timeout=INFER_SECONDS, together=infer_together)
def infer(  # noqa: PLR0917 - each is a member of the payload
    context: Context, plan: str, models: list[File], wanted: Wanted, body: str = "", upload: File | None = None
) -> Answer:
    """Run the models of a deployment (`plan`) on a body, which is given with the job or stored beside it."""
    from tasks.pipelines.runtime.requests import answer  # noqa: PLC0415 - only workers have its libraries

    return answer(
        {"context": context, "plan": plan, "models": models, "wanted": wanted, "body": body, "upload": upload}
    )
