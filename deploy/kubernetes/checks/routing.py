"""The ways in give calls the time that they may take, and streams all the time that there is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from deploy.kubernetes.checks.build import Manifest
from deploy.kubernetes.checks.model import Cluster, title
from deploy.kubernetes.checks.scaling import seconds
from deploy.kubernetes.checks.settings import environment_of
from deploy.local.processes import ROOT
from tasks.jobs.environment import load
from webapp.settings import WebSettings

# What lasts as long as its job or its reader does.
LASTING = (
    "/ai_service_binary",
    "/ai-service-binary",
    "/chat/stream",
    "/v1/agents/name/run",
    "/v1/agents/name/stream",
    "/v1/chat/completions",
    "/v1/files",
    "/v1/jobs/id/artifacts/name",
    "/v1/jobs/id/events",
    "/ws/name",
)
# What waits for its job, this long at most.
BUDGET = "SYNC_BUDGET_SECONDS"
WAITING = ("/ai_service", "/chat", "/v2/models/name/infer")


# How nginx calls the limits of bodies, and how the application does.
BODIES = {
    "MAX_BODY": "MAX_BODY_BYTES",
    "MAX_FILE": "MAX_FILE_BYTES",
    "MAX_INFERENCE": "MAX_INFERENCE_BYTES",
    "MAX_MODEL": "MAX_MODEL_BYTES",
}
# No limit is named, and each Gateway has another one then.
UNKNOWN = math.inf
NGINX = ROOT / "deploy" / "nginx"


def timeouts(cluster: Cluster) -> Iterator[str]:
    budget = _web(cluster).sync_budget
    patience = re.search(r"^proxy_read_timeout (\d+)s;", (NGINX / "proxy.conf").read_text(), re.MULTILINE)
    if cluster.get("Deployment", "nginx") and patience and float(patience[1]) <= budget:
        yield f"nginx gives calls less than the {budget:.0f} s that they may wait for their job (proxy.conf)"
    for route in cluster.of("HTTPRoute"):
        for path in LASTING:
            if _patience(route, path) != 0:
                yield f"{title(route)} cuts {path} off"
        for path in WAITING:
            if 0 < _patience(route, path) <= budget:
                yield f"{title(route)} gives {path} less than the {budget:.0f} s that it may wait for its job"


def bodies(cluster: Cluster) -> Iterator[str]:
    nginx, web = cluster.get("Deployment", "nginx"), _web(cluster)
    if nginx is None:
        return
    told = environment_of(cluster, nginx) or {}
    taken = (web.max_body, web.max_file, web.max_inference_body, web.max_model_body)
    for name, limit in zip(BODIES, taken, strict=True):
        passed = told.get(name, _default(name))
        if _bytes(passed) != limit:
            yield f"nginx passes bodies of {passed} ({name}), and web takes {limit} bytes ({BODIES[name]})"


def _bytes(size: str) -> int:
    """A size as nginx writes it."""
    return int(size.rstrip("km")) * {"k": 1024, "m": 1024**2}.get(size[-1:], 1)


def _web(cluster: Cluster) -> WebSettings:
    """What web is told of these limits."""
    web = cluster.get("Deployment", "web")
    told = environment_of(cluster, web) if web else None
    return load(WebSettings, {name: (told or {}).get(name, "") for name in (BUDGET, *BODIES.values())})


def _default(name: str) -> str:
    found = re.search(rf"{name}:=(\w+)", (NGINX / "start.sh").read_text())
    assert found
    return found[1]


def _patience(route: Manifest, path: str) -> float:
    """Seconds that a route gives a path, by the longest of the prefixes that fit; 0 is no limit."""
    found = [
        (len(match["path"]["value"]), _limit(rule))
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
        if f"{path}/".startswith(f"{match['path']['value'].rstrip('/')}/")
    ]
    return max(found, default=(0, UNKNOWN))[1]


def _limit(rule: Manifest) -> float:
    return seconds(rule["timeouts"]["request"]) if "timeouts" in rule else UNKNOWN
