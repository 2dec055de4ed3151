"""How keys are written."""

from __future__ import annotations

import pytest
from redis import Redis

from tasks.jobs.keys import Keys
from webapp.auth.keys import KeyStore

SECRET = "0f" * 32


@pytest.fixture
def store() -> KeyStore:
    return KeyStore(Redis(), Keys(), "slipway")


def test_the_id_is_read_from_a_key(store: KeyStore) -> None:
    assert store.id_in(f"slipway_0123456789abcdef_{SECRET}") == "0123456789abcdef"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "slipway",
        "slipway_0123456789abcdef",
        f"other_0123456789abcdef_{SECRET}",
        f"slipway_0123456789abcde*_{SECRET}",
        f"slipway_0123:56789abcdef_{SECRET}",
        f"slipway_0123456789abcdef_{SECRET}0",
        f"slipway_0123456789abcdef_{SECRET[1:]}",
        "_" * 10_000,
    ],
)
def test_what_is_not_written_like_a_key_is_not_looked_up(store: KeyStore, key: str) -> None:
    assert store.id_in(key) is None
