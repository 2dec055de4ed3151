"""Files that are uploaded before the jobs that read them: kept for their owner, for a while, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tasks.jobs import LocalArtifacts
from tasks.jobs.upkeep import remove_expired, removed
from tests.support.service import Service, completed, serve
from webapp.services import services_of

UNKNOWN = "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11"
RUN = "/v1/agents/read_file/jobs"
LIMIT = 200_000


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with serve(valkey_url, tmp_path, max_file=LIMIT, max_files=3, max_body=20_000) as found:
        yield found


@pytest.fixture
def client(service: Service) -> FlaskClient:
    return service.client()


def part(content: bytes = b"a text", name: str = "a.txt", media_type: str = "text/plain") -> tuple[Any, ...]:
    return BytesIO(content), name, media_type


def upload(client: FlaskClient, *values: Any) -> TestResponse:
    return client.post("/v1/files", data={"file": part(*values)})


def uploaded(client: FlaskClient, *values: Any) -> dict[str, Any]:
    answer = upload(client, *values)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/v1/files/{answer.get_json()['id']}"
    return dict(answer.get_json())


def start(client: FlaskClient, path: str = RUN, headers: dict[str, str] | None = None, **values: str) -> TestResponse:
    return client.post(path, data=values, content_type="multipart/form-data", headers=headers)


def stored(service: Service) -> list[Path]:
    store = service.engine.artifacts
    assert isinstance(store, LocalArtifacts)
    return [path for path in store._root.rglob("*") if path.is_file()]


def test_a_file_is_kept_and_told_about(service: Service, client: FlaskClient) -> None:
    content = bytes(range(256)) * 700  # longer than one piece of the stream, and of the body of other requests
    made = uploaded(client, content, "Übersicht.bin", "application/x-mine")
    assert (made["name"], made["media_type"], made["size"]) == ("Übersicht.bin", "application/x-mine", len(content))
    assert client.get(f"/v1/files/{made['id']}").get_json() == made
    [path] = stored(service)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "said", "found"),
    [
        (b"%PDF-1.7 text", "application/octet-stream", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "application/octet-stream", "image/png"),
        (b"%PDF-1.7 text", "application/pdf", "application/pdf"),
        (b"a text", "text/plain", "text/plain"),
        (b"", "text/plain", "text/plain"),
        (b"\r\n--x\r\n--", "text/markdown", "text/markdown"),
    ],
)
def test_its_first_bytes_say_what_it_is(client: FlaskClient, content: bytes, said: str, found: str) -> None:
    made = uploaded(client, content, "a", said)
    assert (made["media_type"], made["size"]) == (found, len(content))


def test_a_job_takes_its_id_in_place_of_a_file(service: Service, client: FlaskClient) -> None:
    made = uploaded(client, b"what it says")
    answers = [start(client, document=made["id"], pages="2") for _ in range(2)]
    for answer in answers:
        assert answer.status_code == 202, answer.text
        job = service.engine.get(answer.get_json()["id"])
        assert job is not None
        assert job.payload is not None
        reference = job.payload["document"]
        assert (reference["name"], reference["size"], job.payload["pages"]) == ("a.txt", 12, 2)
        assert b"".join(service.engine.artifacts.open(reference["key"])) == b"what it says"


def test_the_end_of_a_job_leaves_the_file_to_others(service: Service, client: FlaskClient) -> None:
    made = uploaded(client)
    with service.worker(lambda job: completed("read")):
        job_id = start(client, "/v1/agents/read_file/run", document=made["id"]).headers["X-Job-ID"]
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    assert start(client, document=made["id"]).status_code == 202


def test_a_key_stands_for_the_file_too(client: FlaskClient) -> None:
    first, second = uploaded(client)["id"], uploaded(client)["id"]
    key = {"Idempotency-Key": "one"}
    made, again = (start(client, document=first, headers=key) for _ in range(2))
    other = start(client, document=second, headers=key)
    assert made.get_json()["id"] == again.get_json()["id"]
    assert other.status_code == 422


@pytest.mark.parametrize("document", [UNKNOWN, "no-id", "", "x" * 1000, "../../etc/passwd"])
def test_an_id_that_names_no_file_is_refused_and_no_job_is_made(client: FlaskClient, document: str) -> None:
    answer = start(client, document=document)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "document"
    assert client.get("/v1/jobs").get_json()["jobs"] == []


def test_anothers_file_is_not_there(service: Service, client: FlaskClient) -> None:
    made = uploaded(client)
    other = service.client(services_of(service.app).keys.create("other")[1])
    assert other.get(f"/v1/files/{made['id']}").status_code == 404
    assert other.delete(f"/v1/files/{made['id']}").status_code == 404
    foreign = start(other, document=made["id"])
    unknown = start(other, document=UNKNOWN)
    assert foreign.status_code == 422
    assert foreign.get_json()["errors"] == unknown.get_json()["errors"]
    assert client.get(f"/v1/files/{made['id']}").status_code == 200


def test_a_deleted_file_is_gone_at_once(service: Service, client: FlaskClient) -> None:
    made = uploaded(client)
    assert client.delete(f"/v1/files/{made['id']}").status_code == 204
    assert client.delete(f"/v1/files/{made['id']}").status_code == 404
    assert client.get(f"/v1/files/{made['id']}").status_code == 404
    assert start(client, document=made["id"]).status_code == 422
    assert stored(service) == []


def test_what_has_expired_is_removed_by_the_keeper_and_counted(service: Service, client: FlaskClient) -> None:
    made = uploaded(client)
    engine = service.engine
    assert remove_expired(engine) == 0
    assert 86_000 < engine.redis.ttl(engine.keys.file(made["id"])) <= 86_400
    engine.redis.delete(engine.keys.file(made["id"]))  # as its time to live does
    assert client.get(f"/v1/files/{made['id']}").status_code == 404
    members: Any = engine.redis.zrange(engine.keys.expiries, 0, -1, withscores=True)
    [(member, due)] = members
    assert due > engine.now() * 1000 + 86_400_000  # the content outlives its record a little
    engine.redis.zadd(engine.keys.expiries, {member: 1})
    assert remove_expired(engine) == 1
    assert stored(service) == []
    assert removed(engine) == {"jobs": 0, "files": 1, "conversations": 0}


def test_a_job_that_takes_a_file_begins_its_time_anew(service: Service, client: FlaskClient) -> None:
    made = uploaded(client)
    engine = service.engine
    engine.redis.pexpire(engine.keys.file(made["id"]), 5_000)
    assert start(client, document=made["id"]).status_code == 202
    assert engine.redis.ttl(engine.keys.file(made["id"])) > 86_000


def test_what_a_process_left_in_the_middle_of_an_upload_is_found(
    service: Service, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("tasks.jobs.files.Files._write", lambda *_: (_ for _ in ()).throw(OSError("it dies here")))
        patched.setattr("tasks.jobs.files.Files._remove", lambda *_: None)
        client.application.config["PROPAGATE_EXCEPTIONS"] = False
        assert upload(client).status_code == 500
    assert len(stored(service)) == 1
    engine = service.engine
    members: Any = engine.redis.zrange(engine.keys.expiries, 0, -1)
    engine.redis.zadd(engine.keys.expiries, {members[0]: 1})
    remove_expired(engine)
    assert stored(service) == []


def test_an_owner_keeps_so_many_files_and_no_more(service: Service, client: FlaskClient) -> None:
    made = [uploaded(client) for _ in range(3)]
    refused = upload(client)
    assert (refused.status_code, refused.get_json()["limit"]) == (429, "files")
    assert 86_000 < int(refused.headers["Retry-After"]) < 87_000
    assert len(stored(service)) == 3
    assert upload(service.client(services_of(service.app).keys.create("other")[1])).status_code == 201
    client.delete(f"/v1/files/{made[0]['id']}")
    assert upload(client).status_code == 201


def form(*parts: bytes, end: bytes = b"--b--\r\n") -> dict[str, Any]:
    return {
        "data": b"".join(b"--b\r\n" + each for each in parts) + end,
        "content_type": "multipart/form-data; boundary=b",
    }


def named(name: bytes, more: bytes = b'; filename="a"') -> bytes:
    return b'Content-Disposition: form-data; name="' + name + b'"' + more + b"\r\n\r\nx\r\n"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (form(), 422),
        (form(named(b"file"), end=b""), 400),
        (form(named(b"file"), end=b"--b"), 400),
        (form(b"Content-Type: text/plain\r\n\r\nx\r\n"), 400),
        (form(b"\xff\xfe: x\r\n\r\nx\r\n"), 400),
        (form(b"X: " + b"y" * 150_000 + b"\r\n\r\nx\r\n"), 413),
        (form(named(b"document")), 422),
        (form(named(b"file", b"")), 422),
        (form(named(b"file"), named(b"file")), 422),
        (form(named(b"other", b""), named(b"file")), 422),
        (form(named(b"file"), named(b"other", b"")), 422),
        ({"data": b"x", "content_type": "multipart/form-data"}, 400),
        ({}, 400),
        ({"data": b"{}", "content_type": "application/json"}, 415),
        (form(named(b"file"), end=b"y" * LIMIT), 413),
        ({"data": {"file": part(b"<html>", "a.pdf", "application/pdf")}}, 422),
    ],
)
def test_a_body_that_is_not_one_file_is_refused_and_leaves_nothing(
    service: Service, client: FlaskClient, body: dict[str, Any], status: int
) -> None:
    answer = client.post("/v1/files", **body)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    assert stored(service) == []
    assert service.engine.redis.zcard(service.engine.keys.files_of("static")) == 0
    assert upload(client).status_code == 201


def test_a_body_that_ends_too_soon_is_refused_and_leaves_nothing(service: Service, client: FlaskClient) -> None:
    whole = form(named(b"file"))
    answer = client.post("/v1/files", **whole, headers={"Content-Length": str(len(whole["data"]) + 10)})
    assert answer.status_code in (400, 201)  # the last boundary has come: what is behind it means nothing
    cut = client.post("/v1/files", **form(named(b"file"), end=b"--"), headers={"Content-Length": "10000"})
    assert cut.status_code == 400
