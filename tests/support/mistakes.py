"""Mistakes that people make in manifests: what happened, and how to do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deploy.kubernetes.checks.build import Manifest


def workloads(manifests: list[Manifest]) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in ("Deployment", "StatefulSet")]


def _get(manifests: list[Manifest], kind: str, name: str) -> Any:
    return next(each for each in manifests if each["kind"] == kind and each["metadata"]["name"].startswith(name))


def _pod(manifests: list[Manifest], name: str) -> Any:
    return next(each for each in workloads(manifests) if each["metadata"]["name"] == name)["spec"]["template"]["spec"]


def container(manifests: list[Manifest], name: str) -> Any:
    return _pod(manifests, name)["containers"][0]


# Each breaks staging in one way: what happened, and how to do it.
MUTATIONS: dict[str, Callable[[list[Manifest]], object]] = {
    "a field that does not exist": lambda m: _get(m, "Deployment", "web")["spec"].update(replica=3),
    "a number that is a text": lambda m: _get(m, "Deployment", "web")["spec"].update(replicas="3"),
    "a kind of another version": lambda m: _get(m, "Deployment", "web").update(apiVersion="apps/v1beta1"),
    "a kind that nobody knows": lambda m: _get(m, "Service", "web").update(kind="Servise"),
    "a missing image": lambda m: container(m, "web").pop("image"),
    "a selector that selects nothing": lambda m: _get(m, "Service", "web")["spec"]["selector"].update(
        {"app.kubernetes.io/component": "webb"}
    ),
    "a deployment of other pods": lambda m: _get(m, "Deployment", "web")["spec"]["selector"]["matchLabels"].update(
        {"app.kubernetes.io/component": "webb"}
    ),
    "a budget for nobody": lambda m: _get(m, "PodDisruptionBudget", "web")["spec"]["selector"]["matchLabels"].update(
        {"app.kubernetes.io/component": "webb"}
    ),
    "no budget": lambda m: m.remove(_get(m, "PodDisruptionBudget", "worker-io")),
    "a policy for nobody": lambda m: _get(m, "NetworkPolicy", "to-web")["spec"]["podSelector"]["matchLabels"].update(
        {"app.kubernetes.io/component": "webb"}
    ),
    "a policy for a peer that does not exist": lambda m: _get(m, "NetworkPolicy", "from-users-of-redis")["spec"][
        "egress"
    ][0]["to"][0]["podSelector"]["matchLabels"].update({"app.kubernetes.io/component": "valkey"}),
    "a policy with a port that does not exist": lambda m: _get(m, "NetworkPolicy", "to-redis")["spec"]["ingress"][0][
        "ports"
    ][0].update(port="valkey"),
    "nothing is denied": lambda m: m.remove(_get(m, "NetworkPolicy", "deny-all")),
    "no way to redis": lambda m: _get(m, "Deployment", "worker-io")["spec"]["template"]["metadata"]["labels"].pop(
        "slipway.dev/uses-redis"
    ),
    "a quantity that is none": lambda m: container(m, "web")["resources"]["limits"].update(memory="512Megs"),
    "a limit below the request": lambda m: container(m, "web")["resources"]["limits"].update(memory="128Mi"),
    "no limit of memory": lambda m: container(m, "worker-cpu")["resources"]["limits"].pop("memory"),
    "a port out of range": lambda m: container(m, "web")["ports"][0].update(containerPort=800_000),
    "a service to no port": lambda m: _get(m, "Service", "web")["spec"]["ports"][0].update(targetPort="https"),
    "a probe of another port": lambda m: container(m, "web")["readinessProbe"]["httpGet"].update(port="metrics"),
    "a probe of no route": lambda m: container(m, "web")["livenessProbe"]["httpGet"].update(path="/healthz"),
    "liveness that asks redis": lambda m: container(m, "web")["livenessProbe"]["httpGet"].update(path="/readyz"),
    "no readiness": lambda m: container(m, "web").pop("readinessProbe"),
    "a setting that nobody reads": lambda m: container(m, "worker-io")["env"].append(
        {"name": "IO_CONCURENCY", "value": "5"}
    ),
    "a setting that cannot be read": lambda m: container(m, "worker-cpu")["env"][0].update(value="two"),
    "a setting of nginx that nobody reads": lambda m: container(m, "nginx")["env"].append(
        {"name": "UPSTREEM", "value": "x"}
    ),
    "a file that is not mounted": lambda m: container(m, "web")["env"][0].update(value="/run/secrets/slipway/key"),
    "bodies that nginx does not pass": lambda m: _settings(m).update(MAX_FILE_BYTES="200000000"),
    "a wait that nginx does not bear": lambda m: _settings(m).update(SYNC_BUDGET_SECONDS="120"),
    "settings that do not exist": lambda m: m.remove(_get(m, "ConfigMap", "slipway-settings")),
    "a secret that does not exist": lambda m: m.remove(_get(m, "ExternalSecret", "slipway-redis")),
    "a key that its secret does not have": lambda m: _get(m, "ExternalSecret", "slipway-secrets")["spec"]["data"].pop(
        0
    ),
    "storage that does not exist": lambda m: m.remove(_get(m, "PersistentVolumeClaim", "artifacts")),
    "a secret that nobody reads": lambda m: m.append(
        {**_get(m, "ExternalSecret", "slipway-redis"), "metadata": {"name": "more"}}
        | {"spec": _get(m, "ExternalSecret", "slipway-redis")["spec"] | {"target": {"name": "more"}}}
    ),
    "settings that nobody reads": lambda m: m.append(_get(m, "ConfigMap", "redis") | {"metadata": {"name": "more"}}),
    "a volume that does not exist": lambda m: container(m, "web")["volumeMounts"][0].update(name="temp"),
    "a volume that is not mounted": lambda m: container(m, "web")["volumeMounts"].pop(1),
    "no service account": lambda m: m.remove(_get(m, "ServiceAccount", "slipway")),
    "a token of the cluster": lambda m: _pod(m, "web").update(automountServiceAccountToken=True),
    "root": lambda m: _pod(m, "web")["securityContext"].update(runAsNonRoot=False),
    "another user than the image's": lambda m: _pod(m, "web")["securityContext"].update(runAsUser=10_002),
    "a root that can be written": lambda m: container(m, "web")["securityContext"].update(readOnlyRootFilesystem=False),
    "capabilities": lambda m: container(m, "web")["securityContext"].update(capabilities={"drop": ["NET_RAW"]}),
    "an image that changes": lambda m: container(m, "web").update(image="registry.example.com/slipway-web:latest"),
    "an image that nobody builds": lambda m: container(m, "web").update(image="example.com/slipway-wep:1"),
    "a process that does not exist": lambda m: container(m, "worker-io").update(args=["worker-gpu"]),
    "too little time to stop": lambda m: _pod(m, "worker-io").update(terminationGracePeriodSeconds=30),
    "too little time to start": lambda m: container(m, "worker-cpu")["startupProbe"].update(failureThreshold=10),
    "a probe of another worker": lambda m: container(m, "worker-io")["livenessProbe"]["exec"]["command"].append("cpu"),
    "nobody may call nginx": lambda m: m.remove(_get(m, "NetworkPolicy", "to-nginx")),
    "nobody may ask for names": lambda m: m.remove(_get(m, "NetworkPolicy", "names")),
    "fewer pods in a rollout": lambda m: _get(m, "Deployment", "web")["spec"]["strategy"]["rollingUpdate"].update(
        maxUnavailable=1
    ),
}


def _scaler(manifests: list[Manifest], queue: str = "io") -> Any:
    return _get(manifests, "ScaledObject", f"worker-{queue}")["spec"]


def _query(queue: str = "io", namespace: str = "slipway", metric: str = "slipway_queue_load") -> str:
    return f'max({metric}{{namespace="{namespace}",queue="{queue}"}})'


def _settings(manifests: list[Manifest]) -> Any:
    return _get(manifests, "ConfigMap", "slipway-settings")["data"]


# The same for the base with all components.
FOREIGN: dict[str, Callable[[list[Manifest]], object]] = {
    "a route to no service": lambda m: _get(m, "HTTPRoute", "web")["spec"]["rules"][0]["backendRefs"][0].update(
        name="webb"
    ),
    "a route to another port": lambda m: _get(m, "HTTPRoute", "web")["spec"]["rules"][0]["backendRefs"][0].update(
        port=80
    ),
    "a time that is none": lambda m: _get(m, "HTTPRoute", "web")["spec"]["rules"][1]["timeouts"].update(
        request="75 seconds"
    ),
    "a stream that is cut": lambda m: _get(m, "HTTPRoute", "web")["spec"]["rules"][0]["timeouts"].update(request="75s"),
    "a stream with whatever limit there is": lambda m: _get(m, "HTTPRoute", "web")["spec"]["rules"][0].pop("timeouts"),
    "a download that is cut": lambda m: _get(m, "HTTPRoute", "web")["spec"]["rules"][0]["matches"].pop(3),
    "a call that is cut": lambda m: _get(m, "HTTPRoute", "web")["spec"]["rules"][1]["timeouts"].update(request="30s"),
    "a match that is none": lambda m: _get(m, "HTTPRoute", "web")["spec"]["rules"][1]["matches"][0]["path"].update(
        type="Prefix"
    ),
    "a field that no route has": lambda m: _get(m, "HTTPRoute", "web")["spec"]["rules"][1].update(timeout="75s"),
    "a field that no scaler has": lambda m: _scaler(m).update(pollingIntervall=15),
    "a threshold that is no text": lambda m: _scaler(m)["triggers"][0]["metadata"].update(threshold=350),
    "a scaler without triggers": lambda m: _scaler(m).pop("triggers"),
    "a scaler without patience": lambda m: _scaler(m)["advanced"]["horizontalPodAutoscalerConfig"]["behavior"].pop(
        "scaleDown"
    ),
    "a scaler of nothing": lambda m: _scaler(m)["scaleTargetRef"].update(name="worker-gpu"),
    "two who say how many": lambda m: _get(m, "Deployment", "worker-io")["spec"].update(replicas=3),
    "a fallback to more than there may be": lambda m: _scaler(m)["fallback"].update(replicas=100),
    "a metric that nobody tells": lambda m: _scaler(m)["triggers"][0]["metadata"].update(
        query=_query(metric="slipway_queue_loads")
    ),
    "a metric without the jobs that run": lambda m: _scaler(m)["triggers"][0]["metadata"].update(
        query=_query(metric="slipway_jobs_waiting")
    ),
    "the metric of another namespace": lambda m: _scaler(m)["triggers"][0]["metadata"].update(
        query=_query(namespace="slipway-staging")
    ),
    "the metric of another queue": lambda m: _scaler(m)["triggers"][0]["metadata"].update(query=_query(queue="cpu")),
    "more jobs than a worker runs": lambda m: _scaler(m, "cpu")["triggers"][0]["metadata"].update(threshold="3"),
    "jobs that are cut": lambda m: next(
        each for each in container(m, "worker-cpu")["env"] if each["name"] == "DRAIN_SECONDS"
    ).update(value="600"),
    "a drain that is cut": lambda m: _pod(m, "worker-cpu").update(terminationGracePeriodSeconds=600),
    "nobody measures": lambda m: m.remove(_get(m, "PodMonitor", "slipway")),
    "measured where nothing is": lambda m: _get(m, "PodMonitor", "slipway")["spec"]["podMetricsEndpoints"][0].update(
        port="http"
    ),
    "measured all the time": lambda m: _get(m, "PodMonitor", "slipway")["spec"]["podMetricsEndpoints"][0].update(
        interval="5s"
    ),
    "a field that no monitor has": lambda m: _get(m, "PodMonitor", "slipway")["spec"].update(endpoints=[]),
    "metrics at another port": lambda m: _settings(m).update(METRICS_PORT="9200"),
    "metrics for itself alone": lambda m: _settings(m).pop("METRICS_HOST"),
    "metrics that nobody may read": lambda m: _get(m, "NetworkPolicy", "to-metrics")["spec"].update(ingress=[]),
    "an issuer without an audience": lambda m: _settings(m).pop("OIDC_AUDIENCE"),
    "an issuer without https": lambda m: _settings(m).update(OIDC_ISSUER="http://issuer.example.com"),
    "a bucket that is none": lambda m: _settings(m).update(ARTIFACTS_URL="https://bucket.example.com"),
    "credentials that are not mounted": lambda m: _settings(m).update(AWS_SHARED_CREDENTIALS_FILE="/root/.aws"),
    "a variable of S3 that is none": lambda m: _settings(m).update(AWS_DEFAULT_REGOIN="us-east-1"),
    "a secret's field that is none": lambda m: _get(m, "ExternalSecret", "slipway-secrets")["spec"]["data"][0][
        "remoteRef"
    ].update(properti="x"),
}
