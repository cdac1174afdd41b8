"""A lake of the former format becomes one of today's: same files, same versions, whatever interrupts it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from haetae.domain.errors import DataError
from haetae.domain.units import yyyymmdd
from haetae.store.files import parquet_bytes
from haetae.store.lake import Lake
from haetae.store.schema import conform
from haetae.store.settings import StoreSettings
from haetae.store.upgrade import upgrade
from lake_rows import DAYS, KEYS, bars


def put(home: Path, version: int, parts: Mapping[str, pa.Table], notes: Mapping[str, str] | None = None) -> None:
    """Write one version as the former format had it: files, then their sealed list."""
    files = []
    for part, rows in parts.items():
        content = parquet_bytes(rows, StoreSettings())
        digest = hashlib.sha256(content).hexdigest()
        path = home / part / f"{digest[:20]}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        span = pc.min_max(rows.column("day")).as_py()
        files.append(
            {
                "path": f"{part}/{path.name}", "part": part, "rows": len(rows), "bytes": len(content),
                "sha256": digest, "first_day": yyyymmdd(span["min"]), "last_day": yyyymmdd(span["max"]),
            }
        )  # fmt: skip
    body = {"schema": 1, "table": home.name, "version": version, "files": files, "notes": dict(notes or {})}
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    body["seal"] = hashlib.sha256(text.encode()).hexdigest()
    log = home / "_log"
    log.mkdir(parents=True, exist_ok=True)
    (log / "writer.lock").touch()
    (log / f"{version:08d}.json").write_text(json.dumps(body, sort_keys=True, ensure_ascii=False, indent=0))


def former(root: Path, versions: range, *, adjusted: bool = False, mixed: bool = False) -> Path:
    """Make a lake whose ``daily`` has the given versions; the price is the number of the version."""
    for version in versions:
        parts = {}
        for day in DAYS:
            table = "daily_adjusted" if adjusted else "daily"
            rows = conform(table, bars(version, days=[day]))
            if mixed:
                marks = pa.array([name == "005930" for name in rows.column("symbol").to_pylist()])
                rows = rows.set_column(rows.schema.get_field_index("adjusted"), rows.schema.field("adjusted"), marks)
            parts[str(day.year)] = rows
        put(root / "daily", version, parts, {"portal": f"note {version}"})
    return root


def files_of(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.rglob("20*/*.parquet")}


def closes(lake: Lake, table: str = "daily", version: int | None = None) -> set[int]:
    return set(lake.read(table, version=version).column("close").to_pylist())


def test_a_lake_of_the_former_format_says_in_one_line_what_to_do(tmp_path: Path) -> None:
    lake = Lake(former(tmp_path / "lake", range(1, 3)))
    for act in (
        lake.versions, lake.describe, lake.check, lambda: lake.read("daily"), lambda: lake.sql("SELECT 1"),
        lambda: lake.write("daily", bars(9), keys=KEYS),
    ):  # fmt: skip
        with pytest.raises(DataError, match="former format") as refused:
            act()
        assert refused.value.next_step == f"haetae lake upgrade --lake {lake.root}"
    assert not (lake.root / "daily" / "_delta_log").exists()


@pytest.mark.parametrize("versions", [range(1, 4), range(7, 30)], ids=["from the first", "after a clean-up"])
def test_every_kept_version_keeps_its_number_rows_notes_and_files(tmp_path: Path, versions: range) -> None:
    root = former(tmp_path / "lake", versions)
    before = files_of(root)
    (done,) = upgrade(root)
    assert (done.table, done.versions, done.newest, done.moved) == ("daily", len(versions), versions[-1], 0)
    lake = Lake(root)
    assert files_of(root) == before
    assert not (root / "daily" / "_log").exists()
    assert [each.version for each in lake.history("daily")] == list(versions)
    for version in versions:
        assert closes(lake, version=version) == {version}
        dataset = DeltaTable(str(root / "daily"), version=version).to_pyarrow_dataset()
        assert set(dataset.to_table().column("close").to_pylist()) == {version}
    assert lake.notes("daily") == {"portal": f"note {versions[-1]}"}
    assert lake.check() == ()
    assert lake.write("daily", bars(99), keys=KEYS) == versions[-1] + 1
    assert closes(lake, version=versions[-1]) == {versions[-1]}
    with pytest.raises(DataError, match="no version"):
        lake.read("daily", version=versions[0] - 1 or 99)


def test_upgrading_again_changes_nothing(tmp_path: Path) -> None:
    root = former(tmp_path / "lake", range(1, 3))
    upgrade(root)
    before = {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    (again,) = upgrade(root)
    assert (again.versions, again.newest) == (0, 2)
    assert {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_adjusted_bars_get_the_table_of_their_own(tmp_path: Path) -> None:
    root = former(tmp_path / "lake", range(1, 4), adjusted=True)
    before = files_of(root)
    (done,) = upgrade(root)
    assert (done.table, done.versions) == ("daily_adjusted", 3)
    lake = Lake(root)
    assert lake.versions() == {"daily_adjusted": 3}
    assert files_of(root) == before
    assert closes(lake, "daily_adjusted", version=2) == {2}
    assert lake.write("daily", bars(7), keys=KEYS) == 1
    assert [each.table for each in upgrade(root)] == ["daily", "daily_adjusted"]
    assert closes(lake, "daily") == {7}


def test_raw_and_adjusted_rows_of_one_table_are_parted(tmp_path: Path) -> None:
    root = former(tmp_path / "lake", range(1, 3), mixed=True)
    done = {each.table: each for each in upgrade(root)}
    assert done["daily_adjusted"].moved == 2
    lake = Lake(root)
    assert set(lake.read("daily").column("symbol").to_pylist()) == {"000660"}
    assert set(lake.read("daily_adjusted").column("symbol").to_pylist()) == {"005930"}
    assert lake.notes("daily_adjusted") == lake.notes("daily") == {"portal": "note 2"}
    assert len(lake.read("daily", version=2)) == 4


def test_versions_before_a_gap_are_left_out(tmp_path: Path) -> None:
    root = former(tmp_path / "lake", range(1, 6))
    (root / "daily" / "_log" / "00000002.json").unlink()
    upgrade(root)
    lake = Lake(root)
    assert [each.version for each in lake.history("daily")] == [3, 4, 5]
    assert closes(lake, version=3) == {3}


@pytest.mark.parametrize("spoil", ["list", "file"])
def test_a_damaged_lake_is_refused_and_stays_as_it_was(tmp_path: Path, spoil: str) -> None:
    root = former(tmp_path / "lake", range(1, 3))
    victim = root / "daily" / "_log" / "00000002.json" if spoil == "list" else next(root.rglob("2026/*.parquet"))
    victim.write_bytes(victim.read_bytes()[:-20])
    before = {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file() and path.name != "_lock"}
    with pytest.raises(DataError, match=victim.name):
        upgrade(root)
    left = {str(path) for path in root.rglob("*") if path.is_file() and "_upgrading" not in str(path)}
    assert left - {str(root / "daily" / "_lock")} == set(before)
    assert not (root / "daily" / "_delta_log").exists()


DYING = """
import json, os, shutil, signal, sys
from pathlib import Path
import pyarrow as pa, pyarrow.parquet
pa.array([1])
from haetae.store.upgrade import upgrade

def dying(call, left):
    def wrapped(*given, **named):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*given, **named)
    return wrapped

codes = []
for root, calls in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        left = [calls]
        for name in ("write", "fsync", "rename", "link", "unlink", "rmdir", "mkdir"):
            setattr(os, name, dying(getattr(os, name), left))
        upgrade(Path(root))
        os._exit(0)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(codes))
"""


@pytest.mark.parametrize("kind", ["raw", "adjusted", "mixed"])
def test_an_upgrade_killed_at_any_call_of_the_disk_can_be_run_again(fresh, kind: str) -> None:
    make = {"raw": {}, "adjusted": {"adjusted": True}, "mixed": {"mixed": True}}[kind]
    roots = [former(fresh() / "lake", range(4, 6), **make) for _ in range(40)]
    calls = [3 * index for index in range(len(roots))]
    done = subprocess.run(
        [sys.executable, "-c", DYING, json.dumps([[str(root), n] for root, n in zip(roots, calls, strict=True)])],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    codes = json.loads(done.stdout)
    assert codes[0] == -9
    assert codes[-1] == 0
    for root in roots:
        upgrade(root)
        lake = Lake(root)
        expected = {"raw": {"daily": 4}, "adjusted": {"daily_adjusted": 4}, "mixed": {"daily": 2, "daily_adjusted": 2}}
        assert {table: len(lake.read(table)) for table in lake.versions()} == expected[kind]
        assert {price for table in lake.versions() for price in closes(lake, table)} == {5}
        assert lake.check() == ()
        for table in lake.versions():
            lake.vacuum(table, keep=9)
        assert not [path for path in root.rglob("*") if path.name in ("_log", "_upgrading") or path.suffix == ".tmp"]
