"""Our own description, turned against us: a small run here, ten thousand requests with `make fuzz`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from tests.fuzz.runner import SETTINGS, fuzz, server_errors


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("fuzz"), SETTINGS | {"WEB_CONCURRENCY": "1"}) as stack:
        yield stack


@pytest.mark.parametrize("with_key", [True, False], ids=["with a key", "without a key"])
def test_nothing_that_is_sent_breaks_the_server(target: Stack, with_key: bool) -> None:
    """`make fuzz` also holds every answer against the document: what it still finds is listed in docs/security.md."""
    outcome = fuzz(target, examples=5, with_key=with_key)
    assert outcome.sent > 300
    assert "Server error" not in outcome.report
    assert server_errors(target) == []


def test_the_run_kept_its_files_to_itself(target: Stack) -> None:
    root = Path(__file__).parents[2]
    assert not (root / ".schemathesis").exists()
    assert not (root / "schemathesis-report").exists()
