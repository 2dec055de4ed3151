"""The bill of materials says what the lock says."""

from __future__ import annotations

import re

from deploy.local.sbom import LOCK, document, packages


def test_every_package_of_the_lock_is_there_with_its_hashes() -> None:
    lock = LOCK.read_text()
    bill = document(packages(lock))
    pinned = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", lock, re.MULTILINE)
    assert [each["name"] for each in bill["components"]] == [re.sub(r"[-_.]+", "-", name).lower() for name in pinned]
    assert sum(len(each["externalReferences"]) for each in bill["components"]) == lock.count("--hash=sha256:")
    assert all(each["externalReferences"] for each in bill["components"])


def test_the_same_lock_gives_the_same_document() -> None:
    lock = "a==1 \\\n    --hash=sha256:" + "0" * 64
    assert document(packages(lock)) == document(packages(lock))
    assert document(packages(lock))["serialNumber"] != document(packages(lock.replace("a==1", "a==2")))["serialNumber"]


def test_every_lock_is_pinned_and_hashed() -> None:
    for path in LOCK.parent.glob("requirements*.txt"):
        packages = re.split(r"\n(?=[A-Za-z0-9])", path.read_text())
        unpinned = [each.splitlines()[0] for each in packages if "==" not in each and not each.startswith("#")]
        assert unpinned == [], path.name
        assert all("--hash=sha256:" in each for each in packages if "==" in each.splitlines()[0]), path.name
