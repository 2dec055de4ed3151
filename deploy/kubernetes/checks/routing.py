"""The ways in give calls the time that they may take, and streams all the time that there is."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.kubernetes.checks.build import Manifest
from deploy.kubernetes.checks.model import Cluster, title
from deploy.kubernetes.checks.scaling import seconds
from deploy.kubernetes.checks.settings import environment_of
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


def timeouts(cluster: Cluster) -> Iterator[str]:
    web = cluster.get("Deployment", "web")
    if web is None:
        return
    told = environment_of(cluster, web) or {}
    budget = load(WebSettings, {BUDGET: told.get(BUDGET, "")}).sync_budget
    for route in cluster.of("HTTPRoute"):
        for path in LASTING:
            if _patience(route, path) != 0:
                yield f"{title(route)} cuts {path} off"
        for path in WAITING:
            if 0 < _patience(route, path) <= budget:
                yield f"{title(route)} gives {path} less than the {budget:.0f} s that it may wait for its job"


def _patience(route: Manifest, path: str) -> float:
    """Seconds that a route gives a path, by the longest of the prefixes that fit; 0 is no limit."""
    found = [
        (len(match["path"]["value"]), seconds(rule["timeouts"]["request"]))
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
        if f"{path}/".startswith(f"{match['path']['value'].rstrip('/')}/")
    ]
    return max(found)[1]
