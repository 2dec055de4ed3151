"""Whether files can be kept."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.jobs import ArtifactStore
from webapp.doctor.findings import Finding, State

FIX = "Make ARTIFACTS_DIR (or the bucket of ARTIFACTS_URL) writable for those that web and workers run as."


def store(artifacts: ArtifactStore) -> Iterator[Finding]:
    """Try to keep a file."""
    try:
        artifacts.check()
    except OSError as error:
        yield Finding("artifacts", State.FAULT, f"Files cannot be stored: {error}", FIX)
    else:
        yield Finding("artifacts", State.OK, "Files can be stored.")
