"""`make demo`, as somebody sees it who has just cloned this."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from deploy.local.demo import DIRECTORY, SAMPLE
from deploy.local.processes import ROOT, bare_environment
from tests.support.family import Family

# Makes Python refuse to be a web server: it is read by every interpreter at its start.
BROKEN = """
import sys
if any("gunicorn" in word for word in sys.orig_argv):
    raise SystemExit("broken on purpose")
"""


def demo(**settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.local.demo"]
    environ = bare_environment() | settings
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=170, check=False)


@pytest.fixture(scope="module")
def shown() -> str:
    done = demo()
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def analysis(shown: str) -> str:
    return " ".join(shown.partition("200 OK, application/json")[2].partition("POST")[0].split())


def test_it_shows_the_analysis_of_its_sample(shown: str) -> None:
    answer = analysis(shown)
    assert "lease" in answer
    assert 50 < len(answer) < len(SAMPLE.read_text(encoding="utf-8")) / 2


def test_its_pdf_holds_the_same_analysis(shown: str) -> None:
    pdf = "".join("".join(page.extract_text() for page in PdfReader(DIRECTORY / "result.pdf").pages).split())
    first_sentence = analysis(shown).partition(".")[0]
    assert "".join(first_sentence.split()) in pdf


def test_it_shows_that_the_servers_own_file_is_gone(shown: str) -> None:
    assert "410 Gone, application/problem+json" in shown
    assert list((DIRECTORY / "artifacts").rglob("*.pdf")) == []


def test_every_step_is_one_line_that_says_how_long_it_took(shown: str) -> None:
    steps = re.findall(r"^(\w+ing .+?) \.* ?done \(\d+\.\d s\)$", shown, re.MULTILINE)
    assert steps == ["starting Valkey, the web server and two workers", "stopping everything"]


def test_a_demo_that_fails_says_why_with_the_end_of_the_log_and_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    family = Family()
    done = demo(PYTHONPATH=str(tmp_path), **family.mark)
    assert done.returncode == 1
    assert "The demo failed: web ended with exit code 1" in done.stderr
    assert "broken on purpose" in done.stderr
    assert family.alive() == {}
