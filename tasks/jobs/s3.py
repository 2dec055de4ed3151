"""Artifacts in a bucket that speaks S3: Amazon's, or any server with its interface. Imported only when it is chosen.

Where it is and who we are is boto3's to find out, as for every program that uses S3: `AWS_REGION`,
`AWS_ENDPOINT_URL_S3`, `AWS_ACCESS_KEY_ID`, or a file, or a role (docs/operations.md).

A store belongs to the process and the thread that made it: its connections cannot be shared.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tasks.jobs.artifacts import PIECE, checked
from tasks.jobs.errors import StoreFailed

# What is smaller goes in one request; what is larger in parts of this size, of which two are in memory. S3 takes 10,000
# parts of 5 MiB or more, so files of up to 80 GiB.
PART = 8 * 1024 * 1024
PAGE = 1000  # keys in one answer to a question for keys; S3's most
MISSING = frozenset({"404", "NoSuchKey"})
BEYOND = "InvalidRange"
# The key is written already, maybe by a request of ours whose answer was lost.
WRITTEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchUpload"})
WRITER = "writer"  # in an object's metadata: which call of `put` wrote it

# A store nearby answers in milliseconds. One that does not is tried at another of its machines.
PATIENT = Config(
    connect_timeout=2, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3}, max_pool_connections=50
)
# Readiness is asked for every few seconds, by somebody who waits for 4.
IMPATIENT = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1})


class S3Artifacts:
    """A bucket, or what is below a prefix of it: `s3://bucket/prefix`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        folder = parts.path.strip("/")
        self._bucket, self._prefix = parts.netloc, f"{folder}/" if folder else ""
        session = boto3.Session()
        self._client = session.client("s3", config=PATIENT)
        self._asker = session.client("s3", config=IMPATIENT)

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        new = self._named(key) | {"Metadata": {WRITER: secrets.token_hex(8)}}
        parts = _parts(chunks)
        first, second = next(parts, b""), next(parts, None)
        if second is None:
            with self._once(new):
                self._client.put_object(**new, Body=first, IfNoneMatch="*")
            return len(first)
        if self.stat(key) is not None:  # before all of it is sent for nothing
            raise FileExistsError(key)
        return self._put_large(new, chain((first, second), parts))

    def open(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        if end is not None and end <= start:  # there is no empty range in HTTP
            if self.stat(key) is None:
                raise FileNotFoundError(key)
            return iter(())
        wanted = {"Range": f"bytes={start}-{'' if end is None else end - 1}"} if start or end is not None else {}
        try:
            answer = self._client.get_object(**self._named(key), **wanted)
        except ClientError as error:
            if _code(error) == BEYOND:
                return iter(())
            raise FileNotFoundError(key) if _code(error) in MISSING else _failure(error) from error
        except BotoCoreError as error:
            raise _failure(error) from error
        return _read(answer["Body"])

    def stat(self, key: str) -> int | None:
        head = self._head(self._named(key))
        return None if head is None else int(head["ContentLength"])

    def delete(self, key: str) -> bool:
        there = self.stat(key) is not None  # S3 does not tell
        with _told():
            self._client.delete_object(**self._named(key))
        return there

    def list(self, prefix: str = "") -> Iterator[str]:
        start = self._prefix + (f"{checked(prefix)}/" if prefix else "")
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=start, PaginationConfig={"PageSize": PAGE}
        )
        with _told():
            for page in pages:
                yield from (each["Key"].removeprefix(self._prefix) for each in page.get("Contents", ()))

    def check(self) -> None:
        with _told():
            self._asker.head_bucket(Bucket=self._bucket)

    def _named(self, key: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": self._prefix + checked(key)}

    def _head(self, named: dict[str, Any]) -> dict[str, Any] | None:
        try:
            head: dict[str, Any] = self._client.head_object(Bucket=named["Bucket"], Key=named["Key"])
        except ClientError as error:
            if _code(error) in MISSING:
                return None
            raise _failure(error) from error
        except BotoCoreError as error:
            raise _failure(error) from error
        return head

    def _put_large(self, new: dict[str, Any], parts: Iterable[bytes]) -> int:
        with _told():
            upload = self._client.create_multipart_upload(**new)["UploadId"]
        named = {"Bucket": new["Bucket"], "Key": new["Key"], "UploadId": upload}
        sent: list[dict[str, Any]] = []
        size = 0
        try:
            for number, part in enumerate(parts, 1):
                with _told():
                    tag = self._client.upload_part(**named, PartNumber=number, Body=part)["ETag"]
                sent.append({"PartNumber": number, "ETag": tag})
                size += len(part)
            with self._once(new):
                self._client.complete_multipart_upload(**named, MultipartUpload={"Parts": sent}, IfNoneMatch="*")
        except BaseException:
            # What a killed process leaves is for a rule of the bucket to remove.
            with suppress(BotoCoreError, ClientError):
                self._client.abort_multipart_upload(**named)
            raise
        return size

    @contextmanager
    def _once(self, new: dict[str, Any]) -> Iterator[None]:
        """Tell a key that was written before from one that a repeated request of ours finds written."""
        try:
            with _told():
                yield
        except StoreFailed as failed:
            if _code(failed.__cause__) not in WRITTEN:
                raise
            head = self._head(new)
            if head is None:
                raise
            if head["Metadata"].get(WRITER) != new["Metadata"][WRITER]:
                raise FileExistsError(new["Key"]) from failed


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts of one size."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) > PART:
            yield bytes(waiting[:PART])
            del waiting[:PART]
    yield bytes(waiting)


def _read(body: Any) -> Iterator[bytes]:
    try:
        with _told():
            yield from body.iter_chunks(PIECE)
    finally:
        body.close()


def _code(error: BaseException | None) -> str:
    return str(error.response["Error"].get("Code", "")) if isinstance(error, ClientError) else ""


def _failure(error: Exception) -> StoreFailed:
    return StoreFailed(None, str(error))


@contextmanager
def _told() -> Iterator[None]:
    """Tell failures of the store from those of whoever makes the chunks."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise _failure(error) from error
