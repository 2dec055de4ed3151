from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local.processes import LEASH, bare_environment, in_shell, procfile, spawn, tail, with_programs

# Starts a child under the leash, says its process id, and waits.
PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-I", "-S", sys.argv[1], str(os.getpid()), "sleep", "60"])
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_the_settings_of_who_starts_a_stack_do_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "API_KEY_FILE", "BEARER_TOKEN", "PORT", "AGENT_SECRET"):
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("HTTPS_PROXY", "kept")
    bare = bare_environment()
    assert "theirs" not in bare.values()
    assert bare["HTTPS_PROXY"] == "kept"


def test_commands_are_looked_for_in_the_virtual_environment_first() -> None:
    path = with_programs({"PATH": "/usr/bin"})["PATH"]
    assert path == f"{Path(sys.executable).parent}{os.pathsep}/usr/bin"


def test_the_procfile_names_its_processes() -> None:
    assert {"web", "worker-io", "worker-cpu"} <= procfile().keys()


def test_a_default_of_the_procfile_is_filled_in_as_a_shell_does(tmp_path: Path) -> None:
    said = tmp_path / "said"
    for env in ({}, {"SIZE": "7"}):
        with said.open("ab") as out:
            process = spawn(in_shell("echo ${SIZE:-500} 'a b'"), stdout=out, env={"PATH": os.environ["PATH"], **env})
        assert process.wait(60) == 0
    assert said.read_text() == "500 a b\n7 a b\n"


def test_a_signal_reaches_the_command_itself(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        process = spawn(in_shell("sleep ${LONG:-60}"), stdout=out)
    assert os.getpgid(process.pid) != os.getpgid(0)
    process.terminate()
    assert process.wait(60) == -15


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can do it")
def test_a_child_does_not_outlive_a_killed_parent() -> None:
    command = [sys.executable, "-c", PARENT, str(LEASH)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10
    while running(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_end_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log) == "  (nothing)"
    log.write_bytes(b"".join(b"line %d\n" % number for number in range(100)) + b"\xff half")
    assert tail(log, 2) == "  line 99\n  \N{REPLACEMENT CHARACTER} half"
