"""Folders to a bucket and back, so that a reader on either side never sees part of a write.

Files are compared by content hash; names that the caller calls *last* travel after all others,
because they are what makes the others exist (the manifests of a lake). Nothing is ever deleted or
replaced on the other side: equal names with different contents are two lakes, and an error.

Here: listing, comparing, moving. Not here: what a lake is (``store``), credentials (``aws``).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haetae.cloud.aws import CloudError, refusals
from haetae.domain.errors import ConfigError, DataError, Text

_HASH = "sha256"
_TEMPORARY = ".arriving"


@dataclass(frozen=True, slots=True)
class Moved:
    """What a transfer did: files and bytes sent, files that were there already."""

    files: int
    bytes: int
    kept: int


@dataclass(frozen=True, slots=True)
class Place:
    """A prefix of a bucket; ``prefix`` is empty or ends in a slash."""

    bucket: str
    prefix: str

    @classmethod
    def of(cls, address: str) -> Place:
        """Read ``s3://bucket/prefix``; anything else is a ``ConfigError``."""
        match = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", address)
        if match is None:
            raise ConfigError(
                Text(ko="버킷 주소가 아닙니다", en="not the address of a bucket"),
                expected="s3://bucket/lake",
                found=address,
                next_step=Text(ko="`haetae infra status` 의 DataBucket", en="DataBucket of `haetae infra status`"),
            )
        prefix = (match[2] or "").strip("/")
        return cls(match[1], f"{prefix}/" if prefix else "")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _there(s3: Any, place: Place) -> dict[str, int]:
    """Return names and sizes of what a place holds."""
    found: dict[str, int] = {}
    with refusals(Text(ko=f"s3://{place.bucket} 조회", en=f"listing s3://{place.bucket}")):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.prefix):
            for each in page.get("Contents", ()):
                found[each["Key"].removeprefix(place.prefix)] = int(each["Size"])
    return found


def _ordered(names: list[str], last: Callable[[str], bool]) -> list[str]:
    return sorted(names, key=lambda name: (last(name), name))


def push(
    s3: Any,
    folder: Path,
    place: Place,
    *,
    last: Callable[[str], bool],
    wanted: Callable[[str], bool],
    progress: Callable[[str, int, int], None] | None = None,
) -> Moved:
    """Send the files of a folder that the place lacks; ``last`` ones after all others.

    Raises ``DataError`` where a file is there with another content: two lakes were meant for one place.
    """
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    names = _ordered([name for name in names if wanted(name)], last)
    there, sent, size, kept = _there(s3, place), 0, 0, 0
    for done, name in enumerate(names, 1):
        path, key = folder / name, place.prefix + name
        digest = _digest(path)
        with refusals(Text(ko=f"{name} 보내기", en=f"sending {name}")):
            if name in there:
                seen = s3.head_object(Bucket=place.bucket, Key=key)["Metadata"].get(_HASH)
                if seen == digest:
                    kept += 1
                    continue
                raise _clash(name, place)
            s3.upload_file(str(path), place.bucket, key, ExtraArgs={"Metadata": {_HASH: digest}})
        sent, size = sent + 1, size + path.stat().st_size
        if progress is not None:
            progress("s3", done, len(names))
    return Moved(sent, size, kept)


def pull(
    s3: Any,
    place: Place,
    folder: Path,
    *,
    last: Callable[[str], bool],
    wanted: Callable[[str], bool],
    progress: Callable[[str, int, int], None] | None = None,
) -> Moved:
    """Fetch what the folder lacks; each file appears whole, ``last`` ones after all others."""
    there = _there(s3, place)
    names = _ordered([name for name in there if wanted(name)], last)
    if not names:
        raise DataError(
            Text(ko="그 자리에 레이크가 없습니다", en="there is no lake at that place"),
            expected="s3://bucket/lake",
            found=f"s3://{place.bucket}/{place.prefix}",
            next_step=Text(ko="먼저 `haetae lake push`", en="first `haetae lake push`"),
        )
    got, size, kept = 0, 0, 0
    for done, name in enumerate(names, 1):
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise CloudError(
                Text(ko="폴더 밖을 가리키는 이름입니다", en="a name that points outside the folder"), found=name
            )
        with refusals(Text(ko=f"{name} 받기", en=f"fetching {name}")):
            digest = s3.head_object(Bucket=place.bucket, Key=place.prefix + name)["Metadata"].get(_HASH)
            if path.exists():
                if _digest(path) == digest:
                    kept += 1
                    continue
                raise _clash(name, place)
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}{_TEMPORARY}")
            s3.download_file(place.bucket, place.prefix + name, str(fresh))
        if _digest(fresh) != digest:
            fresh.unlink()
            raise CloudError(
                Text(ko=f"{name} 이 온전히 오지 않았습니다", en=f"{name} did not arrive whole"),
                expected=str(digest),
                next_step=Text(ko="같은 명령을 다시 실행하세요", en="run the same command again"),
            )
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(path)
        got, size = got + 1, size + there[name]
        if progress is not None:
            progress("s3", done, len(names))
    return Moved(got, size, kept)


def _clash(name: str, place: Place) -> DataError:
    return DataError(
        Text(ko="두 레이크가 서로 다릅니다", en="the two lakes differ"),
        expected=Text(ko="같은 이름이면 같은 내용", en="equal contents under equal names"),
        found=f"{name} (s3://{place.bucket}/{place.prefix})",
        next_step=Text(ko="한쪽만 쓰거나 다른 자리로 보내세요", en="write on one side only, or send elsewhere"),
    )
