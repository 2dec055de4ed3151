"""Printing in threads, in forked children, for a long time, and when it fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import typst

from tasks.sdk import AgentError, Report
from tasks.worker.pdf import PdfError, render_report
from tests.support.pdf_text import text_of


def test_threads_print_side_by_side() -> None:
    with ThreadPoolExecutor(4) as pool:
        pdfs = list(pool.map(lambda number: render_report(Report(f"Report {number}", "s")), range(12)))
    assert all(f"Report {number}" in text_of(pdf) for number, pdf in enumerate(pdfs))


def test_a_failure_tells_no_internals(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_options: Any) -> bytes:
        raise typst.TypstError("cannot open /secret/place", "")

    class Broken:
        def __init__(self, *_args: Any, **_options: Any) -> None: ...

        compile = fail

    render_report(Report("t", "s"))
    monkeypatch.setattr(typst, "Compiler", Broken)
    with pytest.raises(PdfError) as caught:
        render_report(Report("t", "s"))
    assert isinstance(caught.value, AgentError)
    assert caught.value.code == "pdf_error"
    assert "/" not in caught.value.detail
    assert "typst" not in caught.value.detail


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_of_a_process_that_has_printed_fails_and_does_not_hang() -> None:
    render_report(Report("t", "s"))
    child = os.fork()
    if child == 0:
        try:
            render_report(Report("t", "s"))
        except PdfError:
            os._exit(7)
        finally:
            os._exit(1)
    status = _wait(child, seconds=30)
    assert os.waitstatus_to_exitcode(status) == 7


def _wait(child: int, seconds: float) -> int:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.05)
    os.kill(child, 9)
    return os.waitpid(child, 0)[1]


# In a process of its own, because the other tests have left their traces in this one.
_MANY_REPORTS = """
import os
from pathlib import Path
from tasks.sdk import Report
from tasks.worker.pdf import render_report

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20

sources = [" ".join(str(number * seed) for number in range(15_000)) for seed in range(1, 14)]
render_report(Report("t", "s", (), sources[0]))
before = resident()
for source in sources[1:]:
    render_report(Report("t", "s", (), source))
print(resident() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_many_large_reports_do_not_fill_the_memory() -> None:
    grown = subprocess.run([sys.executable, "-c", _MANY_REPORTS], check=True, capture_output=True, text=True).stdout
    # Left alone, typst keeps the ten before, 17 MiB each.
    assert int(grown) < 60
