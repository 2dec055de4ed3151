"""The local artifact store, on a folder of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.jobs import LocalArtifacts


@pytest.fixture
def store(tmp_path: Path) -> LocalArtifacts:
    return LocalArtifacts(tmp_path / "artifacts")


def test_what_is_put_can_be_read_whole_and_in_part(store: LocalArtifacts) -> None:
    assert store.put("job/1/a.txt", [b"hello ", b"world"]) == 11
    assert b"".join(store.open("job/1/a.txt")) == b"hello world"
    assert b"".join(store.open("job/1/a.txt", 6, 9)) == b"wor"
    assert store.stat("job/1/a.txt") == 11


def test_a_key_is_written_once(store: LocalArtifacts) -> None:
    store.put("job/1/a.txt", [b"first"])
    with pytest.raises(FileExistsError):
        store.put("job/1/a.txt", [b"second"])
    assert b"".join(store.open("job/1/a.txt")) == b"first"


def test_a_write_that_fails_half_way_leaves_nothing(store: LocalArtifacts, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.put("job/1/a.txt", broken())
    assert store.stat("job/1/a.txt") is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_removed_file_is_gone_with_its_empty_folders(store: LocalArtifacts, tmp_path: Path) -> None:
    store.put("job/1/a.txt", [b"a"])
    assert store.delete("job/1/a.txt")
    assert not store.delete("job/1/a.txt")
    assert list((tmp_path / "artifacts").iterdir()) == []


def test_a_missing_file_is_said_before_the_first_piece(store: LocalArtifacts) -> None:
    with pytest.raises(FileNotFoundError):
        store.open("job/1/none")


def test_a_file_that_is_removed_while_it_is_read_is_read_to_its_end(store: LocalArtifacts) -> None:
    store.put("job/1/a.txt", [b"x" * 200_000])
    pieces = store.open("job/1/a.txt")
    first = next(pieces)
    store.delete("job/1/a.txt")
    assert len(first) + sum(len(piece) for piece in pieces) == 200_000


def test_keys_of_a_job_are_listed(store: LocalArtifacts) -> None:
    for key in ("job/1/b", "job/0/a", "other/1/c"):
        store.put(key, [b""])
    assert list(store.list("job")) == ["job/0/a", "job/1/b"]
    assert list(store.list("nothing")) == []


@pytest.mark.parametrize("key", ["", "../x", "a/../../x", "/etc/passwd", "a//b", "a/./b", "a\x00b", "a\\..\\b"])
def test_a_key_that_leads_elsewhere_is_refused(store: LocalArtifacts, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        store.open(key)


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        LocalArtifacts(tmp_path / "file").check()


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_a_link_out_of_the_store_is_not_there(tmp_path: Path, linked: str) -> None:
    (tmp_path / "secret").write_text("secret")
    store = LocalArtifacts(tmp_path / "store")
    store.put("job/1/real", [b"real"])
    if linked == "file":
        (tmp_path / "store/job/1/link").symlink_to(tmp_path / "secret")
        key = "job/1/link"
    else:
        (tmp_path / "store/job/2").symlink_to(tmp_path)
        key = "job/2/secret"
    assert store.stat(key) is None
    with pytest.raises(FileNotFoundError):
        store.open(key)
    assert b"".join(store.open("job/1/real")) == b"real"
