"""Whether files can be kept."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.jobs import ArtifactStore
from webapp.doctor.findings import Finding, State

FIX = "Make it writable for the user that web and workers run as, or set ARTIFACTS_DIR to a folder that is."


def store(artifacts: ArtifactStore) -> Iterator[Finding]:
    """Try to keep a file."""
    try:
        artifacts.check()
    except OSError as error:
        yield Finding("artifacts", State.FAULT, f"Files cannot be stored: {error}", FIX)
    else:
        yield Finding("artifacts", State.OK, "Files can be stored.")
