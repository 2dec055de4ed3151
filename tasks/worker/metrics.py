"""What a worker answers Prometheus, from a thread of its main process."""

from __future__ import annotations

from socketserver import TCPServer
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from redis import Redis

from tasks.jobs import logs
from tasks.jobs.keys import Keys
from tasks.jobs.settings import EngineSettings
from tasks.metrics.counting import count, exposition
from tasks.metrics.metric import clean
from tasks.metrics.settings import MetricsSettings
from tasks.worker.threads import start_os_thread

log = logs.get_logger(__name__)

MAIN = "main"  # the slot of the main process; its children have their numbers


class WorkerMetrics:
    """Counts in the processes of one worker, named as Celery names it (`io@host`), and tells what they counted."""

    def __init__(self, settings: MetricsSettings) -> None:
        self._settings = settings
        self._folder = settings.folder

    def begin(self, worker: str) -> None:
        """In the main process, before its children are forked."""
        if self._settings.port:
            self._folder = self._settings.folder / worker.partition("@")[0]
            clean(self._folder)
            count(self._folder, MAIN)

    def begin_child(self, index: int) -> None:
        """In a child, which takes the place of the one that had its number before."""
        if self._settings.port:
            count(self._folder, str(index))

    def serve(self, redis: Redis, engine: EngineSettings) -> None:
        """Answer from now on. A port that is taken costs the metrics, and not the worker."""
        if not self._settings.port:
            return
        try:
            server = _Server((self._settings.host, self._settings.port), _Handler)
        except OSError as error:
            log.error("metrics.not_served", port=self._settings.port, error=error)
            return
        server.set_app(exposition(self._folder, redis, Keys(engine.namespace), engine.queues))
        # A real thread: it answers although an agent computes.
        start_os_thread("metrics", server.serve_forever)


class _Server(WSGIServer):
    def server_bind(self) -> None:
        """Bind, without asking the resolver for the machine's name, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    timeout = 5  # seconds that one who asks may be silent: the others wait for it

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: Prometheus asks every few seconds."""
