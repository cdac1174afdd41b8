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


def describe(lake_dir: Path) -> tuple[TableInfo, ...]:
    """Return what each table of a lake holds; an empty or absent lake is a ``DataError``."""
    return _existing(lake_dir).describe()


def check(lake_dir: Path, progress: Callable[[str, int, int], None] | None = None) -> tuple[Fault, ...]:
    """Return the files of a lake that are not what their manifests say."""
    return _existing(lake_dir).check(progress)
