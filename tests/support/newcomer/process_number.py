"""Say which process this is."""

import os

from tasks.sdk import agent


@agent(queue="gpu")
async def process_number() -> str:
    """Say the number of the process."""
    return str(os.getpid())
