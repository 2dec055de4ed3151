"""The schemas of the Kubernetes versions that are supported, strictly: a field that does not exist is an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import kubernetes_validate

from deploy.kubernetes.checks import foreign
from deploy.kubernetes.checks.build import Manifest

# Those that get security fixes; the oldest is the first in which `preStop.sleep` is stable.
VERSIONS = ("1.34", "1.35", "1.36", "1.37")


def faults(manifests: list[Manifest], versions: tuple[str, ...] = VERSIONS) -> Iterator[str]:
    """What any of the versions does not take."""
    for manifest in manifests:
        for version in versions:
            fault = _fault(json.dumps(manifest), version)
            if fault:
                yield f"{_title(manifest)}: {fault} (Kubernetes {version})"
                break


# Combinations have most of their manifests in common, and a schema takes its time.
@lru_cache(maxsize=2048)
def _fault(serialised: str, version: str) -> str:
    manifest: Manifest = json.loads(serialised)
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        if foreign.is_known(manifest):
            return foreign.fault(manifest)
        return f"there is no {manifest.get('apiVersion')} {manifest.get('kind')}"
    except kubernetes_validate.ValidationError as error:
        place: Any = getattr(error, "absolute_path", None) or getattr(error, "path", ())
        return f"{error.message} at {'.'.join(map(str, place))}"
    return ""


def _title(manifest: Manifest) -> str:
    return f"{manifest.get('kind')} {manifest.get('metadata', {}).get('name')}"
