"""What the calls that manage pipelines have in common."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Flask, Response

from tasks.pipelines.description import Workspace
from tasks.pipelines.management import Refused
from webapp.api.blueprint import Blueprint
from webapp.auth.ownership import own_workspace, visible_workspace
from webapp.http.pipeline_errors import described_as, in_their_words, management_error
from webapp.http.problem import Problem

Values = dict[str, Any]

# The calls that manage read with POST, so each says what it needs.
BUSY = 5  # seconds until a worker may be there


class CallSchema(ma.Schema):
    """Base of the requests. The clients of this surface send more than is asked for: it is not looked at."""

    class Meta:
        """The document allows it, too."""

        unknown = ma.EXCLUDE

    @ma.pre_load
    def _take_what_is_known(self, data: Any, **_: Any) -> Any:
        names = {field.data_key or name for name, field in self.load_fields.items()}
        return {name: value for name, value in data.items() if name in names} if isinstance(data, dict) else data


def call_blueprint(name: str, module: str, description: str) -> Blueprint:
    """A blueprint whose errors are those of the calls that manage."""
    made = Blueprint(name, module, description)
    made._prepare_doc_cbks.append(described_as(management_error))
    made.after_request(in_their_words(management_error))
    return made


def init_app(app: Flask) -> None:
    """Answer what cannot be done."""
    app.register_error_handler(Refused, _refused)


def workspace_to_read(identifier: int) -> Workspace:
    """A workspace that the caller sees; another principal's is not there."""
    return _found(visible_workspace(identifier))


def workspace_to_change(identifier: int) -> Workspace:
    """A workspace of the caller's own."""
    return _found(own_workspace(identifier))


def unknown(kind: str) -> Problem:
    """The answer to an id in a body that names nothing the caller could see."""
    return Problem(400, "unknown", f"There is no such {kind}.")


def _found(workspace: Workspace | None) -> Workspace:
    if workspace is None:
        raise unknown("workspace")
    return workspace


def _refused(error: Refused) -> Response:
    if error.busy:
        return Problem(503, "busy", str(error), headers={"Retry-After": str(BUSY)}).response()
    return Problem(400, "refused", str(error)).response()
