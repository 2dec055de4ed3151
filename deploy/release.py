"""`make release VERSION=1.2.3`: images, what is in them, and manifests that name them by digest, in `var/release`.

It begins only when all of it can be done: every change has its commit, which says this version itself; the locks are
those of pyproject.toml; the changelog has an entry. Nothing is tagged: that is the last command it tells.

`REGISTRY` is where the images go, as `registry.example.com/team`; without it they stay here. `CONTAINER_BASE` and
`CONTAINER_BUILD_OPTIONS` are as for `make deploy-test`, `VALKEY_IMAGE` is as for compose; named by a digest, it is left
where it is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import yaml

from deploy.kubernetes.checks import rules
from deploy.kubernetes.checks.build import written
from deploy.kubernetes.pin import pin
from deploy.local.lock import LOCKS
from deploy.local.processes import ROOT
from deploy.local.sbom import Component, document, image, packages, system_package, url_of

IMAGES = ("web", "worker", "nginx")
OVERLAYS = ("staging", "production")
# What the images hold beside requirements.txt: the component s3-artifacts is to work with them.
EXTRAS = "s3"
# Somebody else's, for a Redis inside of the cluster.
VALKEY = "docker.io/valkey/valkey:8.1"
LIST_PACKAGES = "import importlib.metadata as m\nfor each in m.distributions(): print(each.name, each.version)"
LIST_SYSTEM = ("dpkg-query", "--show", "--showformat", "${Package} ${Version} ${Architecture}\n")
UNPINNED = "sha256:" + "0" * 64
# As pyproject.toml and tags of images both take it.
VERSION = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", re.ASCII)


class ReleaseError(RuntimeError):
    """Why nothing was released, and what to do about it."""


def main(version: str) -> int:
    try:
        reasons = list(_reasons(version))
        if reasons:
            raise ReleaseError("\n".join(reasons))
        output = release(version, os.environ.get("REGISTRY") or "")
    except (ReleaseError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"\n{output.relative_to(ROOT)}:")
    print("\n".join(f"  {path.relative_to(output)}" for path in sorted(output.rglob("*")) if path.parent == output))
    print(f"\nThen: git tag --sign v{version} && git push origin v{version}")
    return 0


def _reasons(version: str) -> Iterator[str]:
    if not VERSION.fullmatch(version):
        yield f"VERSION must be like 1.2.3 or 1.2.3rc1, but is {version!r}."
        return
    if _git("status", "--porcelain"):
        yield "There are changes that no commit has."
    if _git("tag", "--list", f"v{version}") and _git("rev-list", "-1", f"v{version}") != _git("rev-parse", "HEAD"):
        yield f"v{version} is another commit already."
    said = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    if said != version:
        yield f"pyproject.toml says {said}: commit the new version first."
    if not notes(version):
        yield f"CHANGELOG.md has no entry `## [{version}]`: what does this release change for whoever runs it?"
    if not _locks_are_current():
        yield "The locks are not those of pyproject.toml: make lock, run the tests, commit."


def notes(version: str) -> str:
    """The changelog's entry of a version; empty when there is none."""
    path = ROOT / "CHANGELOG.md"
    found = re.search(
        rf"^## \[?{re.escape(version)}\]?(?!\S)[^\n]*\n(.*?)(?=^## |\Z)",
        path.read_text() if path.exists() else "",
        re.MULTILINE | re.DOTALL,
    )
    return found[1].strip() if found else ""


def _locks_are_current() -> bool:
    """Whether resolving anew changes nothing. What is pinned stays pinned, so time alone changes nothing."""
    locks = {path: path.read_bytes() for path in map(ROOT.joinpath, LOCKS)}
    done = subprocess.run([sys.executable, "-m", "deploy.local.lock"], cwd=ROOT, capture_output=True, check=False)
    current = done.returncode == 0 and all(path.read_bytes() == content for path, content in locks.items())
    for path, content in locks.items():
        path.write_bytes(content)
    return current


def release(version: str, registry: str) -> Path:
    """Make everything. Returns the folder that it is in."""
    output = ROOT / "var" / "release" / version
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    (output / "notes.md").write_text(notes(version) + "\n")
    digests = {"valkey": _valkey(registry), **{f"slipway-{name}": _image(name, version, registry) for name in IMAGES}}
    (output / "images.txt").write_text("".join(f"{reference}\n" for reference in digests.values()))
    bill = document([*map(image, digests.values()), *_contents(version, registry)])
    (output / "sbom.json").write_text(json.dumps(bill, indent=1))
    for part in ("base", "components", "overlays"):
        shutil.copytree(ROOT / "deploy" / "kubernetes" / part, output / "kubernetes" / part)
    for overlay in OVERLAYS:
        folder = output / "kubernetes" / "overlays" / overlay
        pin(folder / "kustomization.yaml", digests)
        manifests = written(folder)
        _check(overlay, manifests)
        (output / f"{overlay}.yaml").write_text(manifests)
    return output


def _check(overlay: str, manifests: str) -> None:
    faults = rules.faults(list(yaml.safe_load_all(manifests)))
    if UNPINNED in manifests:
        faults.append("an image has no digest")
    if faults:
        raise ReleaseError("\n".join(f"{overlay}: {fault}" for fault in faults))


def _valkey(registry: str) -> str:
    """Its name and digest. It goes where ours are: what a release runs is there as long as the release is."""
    reference = os.environ.get("VALKEY_IMAGE") or VALKEY
    if "@" in reference:
        return reference
    print(f"fetching {reference}")
    _output("podman", "pull", "--quiet", reference)
    if not registry:
        return f"{reference.rpartition(':')[0]}@{_digest(reference, push=False)}"
    ours = f"{registry}/valkey:{reference.rpartition(':')[2]}"
    _output("podman", "tag", reference, ours)
    return f"{registry}/valkey@{_digest(ours, push=True)}"


def _contents(version: str, registry: str) -> Iterator[Component]:
    """What is in the images. The locks know the hashes, and have more: what other platforms need."""
    worker = _tag("worker", version, registry)
    installed = {url_of(*line.split()) for line in _inside(worker, "python3", "-c", LIST_PACKAGES)}
    locks = ((ROOT / name).read_text() for name in ("requirements.txt", f"requirements-{EXTRAS}.txt"))
    yield from (each for each in packages(*locks) if each["purl"] in installed)
    for name in IMAGES:
        for line in _inside(_tag(name, version, registry), *LIST_SYSTEM):
            yield system_package(*line.split())


def _inside(tag: str, program: str, *arguments: str) -> list[str]:
    """The lines that a program of an image says."""
    options = ("--rm", "--network=none", "--entrypoint", program)
    return _output("podman", "run", *options, tag, *arguments).splitlines()


def _tag(name: str, version: str, registry: str) -> str:
    return f"{registry or 'localhost'}/slipway-{name}:{version}"


def _image(name: str, version: str, registry: str) -> str:
    """Build an image, send it where it belongs, and return its name and digest."""
    reference = _tag(name, version, registry)
    print(f"building {reference}")
    # Anew: layers that were built before have the packages of that day, and, as podman does not look at arguments for
    # it, the labels of that version. Docker's own format: the other one has no health checks.
    options = ["--no-cache", "--format", "docker", *os.environ.get("CONTAINER_BUILD_OPTIONS", "").split()]
    arguments = {"VERSION": version, "REVISION": _git("rev-parse", "HEAD"), "EXTRAS": EXTRAS}
    if os.environ.get("CONTAINER_BASE"):
        arguments["BASE"] = os.environ["CONTAINER_BASE"]
    for key, value in arguments.items():
        options += ["--build-arg", f"{key}={value}"]
    _output(
        "podman", "build", "--file", "deploy/docker/Dockerfile", "--target", name, *options, "--tag", reference, "."
    )
    return f"{reference.rpartition(':')[0]}@{_digest(reference, push=bool(registry))}"


def _digest(reference: str, *, push: bool) -> str:
    """What the registry calls the image: it is packed anew on its way there. Without one, what this machine does."""
    if not push:
        return _output("podman", "image", "inspect", "--format", "{{.Digest}}", reference).strip()
    print(f"pushing {reference}")
    with tempfile.NamedTemporaryFile("r") as digest:
        _output("podman", "push", "--digestfile", digest.name, reference)
        return digest.read().strip()


def _git(*arguments: str) -> str:
    return _output("git", *arguments).strip()


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReleaseError(f"{' '.join(command[:3])} failed:\n{done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
