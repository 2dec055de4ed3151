"""Scripts that are called at the same moment go to Redis in one packet, and their answers come back in one.

Under load most of what a call costs is not the script: a connection out of the pool, a packet there and one back, and
both sides woken for it.
"""

from __future__ import annotations

import copy
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

# Calls in one packet, so that its reply stays well under the socket time-out.
MOST = 64


class _Call:
    """A call, and what it was answered."""

    def __init__(self, command: Sequence[Any]) -> None:
        self.command = command
        self.settled = threading.Event()
        self.answer: Any = RedisConnectionError("This could not be sent.")


class Pipelined:
    """What a script is called on instead of Redis. For scripts that are safe to repeat.

    Whichever greenlet calls first gives way once, and sends what has come together until its turn comes again. One that
    is alone waits for nobody. Without greenlets calls go straight to Redis. Belongs to one thread.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._calls: list[_Call] = []
        self._greenlets = _has_greenlets()

    def evalsha(self, *command: Any) -> Any:
        """Call a script by its digest; as `Redis.evalsha`."""
        if not self._greenlets:
            return self._redis.evalsha(*command)
        call = _Call(command)
        self._calls.append(call)
        if len(self._calls) == 1:
            self._send_all()
        else:
            call.settled.wait()
        if isinstance(call.answer, Exception):
            raise call.answer
        return call.answer

    def eval(self, *command: Any) -> Any:
        """Call a script that Redis does not know; as `Redis.eval`."""
        return self._redis.eval(*command)

    def _send_all(self) -> None:
        calls: list[_Call] = []
        try:
            time.sleep(0)
            calls = self._take()
            for start in range(0, len(calls), MOST):
                if not self._send(calls[start : start + MOST]):
                    break  # the others wait for no time-out of their own
        finally:  # a greenlet that is ended here leaves nobody waiting
            for call in calls or self._take():
                call.settled.set()

    def _take(self) -> list[_Call]:
        calls, self._calls = self._calls, []
        return calls

    def _send(self, calls: Sequence[_Call]) -> bool:
        """Whether Redis answered."""
        for call, answer in zip(calls, self._answers([call.command for call in calls]), strict=True):
            call.answer = answer
            call.settled.set()
        return not isinstance(calls[-1].answer, RedisConnectionError | RedisTimeoutError)

    def _answers(self, commands: Sequence[Sequence[Any]]) -> Sequence[Any]:
        if len(commands) == 1:
            return [self._alone(commands[0])]
        pipeline = self._redis.pipeline(transaction=False)
        for command in commands:
            pipeline.evalsha(*command)
        try:
            return pipeline.execute(raise_on_error=False)
        except (DataError, ValueError):  # one cannot be written down, which is found before anything is sent
            return [self._alone(command) for command in commands]
        except RedisError as error:
            return [copy.copy(error) for _ in commands]

    def _alone(self, command: Sequence[Any]) -> Any:
        try:
            return self._redis.evalsha(*command)
        except (RedisError, ValueError) as error:
            return error


def _has_greenlets() -> bool:
    """Whether to sleep is to give way to other greenlets. Otherwise it costs a tenth of a millisecond."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("time"))
