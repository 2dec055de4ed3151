"""systemd takes the units, and they start what exists."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local.processes import ROOT, procfile
from deploy.local.reference import variables
from tasks.worker.settings import WorkerSettings
from tests.support.programs import find_program

FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("slipway*"))


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    analyze = find_program("systemd-analyze")
    names = []
    for unit in UNITS:
        name = unit.name.replace("@.", "@io.")
        # What they start is not installed here.
        (tmp_path / name).write_text(unit.read_text().replace("/opt/slipway/", f"{ROOT}/").replace("%i", "io"))
        names.append(str(tmp_path / name))
    done = subprocess.run([analyze, "verify", "--man=no", *names], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "slipway" in line]
    assert ours == []
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_what_exists(unit: Path) -> None:
    text = unit.read_text()
    for path, argument in re.findall(r"^ExecStart=/opt/slipway/(\S+)(?: (\S+))?$", text, re.MULTILINE):
        assert (ROOT / path).stat().st_mode & 0o111
        names = [argument.replace("%i", queue) for queue in ("io", "cpu")] if argument else []
        assert set(names) <= set(procfile())


def test_workers_have_the_time_that_draining_takes() -> None:
    found = re.search(r"^TimeoutStopSec=(\d+)$", (FOLDER / "slipway-worker@.service").read_text(), re.MULTILINE)
    assert found
    assert float(found[1]) >= WorkerSettings().drain + 15


def test_the_processes_are_told_of_settings_that_exist() -> None:
    for name in ("slipway-web.service", "slipway-worker@.service"):
        told = re.findall(
            r"\b([A-Z_]+)=", "".join(re.findall(r"^Environment=(.*)$", (FOLDER / name).read_text(), re.M))
        )
        assert set(told) - {"PATH"} <= variables()


def test_the_installer_is_a_shell_script() -> None:
    for script in (FOLDER / "install.sh", ROOT / "deploy" / "start.sh", ROOT / "deploy" / "nginx" / "start.sh"):
        subprocess.run([shutil.which("sh") or "sh", "-n", str(script)], check=True)
