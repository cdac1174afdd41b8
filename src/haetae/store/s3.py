"""A lake in a bucket: the verbs of ``objects.Objects`` as calls of S3.

The client comes from outside (``wiring``), with a context that turns its refusals into errors which tell
who must act; nothing here knows credentials or imports the client's library. A file appears whole or not
at all, and an entry of the log is put with ``If-None-Match: *``, so of two writers one wins. Where the
answer to such a put is lost, the client asks again and is refused by its own first try; the log then
looks whether the entry is its own (``log.Log.commit``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from haetae.domain.errors import Text
from haetae.store.objects import Found

Refusals: TypeAlias = Callable[[Text], AbstractContextManager[None]]

WHOLE = 8 * 2**20
"""A file up to this size is fetched in one call; of a larger one only what is read, range by range."""

_ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})
_TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})


class Bucket:
    """A prefix of a bucket; fulfils ``Objects``.

    ``prefix`` is empty or ends in a slash. Writers are not told apart here, so a clean-up spares young
    files that no version names.
    """

    shared = True

    def __init__(self, client: Any, bucket: str, prefix: str, refusals: Refusals) -> None:
        """Take a client of S3, the place and the meaning of refusals."""
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._refusals = refusals
        self._date_ms = 0

    @property
    def address(self) -> str:
        """See ``Objects``."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    @contextmanager
    def _asking(self, ko: str, en: str, name: str = "") -> Iterator[None]:
        with self._refusals(Text(ko=f"{self.address} {ko}", en=f"{en} {self.address}")):
            try:
                yield
            except self._client.exceptions.ClientError as fault:
                if name and _code(fault) in _ABSENT:
                    raise FileNotFoundError(2, "it is gone", f"{self.address}/{name}") from fault
                raise

    def _told(self, answer: dict[str, Any]) -> dict[str, Any]:
        said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        if said:
            self._date_ms = max(self._date_ms, int(parsedate_to_datetime(said).timestamp() * 1_000))
        return answer

    def _pages(self, folder: str, after: str = "", delimiter: str = "") -> Iterator[dict[str, Any]]:
        prefix = f"{self._prefix}{folder}"
        named: dict[str, Any] = {"StartAfter": f"{prefix}{after}"} if after else {}
        if delimiter:
            named["Delimiter"] = delimiter
        with self._asking("조회", "listing"):
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix, **named
            ):
                yield self._told(page)

    def folders(self) -> set[str]:
        """See ``Objects``."""
        found = (each["Prefix"] for page in self._pages("", delimiter="/") for each in page.get("CommonPrefixes", ()))
        return {name.removeprefix(self._prefix).rstrip("/") for name in found}

    def names(self, folder: str, after: str = "") -> list[str]:
        """See ``Objects``."""
        found = (each["Key"] for page in self._pages(f"{folder}/", after) for each in page.get("Contents", ()))
        inside = (key.removeprefix(f"{self._prefix}{folder}/") for key in found)
        return sorted(name for name in inside if name and "/" not in name)

    def walk(self, folder: str) -> list[Found]:
        """See ``Objects``."""
        return [
            Found(each["Key"].removeprefix(self._prefix), int(each["Size"]), _ms(each["LastModified"]))
            for page in self._pages(f"{folder}/")
            for each in page.get("Contents", ())
        ]

    def read(self, name: str) -> bytes:
        """See ``Objects``."""
        return self._fetched(name)

    def _fetched(self, name: str, span: str = "") -> bytes:
        named = {"Range": f"bytes={span}"} if span else {}
        with self._asking("읽기", "reading", name):
            answer = self._told(self._client.get_object(Bucket=self._bucket, Key=self._prefix + name, **named))
            content: bytes = answer["Body"].read()
        return content

    def source(self, name: str, size: int) -> pa.NativeFile:
        """See ``Objects``."""
        if size > WHOLE:
            return pa.PythonFile(_Ranges(lambda span: self._fetched(name, span), size), mode="r")
        content = self._fetched(name)
        if len(content) != size:
            raise OSError(f"it has {len(content)} bytes, its log entry says {size}")
        return pa.BufferReader(content)

    def path(self, name: str) -> Path | None:
        """See ``Objects``."""
        return None

    def mark(self, name: str) -> object:
        """See ``Objects``."""
        return None

    def put(self, name: str, content: bytes) -> None:
        """See ``Objects``."""
        with self._asking("쓰기", "writing"):
            self._told(self._client.put_object(**self._stored(name, content)))

    def create(self, name: str, content: bytes) -> bool:
        """See ``Objects``."""
        with self._asking("쓰기", "writing"):
            try:
                self._told(self._client.put_object(**self._stored(name, content), IfNoneMatch="*"))
            except self._client.exceptions.ClientError as fault:
                if _code(fault) not in _TAKEN:
                    raise
                return False
        return True

    def _stored(self, name: str, content: bytes) -> dict[str, Any]:
        """Return the words of a put; the hash beside the object lets a copy of the lake be compared."""
        digest = hashlib.sha256(content).hexdigest()
        return {
            "Bucket": self._bucket, "Key": self._prefix + name, "Body": content, "Metadata": {"sha256": digest},
        }  # fmt: skip

    def remove(self, names: Sequence[str]) -> None:
        """See ``Objects``."""
        for name in names:
            with self._asking("지우기", "deleting in"):
                self._told(self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name))

    @contextmanager
    def exclusive(self, table: str) -> Iterator[None]:
        """Hold nothing: a bucket has no locks, the log's entries decide."""
        yield

    def settle(self, table: str) -> None:
        """Do nothing: what a bucket shows is durable."""

    def moment(self, table: str) -> int:
        """See ``Objects``; to a second, as S3 tells it."""
        with self._asking("조회", "listing"):
            self._told(self._client.list_objects_v2(Bucket=self._bucket, Prefix=f"{self._prefix}{table}/", MaxKeys=1))
        return self._date_ms


class _Ranges(io.RawIOBase):
    """A file of a bucket whose parts are fetched when they are read."""

    def __init__(self, fetch: Callable[[str], bytes], size: int) -> None:
        super().__init__()
        self._fetch = fetch
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._at + size, self._size)
        if end <= self._at:
            return b""
        content = self._fetch(f"{self._at}-{end - 1}")
        self._at += len(content)
        return content


def _code(fault: Any) -> str:
    return str(fault.response.get("Error", {}).get("Code", ""))


def _ms(at: dt.datetime) -> int:
    return int(at.timestamp() * 1_000)
