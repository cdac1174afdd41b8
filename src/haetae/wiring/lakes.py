"""The lake as faces use it: import files, show what is there, check every byte."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from haetae.domain.errors import DataError, Text
from haetae.store.importer import ImportPlan, ImportReport, Prices, import_files
from haetae.store.lake import Fault, Lake, TableInfo

_SUFFIXES = (".parquet", ".csv")


def _files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files that were meant; a folder stands for the data files in it, sorted by name."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES) if path.is_dir() else [path]
        if not inside or not inside[0].is_file():
            raise DataError(
                Text(ko="가져올 파일이 없습니다", en="there is nothing to import"),
                expected=Text(
                    ko="있는 .parquet 또는 .csv 파일, 또는 그 폴더",
                    en="an existing .parquet or .csv file, or a folder of them",
                ),
                found=str(path),
                next_step=Text(ko="경로를 확인하세요", en="check the path"),
            )
        found += inside
    return tuple(found)


def open_lake(place: Path) -> Lake:
    """Return the lake of a folder; it need not exist yet."""
    return Lake(place)


def import_table(
    lake_dir: Path,
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
    """Import files or folders of them into one table of a lake; see ``store.importer``.

    ``source`` defaults to the name of the first file without its ending.
    """
    files = _files(paths)
    plan = ImportPlan(kind, files, source or files[0].stem, Prices(prices), note, mapping or {}, as_of)
    return import_files(Lake(lake_dir), plan, progress)


def _existing(lake_dir: Path) -> Lake:
    lake = Lake(lake_dir)
    if not lake.versions():
        raise DataError(
            Text(ko="레이크가 비어 있거나 없습니다", en="the lake is empty or absent"),
            expected=Text(ko="가져오거나 수집한 표가 있는 폴더", en="a folder with imported or collected tables"),
            found=str(lake_dir),
            next_step=Text(
                ko="먼저 `haetae lake import --kind daily 경로`", en="first `haetae lake import --kind daily PATH`"
            ),
        )
    return lake


def require_bars(lake_dir: Path) -> None:
    """Refuse a lake that cannot be replayed before anything is built from it: no daily bars, or damage."""
    lake = _existing(lake_dir)
    if not any(table.table == "daily" and table.rows for table in lake.describe()):
        raise DataError(
            Text(ko="레이크에 일봉이 없습니다", en="the lake has no daily bars"),
            expected=Text(ko="행이 있는 일봉 표", en="a table 'daily' with rows"),
            found=str(lake_dir),
            next_step=Text(
                ko="먼저 `haetae lake import --kind daily 경로`", en="first `haetae lake import --kind daily PATH`"
            ),
        )
    refuse_damage(lake.check())


def refuse_damage(faults: Sequence[Fault]) -> None:
    """Raise one ``DataError`` that names the damaged files; none is no error."""
    if faults:
        raise DataError(
            Text(ko=f"손상된 파일이 {len(faults)}개 있습니다", en=f"{len(faults)} files are damaged"),
            expected=Text(ko="매니페스트와 같은 바이트", en="the bytes the manifests name"),
            found="; ".join(f"{each.path}: {each.detail}" for each in faults[:5]),
            next_step=Text(ko="그 표를 다시 가져오거나 수집하세요", en="import or collect that table again"),
        )


def describe(lake_dir: Path) -> tuple[TableInfo, ...]:
    """Return what each table of a lake holds; an empty or absent lake is a ``DataError``."""
    return _existing(lake_dir).describe()


def check(lake_dir: Path, progress: Callable[[str, int, int], None] | None = None) -> None:
    """Read every file of a lake; raises ``DataError`` if one is not what its manifest says."""
    refuse_damage(_existing(lake_dir).check(progress))
