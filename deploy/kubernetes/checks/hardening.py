"""What every pod of ours must be, and quantities that a schema takes for any text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from deploy.kubernetes.checks.build import Manifest
from deploy.kubernetes.checks.model import Cluster, container_of, labels_of, pod_of, title

UNITS: dict[str, Decimal | int] = {
    "": 1, "m": Decimal("0.001"), "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?", re.ASCII)
DNS = 53
USES_REDIS = "slipway.dev/uses-redis"


def quantities(cluster: Cluster) -> Iterator[str]:
    for each in cluster.workloads:
        resources = container_of(each).get("resources", {})
        for kind in ("requests", "limits"):
            for what in {"cpu", "memory"} - set(resources.get(kind, {})):
                yield f"{title(each)} has no {kind} for {what}"
        for what, request in resources.get("requests", {}).items():
            limit = resources.get("limits", {}).get(what)
            if _amount(request) is not None and limit is not None and (_amount(limit) or 0) < (_amount(request) or 0):
                yield f"{title(each)} asks for more {what} than its limit"
    for each in cluster.manifests:
        for place, value in _quantities(each):
            if _amount(value) is None:
                yield f"{title(each)}: {value!r} is no quantity (at {place})"


def _amount(value: Any) -> Decimal | None:
    match = QUANTITY.fullmatch(str(value))
    return Decimal(match[1]) * UNITS[match[2] or ""] if match else None


def _quantities(node: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from _quantities(each, f"{place}.{index}")
    elif isinstance(node, dict):
        for key, each in node.items():
            here = f"{place}.{key}"
            if key in ("requests", "limits") and isinstance(each, dict):
                yield from ((f"{here}.{name}", value) for name, value in each.items())
            elif key == "sizeLimit":
                yield here, each
            else:
                yield from _quantities(each, here)


def pods(cluster: Cluster) -> Iterator[str]:
    for each in cluster.workloads:
        pod, container = pod_of(each), container_of(each)
        inside, around = container.get("securityContext", {}), pod.get("securityContext", {})
        wanted = {
            "mounts a token of the cluster": pod.get("automountServiceAccountToken") is False,
            "gets every service as variables": pod.get("enableServiceLinks") is False,
            "may run as root": around.get("runAsNonRoot") is True,
            "has no seccomp profile": around.get("seccompProfile", {}).get("type") == "RuntimeDefault",
            "may gain privileges": inside.get("allowPrivilegeEscalation") is False,
            "can write to its root": inside.get("readOnlyRootFilesystem") is True,
            "keeps capabilities": inside.get("capabilities", {}).get("drop") == ["ALL"],
        }
        yield from (f"{title(each)} {fault}" for fault, fine in wanted.items() if not fine)
        yield from _image(each, container.get("image", ""))


def _image(workload: Manifest, image: str) -> Iterator[str]:
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if not digest and tag in ("", "latest"):
        yield f"{title(workload)}: the image {image!r} may be another one tomorrow"
    if digest and not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        yield f"{title(workload)}: {digest} is no digest"


def network(cluster: Cluster) -> Iterator[str]:
    """Where there are policies, the first of them denies, and who needs Redis is let through."""
    policies = list(cluster.of("NetworkPolicy"))
    denying = [
        each for each in policies
        if each["spec"]["podSelector"] == {} and set(each["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        and not each["spec"].get("ingress") and not each["spec"].get("egress")
    ]  # fmt: skip
    if any(each["metadata"]["name"] == "names" for each in policies) and not denying:
        yield "no NetworkPolicy denies what is not named"
    for each in cluster.workloads:
        if container_of(each).get("envFrom") and labels_of(each).get(USES_REDIS) != "true":
            yield f"{title(each)} works with Redis, and no policy lets it"


def isolation(cluster: Cluster) -> Iterator[str]:
    """A pod that any policy speaks of can do only what some policy allows: asking for names, being called."""
    for each in cluster.workloads:
        outward, inward = opened(cluster, each, "Egress"), opened(cluster, each, "Ingress")
        if outward is not None and DNS not in outward:
            yield f"{title(each)} cannot ask for names"
        for service in cluster.of("Service"):
            if inward is None or each not in cluster.selected(service["spec"]["selector"]):
                continue
            for port in {entry["targetPort"] for entry in service["spec"]["ports"]} - inward:
                yield f"no policy lets anybody to the port {port} of {title(each)}"


def opened(cluster: Cluster, workload: Manifest, direction: str) -> set[Any] | None:
    """The ports that policies open for a pod; None when no policy speaks of it."""
    found: set[Any] | None = None
    for policy in (each["spec"] for each in cluster.of("NetworkPolicy")):
        labels = policy["podSelector"].get("matchLabels", {})
        if direction in policy["policyTypes"] and labels.items() <= labels_of(workload).items():
            rules = policy.get(direction.lower(), [])
            found = (found or set()) | {port["port"] for rule in rules for port in rule.get("ports", [])}
    return found


def availability(cluster: Cluster) -> Iterator[str]:
    budgets = [each["spec"]["selector"]["matchLabels"] for each in cluster.of("PodDisruptionBudget")]
    for each in cluster.workloads:
        if not any(labels.items() <= labels_of(each).items() for labels in budgets):
            yield f"{title(each)} has no PodDisruptionBudget"
        rolling = each["spec"].get("strategy", {}).get("rollingUpdate", {})
        if each["kind"] == "Deployment" and rolling.get("maxUnavailable") != 0:
            yield f"{title(each)} has less than all of its pods while it is rolled out"
