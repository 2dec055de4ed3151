"""Whether a process of this container lives: `python -m deploy.alive web|worker`. For health checks and probes.

Dead means that a restart would help. Redis being away is no such thing: then every process that waits for it is alive.
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from redis.exceptions import RedisError

from deploy.settings import ProcessSettings
from tasks.jobs.connection import connect
from tasks.jobs.environment import load
from tasks.jobs.keys import Keys
from tasks.jobs.settings import EngineSettings

WEB_TIMEOUT = 2.0  # seconds; below the probes' own
PROGRAM = b"tasks.worker.main"


def main(kind: str) -> int:
    fault = {"web": web_fault, "worker": worker_fault}[kind]()
    if fault:
        print(fault, file=sys.stderr)
    return 1 if fault else 0


def web_fault() -> str:
    """What is wrong with the web server, `""` when it answers."""
    connection = http.client.HTTPConnection("127.0.0.1", load(ProcessSettings, os.environ).port, timeout=WEB_TIMEOUT)
    try:
        connection.request("GET", "/livez")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"the web server does not answer: {error}"
    finally:
        connection.close()
    return "" if status == http.HTTPStatus.OK else f"the web server answers {status}"


def worker_fault(proc: Path = Path("/proc")) -> str:
    """What is wrong with the worker: it is not there, or Redis has not heard of it for three of its rounds."""
    settings = load(EngineSettings, os.environ)
    keys, connection, host = Keys(settings.namespace), connect(settings), socket.gethostname()
    pids = list(worker_pids(proc))
    if not pids:
        return "no worker runs here"
    try:
        heard = any(
            any(connection.zmscore(keys.workers(queue), [f"{queue}@{host}/{pid}" for pid in pids]))
            for queue in settings.queues
        )
    except RedisError:
        return ""
    return "" if heard else "the worker runs, but says nothing"


def worker_pids(proc: Path) -> Iterator[str]:
    """The processes that run a worker, children of a pool included."""
    for folder in proc.iterdir():
        if folder.name.isdigit() and PROGRAM in _arguments(folder):
            yield folder.name


def _arguments(folder: Path) -> list[bytes]:
    try:
        return (folder / "cmdline").read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile
        return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
