"""What is installed with the service stands under licences that somebody has looked at."""

from __future__ import annotations

import pytest

from deploy.local.licences import LOCK, licences, unexpected


def test_nothing_in_the_lock_has_a_licence_that_is_not_expected() -> None:
    found = licences(LOCK.read_text(encoding="utf-8"))
    assert len(found) > 40
    assert found["flask"] == "BSD-3-Clause"
    assert unexpected(found) == []


@pytest.mark.parametrize("licence", ["", "GPL-3.0-only", "AGPL-3.0 OR MIT", "LGPL-2.1", "SSPL-1.0", "As I like it"])
def test_others_are_noticed(licence: str) -> None:
    assert unexpected({"strange": licence, "usual": "MIT"}) == ["strange"]
