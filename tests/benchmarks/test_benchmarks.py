"""Benchmarks run, once and small; what they measure on a machine that does other things is nobody's business.

All of them, on one stack where each would start its own; `make bench-tiny` runs them with their own. The peers are left
out: they are in an environment of their own, which `make bench` makes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import report, servers
from benchmarks.case import SLIPWAY, Case, Contender, Goal, Measure, Outcome, Scale, ratio, run
from benchmarks.cases import ALL, batching, infer, named, streams
from benchmarks.servers import Server
from deploy.local.valkey import free_port, is_free
from tests.support.model_server import ModelServer

TINY = Scale(tiny=True)
SAMPLE = infer.MODEL.parents[1]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """What the benchmarks need together."""
    pipelines = tmp_path_factory.mktemp("pipelines")
    batching.declare(pipelines, TINY, {"max_batch": batching.BATCH})
    with ModelServer(tokens=streams.tokens(TINY), rate=streams.RATE) as model:
        # What a benchmark leaves running is nobody's any more.
        settings = {"WEB_CONCURRENCY": "1", "PIPELINES": f"{SAMPLE},{pipelines}", "DRAIN_SECONDS": "0"}
        with servers.slipway(settings | servers.provider(model), only=("web", "worker-io", "worker-cpu")) as server:
            yield server


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_a_benchmark_runs_and_is_reported(
    case: Case, stack: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "slipway", lambda *_, **__: nullcontext(stack))
    monkeypatch.setattr(batching, "PATH", batching.PATH.replace("-1", "-2"))  # this stack has the sample, too
    outcome = run(case, TINY, peers=False)
    assert outcome.broken == {}
    medians = outcome.medians()
    assert set(medians) == {each.name for each in case.contenders if not each.peer}
    found = report.document(outcome)
    report.write(found, tmp_path)
    assert json.loads((tmp_path / f"{case.name}.json").read_text())["medians"] == medians
    ElementTree.fromstring((tmp_path / f"{case.name}.svg").read_text())
    assert all(goal.name in report.table(found) for goal in case.goals)


def outcome_of(*rates: tuple[float, float], goal: Goal) -> Outcome:
    case = Case("made", "made up", [], [goal], plot="rate")
    return Outcome(case, rounds=[{SLIPWAY: {"rate": ours}, "peer": {"rate": theirs}} for ours, theirs in rates])


def test_a_ratio_is_that_of_each_round_and_the_median_counts() -> None:
    goal = Goal("faster", ratio("rate", SLIPWAY, "peer"), at_least=2, aim=3)
    outcome = outcome_of((100, 50), (30, 10), (500, 100), goal=goal)
    assert outcome.measured(goal) == 3


@pytest.mark.parametrize(("measured", "verdict"), [(None, "not run"), (1.9, "missed"), (2, "met"), (3, "aim")])
def test_a_figure_is_missed_met_or_what_was_aimed_at(measured: float | None, verdict: str) -> None:
    assert Goal("more", lambda _: 0, at_least=2, aim=3).verdict(measured) == verdict


def test_less_may_be_better() -> None:
    goal = Goal("less", lambda _: 0, at_least=20, aim=10, at_most=True)
    assert [goal.verdict(value) for value in (21, 20, 10)] == ["missed", "met", "aim"]


def test_a_goal_whose_peer_did_not_run_is_not_judged() -> None:
    goal = Goal("faster", ratio("rate", SLIPWAY, "nobody"), at_least=1)
    assert outcome_of((1, 1), goal=goal).measured(goal) is None


def test_a_contender_that_fails_is_told_and_the_others_go_on() -> None:
    @contextmanager
    def broken(_: Scale) -> Iterator[Measure]:
        raise RuntimeError("it does not start")
        yield

    @contextmanager
    def fine(_: Scale) -> Iterator[Measure]:
        yield lambda: {"rate": 1.0}

    case = Case("made", "made up", [Contender("broken", broken), Contender("fine", fine)], [], plot="rate")
    outcome = run(case, Scale(tiny=True), peers=False)
    assert "it does not start" in outcome.broken["broken"]
    assert outcome.medians() == {"fine": {"rate": 1.0}}


def test_a_name_stands_for_all_benchmarks_that_begin_with_it() -> None:
    assert [case.name for case in named(["streams"])] == ["streams", "streams-most", "streams-open"]
    with pytest.raises(SystemExit):
        named(["no such"])


def test_a_server_goes_with_all_that_it_has_started() -> None:
    port = free_port()
    # As BentoML does it: the child has a session of its own.
    child = [sys.executable, "-m", "http.server", str(port), "--bind=127.0.0.1"]
    parent = f"import subprocess; subprocess.Popen({child!r}, start_new_session=True).wait()"
    with servers.process([sys.executable, "-c", parent], port, {}):
        assert not is_free(port)
    deadline = time.monotonic() + 60
    while not is_free(port):
        assert time.monotonic() < deadline, "the child is still there"
        time.sleep(0.05)
