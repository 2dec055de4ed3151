"""`make sbom`: what is in the runtime lock, as a CycloneDX document. Only the standard library is needed."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.txt"
OUTPUT = ROOT / "var" / "sbom.json"

_PACKAGE = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)(?P<rest>(?:.*\\\n)*.*)$", re.M)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def document(lock: str) -> dict[str, Any]:
    """The bill of materials of a lock. The same lock gives the same document."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, lock)}",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "slipway", "bom-ref": "slipway"}},
        "components": [_component(found) for found in _PACKAGE.finditer(lock)],
    }


def _component(found: re.Match[str]) -> dict[str, Any]:
    name, version = re.sub(r"[-_.]+", "-", found["name"]).lower(), found["version"]
    purl = f"pkg:pypi/{name}@{version}"
    # Each wheel and the source have a hash: pip installs whichever fits, and refuses what has none of these.
    files = [
        {"type": "distribution", "url": purl, "hashes": [{"alg": "SHA-256", "content": each}]}
        for each in _HASH.findall(found["rest"])
    ]
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "externalReferences": files,
    }


if __name__ == "__main__":
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    bill = document(LOCK.read_text())
    OUTPUT.write_text(json.dumps(bill, indent=1))
    print(f"{OUTPUT.relative_to(ROOT)}: {len(bill['components'])} packages")
