"""Whether the web server answers, as the image's health check asks. Workers: tests/unit/worker/test_alive.py."""

from __future__ import annotations

import pytest

from deploy.local.stack import Stack
from deploy.local.valkey import free_port
from webapp.alive import main


def test_the_web_server(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert main({"PORT": str(stack.port)}) == 0
    assert main({"PORT": str(free_port())}) == 1
    assert "does not answer" in capsys.readouterr().err
