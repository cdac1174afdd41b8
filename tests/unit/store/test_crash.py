"""Whatever kills a writer, or refuses it, readers see the old version or the new one, never part."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from haetae.domain.errors import DataError
from haetae.store.lake import Lake

DAY = dt.date(2026, 11, 20)
KEYS = ("symbol", "day")
SIZE = 500


def rows(price: int, days: tuple[dt.date, ...] = (dt.date(2025, 11, 20), DAY)) -> pa.Table:
    """Return rows that all carry one price, so a mixture of two versions shows."""
    names = [f"{number:06d}" for number in range(SIZE)]
    count = SIZE * len(days)
    price_column = pa.array([price] * count, pa.int64())
    return pa.table(
        {
            "symbol": names * len(days), "day": pa.array([day for day in days for _ in names], pa.date32()),
            "open": price_column, "high": price_column, "low": price_column, "close": price_column,
            "volume": price_column,
        }
    )  # fmt: skip


def prices_seen(lake: Lake) -> set[int]:
    read = lake.read("daily")
    assert len(read) == 2 * SIZE
    return set(read.column("close").to_pylist())


WRITER = """
import json, os, resource, signal, sys
import pyarrow as pa
from haetae.domain.errors import DataError
from haetae.store.lake import Lake

def write(root):
    lake = Lake(root)
    after = lake.read("daily")
    two = pa.array([2] * len(after), pa.int64())
    for name in ("open", "high", "low", "close", "volume"):
        after = after.set_column(after.column_names.index(name), name, two)
    lake.write("daily", after, keys=("symbol", "day"))

def dying(call, left):
    def wrapped(*given, **named):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*given, **named)
    return wrapped

def killed_at(root, calls):
    child = os.fork()
    if not child:
        left = [calls]
        for name in ("write", "fsync", "rename"):
            setattr(os, name, dying(getattr(os, name), left))
        write(root)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def refused(root, limit, warm=None):
    if limit is None:
        write(warm)
        os.setuid(65534)
    else:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        write(root)
    except DataError as fault:
        return [fault.found, str(fault.next_step)]

pa.array([1])  # lets Arrow import what it wants before the forks
tasks = json.loads(sys.argv[2])
print(json.dumps([globals()[sys.argv[1]](*task) for task in tasks]))
"""


def in_a_process(task: str, *tasks: tuple[object, ...]) -> list[object]:
    done = subprocess.run(
        [sys.executable, "-c", WRITER, task, json.dumps(tasks)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_writer_killed_at_any_call_of_the_disk_leaves_a_whole_version(in_memory: Path) -> None:
    """Two files and a manifest take some 15 writes, syncs and renames; the writer dies before each in turn."""
    lakes = [Lake(in_memory / f"{calls:02d}") for calls in range(18)]
    for lake in lakes:
        lake.write("daily", rows(1), keys=KEYS)
    codes = in_a_process("killed_at", *((str(lake.root), calls) for calls, lake in enumerate(lakes)))
    outcomes = []
    for lake in lakes:
        (price,) = prices_seen(lake)
        outcomes.append(price)
        assert lake.check() == ()
        lake.write("daily", rows(3), keys=KEYS)
        assert prices_seen(lake) == {3}
        lake.vacuum("daily", keep=1)
        assert not list(lake.root.rglob("*.tmp"))
    assert set(codes) == {-signal.SIGKILL, 0}
    assert outcomes == sorted(outcomes)
    assert outcomes.count(1) >= 8
    assert [price for price, code in zip(outcomes, codes, strict=True) if code == 0] == [2] * codes.count(0)


@pytest.mark.parametrize("limit", [0, 1_000])
def test_a_full_disk_is_a_typed_error_and_the_old_version_stays(tmp_path: Path, limit: int) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write("daily", rows(1), keys=KEYS)
    assert in_a_process("refused", (str(lake.root), limit)) == [["EFBIG", "free disk space and run again"]]
    assert prices_seen(lake) == {1}
    assert not list(lake.root.rglob("*.tmp"))


def test_a_lake_without_permission_is_a_typed_error_and_stays_as_it_is() -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        lake, other = Lake(Path(place) / "lake"), Lake(Path(place) / "other")
        lake.write("daily", rows(1), keys=KEYS)
        if os.geteuid() == 0:
            other.write("daily", rows(1), keys=KEYS)
            found = in_a_process("refused", (str(lake.root), None, str(other.root)))
            assert found == [["EACCES", "check the path and its permissions"]]
        else:
            (lake.root / "daily" / "_log").chmod(0o500)
            (lake.root / "daily" / "2026").chmod(0o500)
            with pytest.raises(DataError, match="cannot be written"):
                lake.write("daily", rows(2), keys=KEYS)
            (lake.root / "daily" / "_log").chmod(0o700)
            (lake.root / "daily" / "2026").chmod(0o700)
        assert prices_seen(lake) == {1}


def test_a_file_in_the_place_of_the_lake_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("not a directory")
    with pytest.raises(DataError, match="cannot be written") as refused:
        Lake(tmp_path / "lake").write("daily", rows(1), keys=KEYS)
    assert refused.value.found == "ENOTDIR"


def test_a_file_system_that_may_only_be_read_is_a_typed_error() -> None:
    with pytest.raises(DataError, match="cannot be written"):
        Lake("/proc/self/lake").write("daily", rows(1), keys=KEYS)


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "empty"])
def test_a_damaged_file_is_never_read_as_data(tmp_path: Path, damage: str) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write("daily", rows(1), keys=KEYS)
    path = next(lake.root.rglob("2026/*.parquet"))
    content = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    else:
        content[len(content) // 3] ^= 0xFF
        path.write_bytes({"flip": bytes(content), "cut": bytes(content[:-9]), "empty": b""}[damage])
    with pytest.raises(DataError, match="damaged or missing"):
        lake.read("daily")
    with pytest.raises(DataError):
        lake.write("daily", rows(2), keys=KEYS)
    assert [fault.path for fault in lake.check()] == [str(path)]
    assert len(lake.read("daily", end=dt.date(2025, 12, 31))) == SIZE


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"seal": "0"}', b"\xff\xfe"])
def test_a_damaged_manifest_is_a_typed_error_and_the_version_before_can_be_read(tmp_path: Path, text: bytes) -> None:
    lake = Lake(tmp_path / "lake")
    old = lake.write("daily", rows(1), keys=KEYS)
    new = lake.write("daily", rows(2), keys=KEYS)
    (lake.root / "daily" / "_log" / f"{new:08d}.json").write_bytes(text)
    with pytest.raises(DataError, match="manifest is damaged"):
        lake.read("daily")
    assert set(lake.read("daily", version=old).column("close").to_pylist()) == {1}


def test_a_manifest_edited_by_hand_is_not_believed(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write("daily", rows(1), keys=KEYS)
    path = lake.root / "daily" / "_log" / "00000001.json"
    path.write_text(path.read_text().replace(f'"rows": {SIZE}', '"rows": 7'))
    with pytest.raises(DataError, match="seal"):
        lake.read("daily")


def test_a_reader_beside_a_writer_sees_only_whole_versions(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write("daily", rows(0), keys=KEYS)
    seen: list[set[int]] = []
    faults: list[Exception] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                seen.append(prices_seen(Lake(lake.root)))
        except (DataError, AssertionError) as fault:
            faults.append(fault)

    reader = threading.Thread(target=read)
    reader.start()
    for price in range(1, 25):
        lake.write("daily", rows(price), keys=KEYS)
    stop.set()
    reader.join()
    assert not faults
    assert seen
    assert all(len(prices) == 1 for prices in seen)


def test_writers_of_one_table_wait_for_one_another_and_lose_nothing(tmp_path: Path) -> None:
    days = [dt.date(2026, 11, 2) + dt.timedelta(days=index) for index in range(4)]

    def write(day: dt.date) -> None:
        Lake(tmp_path / "lake").write("daily", rows(5, (day,)), keys=KEYS)

    threads = [threading.Thread(target=write, args=(day,)) for day in days]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lake = Lake(tmp_path / "lake")
    assert lake.versions() == {"daily": 4}
    assert len(lake.read("daily")) == SIZE * len(days)
