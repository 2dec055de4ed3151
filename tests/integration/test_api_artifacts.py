"""Files that jobs make: delivered, fetched again, deleted, and nobody else's."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.support.service import PDF, Service, completed, serve
from webapp.services import services_of

INPUT = {"param1": "a text"}


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with serve(valkey_url, tmp_path, removal_grace=0.0) as found:
        yield found


@pytest.fixture
def patient(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with serve(valkey_url, tmp_path, removal_grace=60.0) as found:
        yield found


def deliver(service: Service, **options: object) -> TestResponse:
    with service.worker(service.pdf):
        return service.client().post("/ai_service_binary", json=INPUT, **options)


def stored(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("path", ["/ai_service_binary", "/ai-service-binary"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_file_is_the_answer(service: Service, path: str, method: str) -> None:
    sent = {"query_string": INPUT} if method == "GET" else {"json": INPUT}
    with service.worker(service.pdf):
        answer = service.client().open(path, method=method, **sent)  # type: ignore[arg-type]
    job_id = answer.headers["X-Job-ID"]
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    assert answer.data == PDF
    assert answer.headers["Content-Disposition"] == 'inline; filename="result.pdf"'
    assert answer.headers["Content-Location"] == f"/v1/jobs/{job_id}/artifacts/analysis.pdf"
    assert answer.content_length == len(PDF)
    # A policy for the sources of a page would keep a browser from showing it.
    assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_file_is_removed_when_all_of_it_was_handed_over(service: Service, tmp_path: Path) -> None:
    answer = deliver(service)
    assert answer.data == PDF
    answer.close()
    assert stored(tmp_path) == []
    again = service.client().get(answer.headers["Content-Location"])
    assert again.status_code == 410
    job = service.client().get(f"/v1/jobs/{answer.headers['X-Job-ID']}").get_json()
    assert job["artifacts"][0]["removed"] is True


def test_with_a_grace_the_file_stays_for_it_and_the_keeper_knows(patient: Service, tmp_path: Path) -> None:
    answer = deliver(patient)
    assert answer.data == PDF
    answer.close()
    assert len(stored(tmp_path)) == 1
    due = patient.engine.redis.zscore(patient.engine.keys.removals, f"{answer.headers['X-Job-ID']}/analysis.pdf")
    assert due is not None
    assert 30 < due - patient.engine.now() <= 60
    assert patient.client().get(answer.headers["Content-Location"]).data == PDF


def test_an_answer_that_was_given_up_removes_nothing(service: Service, tmp_path: Path) -> None:
    answer = deliver(service, buffered=False)
    next(answer.iter_encoded())
    answer.close()
    assert len(stored(tmp_path)) == 1
    assert service.client().get(answer.headers["Content-Location"]).data == PDF


def test_a_part_of_a_delivery_removes_nothing(service: Service, tmp_path: Path) -> None:
    with service.worker(service.pdf):
        answer = service.client().get("/ai_service_binary", query_string=INPUT, headers={"Range": "bytes=0-9"})
    assert answer.status_code == 206
    assert answer.data == PDF[:10]
    answer.close()
    assert len(stored(tmp_path)) == 1


def artifact_of(service: Service) -> str:
    """The URL of a file that stays."""
    with service.worker(service.pdf):
        job = service.client().post("/v1/agents/ai_service_binary/run", json=INPUT).get_json()
    [artifact] = job["artifacts"]
    assert artifact["removed"] is False
    assert artifact["size"] == len(PDF)
    url: str = artifact["url"]
    return url


def test_fetching_an_artifact_removes_nothing(service: Service) -> None:
    url = artifact_of(service)
    for _ in range(2):
        answer = service.client().get(url)
        assert answer.data == PDF
        assert answer.headers["Content-Disposition"] == 'attachment; filename="analysis.pdf"'
        answer.close()
    assert service.client().head(url).content_length == len(PDF)
    assert service.client().get(url, headers={"Range": "bytes=5-8"}).data == PDF[5:9]
    assert service.client().get(url).data == PDF


def test_a_deleted_artifact_is_gone_and_says_so(service: Service, tmp_path: Path) -> None:
    url = artifact_of(service)
    answer = service.client().delete(url)
    assert (answer.status_code, answer.data) == (204, b"")
    assert stored(tmp_path) == []
    assert service.client().get(url).status_code == 410
    assert service.client().delete(url).status_code == 410


@pytest.mark.parametrize("name", ["other.pdf", "..", "%2e%2e%2fresult.json", "analysis.pdf%00", "a" * 300])
def test_a_name_that_the_job_does_not_know_is_404(service: Service, name: str) -> None:
    url = artifact_of(service).replace("analysis.pdf", name)
    assert service.client().get(url).status_code == 404
    assert service.client().delete(url).status_code == 404


class TestForeignJobs:
    """What belongs to one principal does not exist for another."""

    def test_a_foreign_job_reads_like_an_unknown_one(self, service: Service) -> None:
        url = artifact_of(service)
        job_url = url.partition("/artifacts")[0]
        stranger = service.client(service_key(service))
        unknown = stranger.get(f"/v1/jobs/{uuid.uuid4()}").get_json()
        for method, path in (("GET", job_url), ("GET", url), ("HEAD", url), ("DELETE", url)):
            answer = stranger.open(path, method=method)
            assert answer.status_code == 404
            if method != "HEAD":
                problem = answer.get_json()
                assert (problem["title"], problem["detail"]) == (unknown["title"], unknown["detail"])
        assert service.client().get(url).data == PDF

    def test_the_attempt_is_logged(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        logged: list[tuple[str, dict[str, object]]] = []
        monkeypatch.setattr("webapp.auth.ownership.log.warning", lambda event, **more: logged.append((event, more)))
        with service.worker(lambda job: completed("x")):
            answer = service.client().post("/ai_service", json=INPUT)
        service.client(service_key(service)).get(f"/v1/jobs/{answer.headers['X-Job-ID']}")
        [(event, more)] = logged
        assert event == "auth.foreign_job"
        assert more["id"] == answer.headers["X-Job-ID"]


def service_key(service: Service) -> str:
    """A key of somebody else."""
    _, key = services_of(service.app).keys.create("somebody else")
    return key


@pytest.mark.parametrize("job_id", ["1", "../x", "0b6f3b52", "x" * 36, "%00"])
def test_what_is_no_id_is_404(service: Service, job_id: str) -> None:
    assert service.client().get(f"/v1/jobs/{job_id}").status_code == 404
