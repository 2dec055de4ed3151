"""How commands print."""

from __future__ import annotations

import sys

from rich.console import Console

WIDTH = 200


def console() -> Console:
    """What to print tables with. Where there is no terminal there is no width to fit in: scripts get whole rows."""
    return Console(width=None if sys.stdout.isatty() else WIDTH)
