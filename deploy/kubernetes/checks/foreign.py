"""Kinds that others define: strict schemas of the part of them that we use (`foreign.yaml`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from deploy.kubernetes.checks.build import Manifest


def is_known(manifest: Manifest) -> bool:
    return _title(manifest) in _schemas()["kinds"]


def fault(manifest: Manifest) -> str:
    """The first thing that is wrong; empty when nothing is."""
    schemas = _schemas()
    schema = {
        "definitions": schemas["definitions"],
        "type": "object",
        "required": ["metadata", "spec"],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {},
            "kind": {},
            "metadata": {"$ref": "#/definitions/metadata"},
            "spec": schemas["kinds"][_title(manifest)],
        },
    }
    error = jsonschema.exceptions.best_match(jsonschema.Draft7Validator(schema).iter_errors(manifest))
    return f"{error.message} at {'.'.join(map(str, error.absolute_path))}" if error else ""


def _title(manifest: Manifest) -> str:
    return f"{manifest.get('apiVersion')} {manifest.get('kind')}"


@cache
def _schemas() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("foreign.yaml").read_text())
    return loaded
