"""Models in a process: which are loaded, which are refused, and that each is there once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tasks.pipelines.description import Tensor
from tasks.pipelines.runtime import sessions
from tasks.pipelines.runtime.sessions import ModelError, Sessions
from tests.support.onnx_models import WIDTH, summing, with_unknown_operator, with_weights_in

ROWS = np.ones((3, WIDTH), np.float32)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_model_tells_what_it_takes_and_gives() -> None:
    session = Sessions(1).open(summing())
    assert session.inputs == (Tensor("text_input", "float", (None, WIDTH)),)
    assert session.outputs == (Tensor("main", "float", (None, 1)), Tensor("half", "float", (None, 1)))
    session.warm()
    assert session.run({"text_input": ROWS})["main"].tolist() == [[50.0]] * 3


def test_a_model_is_loaded_once_and_by_its_digest() -> None:
    loads = []

    def load() -> bytes:
        loads.append(1)
        return summing()

    kept = Sessions(1)
    assert kept.get(sha(summing()), load) is kept.get(sha(summing()), load)
    assert len(loads) == 1
    with pytest.raises(ModelError, match="not the one that was deployed"):
        kept.get(sha(b"another"), load)


def test_a_model_that_nobody_wants_or_uses_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, one, two = Sessions(1), summing(1.0), summing(2.0)
    for content in (one, two):
        kept.get(sha(content), lambda content=content: content)  # type: ignore[misc]
    kept.keep([sha(one)])
    assert len(kept._sessions) == 2  # somebody may still have jobs for it
    monkeypatch.setattr(sessions, "IDLE_SECONDS", -1.0)
    kept.keep([sha(one)])
    assert list(kept._sessions) == [sha(one)]


def test_a_model_for_one_row_at_a_time_is_run_for_each() -> None:
    session = Sessions(1).open(summing(rows=1))
    assert session.run({"text_input": ROWS})["main"].tolist() == [[50.0]] * 3


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no model", "it is no ONNX model"),
        (summing()[:100], "it is no ONNX model"),
        (b"\0", "."),
        (with_unknown_operator(), "Levitate"),
        (with_weights_in("/etc/passwd"), "its weights are not in its file"),
        (with_weights_in("../../etc/passwd"), "its weights are not in its file"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_reason(content: bytes, told: str) -> None:
    with pytest.raises(ModelError, match=told):
        Sessions(1).open(content)


def test_a_model_cannot_read_files_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret.bin").write_bytes(b"\0" * 64)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="its weights are not in its file"):
        Sessions(1).open(with_weights_in("secret.bin"))
