"""A server that speaks S3, in a process of its own, and a bucket in it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from deploy.local.processes import spawn, tail
from deploy.local.valkey import free_port

PATIENCE = 60.0  # seconds for the server to start; two with nothing else to do
BUCKET = "slipway-tests"


@contextmanager
def bucket(directory: Path) -> Iterator[Mapping[str, str]]:
    """Keep a server up, and give the settings by which its bucket is reached."""
    url, log = f"http://127.0.0.1:{free_port()}", directory / "s3.log"
    with log.open("ab") as out:
        server = spawn([sys.executable, "-m", "moto.server", "--port", url.rpartition(":")[2]], stdout=out)
    try:
        deadline = time.monotonic() + PATIENCE
        while not _made(f"{url}/{BUCKET}"):
            assert server.poll() is None, tail(log)
            assert time.monotonic() < deadline, tail(log)
            time.sleep(0.05)
        yield {
            "ARTIFACTS_URL": f"s3://{BUCKET}/artifacts",
            "AWS_ENDPOINT_URL_S3": url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
        }
    finally:
        server.terminate()
        server.wait()


def _made(url: str) -> bool:
    try:
        return requests.put(url, timeout=5).ok
    except requests.ConnectionError:
        return False
