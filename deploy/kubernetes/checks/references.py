"""What names something names what is there: selectors, ports, volumes, secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deploy.kubernetes.checks.build import Manifest
from deploy.kubernetes.checks.model import Cluster, container_of, labels_of, pod_of, ports_of, probes_of, title

# Made by a person or by cert-manager, in no manifest of ours: the READMEs of the components say so.
FROM_OUTSIDE = frozenset({"slipway-tls", "slipway-s3"})
COMPONENTS = frozenset({"web", "worker-io", "worker-cpu", "redis", "nginx"})
HIGHEST_PORT = 65_535


def selectors(cluster: Cluster) -> Iterator[str]:
    for each in cluster.workloads:
        if not each["spec"]["selector"]["matchLabels"].items() <= labels_of(each).items():
            yield f"{title(each)} does not select its own pods"
        for spread in pod_of(each).get("topologySpreadConstraints", []):
            if not spread["labelSelector"]["matchLabels"].items() <= labels_of(each).items():
                yield f"{title(each)} spreads over other pods than its own"
    selecting = [(each, each["spec"]["selector"]) for each in cluster.of("Service")]
    selecting += [(each, each["spec"]["selector"]["matchLabels"]) for each in cluster.of("PodDisruptionBudget")]
    selecting += [(each, each["spec"]["podSelector"].get("matchLabels", {})) for each in cluster.of("NetworkPolicy")]
    for each, labels in selecting:
        if not cluster.selected(labels):
            yield f"{title(each)} selects no pods"


def peers(cluster: Cluster) -> Iterator[str]:
    """Peers may be absent in a combination, but not from the whole project."""
    for policy in cluster.of("NetworkPolicy"):
        rules = [*policy["spec"].get("ingress", []), *policy["spec"].get("egress", [])]
        for peer in (peer for rule in rules for peer in (*rule.get("from", []), *rule.get("to", []))):
            component = peer.get("podSelector", {}).get("matchLabels", {}).get("app.kubernetes.io/component")
            if component is not None and component not in COMPONENTS:
                yield f"{title(policy)} speaks of {component}, which does not exist"


def ports(cluster: Cluster) -> Iterator[str]:
    for each in cluster.workloads:
        known = ports_of(each)
        for name, number in known.items():
            if not 0 < number <= HIGHEST_PORT:
                yield f"{title(each)}: the port {name} cannot be {number}"
        for kind, probe in probes_of(each).items():
            port = (probe.get("httpGet") or probe.get("tcpSocket") or {}).get("port")
            if port is not None and port not in known and port not in known.values():
                yield f"{title(each)}: its {kind} asks port {port}, which it does not have"
    for service in cluster.of("Service"):
        for port in service["spec"]["ports"]:
            if not 0 < port["port"] <= HIGHEST_PORT:
                yield f"{title(service)} cannot listen on {port['port']}"
            for each in cluster.selected(service["spec"]["selector"]):
                if port["targetPort"] not in ports_of(each):
                    yield f"{title(service)} sends to the port {port['targetPort']}, which {title(each)} does not have"
    yield from _policy_ports(cluster)


def _policy_ports(cluster: Cluster) -> Iterator[str]:
    for policy in cluster.of("NetworkPolicy"):
        reached = cluster.selected(policy["spec"]["podSelector"].get("matchLabels", {}))
        for rule in policy["spec"].get("ingress", []):
            for port in (each["port"] for each in rule.get("ports", [])):
                if isinstance(port, str) and not any(port in ports_of(each) for each in reached):
                    yield f"{title(policy)} opens the port {port}, which its pods do not have"


def backends(cluster: Cluster) -> Iterator[str]:
    for each in cluster.of("Ingress"):
        for path in (path for rule in each["spec"]["rules"] for path in rule["http"]["paths"]):
            service = path["backend"]["service"]
            yield from _backend(cluster, title(each), service["name"], next(iter(service["port"].values())))
    for each in cluster.of("HTTPRoute"):
        for backend in (backend for rule in each["spec"]["rules"] for backend in rule["backendRefs"]):
            yield from _backend(cluster, title(each), backend["name"], backend["port"])


def _backend(cluster: Cluster, who: str, name: str, port: Any) -> Iterator[str]:
    service = cluster.get("Service", name)
    if service is None:
        yield f"{who} sends to the service {name}, which does not exist"
    elif not any(port in (each["port"], each["name"]) for each in service["spec"]["ports"]):
        yield f"{who} sends to the port {port}, which the service {name} does not have"


def volumes(cluster: Cluster) -> Iterator[str]:
    for each in cluster.workloads:
        pod = pod_of(each)
        claims = [claim["metadata"]["name"] for claim in each["spec"].get("volumeClaimTemplates", [])]
        known = {volume["name"] for volume in pod.get("volumes", [])} | set(claims)
        mounted = {mount["name"] for mount in container_of(each).get("volumeMounts", [])}
        for name in mounted - known:
            yield f"{title(each)} mounts the volume {name}, which it does not have"
        for name in known - mounted:
            yield f"{title(each)} has the volume {name}, and mounts it nowhere"
        for volume in pod.get("volumes", []):
            yield from _volume(cluster, title(each), volume)
        if cluster.get("ServiceAccount", pod["serviceAccountName"]) is None:
            yield f"{title(each)}: there is no service account {pod['serviceAccountName']}"


def unused(cluster: Cluster) -> Iterator[str]:
    """What pods are told and given in secret is read by some pod; a secret from a vault would have to be kept there."""
    read = {source for each in cluster.workloads for source in _sources(each)}
    for each in cluster.of("ConfigMap", "Secret", "ExternalSecret"):
        name = each["spec"]["target"]["name"] if each["kind"] == "ExternalSecret" else each["metadata"]["name"]
        if ("ConfigMap" if each["kind"] == "ConfigMap" else "Secret", name) not in read:
            yield f"nobody reads {title(each)}"


def _sources(workload: Manifest) -> Iterator[tuple[str, str]]:
    for each in container_of(workload).get("envFrom", []):
        yield "ConfigMap", each["configMapRef"]["name"]
    for volume in pod_of(workload).get("volumes", []):
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]


def _volume(cluster: Cluster, who: str, volume: dict[str, Any]) -> Iterator[str]:
    if "secret" in volume:
        yield from _secret(cluster, who, volume["secret"])
    for kind, field, key in (
        ("ConfigMap", "configMap", "name"),
        ("PersistentVolumeClaim", "persistentVolumeClaim", "claimName"),
    ):
        if field in volume and cluster.get(kind, volume[field][key]) is None:
            yield f"{who}: there is no {kind} {volume[field][key]}"


def _secret(cluster: Cluster, who: str, secret: dict[str, Any]) -> Iterator[str]:
    name = secret["secretName"]
    keys = cluster.secret_keys(name)
    if keys is None:
        if name not in FROM_OUTSIDE:
            yield f"{who}: there is no secret {name}"
        return
    for item in secret.get("items", []):
        if item["key"] not in keys:
            yield f"{who}: the secret {name} has no key {item['key']}"
