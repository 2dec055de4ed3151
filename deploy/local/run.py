"""`make run`: the stack of the Procfile, kept up until Ctrl-C or SIGTERM.

Valkey is started before and stopped after the processes, so that workers that drain still have it. An argument names
another folder than `var` for everything that is written.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from deploy.local.folder import claim
from deploy.local.output import Output
from deploy.local.processes import ROOT, StackError
from deploy.local.stack import Stack
from deploy.local.steps import Step
from deploy.local.stopping import Told
from deploy.local.valkey import GivenServer, free_port, is_free
from deploy.settings import ProcessSettings
from tasks.jobs.environment import SettingError, load
from webapp.settings import WebSettings

VALKEY_PORT = 6390  # what REDIS_URL defaults to, so that `flask` commands find it; another one if it is taken
LOOK = 0.1  # seconds between two looks at logs and processes
# Seconds that the port may still be in the hands of web processes whose master was killed: they look every second.
PORT_PATIENCE = 5.0

# What is on for whoever runs this in front of themselves, and off elsewhere.
COMFORT = {"LOG_JSON": "false", "PLAYGROUND": "true"}

HELLO = """
Slipway is up at {url}

  Playground: {url}/playground
  Reference: {url}/docs

  API key: {key_told}
{hint}
  curl -H "X-API-Key: {key}" "{url}/ai_service?param1=Slipway+keeps+every+job.+It+also+prints.&param2=jobs"
  curl -H "X-API-Key: {key}" "{url}/ai_service_binary?param1=Slipway+keeps+every+job." -o result.pdf
  curl -H "X-API-Key: {key}" {url}/v1/agents

Ctrl-C stops it. Its logs, which are also in {logs}, follow.
"""


def main(directory: Path) -> int:
    told = Told()
    told.listen()
    try:
        # What is set for this run wins over what is written in the file, as with the `flask` command.
        environ = {**{name: value or "" for name, value in dotenv_values(ROOT / ".env").items()}, **os.environ}
        with claim(directory):
            keep_up(make_stack(directory, environ), environ)
    except (StackError, SettingError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped at once.", file=sys.stderr)
        return 130  # as a shell says that Ctrl-C ended it
    return 0


def make_stack(directory: Path, environ: Mapping[str, str]) -> Stack:
    """The stack that the environment describes."""
    listen = load(ProcessSettings, environ)
    given = {name: environ[name] for name in ("ARTIFACTS_DIR", "PUBLIC_BASE_URL") if environ.get(name)}
    key = load(WebSettings, environ).api_key
    stack = Stack(
        directory,
        {name: environ.get(name) or default for name, default in COMFORT.items()}
        | given
        | ({"API_KEY": key} if key else {}),
        environ=environ,
        host=listen.host,
        port=listen.port,
        valkey_port=free_port(VALKEY_PORT),
    )
    if environ.get("REDIS_URL"):
        stack.valkey = GivenServer(environ["REDIS_URL"])
    return stack


def keep_up(stack: Stack, environ: Mapping[str, str]) -> None:
    """Start the stack, show what it writes, and stop it when told to. Raises StackError when it fails."""
    _wait_for_port(stack)
    for name in stack.names:
        stack.log_path(name).unlink(missing_ok=True)  # only what this run writes is of use now
    output = Output({name: stack.log_path(name) for name in stack.names})
    try:
        with Step("starting Valkey, the web server and the workers"):
            stack.start()
        print(_hello(stack, fresh_key=not load(WebSettings, environ).api_key), flush=True)
        while True:
            output.show()
            stack.check()
            time.sleep(LOOK)
    except KeyboardInterrupt:
        print("\nStopping: running jobs may end first. Ctrl-C stops at once.", flush=True)
    finally:
        stack.stop()
    output.show()
    print("Stopped.")


def _wait_for_port(stack: Stack) -> None:
    deadline = time.monotonic() + PORT_PATIENCE
    while not is_free(stack.port, stack.host):
        if time.monotonic() > deadline:
            raise StackError(f"Port {stack.port} is in use. Take another one: PORT={stack.port + 1} make run")
        time.sleep(LOOK)


def _hello(stack: Stack, *, fresh_key: bool) -> str:
    moved = not stack.redis_url.endswith(f":{VALKEY_PORT}/0") and not isinstance(stack.valkey, GivenServer)
    return HELLO.format(
        url=stack.environment["PUBLIC_BASE_URL"].rstrip("/"),
        # A key that was given is a secret of somebody: it does not belong on the screen.
        key=stack.api_key if fresh_key else "$API_KEY",
        key_told=f"{stack.api_key} (for this run)" if fresh_key else "the one in API_KEY",
        hint=f"  For `flask` commands: export REDIS_URL={stack.redis_url}\n" if moved else "",
        logs=stack.log_path("*"),
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "var"))
