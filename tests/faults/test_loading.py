"""A server that is started again reads what it had written before it answers."""

from __future__ import annotations

from pathlib import Path

import redis

from deploy.local.valkey import Valkey, free_port

KEYS = 300_000  # reading them back takes some tenths of a second
FILL = f"for key = 1, {KEYS} do redis.call('SET', key, key) end"


def test_whoever_starts_a_server_has_one_that_serves(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "valkey", free_port())
    server.start()
    try:
        with redis.Redis(port=server.port) as client:
            client.eval(FILL, 0)
        server.kill()
        server.start()
        with redis.Redis(port=server.port, retry=None) as client:  # type: ignore[arg-type]
            assert client.dbsize() == KEYS  # not "LOADING"
    finally:
        server.kill()
