"""What the main process of a prefork worker does about a child that died."""

from __future__ import annotations

from typing import Any

from celery.worker.request import Request
from redis.exceptions import RedisError

from tasks.jobs import logs
from tasks.jobs.attempts import Attempts
from tasks.jobs.record import Job, Status

log = logs.get_logger(__name__)


class JobRequest(Request):  # type: ignore[misc]
    """Tells the engine at once: the lease of a dead child need not run out first."""

    attempts: Attempts  # these two are given by the process at its start
    worker_name: str

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        outcome = super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)
        self._lose()
        return outcome

    @property
    def _child(self) -> str:
        return f"{self.worker_name}/{self.worker_pid}"

    def _lose_company(self, job: Job) -> None:
        """The jobs that were run together with it."""
        for job_id in job.company:
            other = self.attempts.get(job_id)
            if other is not None and other.worker == self._child:
                log.warning("child.died", pid=self.worker_pid, job_id=job_id, status=self.attempts.lose(other, "gone"))

    def _lose(self) -> None:
        try:
            job = self.attempts.get(self.id)
            if job is None:
                return
            self._lose_company(job)
            # Only the child that claimed it: the job may be running elsewhere by now.
            if job.worker == self._child:
                log.warning("child.died", pid=self.worker_pid, job_id=job.id, status=self.attempts.lose(job, "gone"))
            elif job.status is Status.PENDING:  # it died before it claimed, and the message with it
                self.attempts.push(job.id, job.queue)
        except RedisError as error:
            log.warning("child.job_left", error=error)
