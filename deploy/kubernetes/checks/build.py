"""Build manifests with kustomize: the overlays, and components in combinations that no overlay has."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
Manifest = dict[str, Any]

OVERLAYS = ("dev", "staging", "production")
# The ways in exclude each other; each of the others may be there or not.
WAYS_IN = ("", "gateway", "ingress", "nginx")
OPTIONS = ("network-policies", "external-secrets", "external-redis", "s3-artifacts", "oidc", "monitoring", "keda")
NEEDS = {"keda": "monitoring"}


class BuildError(RuntimeError):
    """kustomize refused; the message is its own."""


def build(directory: Path) -> list[Manifest]:
    """The manifests of a kustomization. Raises BuildError."""
    return [each for each in yaml.safe_load_all(written(directory)) if each]


def written(directory: Path) -> str:
    """The same as kustomize writes it."""
    kubectl = Path(sys.executable).with_name("kubectl")
    done = subprocess.run([kubectl, "kustomize", str(directory)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(done.stderr.strip())
    return done.stdout


def combinations() -> Iterator[tuple[str, ...]]:
    """Every two components together with each way in, each alone, none, and all of them."""
    # Where three do not fit together, two of them do not either, but for what all of them touch.
    for way_in, count in itertools.product(WAYS_IN, (0, 1, 2, len(OPTIONS))):
        for chosen in itertools.combinations(OPTIONS, count):
            if all(NEEDS.get(each, each) in chosen for each in chosen):
                yield tuple(filter(None, (*chosen, way_in)))


def build_combination(components: tuple[str, ...]) -> list[Manifest]:
    """The base with these components, and with secrets unless a component brings them."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        overlay: Manifest = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": "slipway",
            "resources": [_path("base", directory)],
            "components": [_path(f"components/{each}", directory) for each in components],
            "images": [{"name": each, "newTag": "1"} for each in ("slipway-web", "slipway-worker", "slipway-nginx")]
            + [{"name": "valkey", "newTag": "8.1"}],
        }
        if "external-secrets" not in components:
            keys = ("api-key", "redis-url", "worker-redis-url", "openai-api-key", "webhook-secret")
            overlay["secretGenerator"] = [{"name": "slipway-secrets", "literals": [f"{key}=x" for key in keys]}]
            if "external-redis" not in components:
                overlay["secretGenerator"].append({"name": "slipway-redis", "literals": ["users.acl=x"]})
        (directory / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
        return build(directory)


def _path(name: str, start: Path) -> str:
    # kustomize takes relative paths only.
    return os.path.relpath(ROOT / name, start.resolve())
