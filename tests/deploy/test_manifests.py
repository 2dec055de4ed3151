"""The manifests as they are pass every check, and each way of breaking them is noticed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.kubernetes.checks import checkov, rules, schemas
from deploy.kubernetes.checks.build import OVERLAYS, ROOT, Manifest, build, build_combination
from deploy.kubernetes.pin import pin
from tests.support.programs import find_program


def faults(manifests: list[Manifest]) -> list[str]:
    # One version: `make manifests` asks them all.
    return rules.faults(manifests, schemas.VERSIONS[-1:])


@pytest.fixture(scope="session")
def overlays() -> dict[str, list[Manifest]]:
    find_program("kubectl")
    return {name: build(ROOT / "overlays" / name) for name in OVERLAYS}


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_right(overlays: dict[str, list[Manifest]], name: str) -> None:
    assert faults(overlays[name]) == []


@pytest.mark.parametrize("components", [("ingress",), ("network-policies", "external-redis", "nginx")])
def test_components_fit_together(components: tuple[str, ...]) -> None:
    find_program("kubectl")
    assert faults(build_combination(components)) == []


def test_production_runs_only_what_was_pinned(overlays: dict[str, list[Manifest]]) -> None:
    for name in ("staging", "production"):
        images = [each["spec"]["template"]["spec"]["containers"][0]["image"] for each in _workloads(overlays[name])]
        assert all("@sha256:" in image for image in images)


def test_checkov_finds_nothing_and_would_find_something(overlays: dict[str, list[Manifest]]) -> None:
    if not checkov.PROGRAM.exists():
        pytest.skip("checkov is not installed; `make manifests` does it")
    fine = checkov.run("production", overlays["production"])
    assert fine.failed == ()
    assert fine.passed > 100
    broken = copy.deepcopy(overlays["staging"])
    _container(broken, "web")["securityContext"]["privileged"] = True
    assert checkov.run("broken", broken).failed != ()


def test_images_are_pinned_by_name_and_digest(tmp_path: Path) -> None:
    overlay = tmp_path / "kustomization.yaml"
    overlay.write_text((ROOT / "overlays" / "production" / "kustomization.yaml").read_text())
    digest = "sha256:" + "a1" * 32
    pin(overlay, {"slipway-web": f"registry.example.org:5000/team/web@{digest}"})
    images = {each["name"]: each for each in yaml.safe_load(overlay.read_text())["images"]}
    assert images["slipway-web"] == {
        "name": "slipway-web",
        "newName": "registry.example.org:5000/team/web",
        "digest": digest,
    }
    assert images["slipway-worker"]["newName"] == "registry.example.com/slipway-worker"
    for wrong in ({"slipway-web": "web:latest"}, {"slipway-gpu": f"gpu@{digest}"}):
        with pytest.raises(ValueError, match=r"no (NAME|image)"):
            pin(overlay, wrong)


def _workloads(manifests: list[Manifest]) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in ("Deployment", "StatefulSet")]


def _get(manifests: list[Manifest], kind: str, name: str) -> Any:
    return next(each for each in manifests if each["kind"] == kind and each["metadata"]["name"].startswith(name))


def _pod(manifests: list[Manifest], name: str) -> Any:
    return next(each for each in _workloads(manifests) if each["metadata"]["name"] == name)["spec"]["template"]["spec"]


def _container(manifests: list[Manifest], name: str) -> Any:
    return _pod(manifests, name)["containers"][0]


# Each breaks staging in one way: what happened, and how to do it.
MUTATIONS: dict[str, Callable[[list[Manifest]], object]] = {
    "a field that does not exist": lambda m: _get(m, "Deployment", "web")["spec"].update(replica=3),
    "a number that is a text": lambda m: _get(m, "Deployment", "web")["spec"].update(replicas="3"),
    "a kind of another version": lambda m: _get(m, "Deployment", "web").update(apiVersion="apps/v1beta1"),
    "a kind that nobody knows": lambda m: _get(m, "Service", "web").update(kind="Servise"),
    "a missing image": lambda m: _container(m, "web").pop("image"),
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
    "a quantity that is none": lambda m: _container(m, "web")["resources"]["limits"].update(memory="512Megs"),
    "a limit below the request": lambda m: _container(m, "web")["resources"]["limits"].update(memory="128Mi"),
    "no limit of memory": lambda m: _container(m, "worker-cpu")["resources"]["limits"].pop("memory"),
    "a port out of range": lambda m: _container(m, "web")["ports"][0].update(containerPort=800_000),
    "a service to no port": lambda m: _get(m, "Service", "web")["spec"]["ports"][0].update(targetPort="https"),
    "a probe of another port": lambda m: _container(m, "web")["readinessProbe"]["httpGet"].update(port="metrics"),
    "a probe of no route": lambda m: _container(m, "web")["livenessProbe"]["httpGet"].update(path="/healthz"),
    "liveness that asks redis": lambda m: _container(m, "web")["livenessProbe"]["httpGet"].update(path="/readyz"),
    "no readiness": lambda m: _container(m, "web").pop("readinessProbe"),
    "a setting that nobody reads": lambda m: _container(m, "worker-io")["env"].append(
        {"name": "IO_CONCURENCY", "value": "5"}
    ),
    "a setting that cannot be read": lambda m: _container(m, "worker-cpu")["env"][0].update(value="two"),
    "a setting of nginx that nobody reads": lambda m: _container(m, "nginx")["env"].append(
        {"name": "UPSTREEM", "value": "x"}
    ),
    "a file that is not mounted": lambda m: _container(m, "web")["env"][0].update(value="/run/secrets/slipway/key"),
    "settings that do not exist": lambda m: m.remove(_get(m, "ConfigMap", "slipway-settings")),
    "a secret that does not exist": lambda m: m.remove(_get(m, "ExternalSecret", "slipway-redis")),
    "a key that its secret does not have": lambda m: _get(m, "ExternalSecret", "slipway-secrets")["spec"]["data"].pop(
        0
    ),
    "storage that does not exist": lambda m: m.remove(_get(m, "PersistentVolumeClaim", "artifacts")),
    "a volume that does not exist": lambda m: _container(m, "web")["volumeMounts"][0].update(name="temp"),
    "a volume that is not mounted": lambda m: _container(m, "web")["volumeMounts"].pop(1),
    "no service account": lambda m: m.remove(_get(m, "ServiceAccount", "slipway")),
    "a token of the cluster": lambda m: _pod(m, "web").update(automountServiceAccountToken=True),
    "root": lambda m: _pod(m, "web")["securityContext"].update(runAsNonRoot=False),
    "another user than the image's": lambda m: _pod(m, "web")["securityContext"].update(runAsUser=10_002),
    "a root that can be written": lambda m: _container(m, "web")["securityContext"].update(
        readOnlyRootFilesystem=False
    ),
    "capabilities": lambda m: _container(m, "web")["securityContext"].update(capabilities={"drop": ["NET_RAW"]}),
    "an image that changes": lambda m: _container(m, "web").update(image="registry.example.com/slipway-web:latest"),
    "an image that nobody builds": lambda m: _container(m, "web").update(image="example.com/slipway-wep:1"),
    "a process that does not exist": lambda m: _container(m, "worker-io").update(args=["worker-gpu"]),
    "too little time to stop": lambda m: _pod(m, "worker-io").update(terminationGracePeriodSeconds=30),
    "too little time to start": lambda m: _container(m, "worker-cpu")["startupProbe"].update(failureThreshold=10),
    "fewer pods in a rollout": lambda m: _get(m, "Deployment", "web")["spec"]["strategy"]["rollingUpdate"].update(
        maxUnavailable=1
    ),
}

ROUTES: dict[str, Callable[[list[Manifest]], object]] = {
    "a route to no service": lambda m: _get(m, "HTTPRoute", "web")["spec"]["rules"][0]["backendRefs"][0].update(
        name="webb"
    ),
    "a route to another port": lambda m: _get(m, "HTTPRoute", "web")["spec"]["rules"][0]["backendRefs"][0].update(
        port=80
    ),
    "a time that is none": lambda m: _get(m, "HTTPRoute", "web")["spec"]["rules"][1]["timeouts"].update(
        request="75 seconds"
    ),
    "a match that is none": lambda m: _get(m, "HTTPRoute", "web")["spec"]["rules"][1]["matches"][0]["path"].update(
        type="Prefix"
    ),
}


@pytest.mark.parametrize(("overlay", "mutate"), [
    *(pytest.param("staging", mutate, id=name) for name, mutate in MUTATIONS.items()),
    *(pytest.param("production", mutate, id=name) for name, mutate in ROUTES.items()),
])  # fmt: skip
def test_a_mistake_is_noticed(
    overlays: dict[str, list[Manifest]], overlay: str, mutate: Callable[[list[Manifest]], object]
) -> None:
    broken = copy.deepcopy(overlays[overlay])
    mutate(broken)
    assert faults(broken) != []
