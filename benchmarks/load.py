"""Put a load on a server and judge what comes back; prints one JSON object. A process of its own, on gevent.

    python -m benchmarks.load requests URL --clients 32 --seconds 5 --body '{"text": "x"}'
    python -m benchmarks.load streams URL --clients 200 --tokens 50 --rate 10
    python -m benchmarks.load hold URL --clients 2000

`requests`: each client asks again as soon as it has its answer; counted is what is answered within `--seconds`, after
`--warm` seconds that are not. `streams`: each client reads one stream of `data: {"content": …}` frames until
`data: [DONE]`; the model server says `word0 word1 …`, so that a token that is lost, repeated or reordered shows. `hold`
opens streams, says `open`, and keeps them until it is killed.
"""

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402
import json  # noqa: E402
import time  # noqa: E402
import uuid  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from itertools import pairwise  # noqa: E402

import gevent  # noqa: E402
from gevent.pool import Pool  # noqa: E402

from benchmarks.wire import Connection, Refused  # noqa: E402

PATIENCE = 120.0  # seconds: what is slower has failed


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values) or [0.0]
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class Requests:
    """Clients that ask as fast as they are answered."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._given = given
        self._times: list[float] = []
        self._errors: list[str] = []
        self._answered = 0  # those that are not counted among them

    def run(self) -> dict[str, object]:
        given = self._given
        self._from = time.monotonic() + given.warm
        self._until = self._from + given.seconds
        # They come one after the other while it warms up.
        apart = given.warm / 2 / given.clients
        clients = [gevent.spawn_later(number * apart, self._client) for number in range(given.clients)]
        gevent.joinall(clients, timeout=given.warm + given.seconds)
        gevent.killall(clients, block=False)
        milliseconds = [each * 1000 for each in self._times]
        return {
            "rate": len(milliseconds) / given.seconds,
            "answered": self._answered,
            "p50_ms": quantile(milliseconds, 0.5),
            "p99_ms": quantile(milliseconds, 0.99),
            "failed": len(self._errors),
            "errors": sorted(set(self._errors))[:3],
        }

    def _client(self) -> None:
        connection = Connection(self._given.url, self._given.headers, PATIENCE)
        body = self._given.body.encode()
        while (started := time.monotonic()) < self._until:
            try:
                connection.ask(self._given.method, body, self._extra())
            except (OSError, Refused) as error:
                self._errors.append(repr(error))
                connection.close()
                gevent.sleep(0.1)
            else:
                ended = time.monotonic()
                self._answered += 1
                if self._from <= ended <= self._until:
                    self._times.append(ended - started)

    def _extra(self) -> str:
        return f"Idempotency-Key: {uuid.uuid4()}" if self._given.idempotent else ""


@dataclass
class Stream:
    """One stream as its client saw it (seconds since the request)."""

    words: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    last: float = 0.0
    ended: bool = False
    error: str = ""

    def faults(self, tokens: int) -> dict[str, int]:
        numbers = [int(word.removeprefix("word")) for word in self.words]
        return {
            "lost": tokens - len(set(numbers)),
            "repeated": len(numbers) - len(set(numbers)),
            "reordered": sum(after < before for before, after in pairwise(numbers)),
        }

    def lags(self, rate: float) -> list[float]:
        """How far each token is behind its pace: what the best-paced one of this stream stands for."""
        if not rate or not self.times:
            return []
        begun = [moment - number / rate for number, moment in enumerate(self.times)]
        return [each - min(begun) for each in begun]


class Streams:
    """Clients that read one stream each."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._given = given

    def run(self) -> dict[str, object]:
        given = self._given
        pause = given.within / given.clients
        running = [gevent.spawn_later(number * pause, self._read) for number in range(given.clients)]
        gevent.joinall(running)
        return self._judge([each.value for each in running])

    def _read(self) -> Stream:
        stream, started = Stream(), time.monotonic()
        connection = Connection(self._given.url, self._given.headers, PATIENCE)
        try:
            connection.send("POST", self._given.body.encode())
            status, headers = connection.head()
            if status != 200:
                raise Refused(f"{status}: {connection.body(headers)[:200]!r}")
            self._follow(connection, stream, started)
        except (OSError, Refused) as error:
            stream.error = repr(error)
        finally:
            stream.last = time.monotonic() - started
            connection.close()
        return stream

    def _follow(self, connection: Connection, stream: Stream, started: float) -> None:
        rest, text, seen = b"", "", 0
        for chunk in connection.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            moment = time.monotonic() - started
            for line in lines:
                if line.startswith(b"data: [DONE]"):
                    stream.ended, stream.words = True, text.split()
                elif line.startswith(b"data: "):
                    frame = json.loads(line[6:])
                    if frame.get("error"):
                        raise Refused(frame["error"])
                    text += frame.get("content", "")
            # A frame may hold several tokens; each has come when its frame came.
            stream.times += [moment] * (text.count("word") - seen)
            seen = text.count("word")

    def _judge(self, streams: list[Stream]) -> dict[str, object]:
        tokens = self._given.tokens
        faults = [stream.faults(tokens) for stream in streams]
        first = [stream.times[0] for stream in streams if stream.times]
        lags = [lag for stream in streams for lag in stream.lags(self._given.rate)]
        whole = [each.ended and not any(fault.values()) for each, fault in zip(streams, faults, strict=True)]
        return {
            "complete": sum(whole),
            **{name: sum(fault[name] for fault in faults) for name in ("lost", "repeated", "reordered")},
            "first_p50_ms": quantile(first, 0.5) * 1000,
            "first_p99_ms": quantile(first, 0.99) * 1000,
            "lag_p50_ms": quantile(lags, 0.5) * 1000,
            "lag_p99_ms": quantile(lags, 0.99) * 1000,
            "whole_p50_ms": quantile([stream.last for stream in streams], 0.5) * 1000,
            "failed": sum(bool(stream.error) for stream in streams),
            "errors": sorted({stream.error for stream in streams if stream.error})[:3],
        }


OPENERS = 100  # streams that are opened at the same time: no more than a server's line of new connections takes


def hold(given: argparse.Namespace) -> None:
    """Open streams, and keep them."""

    def opened(_: int) -> Connection:
        connection = Connection(given.url, given.headers, PATIENCE)
        connection.send("POST", given.body.encode())
        status, _headers = connection.head()
        if status != 200:
            raise Refused(str(status))
        return connection

    kept = Pool(OPENERS).map(opened, range(given.clients))
    print("open", flush=True)
    time.sleep(PATIENCE)
    del kept


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("requests", "streams", "hold"))
    parser.add_argument("url")
    parser.add_argument("--key", default="", help="the API key to send")
    parser.add_argument("--method", default="POST")
    parser.add_argument("--body", default="")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm", type=float, default=1.0)
    parser.add_argument("--idempotent", action="store_true", help="send an Idempotency-Key with each request")
    parser.add_argument("--tokens", type=int, default=50)
    parser.add_argument("--rate", type=float, default=0.0, help="tokens a second of the model, to tell the lag")
    parser.add_argument("--within", type=float, default=0.0, help="seconds over which the streams are opened")
    given = parser.parse_args()
    given.headers = {"X-API-Key": given.key} if given.key else {}
    return given


def main() -> None:
    given = parse()
    if given.kind == "hold":
        hold(given)
        return
    print(json.dumps((Requests if given.kind == "requests" else Streams)(given).run()))


if __name__ == "__main__":
    main()
