"""Whose key was presented."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from webapp.auth import verifier
from webapp.auth.keys import KeyRecord, digest
from webapp.auth.principals import STATIC
from webapp.auth.verifier import MEMORY_SECONDS, Verifier


class FakeRecords:
    """Records in memory that count how often they are asked. A key reads `<id>:<secret>` here."""

    def __init__(self) -> None:
        self.asked = 0
        self.down = False
        self.noted: list[str] = []
        self.record: KeyRecord | None = None
        self.keys = {"one": "one:secret", "two": "two:secret"}

    def id_in(self, key: str) -> str | None:
        return key.partition(":")[0] if ":" in key else None

    def digest_of(self, key_id: str) -> str | None:
        if self.down:
            raise RedisConnectionError("refused")
        key = self.keys.get(key_id)
        return digest(key) if key else None

    def find(self, key_id: str) -> KeyRecord | None:
        self.asked += 1
        if self.down:
            raise RedisConnectionError("refused")
        if self.record:
            return self.record
        key = self.keys.get(key_id)
        return KeyRecord(key_id, f"name of {key_id}", digest(key), datetime.now(UTC)) if key else None

    def note_use(self, key_id: str) -> None:
        self.noted.append(key_id)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def records() -> FakeRecords:
    return FakeRecords()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_known_key_gives_its_principal(records: FakeRecords) -> None:
    principal = Verifier(records).principal("one:secret")
    assert principal is not None
    assert (principal.id, principal.name, principal.kind) == ("key:one", "name of one", "api_key")


@pytest.mark.parametrize("key", ["one:wrong", "one:secre", "one:secrett", "three:secret", "one", "", "two:one:secret"])
def test_a_wrong_key_gives_nobody(records: FakeRecords, key: str) -> None:
    assert Verifier(records, "static").principal(key) is None


def test_the_static_key_needs_no_redis(records: FakeRecords) -> None:
    records.down = True
    assert Verifier(records, "static").principal("static") is STATIC


def test_without_a_static_key_an_empty_key_is_nobodys(records: FakeRecords) -> None:
    assert Verifier(records, "").principal("") is None


def test_redis_is_asked_once_per_key_while_it_is_remembered(records: FakeRecords, clock: Clock) -> None:
    verify = Verifier(records, clock=clock)
    for _ in range(10):
        verify.principal("one:secret")
        verify.principal("two:secret")
    assert records.asked == 2


def test_a_revoked_key_stops_working_when_it_is_forgotten(records: FakeRecords, clock: Clock) -> None:
    verify = Verifier(records, clock=clock)
    assert verify.principal("one:secret")
    del records.keys["one"]
    clock.now += MEMORY_SECONDS
    assert verify.principal("one:secret") is None


def test_a_wrong_key_is_not_remembered(records: FakeRecords, clock: Clock) -> None:
    verify = Verifier(records, clock=clock)
    assert verify.principal("three:secret") is None
    records.keys["three"] = "three:secret"
    assert verify.principal("three:secret")


def test_an_expired_key_is_nobodys(records: FakeRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    record = KeyRecord("one", "me", digest("one:secret"), past, expires_at=past)
    monkeypatch.setattr(records, "find", lambda _: record)
    assert Verifier(records).principal("one:secret") is None


def test_a_key_is_not_remembered_beyond_its_end(records: FakeRecords, clock: Clock) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=2)
    records.record = KeyRecord("one", "me", digest("one:secret"), soon, expires_at=soon)
    verify = Verifier(records, clock=clock)
    assert verify.principal("one:secret")
    clock.now += 2
    del records.keys["one"]
    records.record = None
    assert verify.principal("one:secret") is None


def test_use_is_noted_once_a_minute_and_not_for_each_request(records: FakeRecords, clock: Clock) -> None:
    verify = Verifier(records, clock=clock)
    for _ in range(20):
        verify.principal("one:secret")
        clock.now += MEMORY_SECONDS
    assert records.noted == ["one"] * 2


def test_a_refused_key_is_not_noted(records: FakeRecords) -> None:
    Verifier(records).principal("one:wrong")
    assert records.noted == []


def test_when_redis_is_away_a_forgotten_key_is_an_error_and_not_a_refusal(records: FakeRecords) -> None:
    records.down = True
    with pytest.raises(RedisConnectionError):
        Verifier(records).principal("one:secret")


def test_memory_stays_bounded(records: FakeRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "MEMORY_KEYS", 3)
    records.keys = {str(number): f"{number}:secret" for number in range(20)}
    verify = Verifier(records)
    for key in records.keys.values():
        assert verify.principal(key)
        assert len(verify._remembered) <= 3


def test_an_unknown_id_costs_the_same_comparisons_as_a_known_one(
    records: FakeRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    def compare(left: str, right: str) -> bool:
        compared.append(len(right))
        return left == right

    monkeypatch.setattr(hmac, "compare_digest", compare)
    verify = Verifier(records)
    verify.principal("one:wrong")
    known = compared.copy()
    compared.clear()
    verify.principal("three:wrong")
    assert compared == known != []
