"""The state machine: one Lua script a transition, each safe to repeat after a lost reply.

They run inside Redis, so that a transition happens whole or not at all, whoever dies meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import NoScriptError

from tasks.jobs.pipelined import Pipelined

Argument = str | bytes | int | float


class Script:
    """A Lua script that is sent by its digest, and whole when Redis does not know it (any more)."""

    def __init__(self, *names: str, head: Sequence[str] = ("events", "common")) -> None:
        folder = files(__name__)
        self.text = "".join((folder / f"{name}.lua").read_text() for name in (*head, *names))
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, redis: Redis | Pipelined, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        try:
            return redis.evalsha(self.digest, len(keys), *keys, *args)
        except NoScriptError:
            return redis.eval(self.text, len(keys), *keys, *args)

    def queue(self, pipeline: Pipeline, keys: Sequence[str], args: Sequence[Argument]) -> None:
        """Put the call into a pipeline. Its answer may be a `NoScriptError`: then call the script itself."""
        pipeline.evalsha(self.digest, len(keys), *keys, *args)


submit = Script("conversation", "submit")
claim = Script("places", "take", "company", "claim")
join = Script("places", "take", "company", "join")
append = Script("append", head=("events",))  # once a token: with `common` it costs Redis half as much again
finish = Script("places", "close", "conversation", "finish")
hand_back = Script("fence", "places", "close", "wait_again", "hand_back")
cancel = Script("places", "close", "cancel")
lose = Script("fence", "places", "close", "wait_again", "lose")
condemn = Script("fence", "condemn")
push = Script("push")
renew = Script("renew")
waiting = Script("waiting")
load = Script("load")
remove = Script("remove")
purge = Script("purge")
delete = Script("delete")
charge = Script("charge")
checkpoint = Script("fence", "checkpoint")
take_delivery = Script("take_delivery")
settle_delivery = Script("settle_delivery")
redeliver = Script("redeliver")
