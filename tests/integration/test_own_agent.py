"""A newcomer's way: one new file in the agents' folder, nothing else, and it answers over HTTP.

The same for a queue of one's own: an entry in `QUEUES` and a line in the Procfile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import requests

from deploy.local.processes import ROOT
from tests.support.copies import copy_project, served

AGENT = '''
    """Shout a text."""

    from collections.abc import Iterator
    from typing import Annotated, Literal

    from tasks.sdk import Context, Param, agent


    def load():
        import string  # stands for a heavy library: only workers come here

        return string.capwords


    @agent(queue="cpu", timeout=30, setup=load)
    def shout(
        context: Context,
        text: Annotated[str, Param("The text to shout", max_length=100, examples=["hello"])],
        mark: Annotated[Literal["!", "?"], Param("What it ends with")] = "!",
        times: Annotated[int, Param("How often", ge=1, le=3)] = 1,
    ) -> Iterator[str]:
        """Say a text loudly."""
        for _ in range(times):
            yield context.model(text) + mark
'''

ON_A_QUEUE_OF_ITS_OWN = '''
    """Say which process this is."""

    import os

    from tasks.sdk import agent


    @agent(queue="gpu")
    async def process_number() -> str:
        """Say the number of the process."""
        return str(os.getpid())
'''


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """The project with two files and one line more."""
    copy = copy_project(tmp_path_factory.mktemp("theirs") / "project")
    (copy / "tasks" / "agents" / "shout.py").write_text(dedent(AGENT))
    (copy / "tasks" / "agents" / "process_number.py").write_text(dedent(ON_A_QUEUE_OF_ITS_OWN))
    [cpu] = [line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("worker-cpu:")]
    with (copy / "Procfile").open("a") as procfile:
        procfile.write(
            cpu.replace("worker-cpu:", "worker-gpu:").replace("cpu@", "gpu@").replace("-queues cpu", "-queues gpu")
        )
    with served(copy, {"WEB_CONCURRENCY": "1", "QUEUES": "io:gevent,cpu:prefork,gpu:prefork"}) as address:
        yield address


def test_it_is_served(service: tuple[str, dict[str, str]]) -> None:
    url, key = service
    answer = requests.post(
        f"{url}/v1/agents/shout/run", json={"text": "hello you", "times": 2}, headers=key, timeout=60
    )
    assert answer.status_code == 200
    assert answer.json()["result"] == "Hello You!Hello You!"


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "text"),
        ({"text": "x" * 101}, "text"),
        ({"text": "x", "mark": "."}, "mark"),
        ({"text": "x", "more": 1}, "more"),
    ],
)
def test_its_input_is_checked(service: tuple[str, dict[str, str]], payload: dict[str, Any], field: str) -> None:
    url, key = service
    answer = requests.post(f"{url}/v1/agents/shout/run", json=payload, headers=key, timeout=60)
    assert answer.status_code == 422
    assert field in json.dumps(answer.json()["errors"])


def test_it_is_documented(service: tuple[str, dict[str, str]]) -> None:
    url, key = service
    document = requests.get(f"{url}/openapi.json", timeout=60).json()
    operation = document["paths"]["/v1/agents/shout/run"]["post"]
    assert operation["summary"] == "Say a text loudly."
    assert "The text to shout" in json.dumps(document)
    [listed] = [
        each
        for each in requests.get(f"{url}/v1/agents", headers=key, timeout=60).json()["agents"]
        if each["name"] == "shout"
    ]
    assert listed["queue"] == "cpu"


def test_an_async_agent_on_a_queue_of_its_own_runs_there(service: tuple[str, dict[str, str]]) -> None:
    url, key = service
    answer = requests.post(f"{url}/v1/agents/process_number/run", json={}, headers=key, timeout=60)
    assert answer.json()["status"] == "completed", answer.text
    command = Path(f"/proc/{answer.json()['result']}/cmdline").read_bytes()
    assert b"gpu@" in command
