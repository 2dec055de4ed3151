"""Jobs that are run together. Each tells how many were, and does on its first attempts what its test is about."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.sdk import AgentError, Context, agent

LONG = 60.0  # seconds: whoever is held this long is meant to be killed


def gather(calls: Sequence[Mapping[str, Any]]) -> list[Any]:
    for call in calls:
        if call["act"] == "die" or (call["act"] == "hold" and call["context"].attempt == 1):
            if call["act"] == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(LONG)
    return [_told(call, len(calls)) for call in calls]


def _told(call: Mapping[str, Any], company: int) -> Any:
    return AgentError("It was to fail.") if call["act"] == "fail" else str(company)


@agent(queue="cpu", timeout=30, together=gather)
def gathered(context: Context, act: str = "answer") -> str:
    """Say how many jobs were run at once."""
    [answer] = gather([{"context": context, "act": act}])
    if isinstance(answer, Exception):
        raise answer
    return str(answer)
