"""Callers of pipelines over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import requests

from deploy.local.stack import Stack
from tests.support.client import PATIENCE

INFER = "/v1/api/pipelines/infer"


class Caller:
    """Calls a stack as one principal; `token` is sent as a bearer."""

    def __init__(self, stack: Stack, token: str | None = None) -> None:
        self.url = stack.url
        self._stack = stack
        self._token = stack.api_key if token is None else token
        self._session = requests.Session()
        if self._token:
            self._session.headers["Authorization"] = self.authorization

    @property
    def authorization(self) -> str:
        return f"Bearer {self._token}"

    def another(self) -> Caller:
        """The same principal with a connection of its own, for a thread."""
        return Caller(self._stack, self._token)

    def call(self, path: str, **body: Any) -> requests.Response:
        """A call that manages."""
        return self._session.post(f"{self.url}/v1/api{path}", json=body, timeout=90)

    def done(self, path: str, **body: Any) -> Any:
        answer = self.call(path, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def infer(self, deployment: str, body: Any = None, **options: Any) -> requests.Response:
        path = deployment if deployment.startswith("/") else f"{INFER}/{deployment}"
        return self._session.post(self.url + path, json=body, timeout=90, **options)

    def upload(self, workspace: int, name: str, content: bytes) -> requests.Response:
        metadata = f'{{"name": "{name}", "workspace_id": {workspace}}}'
        files: Any = {"metadata": (None, metadata, "application/json"), "file": (f"{name}.onnx", content)}
        return self._session.post(f"{self.url}/v1/api/models/upload_and_convert", files=files, timeout=90)

    def deploy(self, workspace: int, name: str, content: bytes, definition: Any = None, model: str = "") -> str:
        """Upload a model, deploy it alone as a pipeline, and return the name of its deployment."""
        uploaded = self.upload(workspace, model or f"{name}-model", content)
        assert uploaded.status_code == 200, uploaded.text
        [added] = uploaded.json()["insert_models"]["returning"][0]["models"]
        return self.deploy_definition(workspace, name, definition, [added["id"]])

    def deploy_definition(self, workspace: int, name: str, definition: Any, models: Sequence[int] = ()) -> str:
        """Deploy a pipeline of models that are there, and return the name of its deployment."""
        made = self.done("/pipelines/create", pipeline_id=name, workspace_id=workspace, definition=definition or {})
        deployed = self.done(
            "/pipelines/deploy",
            deploy_id=name,
            pipeline_id=made["pipeline_pk_id"],
            pipeline_version_pk_id=made["pipeline_variant_pk_id"],
            model_ids=list(models),
        )
        return f"{name}-{deployed['id']}"

    def workspace(self, name: str) -> int:
        return int(self.done("/workspaces/create", workspace_name=name)["workspace_id"])

    def wait_until_running(self, deployment: str) -> Any:
        deadline = time.monotonic() + PATIENCE
        while (status := self.done("/status/get_deployment", name=deployment))["status"] != "Running":
            assert time.monotonic() < deadline, status
            time.sleep(0.05)
        return status
