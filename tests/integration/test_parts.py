"""What is switched off costs workers nothing: its libraries are not in their memory."""

from __future__ import annotations

from pathlib import Path

from deploy.local.stack import Stack

LIBRARIES = ("onnxruntime", "pyarrow", "numpy")


def loaded_by(stack: Stack) -> set[str]:
    """Which of the libraries are mapped into the processes that run `cpu` jobs."""
    parent = stack.processes["worker-cpu"].pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    maps = "".join(Path(f"/proc/{child}/maps").read_text() for child in children)
    assert maps
    return {name for name in LIBRARIES if f"/{name}/" in maps}


def test_pipelines_that_are_switched_off_load_nothing(tmp_path: Path) -> None:
    settings = {"SERVE_PIPELINES": "false", "CPU_CONCURRENCY": "1"}
    with Stack(tmp_path, settings, only=("worker-cpu",)) as stack:
        assert loaded_by(stack) == set()


def test_pipelines_that_are_on_have_loaded_theirs(stack: Stack) -> None:
    assert "onnxruntime" in loaded_by(stack)
