"""How long a failed request waits for its next try."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.worker.providers.transport import choose_wait


def waits(attempt: int, retry_after: float | None, longest: float = 30.0) -> list[float]:
    return [choose_wait(attempt, retry_after, longest) for _ in range(200)]


@pytest.mark.parametrize(("attempt", "base"), [(0, 0.5), (1, 1.0), (2, 2.0), (3, 4.0)])
def test_every_wait_is_about_twice_the_one_before(attempt: int, base: float) -> None:
    assert all(base / 2 <= wait <= base for wait in waits(attempt, None))


def test_the_server_is_not_asked_before_the_time_it_names() -> None:
    assert all(3.0 <= wait <= 3.3 for wait in waits(0, 3.0))


@pytest.mark.parametrize("retry_after", [None, 3600.0])
def test_no_wait_is_longer_than_the_longest(retry_after: float | None) -> None:
    assert max(waits(20, retry_after, longest=5.0)) <= 5.0


@pytest.mark.parametrize("draw", [lambda: waits(1, None), lambda: waits(1, 2.0)])
def test_requests_that_failed_together_do_not_come_back_together(draw: Callable[[], list[float]]) -> None:
    assert len(set(draw())) > 100
