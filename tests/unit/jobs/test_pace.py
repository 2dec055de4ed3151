"""The drain rate and what is made of it."""

from __future__ import annotations

import random

import pytest

from tasks.jobs.pace import LEAST, MOST, SPREAD, drain_rate, estimate

MOMENT = 1_000_005.0  # in the middle of the slice 100,000


def ended(**slices: int) -> dict[bytes, bytes]:
    return {name.removeprefix("s").encode(): str(count).encode() for name, count in slices.items()}


def test_the_rate_is_that_of_the_last_minute() -> None:
    assert drain_rate(ended(s99994=60, s99999=60, s100000=10), MOMENT) == 130 / 65


def test_what_ended_earlier_does_not_count() -> None:
    assert drain_rate(ended(s99993=1000), MOMENT) == 0


def test_a_steady_rate_is_measured_as_it_is_at_every_moment() -> None:
    # Five jobs a second: a full slice holds 50, the last one as many as it has had time for.
    for past in (0, 1, 5, 9):
        slices = {f"s{99_994 + n}": 50 for n in range(6)} | {"s100000": 5 * past}
        assert drain_rate(ended(**slices), 1_000_000 + past) == pytest.approx(5)


@pytest.mark.parametrize(
    ("ahead", "rate", "seconds"),
    [
        (1_000, 10, 10),  # a tenth of a thousand, at ten a second
        (10_000, 100, 10),
        (3, 0.5, 2),  # one place is the least that is waited for
        (1_000, 1_000, LEAST),
        (10_000, 1, 50),
        (10_000, 0, 50),  # nothing has ended: as long as may be
    ],
)
def test_one_comes_back_when_a_tenth_has_gone(ahead: int, rate: float, seconds: int) -> None:
    assert estimate(ahead, rate) == seconds


def test_the_bounds_hold_and_nobody_meets_at_them() -> None:
    spreads = [random.uniform(*SPREAD) for _ in range(1_000)]
    far = {estimate(10**9, 0.1, spread) for spread in spreads}
    assert min(far) >= LEAST
    assert max(far) <= MOST
    assert len(far) > 10
    assert {estimate(1, 10**6, spread) for spread in spreads} == {LEAST}
