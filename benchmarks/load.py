"""Open many chat streams at once and judge what arrives; prints one JSON object.

    python -m benchmarks.load URL --key KEY --streams 200 --tokens 50

A process of its own on gevent, so that it is measured together with no server. It reads `data: {"content": …}` frames
until `data: [DONE]`; the model server says `word0 word1 …`, so every token that is lost, repeated or reordered shows.
"""

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402
import http.client  # noqa: E402
import json  # noqa: E402
import time  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from itertools import pairwise  # noqa: E402
from urllib.parse import urlsplit  # noqa: E402

import gevent  # noqa: E402

PATIENCE = 120.0  # seconds: streams that are slower have failed


@dataclass
class Stream:
    """One stream as its client saw it (seconds since the request)."""

    words: list[str] = field(default_factory=list)
    first: float = 0.0
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


def read(url: str, key: str) -> Stream:
    """Read one stream to its end."""
    stream, started = Stream(), time.monotonic()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        body = json.dumps({"message": "Talk to me."})
        connection.request("POST", urlsplit(url).path, body, {"Content-Type": "application/json", "X-API-Key": key})
        answer = connection.getresponse()
        if answer.status != 200:
            raise OSError(f"status {answer.status}: {answer.read(200)!r}")
        text = ""
        while line := answer.readline():
            if line.startswith(b"data: [DONE]"):
                stream.ended = True
                break
            if not line.startswith(b"data: "):
                continue
            frame = json.loads(line[6:])
            if frame.get("error"):
                raise OSError(frame["error"])
            if frame.get("content"):
                stream.first = stream.first or time.monotonic() - started
                text += frame["content"]
        stream.words = text.split()
    except (OSError, http.client.HTTPException) as error:
        stream.error = repr(error)
    finally:
        stream.last = time.monotonic() - started
        connection.close()
    return stream


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values) or [0.0]
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 3)


def judge(streams: list[Stream], tokens: int) -> dict[str, object]:
    faults = [stream.faults(tokens) for stream in streams]
    first = [stream.first for stream in streams if stream.first]
    return {
        "streams": len(streams),
        "complete": sum(
            stream.ended and not any(fault.values()) for stream, fault in zip(streams, faults, strict=True)
        ),
        **{name: sum(fault[name] for fault in faults) for name in ("lost", "repeated", "reordered")},
        "ttft_p50": quantile(first, 0.5),
        "ttft_p99": quantile(first, 0.99),
        "whole_p50": quantile([stream.last for stream in streams], 0.5),
        "whole_p99": quantile([stream.last for stream in streams], 0.99),
        "errors": sorted({stream.error for stream in streams if stream.error})[:3],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--key", default="")
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=50)
    parser.add_argument("--within", type=float, default=0.0, help="seconds over which the streams are opened")
    given = parser.parse_args()
    pause = given.within / given.streams
    streams = [gevent.spawn_later(number * pause, read, given.url, given.key) for number in range(given.streams)]
    gevent.joinall(streams)
    print(json.dumps(judge([each.value for each in streams], given.tokens)))


if __name__ == "__main__":
    main()
