"""Importing the SDK needs nothing but Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

# `-S` leaves out every installed package; the modules that are new must then be Python's own or the SDK's.
SCRIPT = """
import sys
sys.path.insert(0, {root!r})
import tasks.sdk, tasks.sdk.testing
foreign = {{name.split(".")[0] for name in sys.modules}} - set(sys.stdlib_module_names) - {{"tasks", "__main__"}}
rooms = {{name for name in sys.modules if name.startswith("tasks.") and not name.startswith("tasks.sdk")}}
assert not foreign and not rooms, (foreign, rooms)
"""


def test_the_sdk_imports_only_the_standard_library() -> None:
    command = [sys.executable, "-S", "-E", "-c", SCRIPT.format(root=str(ROOT))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
