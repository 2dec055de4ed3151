"""Pin images: `python -m deploy.kubernetes.pin production slipway-web=registry.example.com/web@sha256:…`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from deploy.kubernetes.checks.build import ROOT

REFERENCE = re.compile(r"(?P<name>[\w./:-]+)@(?P<digest>sha256:[0-9a-f]{64})", re.ASCII)


def main(overlay: str, *pins: str) -> int:
    path = ROOT / "overlays" / overlay / "kustomization.yaml"
    try:
        pin(path, dict(each.split("=", 1) for each in pins))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def pin(path: Path, images: dict[str, str]) -> None:
    """Write the names and digests of `images` into a kustomization. Raises ValueError, and then nothing is written."""
    text = path.read_text()
    for image, reference in images.items():
        match = REFERENCE.fullmatch(reference)
        if match is None:
            raise ValueError(f"{reference} is no NAME@sha256:DIGEST")
        entry = rf"(  - name: {re.escape(image)}\n    newName: )\S+(\n    digest: )\S+"
        text, found = re.subn(entry, rf"\g<1>{match['name']}\g<2>{match['digest']}", text)
        if not found:
            raise ValueError(f"{path} has no image {image}")
    path.write_text(text)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
