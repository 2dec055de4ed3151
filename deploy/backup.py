"""Save and restore what the service knows: `python -m deploy.backup save FILE`, `… restore FILE`.

A file holds the state of one moment (every key of the namespace) and the artifacts that were there after it, so that no
job in it misses its files. The server stands still while its keys are read. `save` may run at any time; `restore` wants
an empty server, and web and workers stopped. Its settings are the service's: REDIS_URL, NAMESPACE, ARTIFACTS_DIR or
ARTIFACTS_URL.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from redis import Redis

from tasks.jobs.artifacts import PIECE, ArtifactStore
from tasks.jobs.connection import connect
from tasks.jobs.environment import load
from tasks.jobs.keys import Keys
from tasks.jobs.settings import EngineSettings
from tasks.jobs.stores import artifact_store

FORMAT = 1
STATE = "state.jsonl"
ARTIFACTS = "artifacts"
BATCH = 500  # keys that are restored in one round trip
PATIENCE = 300.0  # seconds that reading everything may take

# Everything at once: an index that was read before its jobs would name some that are not there.
READ_ALL = """
local now = redis.call('TIME')
local moment = now[1] * 1000 + math.floor(now[2] / 1000)
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
    local ttl = redis.call('PTTL', key)
    found[#found + 1] = {key, ttl < 0 and 0 or string.format('%.0f', moment + ttl), redis.call('DUMP', key)}
end
return found
"""


class BackupError(RuntimeError):
    """Why nothing was restored."""


def save(settings: EngineSettings, file: Path) -> tuple[int, int]:
    """Write everything to `file`, and return how many keys and artifacts there are. It appears once it is whole."""
    redis = connect(settings, socket_timeout=PATIENCE)
    entries: Any = redis.eval(READ_ALL, 0, Keys(settings.namespace).everything)
    part = file.with_name(f".{file.name}.part")
    try:
        with tarfile.open(part, "w:gz") as archive:
            _add(archive, STATE, b"".join(_line(*entry) for entry in _with_head(entries)))
            store = artifact_store(settings)
            count = sum(_add_file(archive, store, key) for key in store.list())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return len(entries), count


def restore(settings: EngineSettings, file: Path) -> tuple[int, int]:
    """Bring everything back. Raises BackupError when the server is not empty or the file is of another format."""
    redis = connect(settings, socket_timeout=PATIENCE)
    if next(redis.scan_iter(Keys(settings.namespace).everything), None) is not None:
        raise BackupError("The server has keys of this namespace already; restore to an empty one.")
    with tarfile.open(file, "r:gz") as archive:
        lines = _lines(archive)
        head = next(lines)
        if head.get("format") != FORMAT:
            raise BackupError(f"{file} is of format {head.get('format')}; this version reads {FORMAT}.")
        # Files first: a job that is there must not miss its own.
        store = artifact_store(settings)
        count = sum(_restore_file(archive, member, store) for member in archive)
        return _restore_keys(redis, lines), count


def _with_head(entries: list[Any]) -> Iterator[tuple[Any, ...]]:
    yield (None, FORMAT, time.time())
    yield from entries


def _line(key: bytes | None, expires: Any, value: Any) -> bytes:
    if key is None:
        return json.dumps({"format": expires, "saved_at": value}).encode() + b"\n"
    encoded = {"key": _text(key), "expires_ms": int(expires), "value": _text(value)}
    return json.dumps(encoded).encode() + b"\n"


def _lines(archive: tarfile.TarFile) -> Iterator[dict[str, Any]]:
    content = archive.extractfile(STATE)
    if content is None:
        raise BackupError("The file holds no state.")
    yield from (json.loads(line) for line in content)


def _restore_file(archive: tarfile.TarFile, member: tarfile.TarInfo, store: ArtifactStore) -> int:
    content = archive.extractfile(member) if member.name.startswith(f"{ARTIFACTS}/") else None
    if content is None:
        return 0
    key = member.name.removeprefix(f"{ARTIFACTS}/")
    # Through the store: it refuses keys that lead elsewhere, and what it has is whole.
    with contextlib.suppress(FileExistsError):
        store.put(key, iter(lambda: content.read(PIECE), b""))
    return 1


def _restore_keys(redis: Redis, lines: Iterator[dict[str, Any]]) -> int:
    moment, count = time.time() * 1000, 0
    pipe = redis.pipeline(transaction=False)
    for line in lines:
        if 0 < line["expires_ms"] <= moment:
            continue  # its time was over meanwhile
        pipe.restore(_bytes(line["key"]), line["expires_ms"], _bytes(line["value"]), absttl=bool(line["expires_ms"]))
        count += 1
        if count % BATCH == 0:
            pipe.execute()
    pipe.execute()
    return count


class _Pieces(io.RawIOBase):
    """An artifact as a file that can be read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._rest or next(self._pieces, b"")
        taken = piece[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = piece[len(taken) :]
        return len(taken)


def _add_file(archive: tarfile.TarFile, store: ArtifactStore, key: str) -> int:
    size = store.stat(key)
    try:
        pieces = store.open(key)
    except FileNotFoundError:  # removed since: the job expired or was delivered
        return 0
    archive.addfile(_member(f"{ARTIFACTS}/{key}", size or 0), io.BufferedReader(_Pieces(pieces)))
    return 1


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    archive.addfile(_member(name, len(content)), io.BytesIO(content))


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, int(time.time()), 0o600
    return member


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


def main(command: str, name: str) -> int:
    what = {"save": save, "restore": restore}[command]
    try:
        keys, files = what(load(EngineSettings, os.environ), Path(name))
    except BackupError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{command}: {keys} keys and {files} files.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
