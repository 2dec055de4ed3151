"""What the pods are told exists in the project: settings, processes, routes, users, times."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from deploy.kubernetes.checks.build import Manifest
from deploy.kubernetes.checks.model import (
    Cluster,
    component_of,
    container_of,
    pod_of,
    probes_of,
    title,
)
from deploy.local.processes import ROOT, procfile
from deploy.local.reference import SETTINGS, variables
from tasks.jobs.environment import SettingError, load
from tasks.jobs.settings import EngineSettings
from tasks.worker.settings import WorkerSettings
from webapp.factory import create_app
from webapp.settings import WebSettings

OURS = ("web", "worker-io", "worker-cpu")
# Read by the library of S3 itself.
OF_S3 = frozenset({"AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3", "AWS_SHARED_CREDENTIALS_FILE"})
HAND_BACK = 15.0  # seconds; what the local stack gives workers, too


def environments(cluster: Cluster) -> Iterator[str]:
    for each in cluster.workloads:
        known = _names(component_of(each))
        environment = environment_of(cluster, each)
        if environment is None:
            yield f"{title(each)} takes settings from a ConfigMap that does not exist"
            continue
        for name in environment:
            if name.removesuffix("_FILE") not in known and name not in OF_S3 and not name.startswith("AGENT_"):
                yield f"{title(each)} sets {name}, which nobody reads"
        if component_of(each) in OURS:
            yield from _values(each, environment)
            yield from _files(each, environment)


def _names(component: str) -> frozenset[str]:
    if component in OURS:
        return variables()
    names = re.search(r'^names="([^"]*)"', (ROOT / "deploy/nginx/start.sh").read_text(), re.MULTILINE)
    assert names
    return frozenset(names[1].split()) if component == "nginx" else frozenset()


def environment_of(cluster: Cluster, workload: Manifest) -> dict[str, str] | None:
    """What a container is told, without what it finds in files."""
    container = container_of(workload)
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        settings = cluster.get("ConfigMap", source["configMapRef"]["name"])
        if settings is None:
            return None
        found |= settings["data"]
    return found | {each["name"]: each.get("value", "") for each in container.get("env", [])}


def _values(workload: Manifest, environment: dict[str, str]) -> Iterator[str]:
    plain = {name: value for name, value in environment.items() if not name.endswith("_FILE")}
    for group in SETTINGS.values():
        for each in group:
            try:
                load(each, plain)
            except SettingError as error:
                yield f"{title(workload)}: {error}"


def _files(workload: Manifest, environment: dict[str, str]) -> Iterator[str]:
    """A file that a setting names is an item of a secret that is mounted there."""
    files = set()
    pod, container = pod_of(workload), container_of(workload)
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    for mount in container.get("volumeMounts", []):
        items = volumes.get(mount["name"], {}).get("secret", {}).get("items", [])
        files |= {str(PurePosixPath(mount["mountPath"]) / item["path"]) for item in items}
    for name, value in environment.items():
        if name.endswith("_FILE") and value not in files:
            yield f"{title(workload)}: {name} names {value}, which is not mounted"


def probes(cluster: Cluster) -> Iterator[str]:
    for each in cluster.workloads:
        for kind in {"startupProbe", "livenessProbe", "readinessProbe"} - set(probes_of(each)):
            yield f"{title(each)} has no {kind}"
        for kind, probe in probes_of(each).items():
            if "httpGet" in probe and not _is_served(component_of(each), probe["httpGet"]["path"]):
                yield f"{title(each)}: its {kind} asks {probe['httpGet']['path']}, which is not served"
            if component_of(each) == "web" and kind == "livenessProbe" and probe["httpGet"]["path"] == "/readyz":
                yield f"{title(each)} would be killed whenever Redis is away"
            command = probe.get("exec", {}).get("command", [])
            if "tasks.worker.alive" in command and f"worker-{command[-1]}" != component_of(each):
                yield f"{title(each)}: its {kind} asks about {command[-1]}, which runs elsewhere"


def _is_served(component: str, path: str) -> bool:
    if component == "nginx":
        return f"location = {path} " in (ROOT / "deploy/nginx/nginx.conf.template").read_text()
    return component == "web" and path in _routes()


@cache
def _routes() -> frozenset[str]:
    app = create_app(load(WebSettings, {}), load(EngineSettings, {}), catalogue={})
    return frozenset(rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()))


def processes(cluster: Cluster) -> Iterator[str]:
    dockerfile = (ROOT / "deploy/docker/Dockerfile").read_text()
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", dockerfile, re.MULTILINE))
    users = set(re.findall(r"^USER (\d+):\d+$", dockerfile, re.MULTILINE))
    for each in cluster.workloads:
        container, pod = container_of(each), pod_of(each)
        for name in container.get("args", []):
            if name not in procfile():
                yield f"{title(each)} starts {name}, which the Procfile does not have"
        image = os.path.basename(container.get("image", "").partition("@")[0].partition(":")[0])
        if image.startswith("slipway-") and image.removeprefix("slipway-") not in targets:
            yield f"{title(each)}: no image {image} is built"
        if str(pod["securityContext"].get("runAsUser")) not in users:
            yield f"{title(each)} runs as another user than its image's files are made for"


def times(cluster: Cluster) -> Iterator[str]:
    for each in cluster.workloads:
        pod, container = pod_of(each), container_of(each)
        before: dict[str, Any] = container.get("lifecycle", {}).get("preStop", {})
        needed = float(before.get("sleep", {}).get("seconds", 0))
        if component_of(each) == "web":
            needed += _gunicorn("graceful_timeout")
        elif component_of(each) in OURS:
            needed += load(WorkerSettings, environment_of(cluster, each) or {}).drain + HAND_BACK
            if _patience(each) <= load(WorkerSettings, {}).setup_timeout:
                yield f"{title(each)} is killed before its setup functions may end"
        if pod["terminationGracePeriodSeconds"] < needed:
            yield f"{title(each)} needs {needed:.0f} s to stop, and has {pod['terminationGracePeriodSeconds']}"


def _patience(workload: Manifest) -> float:
    """Seconds that a container has to start."""
    probe = probes_of(workload).get("startupProbe", {})
    return float(probe.get("periodSeconds", 0) * probe.get("failureThreshold", 0))


def _gunicorn(name: str) -> float:
    found = re.search(rf"^{name} = (\d+)", (ROOT / "deploy/gunicorn.conf.py").read_text(), re.MULTILINE)
    assert found
    return float(found[1])
