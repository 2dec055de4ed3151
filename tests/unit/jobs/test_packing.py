from __future__ import annotations

from typing import Any

import pytest
from redis.connection import Connection
from redis.exceptions import DataError

from tasks.jobs.packing import Packer
from tasks.jobs.record import Status


@pytest.mark.parametrize(
    "command",
    [
        ("PING",),
        ("SCRIPT LOAD", "return 1"),
        (b"GET", b"a\r\nb\x00\xff"),
        ("EVALSHA", "0" * 40, 2, "slipway:job:é", "", b"", 0, -1, 1.5, 1e30, "\U0001f600", Status.PENDING),
        ("SET", "large", b"x" * 100_000),
        ("SET", memoryview(b"a view"), bytearray(b"an array")),
    ],
)
def test_it_writes_what_redis_py_does(command: tuple[Any, ...]) -> None:
    theirs = Connection().pack_command(*command)  # type: ignore[no-untyped-call]
    assert b"".join(Packer().pack(*command)) == b"".join(bytes(part) for part in theirs)


@pytest.mark.parametrize("value", [None, True, ["a"]])
def test_it_refuses_what_redis_py_does(value: Any) -> None:
    with pytest.raises(DataError):
        Packer().pack("SET", "key", value)
