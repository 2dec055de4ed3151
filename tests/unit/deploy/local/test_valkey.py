from __future__ import annotations

import pytest

from deploy.local import valkey
from deploy.local.processes import StackError
from deploy.local.valkey import free_port


@pytest.fixture(autouse=True)
def ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five of them, of which somebody has the one in the middle."""
    monkeypatch.setattr(valkey, "FREE_PORTS", range(100, 105))
    monkeypatch.setattr(valkey, "is_free", lambda port: port != 102)
    valkey._given.clear()


def test_no_port_is_given_twice_while_its_owner_may_not_listen_yet() -> None:
    assert sorted(free_port() for _ in range(4)) == [100, 101, 103, 104]
    with pytest.raises(StackError):
        free_port()


def test_the_ports_behind_one_are_given_with_it() -> None:
    assert {free_port(behind=1) for _ in range(2)} == {100, 103}
    with pytest.raises(StackError):
        free_port()


def test_a_wanted_port_is_had_when_it_is_free() -> None:
    assert free_port(104) == 104
    assert free_port(102) != 102
