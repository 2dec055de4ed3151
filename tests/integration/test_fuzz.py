"""Our own description, turned against us: a small run here, ten thousand requests with `make fuzz`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from tests.fuzz.runner import SETTINGS, fuzz, server_errors

# Operations that others stand for here: the second spelling of a path, and every agent but two.
ALIKE = "^/ai-service|^/v1/agents/(?!(ai_service|report)/)[a-z_]+/"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("fuzz"), SETTINGS | {"WEB_CONCURRENCY": "1"}) as stack:
        yield stack


# Without a key almost everything is 401: that is soon seen.
@pytest.mark.parametrize(
    ("with_key", "phases"),
    [(True, "examples,coverage,fuzzing"), (False, "examples,fuzzing")],
    ids=["with a key", "without a key"],
)
def test_whatever_is_sent_the_answer_is_as_the_document_says(target: Stack, with_key: bool, phases: str) -> None:
    outcome = fuzz(target, examples=2, with_key=with_key, options=("--exclude-path-regex", ALIKE, "--phases", phases))
    assert outcome.clean, outcome.report
    assert outcome.sent > 50
    assert server_errors(target) == []


def test_the_run_kept_its_files_to_itself(target: Stack) -> None:
    root = Path(__file__).parents[2]
    assert not (root / ".schemathesis").exists()
    assert not (root / "schemathesis-report").exists()
