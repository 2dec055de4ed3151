"""One principal takes all that it may: `make quotas` in small."""

from __future__ import annotations

from pathlib import Path

from tests.quotas import crowd, quota_stack

JOBS, STREAMS = 100, 30


def test_a_principal_gets_its_quota_and_no_more_and_others_go_on(tmp_path: Path) -> None:
    with quota_stack(tmp_path, JOBS, STREAMS) as stack:
        found = crowd(stack, JOBS, STREAMS, calm=0.2)
    assert found.good(JOBS, STREAMS), [*found.lines()]
