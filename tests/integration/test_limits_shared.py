"""Limits hold over all processes, and go on holding while Redis is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from deploy.local.valkey import Valkey, free_port
from tests.support.service import KEY, application, close
from webapp.auth import streams
from webapp.auth.limiter import AWAY_SECONDS, Limiter
from webapp.auth.principals import STATIC
from webapp.http.problem import Problem
from webapp.services import services_of

LIMITS: dict[str, Any] = {
    "rate_limits": ("default.read=5/minute",),
    "max_streams": 2,
    "token_budgets": {"default": "100"},
}


@pytest.fixture
def two(valkey_url: str, tmp_path: Path) -> Iterator[list[Flask]]:
    """The application of two processes."""
    with ExitStack() as stack:
        apps = [application(valkey_url, tmp_path, **LIMITS) for _ in range(2)]
        for app in apps:
            stack.callback(close, app)
        yield apps


def ask(app: Flask, address: str = "192.0.2.1") -> Any:
    return app.test_client().get("/v1/agents", headers={"X-API-Key": KEY}, environ_base={"REMOTE_ADDR": address})


def test_two_processes_and_many_addresses_count_together(two: list[Flask]) -> None:
    answers = [ask(two[number % 2], f"192.0.2.{number}").status_code for number in range(8)]
    assert answers == [200] * 5 + [429] * 3


def test_who_came_too_often_is_told_when_the_window_ends(two: list[Flask]) -> None:
    for _ in range(5):
        ask(two[0])
    assert 1 <= int(ask(two[1]).headers["Retry-After"]) <= 60


def test_a_window_ends(valkey_url: str, tmp_path: Path) -> None:
    app = application(valkey_url, tmp_path, rate_limits=("default.read=1/second",))
    assert ask(app).status_code == 200
    while ask(app).status_code == 429:
        time.sleep(0.1)
    close(app)


def test_without_redis_each_process_counts_and_nothing_is_open(tmp_path: Path) -> None:
    app = application(f"redis://127.0.0.1:{free_port()}/0", tmp_path, **LIMITS)
    assert [ask(app).status_code for _ in range(8)] == [200] * 5 + [429] * 3
    close(app)


def test_counting_goes_back_to_redis_when_it_is_there_again(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "valkey", free_port())
    app = application(server.url, tmp_path, **LIMITS)
    assert ask(app).status_code == 200
    server.start()
    try:
        time.sleep(AWAY_SECONDS)
        assert ask(app).headers["RateLimit"] == '"read";r=4'
        assert list(services_of(app).engine.redis.scan_iter("*limits*"))
    finally:
        close(app)
        server.stop()


def test_redis_is_asked_once_a_request(two: list[Flask]) -> None:
    redis: Any = services_of(two[0]).engine.redis
    ask(two[0])
    before = redis.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"]
    for _ in range(3):
        ask(two[0])
    assert redis.info("commandstats")["cmdstat_evalsha"]["calls"] - before == 3


def test_streams_are_bounded_over_processes_and_given_back(two: list[Flask]) -> None:
    one, other = (services_of(app).streams for app in two)
    first, second = one.open(STATIC), other.open(STATIC)
    with pytest.raises(Problem) as refused:
        one.open(STATIC)
    assert refused.value.status == 429
    assert refused.value.headers["Retry-After"]
    first()
    first()
    third = one.open(STATIC)
    for close_one in (second, third):
        close_one()
    assert services_of(two[0]).engine.redis.keys("*streams*") == []


def test_streams_of_a_process_that_died_are_forgotten(two: list[Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LEASE", -1.0)
    for _ in range(2):
        services_of(two[0]).streams.open(STATIC)
    monkeypatch.undo()
    services_of(two[1]).streams.open(STATIC)()


def test_streams_are_kept_while_they_are_open(two: list[Flask]) -> None:
    mine, redis = services_of(two[0]).streams, services_of(two[0]).engine.redis
    mine.open(STATIC)
    name = services_of(two[0]).engine.keys.streams_of(STATIC.id)
    before: Any = redis.zrange(name, 0, -1, withscores=True)
    mine._extend(dict(mine._open))
    after: Any = redis.zrange(name, 0, -1, withscores=True)
    assert after[0][0] == before[0][0]
    assert after[0][1] > before[0][1]


def test_a_stream_that_is_closed_while_places_are_renewed_stays_closed(two: list[Flask]) -> None:
    mine, redis = services_of(two[0]).streams, services_of(two[0]).engine.redis
    close_it = mine.open(STATIC)
    held = dict(mine._open)
    close_it()
    mine._extend(held)
    assert redis.zcard(services_of(two[0]).engine.keys.streams_of(STATIC.id)) == 0


def test_streams_are_counted_alone_while_redis_is_away(tmp_path: Path) -> None:
    app = application(f"redis://127.0.0.1:{free_port()}/0", tmp_path, **LIMITS)
    mine = services_of(app).streams
    for _ in range(2):
        mine.open(STATIC)
    with pytest.raises(Problem):
        mine.open(STATIC)
    close(app)


def test_a_spent_budget_stops_what_would_spend_and_nothing_else(two: list[Flask]) -> None:
    engine = services_of(two[0]).engine
    today = engine.keys.usage(STATIC.id, int(engine.now() // 86_400))
    client = two[1].test_client()
    client.environ_base["HTTP_X_API_KEY"] = KEY
    engine.redis.hincrby(today, "total_tokens", 99)
    assert client.post("/ai_service", json={}).status_code == 422
    engine.redis.hincrby(today, "total_tokens", 1)
    refused = client.post("/ai_service", json={})
    assert refused.status_code == 429
    assert refused.get_json()["code"] == "budget_spent"
    assert 0 < int(refused.headers["Retry-After"]) <= 31 * 86_400
    budget = client.get("/v1/usage?days=1").get_json()["budget"]
    assert (budget["tokens"], budget["spent"]) == (100, 100)
    assert datetime.fromisoformat(budget["resets_at"]) > datetime.now(UTC)


def test_what_last_month_took_is_not_of_this_one(two: list[Flask]) -> None:
    engine = services_of(two[0]).engine
    now = datetime.fromtimestamp(engine.now(), UTC)
    before = int(engine.now() // 86_400) - now.day
    engine.redis.hincrby(engine.keys.usage(STATIC.id, before), "total_tokens", 1_000)
    budget = services_of(two[0]).budgets.of(STATIC)
    assert budget is not None
    assert budget.spent == 0
    assert budget.resets_at.day == 1
    assert timedelta(0) < budget.resets_at - now <= timedelta(31)


def test_a_limiter_without_redis_at_all_counts() -> None:
    from limits import parse

    limiter = Limiter(None)
    assert [limiter.hit(parse("1/minute"), "me").allowed for _ in range(2)] == [True, False]
