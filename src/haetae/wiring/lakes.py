"""The lake as faces use it: open it by its address, import files, show what is there, check every byte."""

from __future__ import annotations

import datetime as dt
import glob
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from haetae.cloud.aws import REGION, client, refusals
from haetae.cloud.bucket import Place
from haetae.domain.errors import DataError, Text
from haetae.domain.units import day_of
from haetae.ports.tables import daily_table
from haetae.store import upgrade as upgrading
from haetae.store.importer import ImportPlan, ImportReport, Prices, import_files
from haetae.store.lake import Fault, Lake, Swept, TableInfo, VersionInfo
from haetae.store.objects import Folder, Objects
from haetae.store.s3 import Bucket
from haetae.store.upgrade import Upgraded
from haetae.wiring.clocks import SystemClock

_SUFFIXES = (".parquet", ".csv")
_BUCKET = "s3://"

_IMPORT_FIRST = Text(
    ko="먼저 `haetae lake import --kind daily 경로`", en="first `haetae lake import --kind daily PATH`"
)


@dataclass(frozen=True, slots=True)
class LakeAt:
    """Where a lake is: a folder, or ``s3://bucket/prefix`` with the region and, for tests, another AWS."""

    address: str
    region: str = REGION
    endpoint_url: str | None = None


def open_lake(at: LakeAt | Path | str, *, by: str = "") -> Lake:
    """Return the lake at an address; nothing is made or asked before its first use.

    ``by`` says which program writes; it is kept with each version.
    """
    return Lake(open_place(at), by=by)


def open_place(at: LakeAt | Path | str) -> Objects:
    """Return the place at an address: where the bytes of a lake lie, and what is kept beside its tables."""
    where = at if isinstance(at, LakeAt) else LakeAt(str(at))
    if isinstance(at, Path) and at.parts[:1] == ("s3:",):
        address = where.address.replace("s3:/", _BUCKET, 1)
        raise DataError(
            Text(ko="이 명령은 폴더의 레이크만 읽습니다", en="this verb reads a lake in a folder only"),
            expected=Text(ko="이 컴퓨터의 폴더", en="a folder of this machine"),
            found=address,
            next_step=f"haetae lake pull {address} --lake data/lake",
        )
    if not where.address.startswith(_BUCKET):
        return Folder(Path(where.address))
    place = Place.of(where.address)
    s3 = client("s3", region=where.region, endpoint_url=where.endpoint_url)
    return Bucket(s3, place.bucket, place.prefix, refusals)


def _files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files that were meant: a folder stands for the data files in it, a pattern for what it matches."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.suffix.lower() in _SUFFIXES)
        elif path.exists():
            inside = [path]
        else:
            inside = sorted(Path(each) for each in glob.glob(str(path), recursive=True))
        if not inside or not inside[0].is_file():
            raise DataError(
                Text(ko="가져올 파일이 없습니다", en="there is nothing to import"),
                expected=Text(
                    ko="있는 .parquet 또는 .csv 파일, 그 폴더, 또는 'bars/*.csv' 같은 무늬",
                    en="an existing .parquet or .csv file, a folder of them, or a pattern such as 'bars/*.csv'",
                ),
                found=str(path),
                next_step=Text(ko="경로를 확인하세요", en="check the path"),
            )
        found += inside
    return tuple(found)


def import_table(
    lake: LakeAt | Path | str,
    kind: str,
    paths: Sequence[Path],
    *,
    prices: str = "raw",
    source: str = "",
    note: str = "",
    mapping: Mapping[str, str] | None = None,
    as_of: dt.date | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> ImportReport:
    """Import files, folders of them or patterns into one table of a lake; see ``store.importer``.

    ``source`` defaults to the name of the first file without its ending.
    """
    files = _files(paths)
    name = source or files[0].stem
    today = day_of(SystemClock().now())
    plan = ImportPlan(kind.replace("-", "_"), files, name, Prices(prices), note, mapping or {}, as_of, today)
    return import_files(open_lake(lake, by=f"haetae lake import {name}"), plan, progress)


def existing_lake(at: LakeAt | Path | str) -> Lake:
    """Return the lake at an address; an empty or absent one is a ``DataError``."""
    lake = open_lake(at)
    if not lake.versions():
        raise DataError(
            Text(ko="레이크가 비어 있거나 없습니다", en="the lake is empty or absent"),
            expected=Text(ko="가져오거나 수집한 표가 있는 폴더", en="a folder with imported or collected tables"),
            found=lake.address,
            next_step=_IMPORT_FIRST,
        )
    return lake


def require_bars(lake_dir: Path) -> None:
    """Refuse a lake that cannot be replayed before anything is built from it: no daily bars, or damage."""
    lake = existing_lake(lake_dir)
    table = daily_table(lake.versions())
    if not any(each.table == table and each.rows for each in lake.describe()):
        raise DataError(
            Text(ko="레이크에 일봉이 없습니다", en="the lake has no daily bars"),
            expected=Text(ko="행이 있는 일봉 표", en="a table 'daily' or 'daily_adjusted' with rows"),
            found=str(lake_dir),
            next_step=_IMPORT_FIRST,
        )
    refuse_damage(lake.check())


def refuse_damage(faults: Sequence[Fault]) -> None:
    """Raise one ``DataError`` that names the damaged files; none is no error."""
    if faults:
        raise DataError(
            Text(ko=f"손상된 파일이 {len(faults)}개 있습니다", en=f"{len(faults)} files are damaged"),
            expected=Text(ko="기록과 같은 바이트", en="the bytes that the log names"),
            found="; ".join(f"{each.path}: {each.detail}" for each in faults[:5]),
            next_step=Text(ko="그 표를 다시 가져오거나 수집하세요", en="import or collect that table again"),
        )


def describe(at: LakeAt | Path | str) -> tuple[TableInfo, ...]:
    """Return what each table of a lake holds; an empty or absent lake is a ``DataError``."""
    return existing_lake(at).describe()


def history(at: LakeAt | Path | str, table: str) -> tuple[VersionInfo, ...]:
    """Return the versions of a table that can still be read, oldest first."""
    return existing_lake(at).history(table)


def check(at: LakeAt | Path | str, progress: Callable[[str, int, int], None] | None = None) -> tuple[TableInfo, ...]:
    """Read every file of a lake and return what it holds; raises ``DataError`` if one is damaged."""
    lake = existing_lake(at)
    refuse_damage(lake.check(progress))
    return lake.describe()


def vacuum(at: LakeAt | Path | str, tables: Sequence[str], *, keep: int, dry_run: bool) -> tuple[Swept, ...]:
    """Drop all but the newest versions of some tables, of all by default; see ``Lake.vacuum``."""
    lake = existing_lake(at)
    return tuple(lake.vacuum(table, keep=keep, dry_run=dry_run) for table in tables or lake.tables())


def query(at: LakeAt | Path | str, text: str, versions: Mapping[str, int]) -> pa.Table:
    """Return the answer of a DuckDB query over a lake, tables pinned to the versions that are given."""
    return existing_lake(at).sql(text, versions=versions)


def upgrade(at: LakeAt, progress: Callable[[str, int, int], None] | None = None) -> tuple[Upgraded, ...]:
    """Bring a lake of a former format to today's, in place; one that is so already stays as it is."""
    if at.address.startswith(_BUCKET):
        raise DataError(
            Text(ko="버킷의 레이크는 제자리에서 바꿀 수 없습니다", en="a lake in a bucket is not upgraded in place"),
            expected=Text(ko="이 컴퓨터의 폴더", en="a folder of this machine"),
            found=at.address,
            next_step=f"haetae lake pull {at.address} · haetae lake upgrade · haetae lake push s3://…/new",
        )
    root = Path(at.address)
    if not root.is_dir():
        raise DataError(
            Text(ko="레이크가 없습니다", en="there is no lake"),
            expected=Text(ko="레이크 폴더", en="the folder of a lake"),
            found=at.address,
            next_step="--lake data/lake",
        )
    return upgrading.upgrade(root, progress)
