"""What the processes of a stack have logged."""

from __future__ import annotations

import json
from typing import Any

from deploy.local.stack import Stack


def lines_about(stack: Stack, process: str, text: str) -> list[dict[str, Any]]:
    """The lines with this in them. The last of a request is written when its answer is on its way already."""
    log = stack.log_path(process)
    stack.wait_for(f"a line of {process}", lambda: text in log.read_text(), 60)
    return [json.loads(line) for line in log.read_text().splitlines() if text in line]
