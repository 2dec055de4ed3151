"""`make demo`: the real stack, the main job over real HTTP, and everything stopped again."""

from __future__ import annotations

import http.client
import json
import shutil
import sys
import textwrap
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.folder import claim
from deploy.local.processes import ROOT
from deploy.local.stack import Stack, StackError
from deploy.local.steps import Step
from deploy.local.stopping import Told

DIRECTORY = ROOT / "var" / "demo"
SAMPLE = Path(__file__).with_name("sample.txt")
QUESTION = "How are lost jobs brought back?"
REMOVAL_TIMEOUT = 5.0  # seconds; the callback runs right after the last byte
ANSWER_TIMEOUT = 90.0  # seconds; above the time that the service itself waits for a job
# The file goes at once, to be seen going; one web process is enough, and logs are for people.
SETTINGS = {"REMOVAL_GRACE_SECONDS": "0", "WEB_CONCURRENCY": "1", "LOG_JSON": "false"}


class DemoError(RuntimeError):
    """The stack answered something else than it should."""


def main() -> int:
    Told().listen()
    try:
        with claim(DIRECTORY):
            _empty(DIRECTORY)
            return show(Stack(DIRECTORY, SETTINGS))
    except StackError as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
    return 1


def show(stack: Stack) -> int:
    """Run the demo on `stack`, which is down afterwards in any case."""
    try:
        with Step("starting Valkey, the web server and two workers"):
            stack.start()
        show_text(stack)
        show_pdf(stack)
        with Step("stopping everything"):
            stack.stop()
    except (DemoError, OSError, http.client.HTTPException) as error:
        raise StackError(f"{error}\n{_tails(stack)}") from error
    finally:
        stack.kill()
    print("\nNext: `make run` keeps it up; copy tasks/agents/ai_service.py to add a function of your own.")
    return 0


def show_text(stack: Stack) -> None:
    print(f"\n  POST {stack.url}/ai_service")
    print(f'  {{"param1": "{_start_of(SAMPLE)}", "param2": "{QUESTION}"}}')
    answer = _call(stack, "POST", "/ai_service")
    print(f"  {answer.line}\n\n{_indented(json.loads(answer.body)['result'])}\n")


def show_pdf(stack: Stack) -> None:
    print(f"  POST {stack.url}/ai_service_binary with the same")
    answer = _call(stack, "POST", "/ai_service_binary")
    if not answer.body.startswith(b"%PDF-"):
        raise DemoError("the answer is no PDF")
    target = stack.directory / "result.pdf"
    target.write_bytes(answer.body)
    print(f"  {answer.line}, {len(answer.body):,} bytes, saved to {target.relative_to(ROOT)}\n")
    show_removal(stack, answer.headers)


def show_removal(stack: Stack, headers: Mapping[str, str]) -> None:
    """Show that the server's own file is gone: from its disk, and for whoever asks for it."""
    folder = stack.artifacts_dir / headers["x-job-id"]
    deadline = time.monotonic() + REMOVAL_TIMEOUT
    while any(path.is_file() for path in folder.rglob("*")):
        if time.monotonic() > deadline:
            raise DemoError(f"a file is still in {folder}")
        time.sleep(0.02)
    print("  The callback after the response has removed the server's file:")
    print(f"  nothing is left in {folder.relative_to(ROOT)}/, and\n  GET {headers['content-location']}")
    print(f"  {_call(stack, 'GET', headers['content-location'], expected=http.HTTPStatus.GONE).line}\n")


@dataclass(frozen=True)
class Answer:
    """What the service said."""

    status: http.HTTPStatus
    headers: Mapping[str, str]
    body: bytes

    @property
    def line(self) -> str:
        return f"{self.status} {self.status.phrase}, {self.headers['content-type']}"


def _call(stack: Stack, method: str, path: str, expected: http.HTTPStatus = http.HTTPStatus.OK) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=ANSWER_TIMEOUT)
    body = json.dumps({"param1": SAMPLE.read_text(encoding="utf-8"), "param2": QUESTION}) if method == "POST" else None
    headers = {"X-API-Key": stack.api_key, "Content-Type": "application/json"}
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status != expected:
        raise DemoError(f"{path} answered {answer.status}: {content.decode(errors='replace')}")
    return Answer(expected, {name.lower(): value for name, value in answer.getheaders()}, content)


def _start_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")[:60].replace("\n", " ") + "…"


def _indented(text: str) -> str:
    """Text for reading, in lines of a book's width."""
    lines = (textwrap.fill(line, 96, initial_indent="    ", subsequent_indent="    ") for line in text.splitlines())
    return "\n".join(lines)


def _tails(stack: Stack) -> str:
    return "\n".join(f"{name}, the end of {stack.log_path(name)}:\n{stack.log_tail(name)}" for name in stack.processes)


def _empty(directory: Path) -> None:
    """Remove what an earlier demo left; the lock is ours."""
    for each in directory.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        elif each.name != "lock":
            each.unlink()


if __name__ == "__main__":
    sys.exit(main())
