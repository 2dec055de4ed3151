"""`make licences`: under which licence each package of the runtime lock stands, by its own word."""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from deploy.local.processes import ROOT

LOCK = ROOT / "requirements.txt"

# What may be shipped with a service without opening it. Another word is looked at by a person, and then added here.
EXPECTED = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Zlib|Zope|ZPL|Unlicense|0BSD|MPL|Mozilla|HPND|CC0",
    re.IGNORECASE,
)
# One must be free to choose an expected one, and none of them may bind what is built on it.
BINDING = re.compile(r"\bA?GPL|Affero|SSPL|BUSL|Commons Clause|Proprietary", re.IGNORECASE)


def main() -> int:
    """Print the list. Returns 1 when one of them is not expected."""
    found = licences(LOCK.read_text(encoding="utf-8"))
    for name, licence in found.items():
        print(f"{name:32} {licence}")
    strange = unexpected(found)
    if strange:
        print(f"not expected: {', '.join(strange)}", file=sys.stderr)
    return int(bool(strange))


def licences(lock: str) -> dict[str, str]:
    """The licence of every package in a lock, as it says itself. Those for other platforms are not installed here."""
    found = {}
    for name in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", lock, re.MULTILINE):
        try:
            found[name] = licence_of(distribution(name))
        except PackageNotFoundError:
            continue
    return found


def licence_of(package: Distribution) -> str:
    """The licence by the newest of the three places where packages write it, `""` when by none."""
    words = package.metadata.get_all("License-Expression") or [
        each.rpartition(" :: ")[2] for each in package.metadata.get_all("Classifier") or () if "License ::" in each
    ]
    free_text = (package.metadata.get_all("License") or [""])[0].strip().splitlines()[:1]
    return ", ".join(words or free_text)


def unexpected(found: dict[str, str]) -> list[str]:
    """The packages whose licence is not one that was looked at."""
    return [name for name, each in found.items() if not EXPECTED.search(each) or BINDING.search(each)]


if __name__ == "__main__":
    sys.exit(main())
