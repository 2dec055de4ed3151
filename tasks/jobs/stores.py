"""Which of the stores the settings name."""

from __future__ import annotations

from tasks.jobs.artifacts import ArtifactStore, LocalArtifacts
from tasks.jobs.environment import SettingError
from tasks.jobs.settings import EngineSettings


def artifact_store(settings: EngineSettings) -> ArtifactStore:
    """The store that the settings name, for one process and one thread."""
    if not settings.artifacts_url:
        return LocalArtifacts(settings.artifacts_dir)
    try:
        from tasks.jobs.s3 import S3Artifacts  # noqa: PLC0415 - a large library, and not everybody's
    except ModuleNotFoundError as error:
        raise SettingError("ARTIFACTS_URL needs what is in requirements-s3.txt, which is not installed") from error
    return S3Artifacts(settings.artifacts_url)
