"""A server that is lost comes back from its backup: jobs, files, keys, and work that was waiting."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deploy.backup import BackupError, restore, save
from deploy.local.stack import Stack
from tasks.jobs.environment import load
from tasks.jobs.settings import EngineSettings
from tests.support.client import Client, engine_of


def test_everything_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    agents = "tasks.agents,tests.support.agents"
    with Stack(tmp_path / "stack", {"AGENTS": agents, "WEB_CONCURRENCY": "1", "IO_CONCURRENCY": "10"}) as stack:
        client = Client(stack)
        done = client.submit("write_file", megabytes=3)
        assert client.wait_for(done)["status"] == "completed"
        content = client.get(f"/v1/jobs/{done}/artifacts/file.bin").content
        stack.lose("worker-io")
        waiting = [client.submit("echo", text=f"number {number}") for number in range(20)]
        settings = load(EngineSettings, stack.environment)
        stored = [path for path in stack.artifacts_dir.rglob("*") if path.is_file()]
        keys, files = save(settings, file)
        assert keys > 20
        assert files == len(stored) >= 1

        with pytest.raises(BackupError, match="already"):
            restore(settings, file)
        stack.lose("worker-cpu")
        stack.lose("web")
        engine_of(stack).redis.flushall()
        shutil.rmtree(stack.artifacts_dir)
        # Short-lived keys, such as the heartbeats of workers, may be over by now.
        assert 20 < restore(settings, file)[0] <= keys

        for process in ("web", "worker-io", "worker-cpu"):
            stack.spawn(process)
        stack.wait_until_ready()
        assert client.job(done)["status"] == "completed"
        assert client.get(f"/v1/jobs/{done}/artifacts/file.bin").content == content
        for number, job in enumerate(waiting):
            assert client.wait_for(job)["result"] == f"number {number}"


def test_a_half_written_backup_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "backup.tar.gz"
    file.write_bytes(b"the last one")
    monkeypatch.setattr("deploy.backup._add", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    monkeypatch.setattr("deploy.backup.connect", lambda *_, **__: _NoKeys())
    with pytest.raises(OSError, match="disk full"):
        save(EngineSettings(artifacts_dir=tmp_path / "none"), file)
    assert [path.name for path in tmp_path.iterdir()] == ["backup.tar.gz"]
    assert file.read_bytes() == b"the last one"


class _NoKeys:
    def eval(self, *_: object) -> list[object]:
        return []
