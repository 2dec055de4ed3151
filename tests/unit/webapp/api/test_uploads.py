"""Files on their way from a request into a job's payload."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from werkzeug.datastructures import FileStorage

from tasks.jobs import LocalArtifacts
from webapp.api.uploads import stored

JOB = "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11"


@pytest.fixture
def store(tmp_path: Path) -> LocalArtifacts:
    return LocalArtifacts(tmp_path)


def upload(
    content: bytes, name: str | None = "notes.txt", media_type: str = "text/plain; charset=utf-8"
) -> FileStorage:
    return FileStorage(BytesIO(content), name, content_type=media_type)


def test_a_file_is_stored_under_attempt_zero_and_named_in_the_payload(store: LocalArtifacts) -> None:
    with stored({"document": upload(b"hello"), "pages": 3}, JOB, store) as payload:
        key = f"{JOB}/0/document"
        reference = {"name": "notes.txt", "media_type": "text/plain", "size": 5, "key": key}
        assert payload == {"document": reference, "pages": 3}
        assert b"".join(store.open(key)) == b"hello"


def test_each_file_of_a_list_has_a_key_of_its_own(store: LocalArtifacts) -> None:
    with stored({"others": [upload(b"a"), upload(b"bb")]}, JOB, store) as payload:
        assert [b"".join(store.open(each["key"])) for each in payload["others"]] == [b"a", b"bb"]


def test_files_stay_when_the_job_was_accepted(store: LocalArtifacts) -> None:
    with stored({"document": upload(b"hello")}, JOB, store):
        pass
    assert list(store.list(JOB)) == [f"{JOB}/0/document"]


def test_files_are_deleted_when_the_job_was_not_accepted(store: LocalArtifacts) -> None:
    with pytest.raises(ConnectionError), stored({"a": upload(b"1"), "b": upload(b"2")}, JOB, store):
        raise ConnectionError
    assert list(store.list(JOB)) == []


def test_a_file_without_a_name_or_a_type_gets_one(store: LocalArtifacts) -> None:
    with stored({"document": upload(b"", None, "")}, JOB, store) as payload:
        assert payload["document"]["name"] == "document"
        assert payload["document"]["media_type"] == "application/octet-stream"


def test_a_name_of_any_length_does_not_fill_the_record(store: LocalArtifacts) -> None:
    with stored({"document": upload(b"x", "n" * 10_000)}, JOB, store) as payload:
        assert len(payload["document"]["name"]) == 255
