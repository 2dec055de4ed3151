"""A built set of manifests, asked by what the rules need to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deploy.kubernetes.checks.build import Manifest

WORKLOADS = ("Deployment", "StatefulSet")


class Cluster:
    """What would be in the cluster."""

    def __init__(self, manifests: list[Manifest]) -> None:
        self.manifests = manifests

    def of(self, *kinds: str) -> Iterator[Manifest]:
        return (each for each in self.manifests if each["kind"] in kinds)

    def get(self, kind: str, name: str) -> Manifest | None:
        return next((each for each in self.of(kind) if each["metadata"]["name"] == name), None)

    @property
    def workloads(self) -> list[Manifest]:
        return list(self.of(*WORKLOADS))

    def selected(self, labels: Mapping[str, str]) -> list[Manifest]:
        """The workloads whose pods have all of these labels."""
        return [each for each in self.workloads if labels.items() <= labels_of(each).items()]

    def secret_keys(self, name: str) -> set[str] | None:
        """The keys of a secret, made here or fetched from outside; None when there is no such secret."""
        made = self.get("Secret", name)
        if made:
            return set(made.get("data", {})) | set(made.get("stringData", {}))
        for each in self.of("ExternalSecret"):
            if each["spec"]["target"]["name"] == name:
                return {entry["secretKey"] for entry in each["spec"]["data"]}
        return None


def title(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def pod_of(workload: Manifest) -> dict[str, Any]:
    pod: dict[str, Any] = workload["spec"]["template"]["spec"]
    return pod


def labels_of(workload: Manifest) -> dict[str, str]:
    labels: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return labels


def container_of(workload: Manifest) -> dict[str, Any]:
    """Each of our pods has one container."""
    container: dict[str, Any] = pod_of(workload)["containers"][0]
    return container


def ports_of(workload: Manifest) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container_of(workload).get("ports", [])}


def probes_of(workload: Manifest) -> dict[str, dict[str, Any]]:
    container = container_of(workload)
    return {kind: container[kind] for kind in ("startupProbe", "livenessProbe", "readinessProbe") if kind in container}


def component_of(workload: Manifest) -> str:
    return labels_of(workload).get("app.kubernetes.io/component", "")
