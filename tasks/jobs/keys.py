"""The names of every Redis key, channel, queue and task. They are written down here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

TASK_NAME = "slipway.run"


@dataclass(frozen=True)
class Keys:
    """Key names under one prefix, so that a server can be shared and an ACL can be one pattern."""

    namespace: str = "slipway"

    @property
    def everything(self) -> str:
        """A pattern for all keys there are."""
        return f"{self.namespace}:*"

    @property
    def queue_prefix(self) -> str:
        """What kombu puts before its own keys; a queue's list is this and the queue's name."""
        return f"{self.namespace}:queue:"

    def queue(self, queue: str) -> str:
        return f"{self.queue_prefix}{queue}"

    def job(self, job_id: str) -> str:
        return f"{self.namespace}:job:{job_id}"

    def events(self, job_id: str) -> str:
        return f"{self.namespace}:events:{job_id}"

    def channel(self, job_id: str) -> str:
        return f"{self.namespace}:channel:{job_id}"

    def replies(self, process: str) -> str:
        """The channel on which a process hears of the ends that its requests wait for."""
        return f"{self.namespace}:replies:{process}"

    def pending(self, queue: str) -> str:
        return f"{self.namespace}:pending:{queue}"

    def ended(self, queue: str) -> str:
        """A hash that counts the jobs of a queue that ended, by slice of ten seconds."""
        return f"{self.namespace}:ended:{queue}"

    @property
    def leases(self) -> str:
        return f"{self.namespace}:leases"

    @property
    def removals(self) -> str:
        """Artifacts whose delivery is over: `<job>/<name>`, scored by the moment they may go."""
        return f"{self.namespace}:removals"

    @property
    def keeper(self) -> str:
        return f"{self.namespace}:keeper"

    def workers(self, queue: str) -> str:
        """The workers of a queue by name, scored by the moment (ms) until which each is believed to be there."""
        return f"{self.namespace}:workers:{queue}"

    def health(self, worker: str) -> str:
        """What a worker found when it looked at the model server and the artifact store."""
        return f"{self.namespace}:health:{worker}"

    def api_key(self, key_id: str) -> str:
        return f"{self.namespace}:api-key:{key_id}"

    @property
    def api_keys(self) -> str:
        return f"{self.namespace}:api-keys"

    @property
    def api_keys_used(self) -> str:
        """A hash of the moments when keys were last used, by their ids."""
        return f"{self.namespace}:api-keys-used"

    @property
    def limits(self) -> str:
        """What stands before the counters of requests."""
        return f"{self.namespace}:limits"

    def streams_of(self, owner: str) -> str:
        """The open streams of a principal, scored by the moment when each is no longer believed in."""
        return f"{self.owners}{owner}:streams"

    @property
    def owners(self) -> str:
        """What stands before `<owner>:<index>`: the indexes `jobs`, `waiting` and `running` of each principal."""
        return f"{self.namespace}:owner:"

    def jobs_of(self, owner: str) -> str:
        return f"{self.owners}{owner}:jobs"

    def idempotency(self, owner: str, digest: str) -> str:
        return f"{self.owners}{owner}:idempotency:{digest}"

    def conversation(self, conversation_id: str) -> str:
        return f"{self.namespace}:conversation:{conversation_id}"

    @property
    def conversations(self) -> str:
        """The keys of the conversations that are kept, scored by the moment when they expire."""
        return f"{self.namespace}:conversations"

    def file(self, file_id: str) -> str:
        """What is known of an uploaded file. It expires a little before the file itself."""
        return f"{self.namespace}:file:{file_id}"

    def files_of(self, owner: str) -> str:
        """The files that an owner keeps, scored by the moment (ms) when each is gone."""
        return f"{self.owners}{owner}:files"

    @property
    def removed(self) -> str:
        """A hash that counts what the keeper has removed: `jobs`, `files`, `conversations`."""
        return f"{self.namespace}:removed"

    def ticket(self, digest: str) -> str:
        return f"{self.namespace}:ticket:{digest}"

    def socket(self, owner: str, name: str) -> str:
        """Which WebSocket has this name under this principal."""
        return f"{self.namespace}:socket:{owner}:{name}"

    @property
    def models(self) -> str:
        """The provider's models, as a worker has published them."""
        return f"{self.namespace}:models"

    def of_conversation(self, conversation_id: str) -> list[str]:
        """What the transitions of a job that belongs to a conversation have behind their other KEYS."""
        return [self.conversation(conversation_id), self.conversations] if conversation_id else []

    @property
    def expiries(self) -> str:
        """`<job> <owner>`, scored by the moment when what is left of the job is to be removed."""
        return f"{self.namespace}:expiries"

    def last_chance(self, queue: str) -> str:
        """The job of this queue that runs though one loss more would end it: they run one at a time."""
        return f"{self.namespace}:last-chance:{queue}"

    @property
    def dead(self) -> str:
        """Jobs that were given up, scored by the moment in ms."""
        return f"{self.namespace}:dead"

    def gone(self, job_id: str) -> str:
        """Who owned a job that has ended: kept for a week longer than its record, so that its owner is told."""
        return f"{self.namespace}:gone:{job_id}"

    def usage(self, owner: str, day: int) -> str:
        """A hash that counts what an owner used on a day since the epoch: jobs by their end, tokens, credits."""
        return f"{self.owners}{owner}:usage:{day}"

    @property
    def outbox(self) -> str:
        """Jobs whose end is still to be told by a webhook, scored by the moment (ms) of the next try."""
        return f"{self.namespace}:outbox"

    def pipelines(self, part: str) -> str:
        """Workspaces, models, pipelines and deployments (hashes by id), and what workers say of models (by digest)."""
        return f"{self.namespace}:pipelines:{part}"

    @property
    def batches(self) -> str:
        """What stands before the lines of jobs that may be run together."""
        return f"{self.namespace}:batch:"

    def said(self, job_id: str) -> list[str]:
        """The KEYS of the script that appends events: the first three of a transition's."""
        return [self.job(job_id), self.events(job_id), self.channel(job_id)]

    def transition(self, job_id: str, queue: str) -> list[str]:
        """The KEYS of every script that moves one job, in the order that `events.lua` and `common.lua` unpack them."""
        return [
            *self.said(job_id),
            self.pending(queue),
            self.queue(queue),
            self.leases,
            self.ended(queue),
            self.owners,
            self.expiries,
            self.last_chance(queue),
            self.dead,
            self.gone(job_id),
            self.outbox,
            self.batches,
        ]
