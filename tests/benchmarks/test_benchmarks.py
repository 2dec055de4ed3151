"""Benchmarks run, once and small; what they measure on a machine that does other things is nobody's business.

One of each kind: requests, streams, and work that is timed from here. `make bench-tiny` runs all of them. The peers are
left out: they are in an environment of their own, which `make bench` makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import report
from benchmarks.case import SLIPWAY, Case, Contender, Goal, Measure, Outcome, Scale, ratio, run
from benchmarks.cases import infer, named, roundtrip, streams


@pytest.mark.parametrize("case", [roundtrip.CASE, streams.AT_ONCE, infer.CASE], ids=lambda case: case.name)
def test_a_benchmark_runs_and_is_reported(case: Case, tmp_path: Path) -> None:
    outcome = run(case, Scale(tiny=True), peers=False)
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
