"""A newcomer's way: one new file in the agents' folder, nothing else, and it answers over HTTP.

The same for a queue of one's own: an entry in `QUEUES` and a line in the Procfile.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.copies import Served


def test_it_is_served(theirs: Served) -> None:
    url, key = theirs.url, theirs.headers
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
def test_its_input_is_checked(theirs: Served, payload: dict[str, Any], field: str) -> None:
    url, key = theirs.url, theirs.headers
    answer = requests.post(f"{url}/v1/agents/shout/run", json=payload, headers=key, timeout=60)
    assert answer.status_code == 422
    assert field in json.dumps(answer.json()["errors"])


def test_it_is_documented(theirs: Served) -> None:
    url, key = theirs.url, theirs.headers
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


def test_the_eight_lines_of_the_readme_answer_over_http(theirs: Served) -> None:
    text = "Ships are launched from a ramp. A ramp is a slope into the water. Launching a ship takes a day."
    body: dict[str, Any] = {"text": text, "sentences": 1}
    answer = requests.post(f"{theirs.url}/v1/agents/summarise/run", json=body, headers=theirs.headers, timeout=60)
    assert answer.json()["status"] == "completed", answer.text
    assert answer.json()["result"]


def test_an_async_agent_on_a_queue_of_its_own_runs_there(theirs: Served) -> None:
    url, key = theirs.url, theirs.headers
    answer = requests.post(f"{url}/v1/agents/process_number/run", json={}, headers=key, timeout=60)
    assert answer.json()["status"] == "completed", answer.text
    command = Path(f"/proc/{answer.json()['result']}/cmdline").read_bytes()
    assert b"gpu@" in command
