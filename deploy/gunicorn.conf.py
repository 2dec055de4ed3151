"""gunicorn's settings. Every number has its reason beside it.

gunicorn reads the names of this module; `os.environ` is read here because it is an entry point. The application's own
modules are not imported here: what the master imports before it forks, gevent could not patch any more.
"""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any


def processors() -> int:
    """How many processors this process may use: those it may run on, or fewer where a container has a limit."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
    try:
        # Microseconds of processor time in a period, and the period; "max" is no limit.
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return min(cores, max(1, -(-int(quota) // int(period))))
    except (OSError, ValueError):
        return cores


bind = [f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or '8000'}"]
# The application tells by the port that a request came in at, and knows no metrics at the other one.
METRICS_PORT = int(os.environ.get("METRICS_PORT") or 0)
METRICS_DIR = Path(os.environ.get("METRICS_DIR") or "var/metrics") / "web"
if METRICS_PORT:
    bind.append(f"{os.environ.get('METRICS_HOST') or '127.0.0.1'}:{METRICS_PORT}")
if int(os.environ.get("INTERNAL_PORT") or 0):
    # Inferences without a token come in here and nowhere else: the application looks at the port of the socket.
    bind.append(f"{os.environ.get('INTERNAL_HOST') or '127.0.0.1'}:{os.environ['INTERNAL_PORT']}")
worker_class = "gevent"
# A web process waits for Redis and for clients; it computes little. One a core, and two at least, so that one
# can be replaced while another answers.
workers = int(os.environ.get("WEB_CONCURRENCY") or 0) or max(2, processors())
# Greenlets are cheap (a held stream costs about 15 KiB); this bound is there to fail before memory does.
worker_connections = 5000
# Well above nginx's idle time for upstream connections (1 s), so that nginx closes first and never writes into a
# closing socket. Not far above: a worker that is told to stop waits for idle connections this long. It also bounds how
# slowly a request's headers may come in.
keepalive = 3
# A worker that is told to stop has this long for the requests it has; streams end themselves at once. Above the 25 s
# that jobs have to end when everything is told to stop together: who waits for one still gets its answer.
graceful_timeout = 30
# A worker whose loop stands still this long is replaced. Well above a garbage collection or a slow disk.
timeout = 60
# The heartbeat file belongs in memory: on a slow disk a busy worker looks dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# A leak that nobody has found must not grow for ever; high, so that a process lives for hours under load. It drains as
# when it is told to stop: requests get their answers, streams end with `retry:` and go on at another process.
max_requests = 100_000
# Not all of them at the same time.
max_requests_jitter = 20_000
# No control socket: it is not used, and a read-only root has no place for it.
control_socket_disable = True
# The application writes its own access log, with the request's id and the job's.
accesslog = None
errorlog = "-"
# Room for a text in the query of GET /ai_service, and gunicorn's highest.
limit_request_line = 8190
# A browser sends 20 headers, proxies add a few. The largest is an access token, of 2 KiB with many scopes.
limit_request_fields = 100
limit_request_field_size = 8190
proc_name = "slipway-web"

# Seconds between two looks whether this worker was told to stop: streams end within it.
LOOK = 0.25


def on_starting(server: Any) -> None:
    # In a process of its own, for the reason at the top.
    check = "from webapp import lifecycle, wsgi; lifecycle.refuse_without_key(wsgi.app)"
    if subprocess.run([sys.executable, "-c", check], check=False).returncode != 0:
        sys.exit(1)
    if METRICS_PORT:
        shutil.rmtree(METRICS_DIR, ignore_errors=True)
        METRICS_DIR.mkdir(parents=True)


def pre_fork(server: Any, worker: Any) -> None:
    # The lowest number that no living process has: one that replaces another goes on with its counts.
    taken = {each.slot for each in server.WORKERS.values()}
    worker.slot = next(slot for slot in itertools.count() if slot not in taken)


def child_exit(server: Any, worker: Any) -> None:
    # What it had open is open no more. prometheus-client has a function for it, but see the top: no imports here.
    for gauges in METRICS_DIR.glob(f"gauge_live*_{worker.slot}.db") if METRICS_PORT else ():
        gauges.unlink(missing_ok=True)


def post_worker_init(worker: Any) -> None:
    import gevent

    from deploy import backlog, refusals
    from tasks.jobs.environment import load
    from tasks.tracing import exporting
    from tasks.tracing.settings import TracingSettings
    from webapp import lifecycle
    from webapp.http import metrics_port

    backlog.install()
    refusals.install()
    exporting.start(load(TracingSettings, os.environ), "slipway-web")
    # Reading what all processes counted must not hold up the streams of the one that was asked.
    metrics_port.start(worker.wsgi, str(worker.slot), gevent.get_hub().threadpool.apply)
    lifecycle.start(worker.wsgi)
    gevent.spawn(_drain_when_told, worker)


def _drain_when_told(worker: Any) -> None:
    """End the streams when SIGTERM came. gunicorn has no hook for it, and a signal handler may not wait for locks."""
    import gevent

    from webapp import lifecycle

    while worker.alive:
        gevent.sleep(LOOK)
    lifecycle.stop(worker.wsgi)
