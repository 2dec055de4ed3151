"""checkov, in an environment of its own: it brings more than a hundred packages, and must not hold ours back."""

from __future__ import annotations

import hashlib
import json
import subprocess
import venv
from dataclasses import dataclass

import yaml

from deploy.kubernetes.checks.build import Manifest
from deploy.local.processes import ROOT

LOCK = ROOT / "requirements-manifests.txt"
DIRECTORY = ROOT / "var" / "manifests"
PROGRAM = DIRECTORY / "venv" / "bin" / "checkov"

# Checks that an overlay fails knowingly, each with its reason.
EXCEPTIONS = {
    "dev": {
        "CKV_K8S_43": "images come from the machine itself, so they have tags and no digests",
        "CKV_K8S_15": "and are not in any registry that they could be pulled from",
    },
}


def install() -> None:
    """Make the environment, once for each content of the lock."""
    stamp = DIRECTORY / "installed"
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if PROGRAM.exists() and stamp.exists() and stamp.read_text() == digest:
        return
    venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(DIRECTORY / "venv")
    pip = [str(DIRECTORY / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
    subprocess.run([*pip, "--requirement", str(LOCK)], check=True)
    stamp.write_text(digest)


@dataclass(frozen=True)
class Outcome:
    """What checkov says of one set of manifests."""

    passed: int
    failed: tuple[str, ...]


def run(name: str, manifests: list[Manifest]) -> Outcome:
    """Check a set of manifests. Raises RuntimeError when checkov itself fails."""
    target = DIRECTORY / f"{name}.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(yaml.safe_dump_all(manifests))
    skipped = [f"--skip-check={','.join(EXCEPTIONS[name])}"] if name in EXCEPTIONS else []
    # --skip-download: it would ask its maker for advice on every run.
    options = ["--skip-download", "--framework", "kubernetes", "--output", "json", *skipped]
    command = [str(PROGRAM), *options, "--file", str(target.relative_to(ROOT))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        said = json.loads(done.stdout)
        found = said["results"]["failed_checks"]
        failed = tuple(f"{each['resource']}: {each['check_id']} {each['check_name']}" for each in found)
        return Outcome(said["summary"]["passed"], failed)
    except (ValueError, KeyError, TypeError) as error:
        raise RuntimeError(f"checkov did not answer: {done.stdout}{done.stderr}") from error
