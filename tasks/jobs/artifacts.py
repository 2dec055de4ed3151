"""Where files live: inputs, results and artifacts too large or too binary for Redis."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Protocol

from tasks.jobs.errors import StoreFailed

PIECE = 64 * 1024  # large enough to keep system calls few, small enough to keep hundreds of downloads flat


class ArtifactStore(Protocol):
    """Files under keys of the form `<job>/<attempt>/<name>`. A key is written once and never changed."""

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        """Store the chunks and return their size in bytes. Nothing is visible before all of it is."""

    def open(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from `start` to before `end`. Raises FileNotFoundError."""

    def stat(self, key: str) -> int | None:
        """Return the size in bytes, or None when there is no such file."""

    def delete(self, key: str) -> bool:
        """Remove a file. False when it was not there."""

    def list(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys under `prefix`, a job's id or a job's id and attempt; all of them without one."""

    def check(self) -> None:
        """Raise OSError when nothing can be stored."""


def checked(key: str) -> str:
    """Return the key. Raises ValueError when it could lead out of the store."""
    if any(part in ("", ".", "..") or "\x00" in part or "\\" in part for part in key.split("/")):
        raise ValueError(f"not a key of the artifact store: {key!r}")
    return key


class LocalArtifacts:
    """A folder on a disk that web and workers share."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        path = self._path(key)
        with _told():
            path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            size = _write(part, chunks)
            with _told():
                os.link(part, path)  # unlike a rename it refuses to replace what is there
        finally:
            part.unlink(missing_ok=True)
        return size

    def open(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        # Opened here and not at the first piece: the caller learns of a missing file before it answers, and
        # a file that is removed meanwhile is still read to its end.
        return _read(self._real(key), start, end)

    def stat(self, key: str) -> int | None:
        try:
            return self._real(key).stat().st_size
        except FileNotFoundError:
            return None

    def delete(self, key: str) -> bool:
        path = self._path(key)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        self._prune(path.parent)
        return True

    def list(self, prefix: str = "") -> Iterator[str]:
        for path in sorted((self._path(prefix) if prefix else self._root).rglob("*")):
            # Those that begin with a dot are being written, and belong to nobody yet.
            if path.is_file() and not path.name.startswith("."):
                yield path.relative_to(self._root).as_posix()

    def check(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        probe = self._root / f".{secrets.token_hex(8)}.probe"
        probe.write_bytes(b"probe")
        probe.unlink()

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*checked(key).split("/"))

    def _real(self, key: str) -> Path:
        """The path of what is really stored. A link may name any file that the reader can read, so it is not there."""
        path = self._path(key)
        if path.is_symlink() or not path.resolve().is_relative_to(self._root.resolve()):
            raise FileNotFoundError(key)
        return path

    def _prune(self, folder: Path) -> None:
        """Remove the folders of an attempt and a job once they are empty."""
        while folder != self._root:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


def _write(path: Path, chunks: Iterable[bytes]) -> int:
    with _told():
        file = path.open("xb", buffering=0)  # so that closing it has nothing left to write, and to fail with
    with file:
        for chunk in chunks:
            with _told():
                _write_all(file, chunk)
        with _told():
            os.fsync(file.fileno())  # the record will say that it exists, so it must survive a power cut
        return file.tell()


def _write_all(file: FileIO, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:  # a disk that is almost full takes a part first, and refuses the rest
        rest = rest[file.write(rest) :]


@contextmanager
def _told() -> Iterator[None]:
    """Tell failures of the store from those of whoever makes the chunks."""
    try:
        yield
    except FileExistsError:  # written before: that is the caller's mistake
        raise
    except OSError as error:
        raise StoreFailed(error.errno, error.strerror) from error


def _read(path: Path, start: int, end: int | None) -> Iterator[bytes]:
    file = path.open("rb")

    def pieces() -> Iterator[bytes]:
        with file:
            file.seek(start)
            left = None if end is None else end - start
            while left is None or left > 0:
                piece = file.read(PIECE if left is None else min(PIECE, left))
                if not piece:
                    return
                left = None if left is None else left - len(piece)
                yield piece

    return pieces()
