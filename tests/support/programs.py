"""Programs of the system that only some tests need."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def find_program(name: str) -> str:
    """Find a program. The test is skipped without it, but fails where CI says that it is there."""
    # Debian keeps servers where the path of an ordinary user does not look.
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    return path or missing(name)


def missing(what: str) -> NoReturn:
    """Skip the test for want of something of the system, or fail it where CI says that it is there."""
    if os.environ.get("REQUIRE_SYSTEM_PACKAGES") == "1":
        pytest.fail(f"{what} is not installed")
    pytest.skip(f"{what} is not installed")
