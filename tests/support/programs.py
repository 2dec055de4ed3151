"""Programs of the system that only some tests need."""

from __future__ import annotations

import os
import shutil

import pytest


def find_program(name: str) -> str:
    """Find a program. The test is skipped without it, but fails where CI says that it is there."""
    path = shutil.which(name)
    if path is None and os.environ.get("REQUIRE_SYSTEM_PACKAGES") == "1":
        pytest.fail(f"{name} is not installed")
    return path or pytest.skip(f"{name} is not installed")
