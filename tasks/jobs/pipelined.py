"""Scripts that are called at the same moment go to Redis in one packet, and their answers come back in one.

Under load most of what a call costs is not the script: a connection out of the pool, a packet there and one back, and
both sides woken for it.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError, RedisError

# Calls in one packet, so that its reply stays well under the socket time-out.
MOST = 64

Call = tuple[Sequence[Any], "Future[Any]"]


class Pipelined:
    """What a script is called on instead of Redis. For scripts that are safe to repeat.

    Whoever calls first gives way once, and sends what has come together until its turn comes again. One that is alone
    waits for nobody.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    def evalsha(self, *command: Any) -> Any:
        """Call a script by its digest; as `Redis.evalsha`."""
        answer: Future[Any] = Future()
        with self._lock:
            self._calls.append((command, answer))
            first = len(self._calls) == 1
        if first:
            self._send_all()
        return answer.result()

    def eval(self, *command: Any) -> Any:
        """Call a script that Redis does not know; as `Redis.eval`."""
        return self._redis.eval(*command)

    def _send_all(self) -> None:
        calls: list[Call] = []
        try:
            time.sleep(0)
            calls = self._take()
            for start in range(0, len(calls), MOST):
                self._send(calls[start : start + MOST])
        finally:  # a greenlet that is ended here leaves nobody waiting
            for _, answer in calls or self._take():
                if not answer.done():
                    answer.set_exception(RedisConnectionError("Whoever sent this was ended."))

    def _take(self) -> list[Call]:
        with self._lock:
            calls, self._calls = self._calls, []
        return calls

    def _send(self, calls: Sequence[Call]) -> None:
        for (_, answer), said in zip(calls, self._answers([command for command, _ in calls]), strict=True):
            if isinstance(said, Exception):
                answer.set_exception(said)
            else:
                answer.set_result(said)

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
