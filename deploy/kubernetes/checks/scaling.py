"""What measures and what scales: the metrics exist, are served and can be reached, and scaling in cuts no job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from deploy.kubernetes.checks.build import Manifest
from deploy.kubernetes.checks.hardening import opened
from deploy.kubernetes.checks.model import Cluster, component_of, container_of, ports_of, title
from deploy.kubernetes.checks.settings import environment_of
from deploy.settings import ProcessSettings
from tasks import metrics
from tasks.jobs.environment import load
from tasks.jobs.settings import EngineSettings
from tasks.metrics.metric import DECLARED
from tasks.metrics.settings import MetricsSettings
from tasks.sdk import Catalogue
from tasks.worker.settings import WorkerSettings

QUERY = re.compile(r'max\((?P<metric>\w+)\{namespace="(?P<namespace>[^"]*)",queue="(?P<queue>[^"]*)"\}\)')


def monitors(cluster: Cluster) -> Iterator[str]:
    for each in cluster.of("PodMonitor"):
        chosen = cluster.selected(each["spec"]["selector"]["matchLabels"])
        for endpoint in each["spec"]["podMetricsEndpoints"]:
            measured = [workload for workload in chosen if endpoint["port"] in ports_of(workload)]
            for name in {"web", "worker-io", "worker-cpu"} - {component_of(workload) for workload in measured}:
                yield f"{title(each)} does not measure {name}"
            for workload in measured:
                yield from _served(cluster, workload, ports_of(workload)[endpoint["port"]])
                ports = opened(cluster, workload, "Ingress")
                if ports is not None and endpoint["port"] not in ports:
                    yield f"no NetworkPolicy lets anybody to the metrics of {title(workload)}"
            if seconds(endpoint["scrapeTimeout"]) >= seconds(endpoint["interval"]):
                yield f"{title(each)} asks again before it stops waiting"


def _served(cluster: Cluster, workload: Manifest, port: int) -> Iterator[str]:
    served = load(MetricsSettings, environment_of(cluster, workload) or {})
    if served.port != port:
        yield f"{title(workload)} is asked for metrics at {port}, and serves them at {served.port}"
    if served.host != "0.0.0.0":  # noqa: S104 - what is wanted in a pod
        yield f"{title(workload)} serves its metrics to itself alone"


def scaled(cluster: Cluster) -> Iterator[str]:
    for each in cluster.of("ScaledObject"):
        spec, name = each["spec"], each["spec"]["scaleTargetRef"]["name"]
        workload = cluster.get("Deployment", name)
        if workload is None:
            yield f"{title(each)} scales {name}, which does not exist"
            continue
        if "replicas" in workload["spec"]:
            yield f"{title(workload)} says how many there are, and so does {title(each)}"
        if not spec["minReplicaCount"] <= spec["fallback"]["replicas"] <= spec["maxReplicaCount"]:
            yield f"{title(each)} falls back to fewer or more than there may be"
        for trigger in spec["triggers"]:
            yield from _measured(cluster, each, workload, trigger["metadata"])
        yield from _uncut(cluster, workload)


def _measured(cluster: Cluster, scaler: Manifest, workload: Manifest, trigger: dict[str, str]) -> Iterator[str]:
    if not any(cluster.of("PodMonitor")):
        yield f"{title(scaler)} scales on what nobody measures: it needs the component monitoring"
    asked = QUERY.fullmatch(trigger["query"])
    if asked is None or asked["metric"] not in {each.name for each in DECLARED}:
        yield f"{title(scaler)} asks for {trigger['query']!r}, which nobody tells"
        return
    if asked["metric"] != metrics.QUEUE_LOAD.name:
        yield f"{title(scaler)} does not see jobs that run: {asked['metric']}"
    if asked["namespace"] != scaler["metadata"]["namespace"]:
        yield f"{title(scaler)} asks about the namespace {asked['namespace']}"
    if f"worker-{asked['queue']}" != component_of(workload):
        yield f"{title(scaler)} asks about the queue {asked['queue']}"
    at_once = _at_once(cluster, workload)
    if not 0 < float(trigger["threshold"]) <= at_once:
        yield f"{title(scaler)} wants {trigger['threshold']} jobs of a worker that runs {at_once} at once"


def _at_once(cluster: Cluster, workload: Manifest) -> int:
    processes = load(ProcessSettings, environment_of(cluster, workload) or {})
    return processes.io_concurrency if component_of(workload) == "worker-io" else processes.cpu_concurrency


def _uncut(cluster: Cluster, workload: Manifest) -> Iterator[str]:
    """A worker that is taken away has the time that the longest agent of its queue may take."""
    longest = _longest(component_of(workload).removeprefix("worker-"))
    drain = load(WorkerSettings, environment_of(cluster, workload) or {}).drain
    if drain < longest:
        name = container_of(workload)["name"]
        yield f"{name} is scaled in within {drain:.0f} s, and its jobs may take {longest:.0f} s (DRAIN_SECONDS)"


@cache
def _longest(queue: str) -> float:
    settings = load(EngineSettings, {})
    agents = Catalogue.load((*settings.agents, "tasks.pipelines.agents"), settings.queues).values()
    return max((each.timeout for each in agents if each.queue == queue), default=0.0)


def seconds(duration: str) -> float:
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = re.fullmatch(r"(\d+)(\w+)", duration).groups()  # type: ignore[union-attr]
    return float(number) * units[unit]
