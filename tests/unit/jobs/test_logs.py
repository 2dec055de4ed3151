from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.local.processes import ROOT
from tasks.jobs import logs
from tasks.jobs.environment import Secret


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    """Leave the process as it was: `configure` is for entry points."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    logs.clear()
    yield
    root.handlers[:], level = before
    root.setLevel(level)
    logging.captureWarnings(False)
    logs.clear()


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_a_line_is_an_object_with_its_event_level_logger_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", json=True)

    logs.get_logger("room").info("thing.done", count=3, path=Path("/x"), error=ValueError("no"))

    [line] = written(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "thing.done",
        "level": "info",
        "logger": "room",
        "count": 3,
        "path": "/x",
        "error": "no",
    }


def test_the_standard_library_writes_the_same_lines(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", json=True)

    logging.getLogger("library").warning("%d of %s", 1, "two")

    [line] = written(capsys)
    assert (line["event"], line["level"], line["logger"]) == ("1 of two", "warning", "library")


def test_a_logger_with_a_handler_of_its_own_is_taken_over(capsys: pytest.CaptureFixture[str]) -> None:
    server = logging.getLogger("gunicorn.error")
    server.addHandler(logging.StreamHandler(sys.stderr))
    server.propagate = False
    logs.configure("INFO", json=True)

    server.warning("Listening")

    assert [line["event"] for line in written(capsys)] == ["Listening"]


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning", json=True)

    logs.get_logger("room").info("no")
    logging.getLogger("library").info("no")

    assert written(capsys) == []


def test_a_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        logs.configure("LOUD", json=True)


def test_configuring_twice_writes_once(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", json=True)
    logs.configure("INFO", json=True)

    logs.get_logger("room").info("once")

    assert len(written(capsys)) == 1


def test_what_is_bound_is_in_every_line_until_it_is_cleared(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", json=True)
    logs.bind(request_id="request-1")
    with logs.bound(job_id="job-1"):
        logs.get_logger("room").info("first")
        logging.getLogger("library").warning("second")
    logs.get_logger("room").info("third")
    logs.clear()
    logs.get_logger("room").info("fourth")

    bound = [(line.get("request_id"), line.get("job_id")) for line in written(capsys)]
    assert bound == [("request-1", "job-1")] * 2 + [("request-1", None), (None, None)]


@pytest.mark.parametrize(
    "name",
    [
        *("authorization", "Authorization", "X-API-Key", "api_key", "key", "cookie", "token", "client_secret"),
        *("password", "prompt", "system_prompt", "payload", "body", "param1"),
    ],
)
def test_a_field_that_is_called_like_a_secret_or_a_prompt_is_hidden(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    logs.configure("INFO", json=True)

    logs.get_logger("room").info("event", **{name: "canary"}, headers={name: "canary"})

    [line] = written(capsys)
    assert line[name] == line["headers"][name] == "***"


def test_counts_of_tokens_are_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", json=True)

    logs.get_logger("room").info("event", tokens_used=12, max_tokens=None)

    [line] = written(capsys)
    assert (line["tokens_used"], line["max_tokens"]) == (12, None)


@pytest.mark.parametrize(
    "text",
    [
        "sent Authorization: Bearer canary-canary to it",
        "redis://user:canary-canary@10.0.0.1:6379/0 refused",
        "GET /x?api_key=canary-canary&limit=3",
        '{"password": "canary-canary"}',
        "the key sk-canary-canary-canary is wrong",
        "PASSWORD=canary-canary",
        "für Päule: password=canary-canary",
    ],
)
def test_what_is_written_like_a_secret_is_hidden_in_texts_and_tracebacks(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    logs.configure("INFO", json=True)

    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        logs.get_logger("room").exception(text, error=error, parts=[text])
        logging.getLogger("library").exception("%s", text)

    lines = written(capsys)
    assert len(lines) == 2
    assert "Traceback" in lines[0]["exception"]
    assert "canary" not in json.dumps(lines)


def test_a_known_secret_is_hidden_wherever_it_appears(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", json=True, hidden=["correct horse", ""])

    logs.get_logger("room").info("they said correct horse twice", note=["correct horse"], correct=Secret("battery"))

    _, err = capsys.readouterr()
    assert "correct horse" not in err
    assert "battery" not in err


def test_an_object_does_not_tell_what_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    @dataclass
    class Request:
        text: str

    logs.configure("INFO", json=True)
    logs.get_logger("room").info("event", request=Request("canary"))

    [line] = written(capsys)
    assert line["request"] == "<Request>"


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    "text",
    ['\n{"level":"ERROR"}', "\r\n2026 fake", "\x1b[31mred", "a\u2028b", "a\x85b", "\u202egpj", "\x00", "\ud800"],
    ids=ascii,
)
def test_a_text_can_neither_begin_a_line_nor_command_a_terminal(
    capsys: pytest.CaptureFixture[str], as_json: bool, text: str
) -> None:
    logs.configure("INFO", json=as_json)

    logs.get_logger("room").info("event", text=text, nested={text: text})
    logging.getLogger("library").warning("event %s", text)

    _, err = capsys.readouterr()
    assert len(err.splitlines()) == 2
    assert not any(letter in err.replace("\n", "") for letter in "\n\r\x1b\u2028\x85\u202e\x00")


def test_a_text_of_any_length_is_one_line_of_bounded_length(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", json=True)

    logs.get_logger("room").info("event", text="token=" * 500_000)

    _, err = capsys.readouterr()
    assert len(err) < 20_000


def test_values_that_json_does_not_know_do_not_lose_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    recursive: list[Any] = []
    recursive.append(recursive)
    logs.configure("INFO", json=True)

    logs.get_logger("room").info("event", big=2**70, recursive=recursive, raw=b"bytes", names={1: "one"})

    [line] = written(capsys)
    assert line["names"] == {"1": "one"}


@pytest.mark.parametrize("how", [True, "given"])
def test_an_exception_is_written_with_its_traceback(capsys: pytest.CaptureFixture[str], how: Any) -> None:
    logs.configure("INFO", json=True)

    try:
        raise RuntimeError("no")
    except RuntimeError as error:
        logs.get_logger("room").warning("failed", exc_info=error if how == "given" else how)

    [line] = written(capsys)
    assert "exc_info" not in line
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("RuntimeError: no")


def test_no_exception_is_written_where_none_is_handled(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", json=True)

    logs.get_logger("room").exception("failed")
    logging.getLogger("library").exception("failed")

    assert ["exception" in line for line in written(capsys)] == [False, False]


def test_a_value_goes_before_what_is_bound_and_a_block_gives_back_what_it_covered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("INFO", json=True)
    log = logs.get_logger("room")
    logs.bind(job_id="outer")
    with contextlib.suppress(RuntimeError), logs.bound(job_id="inner"):
        log.info("first")
        log.info("second", job_id="mine")
        raise RuntimeError
    log.info("third")

    assert [line["job_id"] for line in written(capsys)] == ["inner", "mine", "outer"]


def test_other_handlers_see_who_logs_and_the_values(caplog: pytest.LogCaptureFixture) -> None:
    def complain(**values: Any) -> None:
        logs.get_logger("room").warning("odd", count=3, **values)

    complain()
    complain(stacklevel=2)
    logs.get_logger("room").log(logging.WARNING, "odd")

    here = "test_other_handlers_see_who_logs_and_the_values"
    assert [record.funcName for record in caplog.records] == ["complain", here, here]
    assert caplog.messages == ["odd count=3", "odd count=3", "odd"]


def test_people_read_columns_then_values_then_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", json=False)

    try:
        raise RuntimeError("no")
    except RuntimeError:
        logs.get_logger("room").exception("thing.failed", text="two words", count=3, name="one")

    _, err = capsys.readouterr()
    line, *trace = err.splitlines()
    assert line.split(maxsplit=1)[1] == (
        "[error    ] thing.failed                   [room] count=3 name=one text='two words'"
    )
    assert (trace[0], trace[-1]) == ("Traceback (most recent call last):", "RuntimeError: no")


@pytest.mark.parametrize("terminal", [True, False])
def test_colours_are_for_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    logs.configure("INFO", json=False)

    logs.get_logger("room").info("event", text="\x1b[31mred")

    _, err = capsys.readouterr()
    assert ("\x1b[" in err) is terminal
    assert "\x1b[31mred" not in err


TOGETHER = """
from gevent import monkey; monkey.patch_all()
import gevent
from tasks.jobs import logs
from tasks.worker.threads import start_os_thread
logs.configure("INFO", json=True)
log, done = logs.get_logger("room"), []
def in_a_thread():
    for number in range(1000):
        log.info("thread.said", number=number)
    done.append(True)
def in_a_greenlet():
    for number in range(1000):
        logs.get_logger(f"room.{number % 50}").info("greenlet.said", number=number)
        number % 10 or gevent.sleep(0)
for number in range(3):
    start_os_thread(f"says-{number}", in_a_thread)
gevent.joinall([gevent.spawn(in_a_greenlet) for _ in range(5)])
while len(done) < 3:
    gevent.sleep(0.05)
"""


def test_threads_and_greenlets_of_one_process_log_without_holding_each_other_up() -> None:
    command = [sys.executable, "-c", TOGETHER]
    said = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, timeout=60, check=True).stderr.splitlines()
    assert len([json.loads(line) for line in said]) == 8000, "each line is whole"
