"""The dashboard and the alert rules ask for nothing that is not told, and every alert says what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from deploy.local.processes import ROOT
from tasks.metrics.metric import DECLARED, Histogram

MONITORING = ROOT / "deploy" / "monitoring"
RULES = [
    rule
    for group in yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES}
PANELS = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))["panels"]

# What Prometheus adds to whatever it asks.
ADDED = {"instance", "job", "le"}


def told() -> dict[str, set[str]]:
    """Every series that there can be, with its labels."""
    series = {"up": set[str]()}
    for each in DECLARED:
        parts = ("_bucket", "_sum", "_count") if isinstance(each, Histogram) else ("",)
        series |= {each.name + part: set(each.labels) for part in parts}
    return series


def expressions() -> Iterator[tuple[str, str]]:
    yield from ((name, rule["expr"]) for name, rule in ALERTS.items())
    yield from ((panel["title"], target["expr"]) for panel in PANELS for target in panel.get("targets", ()))


def asked(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:slipway_\w+|up)\b", re.sub(r'"[^"]*"', "", expression)))


def labels_of(expression: str) -> set[str]:
    """The labels that an expression selects or groups by."""
    selected = re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', expression)
    grouped = re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", expression)
    return set(selected) | {name.strip() for names in grouped for name in names.split(",")}


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_an_expression_asks_for_metrics_and_labels_that_exist(where: str, expression: str) -> None:
    series = told()
    names = asked(expression)
    assert names, expression
    assert names <= series.keys(), where
    assert labels_of(expression) <= ADDED.union(*(series[name] for name in names)), where


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {name for panel in PANELS for target in panel.get("targets", ()) for name in asked(target["expr"])}
    assert {each.name for each in DECLARED} == {re.sub(r"_bucket$", "", name) for name in shown}


def test_the_routes_that_a_rule_names_exist() -> None:
    from tasks.jobs.environment import Secret
    from tasks.jobs.settings import EngineSettings
    from webapp.factory import create_app
    from webapp.settings import WebSettings

    served = {
        rule.rule for rule in create_app(WebSettings(api_key=Secret("key")), EngineSettings()).url_map.iter_rules()
    }
    for _, expression in expressions():
        for routes in re.findall(r'route=~?"([^"]*)"', expression):
            assert set(routes.split("|")) <= served


def test_every_alert_says_how_bad_it_is_and_what_it_means_and_what_to_do() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = {row[0]: row for row in re.findall(r"^\| (Slipway\w+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)}
    assert rows.keys() == ALERTS.keys()
    assert "\n## Alerts\n" in page
    for rule in ALERTS.values():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"].strip().endswith(".")
        assert rule["annotations"]["runbook"] == "docs/operations.md#alerts"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Debian's package prometheus has it; the rest is checked")
def test_prometheus_reads_the_rules_and_the_configuration(tmp_path: Path) -> None:
    for command in (["check", "rules", "alerts.yml"], ["check", "config", "prometheus.yml"]):
        done = subprocess.run(["promtool", *command], cwd=MONITORING, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
