"""`make sbom`: what is in the runtime lock, as a CycloneDX document. Only the standard library is needed.

A release adds what else its images hold.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.txt"
OUTPUT = ROOT / "var" / "sbom.json"

_PACKAGE = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)(?P<rest>(?:.*\\\n)*.*)$", re.M)
Component = dict[str, Any]

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def document(named: Iterable[Component]) -> dict[str, Any]:
    """A bill of materials. The same components give the same document."""
    components = {each["bom-ref"]: each for each in named}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(list(components.values())))}",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "slipway", "bom-ref": "slipway"}},
        "components": list(components.values()),
    }


def packages(*locks: str) -> Iterator[Component]:
    """What is in these locks, for every platform."""
    yield from (_package(found) for lock in locks for found in _PACKAGE.finditer(lock))


def system_package(name: str, version: str, architecture: str) -> Component:
    """A package of Debian's."""
    return _component("library", name, version, f"pkg:deb/debian/{name}@{quote(version)}?arch={architecture}")


def image(reference: str) -> Component:
    """An image, by its name and digest."""
    place, _, digest = reference.partition("@")
    name = place.rpartition("/")[2]
    return _component("container", name, digest, f"pkg:oci/{name}@{quote(digest)}?repository_url={quote(place)}")


def url_of(name: str, version: str) -> str:
    """What a package of Python's is called in a bill, however its name is written."""
    return f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version}"


def _package(found: re.Match[str]) -> Component:
    purl = url_of(found["name"], found["version"])
    # Each wheel and the source have a hash: pip installs whichever fits, and refuses what has none of these.
    files = [
        {"type": "distribution", "url": purl, "hashes": [{"alg": "SHA-256", "content": each}]}
        for each in _HASH.findall(found["rest"])
    ]
    name = purl.removeprefix("pkg:pypi/").partition("@")[0]
    return _component("library", name, found["version"], purl) | {"externalReferences": files}


def _component(kind: str, name: str, version: str, purl: str) -> Component:
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}


if __name__ == "__main__":
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    bill = document(packages(LOCK.read_text()))
    OUTPUT.write_text(json.dumps(bill, indent=1))
    print(f"{OUTPUT.relative_to(ROOT)}: {len(bill['components'])} packages")
