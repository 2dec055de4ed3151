"""Both stores keep the same promises: a folder, and a bucket on a server that speaks S3."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from deploy.local.valkey import free_port
from tasks.jobs import ArtifactStore, artifact_store
from tasks.jobs.environment import SettingError
from tasks.jobs.errors import StoreFailed
from tasks.jobs.settings import EngineSettings
from tests.support.bucket import bucket
from tests.support.client import Client

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def in_bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    with bucket(tmp_path_factory.mktemp("s3")) as settings, pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        yield settings


@cache  # a client of boto3 takes its time to be made
def s3_store(url: str) -> ArtifactStore:
    return artifact_store(EngineSettings(artifacts_url=url))


@pytest.fixture(params=["folder", "bucket", "whole bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    if request.param == "folder":
        return artifact_store(EngineSettings(artifacts_dir=tmp_path / "artifacts"))
    url = request.getfixturevalue("in_bucket")["ARTIFACTS_URL"]
    return s3_store(url.removesuffix("/artifacts") if request.param == "whole bucket" else url)


@pytest.fixture
def job() -> str:
    return str(uuid.uuid4())


def test_what_is_put_can_be_read_whole_and_in_part(store: ArtifactStore, job: str) -> None:
    assert store.put(f"{job}/1/a.txt", [b"hello ", b"", b"world"]) == 11
    for start, end, expected in ((0, None, b"hello world"), (6, 9, b"wor"), (6, None, b"world"), (9, 99, b"ld")):
        assert b"".join(store.open(f"{job}/1/a.txt", start, end)) == expected
    assert store.stat(f"{job}/1/a.txt") == 11


def test_what_is_not_in_the_file_is_nothing(store: ArtifactStore, job: str) -> None:
    store.put(f"{job}/1/a.txt", [b"hello"])
    store.put(f"{job}/1/empty", [])
    assert store.stat(f"{job}/1/empty") == 0
    for name, start, end in (("a.txt", 5, None), ("a.txt", 2, 2), ("a.txt", 8, 9), ("empty", 0, None), ("empty", 0, 1)):
        assert b"".join(store.open(f"{job}/1/{name}", start, end)) == b""


@pytest.mark.parametrize("size", [8 * MIB, 8 * MIB + 1, 20 * MIB + 3])
def test_a_large_file_is_exact(store: ArtifactStore, job: str, size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    pieces = (content[start : min(start + 3 * MIB, size)] for start in range(0, size, 3 * MIB))
    assert store.put(f"{job}/1/large", pieces) == size
    assert b"".join(store.open(f"{job}/1/large")) == content[:size]
    assert b"".join(store.open(f"{job}/1/large", 8 * MIB - 2, 8 * MIB + 2)) == content[8 * MIB - 2 : size][:4]


@pytest.mark.parametrize("size", [5, 20 * MIB])
def test_a_key_is_written_once(store: ArtifactStore, job: str, size: int) -> None:
    store.put(f"{job}/1/a.txt", [b"first"])
    with pytest.raises(FileExistsError):
        store.put(f"{job}/1/a.txt", [b"x" * size])
    assert b"".join(store.open(f"{job}/1/a.txt")) == b"first"


@pytest.mark.parametrize(("request_of", "size"), [("put_object", 5), ("complete_multipart_upload", 20 * MIB)])
def test_a_request_whose_answer_was_lost_is_no_second_writer(
    in_bucket: Mapping[str, str], job: str, request_of: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = s3_store(in_bucket["ARTIFACTS_URL"])
    client = store._client  # type: ignore[attr-defined]
    once = getattr(client, request_of)
    # As boto3 does when it hears nothing.
    monkeypatch.setattr(client, request_of, lambda **arguments: (once(**arguments), once(**arguments)))
    assert store.put(f"{job}/1/a.txt", [b"x" * size]) == size
    assert store.stat(f"{job}/1/a.txt") == size


@pytest.mark.parametrize("size", [5, 20 * MIB])
def test_a_write_that_fails_half_way_leaves_nothing(store: ArtifactStore, job: str, size: int) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * size
        raise OSError("its maker failed")

    with pytest.raises(OSError, match="its maker failed") as failure:
        store.put(f"{job}/1/a.txt", broken())
    assert not isinstance(failure.value, StoreFailed)
    assert store.stat(f"{job}/1/a.txt") is None
    assert list(store.list(job)) == []


def test_a_removed_file_is_gone(store: ArtifactStore, job: str) -> None:
    store.put(f"{job}/1/a.txt", [b"a"])
    assert store.delete(f"{job}/1/a.txt")
    assert not store.delete(f"{job}/1/a.txt")
    assert store.stat(f"{job}/1/a.txt") is None


def test_a_missing_file_is_said_before_the_first_piece(store: ArtifactStore, job: str) -> None:
    for end in (None, 0, 5):
        with pytest.raises(FileNotFoundError):
            store.open(f"{job}/1/none", 0, end)


def test_a_file_that_is_removed_while_it_is_read_is_read_to_its_end(store: ArtifactStore, job: str) -> None:
    store.put(f"{job}/1/a.txt", [b"x" * 200_000])
    pieces = store.open(f"{job}/1/a.txt")
    first = next(pieces)
    store.delete(f"{job}/1/a.txt")
    assert len(first) + sum(len(piece) for piece in pieces) == 200_000


def test_keys_are_listed(store: ArtifactStore, job: str) -> None:
    for key in (f"{job}/1/b", f"{job}/0/a", f"{job}1/1/c", f"{job}/1/ünïcode name.txt"):
        store.put(key, [b""])
    assert list(store.list(job)) == [f"{job}/0/a", f"{job}/1/b", f"{job}/1/ünïcode name.txt"]
    assert list(store.list(f"{job}/1")) == [f"{job}/1/b", f"{job}/1/ünïcode name.txt"]
    assert list(store.list(f"{job}/2")) == []
    assert {f"{job}/0/a", f"{job}1/1/c"} <= set(store.list())


def test_more_keys_than_an_answer_holds_are_listed(
    in_bucket: Mapping[str, str], job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.jobs.s3.PAGE", 2)
    store = s3_store(in_bucket["ARTIFACTS_URL"])
    for number in range(5):
        store.put(f"{job}/1/{number}", [b""])
    assert len(list(store.list(job))) == 5


@pytest.mark.parametrize("key", ["", "../x", "a/../../x", "/etc/passwd", "a//b", "a/./b", "a\x00b", "a\\..\\b"])
def test_a_key_that_leads_elsewhere_is_refused(store: ArtifactStore, key: str) -> None:
    for use in (store.open, store.stat, store.delete, lambda each: store.put(each, [b""])):
        with pytest.raises(ValueError, match="not a key"):
            use(key)


def test_a_store_that_works_says_so(store: ArtifactStore) -> None:
    store.check()


def test_a_bucket_that_is_not_there_is_said(in_bucket: Mapping[str, str], job: str) -> None:
    store = s3_store("s3://no-such-bucket")
    for use in (
        store.check,
        lambda: store.put(f"{job}/1/a", [b"a"]),
        lambda: store.put(f"{job}/1/a", [b"a" * 20 * MIB]),
    ):
        with pytest.raises(StoreFailed):
            use()


def test_a_server_that_is_away_is_a_failure_of_the_store(in_bucket: Mapping[str, str], job: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
        store = s3_store("s3://away")
    for use in (store.check, lambda: store.put(job, [b"a"]), lambda: store.open(job), lambda: store.stat(job)):
        with pytest.raises(StoreFailed):
            use()


@pytest.mark.parametrize("url", ["https://bucket", "s3:///prefix", "s3://bucket?x=1", "bucket"])
def test_a_url_that_names_no_bucket_is_refused(url: str) -> None:
    with pytest.raises(SettingError, match="ARTIFACTS_URL"):
        EngineSettings(artifacts_url=url)


def test_the_service_works_on_a_bucket(in_bucket: Mapping[str, str], tmp_path: Path) -> None:
    """Through web and io processes, which gevent has patched, and a cpu process, which was forked."""
    settings = {"AGENTS": "tasks.agents,tests.support.agents", "WEB_CONCURRENCY": "1", "IO_CONCURRENCY": "10"}
    settings |= {"REMOVAL_GRACE_SECONDS": "0", "INLINE_LIMIT": "1000"}
    with Stack(tmp_path, {**settings, **in_bucket}) as stack:
        client = Client(stack)
        text = "A slipway is a ramp. " * 200
        assert client.post("/v1/agents/echo/run", json={"text": text}).json()["result"] == text
        job = client.submit("write_file", megabytes=20)
        assert client.wait_for(job)["status"] == "completed"
        path = f"/v1/jobs/{job}/artifacts/file.bin"
        assert len(client.get(path).content) == 20 * MIB
        part = client.get(path, headers={"Range": f"bytes={MIB - 1}-{MIB}"})
        assert (part.status_code, part.content) == (206, bytes([0, 1]))
        pdf = client.post("/ai_service_binary", json={"param1": text})
        assert pdf.content.startswith(b"%PDF-")
        store = s3_store(in_bucket["ARTIFACTS_URL"])
        removed = pdf.headers["X-Job-ID"]
        stack.wait_for("the removal", lambda: not any(key.endswith(".pdf") for key in store.list(removed)), 30)
        assert client.request("DELETE", path).status_code == 204
        assert client.get(path).status_code == 410
        assert not stack.artifacts_dir.exists()
