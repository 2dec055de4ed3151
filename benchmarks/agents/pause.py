"""An agent that waits: a model on another machine, which needs no processor here."""

import time
from typing import Annotated

from tasks.sdk import Param, agent


@agent(queue="io", timeout=600)
def pause(seconds: Annotated[float, Param("How long to wait", ge=0, le=300)] = 1.0) -> str:
    """Wait, then say so."""
    time.sleep(seconds)
    return "done"
