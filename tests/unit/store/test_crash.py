"""Whatever kills a writer, or refuses it, readers see the old version or the new one, never part."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from haetae.domain.errors import DataError
from haetae.store.durable import create_file
from haetae.store.lake import Lake
from haetae.store.settings import StoreSettings

DAY = dt.date(2026, 11, 20)
KEYS = ("symbol", "day")
SIZE = 500
NINE = 9


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
        for name in ("write", "fsync", "rename", "link", "unlink", "mkdir"):
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
    """The tenth version is two files, an entry and a checkpoint: some 30 calls; the writer dies before each in turn."""
    lakes = [Lake(in_memory / f"{calls:02d}") for calls in range(34)]
    for lake in lakes:
        for _ in range(NINE):
            lake.write("daily", rows(1), keys=KEYS, notes={"turn": str(lake.versions().get("daily", 0))})
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
        assert DeltaTable(str(lake.root / "daily")).version() == lake.versions()["daily"]
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
            (lake.root / "daily" / "_delta_log").chmod(0o500)
            (lake.root / "daily" / "2026").chmod(0o500)
            with pytest.raises(DataError, match="cannot be written"):
                lake.write("daily", rows(2), keys=KEYS)
            (lake.root / "daily" / "_delta_log").chmod(0o700)
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


def entry_of(lake: Lake, version: int) -> Path:
    return lake.root / "daily" / "_delta_log" / f"{version:020d}.json"


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"seal": "0"}', b'{"commitInfo": {"seal": "0"}}', b"\xff\xfe"])
def test_a_damaged_entry_is_a_typed_error_and_the_version_before_can_be_read(tmp_path: Path, text: bytes) -> None:
    lake = Lake(tmp_path / "lake")
    old = lake.write("daily", rows(1), keys=KEYS)
    new = lake.write("daily", rows(2), keys=KEYS)
    entry_of(lake, new).write_bytes(text)
    for reader in (lake, Lake(lake.root)):
        with pytest.raises(DataError, match="entry of the lake's log is damaged"):
            reader.read("daily")
        assert set(reader.read("daily", version=old).column("close").to_pylist()) == {1}
    assert [fault.table for fault in lake.check()] == ["daily"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace(f'\\"numRecords\\":{SIZE}', '\\"numRecords\\":7'),
        lambda text: text.replace('"timestamp": 1', '"timestamp": 2'),
        lambda text: text.rsplit("\n", 2)[0] + "\n",
        lambda text: "\n".join(line for line in text.split("\n") if not line.startswith('{"remove"')),
    ],
    ids=["a number", "a time", "the last line gone", "a removal gone"],
)
def test_an_entry_edited_by_hand_is_not_believed(tmp_path: Path, edit) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write("daily", rows(1), keys=KEYS)
    path = entry_of(lake, lake.write("daily", rows(2), keys=KEYS))
    before = path.read_text()
    path.write_text(edit(before))
    assert path.read_text() != before
    with pytest.raises(DataError, match="seal"):
        Lake(lake.root).read("daily")


def test_an_entry_taken_out_of_the_middle_is_missed(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    for price in range(1, 4):
        lake.write("daily", rows(price), keys=KEYS)
    entry_of(lake, 2).unlink()
    with pytest.raises(DataError, match="gone"):
        Lake(lake.root).read("daily")
    entry_of(lake, 2).write_bytes(entry_of(lake, 1).read_bytes())
    with pytest.raises(DataError, match="seal"):
        Lake(lake.root).read("daily")


WHOLE, SEVEN = f'"numRecords":{SIZE}', '"numRecords":7'


def edited(content: bytes) -> bytes:
    """Return the checkpoint with one row count changed and all else, its seal too, as it was."""
    table = pq.read_table(pa.BufferReader(content))
    rows = [
        {**row, "add": {**row["add"], "stats": row["add"]["stats"].replace(WHOLE, SEVEN)}} if row["add"] else row
        for row in table.to_pylist()
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, table.schema), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("spoil", [lambda content: content[: len(content) // 2], lambda content: b"<html>", edited])
def test_a_damaged_checkpoint_is_a_typed_error(tmp_path: Path, spoil) -> None:
    lake = Lake(tmp_path / "lake", StoreSettings(checkpoint_every=2))
    for price in (1, 2):
        lake.write("daily", rows(price), keys=KEYS)
    (checkpoint,) = (lake.root / "daily" / "_delta_log").glob("*.checkpoint.parquet")
    checkpoint.write_bytes(spoil(checkpoint.read_bytes()))
    with pytest.raises(DataError, match=r"checkpoint\.parquet"):
        Lake(lake.root).read("daily")
    assert set(Lake(lake.root).read("daily", version=1).column("close").to_pylist()) == {1}


def test_a_disk_full_at_any_write_leaves_the_old_version_and_no_draft(
    in_memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(in_memory / "full")
    lake.write("daily", rows(1), keys=KEYS)
    honest, refusals = os.write, []
    for room in range(20):
        left = [room]

        def write(handle: int, content: bytes, left: list[int] = left) -> int:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return honest(handle, content)

        monkeypatch.setattr(os, "write", write)
        try:
            lake.write("daily", rows(2), keys=KEYS)
            break
        except DataError as fault:
            refusals.append((fault.found, str(fault.next_step)))
        finally:
            monkeypatch.undo()
        assert prices_seen(Lake(lake.root)) == {1}
        assert not list(lake.root.rglob("*.tmp"))
        assert len(list(lake.root.rglob("20*/*.parquet"))) == 2, "what was written in vain is gone"
    assert refusals == [("ENOSPC", "free disk space and run again")] * 3, "two files and an entry"
    assert prices_seen(Lake(lake.root)) == {2}


@pytest.mark.parametrize("failing", ["before", "file", "entry", "folder"])
def test_a_refused_fsync_is_fatal_and_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """After EIO the kernel may call a second fsync of lost bytes a success."""
    lake = Lake(tmp_path / "lake")
    lake.write("daily", rows(1), keys=KEYS)
    place = tmp_path / "lake" / "daily" / "_delta_log"
    honest, refused, synced = os.fsync, [], []

    def fsync(handle: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        hit = {"file": path.suffix == ".tmp" and path.parent != place}
        hit["before"] = path == place  # what a dead writer may have left is synced before anything is built on it
        hit["folder"] = path == place and path in synced
        synced.append(path)
        hit["entry"] = path.suffix == ".tmp" and path.parent == place
        if hit[failing]:
            refused.append(path)
            raise OSError(errno.EIO, "Input/output error")
        honest(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(DataError) as told:
        lake.write("daily", rows(2), keys=KEYS)
    monkeypatch.undo()
    assert told.value.found == "EIO"
    assert "failing" in str(told.value.next_step)
    assert len(refused) == 1
    assert prices_seen(Lake(lake.root)) == ({2} if failing == "folder" else {1})
    assert lake.write("daily", rows(3), keys=KEYS) == (3 if failing == "folder" else 2)
    assert not list(lake.root.rglob("*.tmp"))


def test_a_file_system_without_hard_links_still_takes_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_given: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    lake = Lake(tmp_path / "lake")
    assert [lake.write("daily", rows(price), keys=KEYS) for price in (1, 2)] == [1, 2]
    assert not create_file(entry_of(lake, 2), b"another writer's")
    assert prices_seen(lake) == {2}
