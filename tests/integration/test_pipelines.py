"""Pipelines over the real stack: from an uploaded model to its answers."""

from __future__ import annotations

import uuid

import pytest

from deploy.local.stack import Stack
from tests.support.onnx_models import WIDTH, summing
from tests.support.pipelines import Caller

ROW = [1.0] * WIDTH


def fresh(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def caller(stack: Stack) -> Caller:
    return Caller(stack)


@pytest.fixture(scope="session")
def workspace(caller: Caller) -> int:
    return caller.workspace(fresh("mine"))


@pytest.fixture(scope="session")
def deployment(caller: Caller, workspace: int) -> str:
    return caller.deploy(workspace, fresh("sums"), summing(), model="adder")


def test_an_uploaded_model_answers_with_one_result_for_all_rows(caller: Caller, deployment: str) -> None:
    body = {"text_input": [[0] * 49 + [each] for each in range(3)]}
    answer = caller.infer(deployment, body)
    assert answer.status_code == 200, answer.text
    [result] = answer.json()
    assert result["outputs"] == [
        {"Float": {"v": 1, "dim": [3, 1], "data": [0.0, 1.0, 2.0]}},
        {"Float": {"v": 1, "dim": [3, 1], "data": [0.0, 0.5, 1.0]}},
    ]
    assert result["original_data"] == body
    assert (result["model_name"], result["pipeline_name"]) == ("adder", deployment.rpartition("-")[0])
    assert uuid.UUID(result["model_version"])
    assert result["check_failures"] == []
    assert result["shadow_data"] == {}
    assert result["elapsed"] > 0
    assert answer.headers["X-Job-ID"]
