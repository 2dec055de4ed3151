"""`make release`, with a stand-in for podman: what is refused, and what a release consists of."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy import release
from deploy.local.lock import LOCKS
from deploy.local.processes import ROOT

LOCKS_ARE_CURRENT = release._locks_are_current

# Builds nothing; writes down what it was asked for, and calls every image by the digest of its name.
PODMAN = """#!/bin/sh
echo "$@" >> "$PODMAN_LOG"
for last; do :; done
digest=sha256:$(printf %s "$last" | sha256sum | cut -d " " -f 1)
case "$1 $2" in
    "image inspect") echo "$digest" ;;
    "push --digestfile") printf %s "$digest" > "$3" ;;
    "run --rm")
        case "$5" in
            python3) printf 'Flask %s\nboto3 %s\n' FLASK_VERSION BOTO3_VERSION ;;
            dpkg-query) printf 'libc6 2.36-9+deb12u14 amd64\ntini 0.19.0-1+b3 amd64\n' ;;
        esac ;;
esac
"""
CHANGELOG = """# Changes

## [Unreleased]

## [1.2.0] - 2026-11-28

- Something new.

## [1.1.0] - 2026-10-01

- Something old.
"""


def git(folder: Path, *arguments: str) -> None:
    options = ["-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *options, *arguments], check=True, capture_output=True)


def pinned(name: str) -> str:
    found = re.search(rf"^{name}==(\S+)", (ROOT / "requirements-s3.txt").read_text(), re.MULTILINE)
    assert found
    return found[1]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "deploy" / "kubernetes", folder / "deploy" / "kubernetes")
    for name in ("requirements.txt", "requirements-s3.txt"):
        shutil.copy(ROOT / name, folder)
    (folder / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n')
    (folder / "CHANGELOG.md").write_text(CHANGELOG)
    (folder / ".gitignore").write_text("var\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a project")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "podman").write_text(
        PODMAN.replace("FLASK_VERSION", pinned("flask")).replace("BOTO3_VERSION", pinned("boto3"))
    )
    (programs / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setenv("PODMAN_LOG", str(tmp_path / "log"))
    monkeypatch.setattr(release, "ROOT", folder)
    # It asks the registry of packages.
    monkeypatch.setattr(release, "_locks_are_current", lambda: True)
    return folder


def test_a_release_is_images_their_contents_and_manifests_that_name_them(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGISTRY", "registry.example.org/team")
    assert release.main("1.2.0") == 0
    output = project / "var" / "release" / "1.2.0"
    images = (output / "images.txt").read_text().split()
    assert [re.sub(r"[0-9a-f]{64}", "…", each) for each in images] == [
        f"registry.example.org/team/{name}@sha256:…"
        for name in ("valkey", "slipway-web", "slipway-worker", "slipway-nginx")
    ]
    for overlay in ("staging", "production"):
        manifests = list(yaml.safe_load_all((output / f"{overlay}.yaml").read_text()))
        used = {
            each["spec"]["template"]["spec"]["containers"][0]["image"]
            for each in manifests
            if each["kind"] in ("Deployment", "StatefulSet")
        }
        # Redis and nginx are in staging alone.
        assert used == (set(images) if overlay == "staging" else set(images[1:3]))
    assert (output / "notes.md").read_text() == "- Something new.\n"
    bill = {each["name"]: each["purl"] for each in json.loads((output / "sbom.json").read_text())["components"]}
    # From both locks that the images have, of Debian, and the images themselves.
    assert bill["flask"].startswith("pkg:pypi/flask@")
    assert bill["boto3"].startswith("pkg:pypi/boto3@")
    # In the lock for other platforms, and in no image.
    assert "tzdata" not in bill
    assert bill["tini"] == "pkg:deb/debian/tini@0.19.0-1%2Bb3?arch=amd64"
    assert re.fullmatch(
        r"pkg:oci/slipway-web@sha256%3A\w{64}\?repository_url=registry.example.org/team/.*", bill["slipway-web"]
    )
    asked = (tmp_path / "log").read_text()
    assert asked.count("push --digestfile") == 4
    # Layers that were built before have the labels of another version, and the packages of another day.
    assert asked.count("--no-cache") == 3
    assert "--build-arg VERSION=1.2.0" in asked
    assert "git tag --sign v1.2.0" in capsys.readouterr().out
    # What was pinned is the release's, not the checkout's.
    assert (
        subprocess.run(["git", "-C", project, "status", "--porcelain"], capture_output=True, check=True).stdout == b""
    )


def test_without_a_registry_nothing_leaves_this_machine(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("REGISTRY", raising=False)
    assert release.main("1.2.0") == 0
    assert "push" not in (tmp_path / "log").read_text()
    assert "localhost/slipway-web@sha256:" in (project / "var/release/1.2.0/production.yaml").read_text()


def test_valkey_may_be_named_by_its_digest(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = "registry.example.org/mirror/valkey@sha256:" + "a1" * 32
    monkeypatch.setenv("VALKEY_IMAGE", named)
    assert release.main("1.2.0") == 0
    assert f"image: {named}" in (project / "var/release/1.2.0/staging.yaml").read_text()
    assert "pull" not in (tmp_path / "log").read_text()


def test_looking_whether_the_locks_are_current_changes_none(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LOCKS:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("as it was")

    def resolve(*_: object, **__: object) -> subprocess.CompletedProcess[bytes]:
        for name in LOCKS:
            (project / name).write_text("anew")
        return subprocess.CompletedProcess([], 0)

    monkeypatch.setattr(subprocess, "run", resolve)
    assert not LOCKS_ARE_CURRENT()
    assert {(project / name).read_text() for name in LOCKS} == {"as it was"}


def test_manifests_that_are_wrong_are_no_release(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = project / "deploy" / "kubernetes" / "base" / "settings.env"
    settings.write_text(settings.read_text() + "IO_CONCURENCY=5\n")
    git(project, "commit", "--all", "--quiet", "--message", "a mistake")
    assert release.main("1.2.0") == 1
    assert "sets IO_CONCURENCY, which nobody reads" in capsys.readouterr().err


@pytest.mark.parametrize("version", ["", "1.2", "v1.2.0", "1.2.0; rm -rf x", "latest"])
def test_what_is_no_version_is_refused(project: Path, version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(version) == 1
    assert "VERSION must be like" in capsys.readouterr().err


def test_a_release_that_would_not_be_one_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(project, "tag", "v1.3.0")
    (project / "CHANGELOG.md").write_text(CHANGELOG + "\n")
    git(project, "commit", "--all", "--quiet", "--message", "another")
    (project / "new").write_text("nobody has committed this")
    monkeypatch.setattr(release, "_locks_are_current", lambda: False)
    assert release.main("1.3.0") == 1
    said = capsys.readouterr().err
    for reason in ("no commit has", "another commit", "pyproject.toml says 1.2.0", "no entry", "make lock"):
        assert reason in said
    assert not (tmp_path / "log").exists()
    assert not (project / "var").exists()


def test_an_image_that_cannot_be_built_is_no_release(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bin" / "podman").write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    assert release.main("1.2.0") == 1
    assert "no space left" in capsys.readouterr().err


def test_the_workflow_runs_actions_by_commit_and_what_is_tested_here() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert "timeout-minutes" in job
        for step in job["steps"]:
            assert re.search(r"@[0-9a-f]{40}$", step.get("uses", "@" + "0" * 40))
            # What others may choose (a tag's name) is handed over in variables, never put into a script.
            assert "${{" not in step.get("run", "")
    assert "make release VERSION=" in text
