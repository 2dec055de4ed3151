"""What the README says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy.local.processes import ROOT
from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from tasks.sdk import Catalogue
from tasks.sdk.testing import FakeContext, FakeProvider
from webapp.factory import create_app
from webapp.settings import WebSettings

README = (ROOT / "README.md").read_text(encoding="utf-8")
ENDPOINTS = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    package = tmp_path / "agents_of_the_readme"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "summarise.py").write_text(EXAMPLE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return Catalogue.load(package.name, EngineSettings().queues)


def test_an_agent_is_eight_lines() -> None:
    assert len([line for line in EXAMPLE.splitlines() if line.strip()]) == 8


def test_the_eight_lines_are_an_agent(example: Catalogue) -> None:
    context = FakeContext(provider=FakeProvider(["Short."]))
    assert example["summarise"].function(context, "A long text.", 2) == "Short."


def test_every_endpoint_of_the_overview_is_there() -> None:
    app = create_app(WebSettings(api_key=Secret("key"), playground=True), EngineSettings())
    served = {shown(str(rule)) for rule in app.url_map.iter_rules() if "/assets/" not in str(rule)}
    rows = [row for row in ENDPOINTS.splitlines() if row.startswith(("| `GET", "| `POST"))]
    named = set(re.findall(r"(?<=[ `])/[\w/.{}]*(?=`)", "\n".join(row.split(" | ")[0] for row in rows)))
    assert named
    assert named <= served


def shown(rule: str) -> str:
    """A route as the table has it: one line for all agents, and one spelling of each."""
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule).replace("ai-service-", "ai_service_").replace("ai-", "ai_")
    path = re.sub(r"^/v1/agents/\w+/", "/v1/agents/{name}/", path)
    return re.sub(r"\{(job|task|conversation|file)_id\}", "{id}", path)


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", README)) <= targets


def test_every_file_that_is_linked_exists() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link
