from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from tasks.jobs import ArtifactInfo, Job, LocalArtifacts, Status
from webapp.http.disposition import Disposition
from webapp.http.downloads import TruncatedError, send_artifact

DATA = bytes(range(256)) * 1000
JOB = Job(
    version=1,
    id="job-1",
    agent="report",
    queue="cpu",
    owner="me",
    status=Status.COMPLETED,
    attempt=1,
    losses=0,
    timeout=60,
    created_at=datetime.now(UTC),
)
INFO = ArtifactInfo(
    name="report.pdf", media_type="application/pdf", size=len(DATA), key="job-1/1/report.pdf", attempt=1
)


class Desk:
    """An application with one artifact, which a test may describe differently."""

    def __init__(self, app: Flask, store: LocalArtifacts) -> None:
        self.client: FlaskClient = app.test_client()
        self.store = store
        self.info = INFO
        self.disposition: Disposition = "inline"
        app.add_url_rule("/file", view_func=self._view, methods=["GET", "POST"])

    def _view(self) -> Response:
        return send_artifact(self.store, self.info, job=JOB, disposition=self.disposition, filename=self.info.name)


@pytest.fixture
def desk(app: Flask, tmp_path: Path) -> Desk:
    store = LocalArtifacts(tmp_path)
    store.put(INFO.key, [DATA])
    return Desk(app, store)


def test_the_whole_file_is_sent_with_everything_a_client_needs_to_know(desk: Desk) -> None:
    response = desk.client.get("/file")

    assert response.data == DATA
    headers = response.headers
    assert response.content_length == len(DATA)
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"] == 'inline; filename="report.pdf"'
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["X-Job-ID"] == "job-1"
    assert headers["ETag"].startswith('"')


def test_a_part_is_sent_as_206(desk: Desk) -> None:
    response = desk.client.get("/file", headers={"Range": "bytes=1000-100999"})

    assert (response.status_code, response.data) == (206, DATA[1000:101000])
    assert response.headers["Content-Range"] == f"bytes 1000-100999/{len(DATA)}"
    assert response.content_length == 100_000


def test_an_impossible_part_is_416(desk: Desk) -> None:
    response = desk.client.get("/file", headers={"Range": "bytes=999999-"})

    assert response.status_code == 416
    assert response.headers["Content-Range"] == f"bytes */{len(DATA)}"
    assert response.mimetype == "application/problem+json"


def test_a_download_is_resumed_with_its_validator(desk: Desk) -> None:
    first = desk.client.get("/file", headers={"Range": "bytes=0-999"})
    rest = desk.client.get("/file", headers={"Range": "bytes=1000-", "If-Range": first.headers["ETag"]})

    assert first.data + rest.data == DATA


def test_who_has_it_is_answered_304_without_a_body(desk: Desk) -> None:
    etag = desk.client.get("/file").headers["ETag"]

    response = desk.client.get("/file", headers={"If-None-Match": etag})

    assert (response.status_code, response.data) == (304, b"")
    assert response.headers["ETag"] == etag
    assert "Content-Type" not in response.headers


def test_head_says_the_length_and_reads_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(LocalArtifacts, "open")

    response = desk.client.head("/file", headers={"Range": "bytes=0-9"})

    assert (response.status_code, response.content_length, response.data) == (200, len(DATA), b"")


def test_the_answer_to_a_post_is_whole_whatever_it_asks_for(desk: Desk) -> None:
    response = desk.client.post("/file", headers={"Range": "bytes=0-9", "If-None-Match": "*"})

    assert (response.status_code, response.data) == (200, DATA)


def test_an_empty_file_is_a_file(desk: Desk) -> None:
    desk.store.put("job-1/1/empty.txt", [])
    desk.info = replace(INFO, name="empty.txt", key="job-1/1/empty.txt", size=0)

    response = desk.client.get("/file")

    assert (response.status_code, response.content_length, response.data) == (200, 0, b"")


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "text/html\r\nX-Evil: 1", "nonsense", ""])
def test_only_pdf_is_shown_inline(desk: Desk, media_type: str) -> None:
    desk.info = replace(INFO, media_type=media_type)

    headers = desk.client.get("/file").headers

    assert headers["Content-Disposition"].startswith("attachment;")
    assert headers["Content-Security-Policy"].startswith("sandbox")
    assert "X-Evil" not in headers


def test_a_media_type_that_is_none_is_sent_as_bytes(desk: Desk) -> None:
    desk.info = replace(INFO, media_type="text/html\r\nX-Evil: 1")

    assert desk.client.get("/file").headers["Content-Type"] == "application/octet-stream"


def test_pdf_is_an_attachment_when_the_view_wants_it(desk: Desk) -> None:
    desk.disposition = "attachment"

    assert desk.client.get("/file").headers["Content-Disposition"].startswith("attachment;")


def test_what_was_removed_is_410(desk: Desk) -> None:
    desk.info = replace(INFO, removed=True)

    assert desk.client.get("/file").get_json()["code"] == "artifact_gone"


def test_what_is_not_in_the_store_any_more_is_410(desk: Desk) -> None:
    desk.store.delete(INFO.key)

    assert desk.client.get("/file").status_code == 410


def test_what_vanishes_at_the_last_moment_is_410(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalArtifacts, "stat", lambda store, key: len(DATA))
    desk.store.delete(INFO.key)

    assert desk.client.get("/file").status_code == 410


def test_a_file_that_is_shorter_than_promised_breaks_the_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalArtifacts, "stat", lambda store, key: len(DATA) + 1)

    with pytest.raises(TruncatedError):
        _ = desk.client.get("/file").data


def test_different_files_have_different_validators(desk: Desk) -> None:
    first = desk.client.get("/file").headers["ETag"]
    desk.store.put("job-1/2/report.pdf", [DATA])
    desk.info = replace(INFO, key="job-1/2/report.pdf", attempt=2)

    assert desk.client.get("/file").headers["ETag"] != first
