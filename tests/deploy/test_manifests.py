"""The manifests as they are pass every check, and each way of breaking them is noticed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from deploy.kubernetes.checks import checkov, rules, schemas
from deploy.kubernetes.checks.build import OPTIONS, OVERLAYS, ROOT, Manifest, build, build_combination
from deploy.kubernetes.pin import pin
from tests.support.mistakes import FOREIGN, MUTATIONS, container, workloads


def faults(manifests: list[Manifest]) -> list[str]:
    # One version: `make manifests` asks them all.
    return rules.faults(manifests, schemas.VERSIONS[-1:])


@pytest.fixture(scope="session")
def overlays() -> dict[str, list[Manifest]]:
    found = {name: build(ROOT / "overlays" / name) for name in OVERLAYS}
    return found | {"everything": build_combination((*OPTIONS, "gateway"))}


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_right(overlays: dict[str, list[Manifest]], name: str) -> None:
    assert faults(overlays[name]) == []


@pytest.mark.parametrize(
    "components", [("ingress",), ("s3-artifacts", "oidc", "nginx"), (*OPTIONS, "gateway")], ids="+".join
)
def test_components_fit_together(components: tuple[str, ...]) -> None:
    assert faults(build_combination(components)) == []


def test_production_runs_only_what_was_pinned(overlays: dict[str, list[Manifest]]) -> None:
    for name in ("staging", "production"):
        images = [each["spec"]["template"]["spec"]["containers"][0]["image"] for each in workloads(overlays[name])]
        assert all("@sha256:" in image for image in images)


def test_checkov_finds_nothing_and_would_find_something(overlays: dict[str, list[Manifest]]) -> None:
    if not checkov.PROGRAM.exists():
        pytest.skip("checkov is not installed; `make manifests` does it")
    fine = checkov.run("production", overlays["production"])
    assert fine.failed == ()
    assert fine.passed > 100
    broken = copy.deepcopy(overlays["staging"])
    container(broken, "web")["securityContext"]["privileged"] = True
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


@pytest.mark.parametrize(("overlay", "mutate"), [
    *(pytest.param("staging", mutate, id=name) for name, mutate in MUTATIONS.items()),
    *(pytest.param("everything", mutate, id=name) for name, mutate in FOREIGN.items()),
])  # fmt: skip
def test_a_mistake_is_noticed(
    overlays: dict[str, list[Manifest]], overlay: str, mutate: Callable[[list[Manifest]], object]
) -> None:
    broken = copy.deepcopy(overlays[overlay])
    mutate(broken)
    assert faults(broken) != []
