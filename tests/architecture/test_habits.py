"""What runs by itself runs what developers run, and nothing that can change under us."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
import yaml

from deploy.local.processes import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PRE_COMMIT = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = dict(re.findall(r"^([a-z-]+):([^#\n]*)", MAKEFILE, re.MULTILINE))


def steps(workflow: Any) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_what_exists_and_pins_what_is_not_ours(path: Any) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert "permissions" in workflow
    commands = "\n".join(step.get("run", "") for step in steps(workflow))
    named = re.findall(r"^make ([a-z-]+)|^run: make ([a-z-]+)", commands, re.MULTILINE)
    assert {one or other for one, other in named} <= TARGETS.keys()
    for step in steps(workflow):
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


def test_ci_is_the_command_of_developers() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text(encoding="utf-8"))
    assert {".ci/run", "make audit", "make licences", "make sbom"} <= {step.get("run") for step in steps(workflow)}
    ci = ROOT / ".ci" / "run"
    assert os.access(ci, os.X_OK)
    assert re.search(r"^make check\b", ci.read_text(encoding="utf-8"), re.MULTILINE)


def test_a_commit_is_checked_by_a_part_of_what_ci_checks() -> None:
    hooks = [hook for repository in PRE_COMMIT["repos"] for hook in repository["hooks"]]
    assert {repository["repo"] for repository in PRE_COMMIT["repos"]} == {"local"}
    entries = {hook["entry"] for hook in hooks}
    assert entries == {f"make {target}" for target in TARGETS["check"].split() if target != "test"}


def test_the_changelog_says_what_is_not_released() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[Unreleased\]\n\n### ", changelog, re.MULTILINE)


def test_contributing_is_one_page_and_names_what_exists() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert len(page.splitlines()) < 60
    named = {one or other for one, other in re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)", page, re.MULTILINE)}
    assert named <= TARGETS.keys()
