"""What happens when a server starts and a process begins to serve."""

from __future__ import annotations

from flask import Flask
from redis.exceptions import RedisError

from tasks.jobs import logs
from webapp.services import services_of

NO_KEY = """\
There is no API key, so nobody could call this service. Either
  make one:   flask keys create --name me
  or set one: API_KEY=<a long random text>"""

log = logs.get_logger(__name__)


def refuse_without_key(app: Flask) -> None:
    """Raise SystemExit, with the way out, when there is no key at all. For the start of a server."""
    services = services_of(app)
    if services.settings.api_key:
        return
    try:
        known = services.keys.any()
    except RedisError as error:
        # Refusing now would keep the service down after Redis is back; `/readyz` tells meanwhile.
        log.warning("start.redis_unavailable", error=str(error))
        return
    if not known:
        raise SystemExit(NO_KEY)


def start(app: Flask) -> None:
    """Begin to listen to jobs: for every process that serves, after its fork. Safe to call twice.

    A server without such a hook gets the same when its first request waits for a job.
    """
    services_of(app).hub.start()


def stop(app: Flask) -> None:
    """Let the streams and sockets of this process end, when it is told to: waiting requests still get their results."""
    services_of(app).hub.close()
    services_of(app).sockets.close()
