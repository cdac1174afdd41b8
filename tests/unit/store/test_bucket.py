"""A lake in a bucket: the same laws as in a folder, against a real S3 server on loopback."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pytest

from haetae.cloud.aws import client, refusals
from haetae.domain.errors import DataError, HaetaeError
from haetae.store import s3 as bucket_module
from haetae.store.lake import Lake
from haetae.store.s3 import Bucket
from haetae.store.settings import StoreSettings
from haetae.wiring.lakes import LakeAt, open_lake
from lake_rows import DAYS, KEYS, bars

NAME = "haetae-lake"
ADDRESS = f"s3://{NAME}/deep/lake"


@pytest.fixture
def s3(aws: str) -> Any:
    made = client("s3", endpoint_url=aws)
    made.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    return made


@pytest.fixture
def at(aws: str, s3: Any) -> LakeAt:
    return LakeAt(ADDRESS, endpoint_url=aws)


def closes(lake: Lake, **of: Any) -> set[int]:
    return set(lake.read("daily", **of).column("close").to_pylist())


def test_what_is_written_is_read_at_every_version_by_every_reader(at: LakeAt) -> None:
    lake = open_lake(at, by="a test")
    assert lake.versions() == {}
    assert len(lake.read("daily")) == 0
    for price in range(1, 13):
        assert lake.write("daily", bars(price), keys=KEYS, notes={"portal": "raw"}) == price
    other = open_lake(at)
    assert other.versions() == {"daily": 12}
    assert [closes(other, version=version) for version in (1, 9, 10, 11, 12)] == [{1}, {9}, {10}, {11}, {12}]
    assert other.read("daily").equals(lake.read("daily"))
    assert len(other.read("daily", symbols=["005930"], start=DAYS[1])) == 1
    assert other.sql("SELECT sum(close) AS s FROM daily", versions={"daily": 3}).to_pylist() == [{"s": 12}]
    assert other.sql("SELECT count(*) AS n FROM minute").to_pylist() == [{"n": 0}]
    assert set(other.scan("daily", version=2).collect()["close"]) == {2}
    assert other.panel("daily").close.tolist() == [[12, 12], [12, 12]]
    assert other.notes("daily") == {"portal": "raw"}
    assert {each.by for each in other.history("daily")} == {"a test"}
    assert other.digest("daily") == lake.digest("daily")
    assert other.check() == ()


def test_a_lake_in_a_bucket_is_the_lake_in_a_folder_byte_for_byte(at: LakeAt, s3: Any, tmp_path) -> None:
    there, here = open_lake(at), Lake(tmp_path / "lake")
    for lake in (there, here):
        for price in (1, 2):
            lake.write("daily", bars(price), keys=KEYS)
    assert there.digest("daily") == here.digest("daily")
    keys = {each["Key"] for each in s3.list_objects_v2(Bucket=NAME)["Contents"]}
    files = {path.relative_to(here.root).as_posix() for path in here.root.rglob("*.*")}
    assert {key.removeprefix("deep/lake/") for key in keys} == files


WRITER = """
import json, os, sys
from haetae.store.s3 import Bucket
from haetae.wiring.lakes import LakeAt, open_lake
from lake_rows import KEYS, bars
address, url, who, count, dies = json.loads(sys.argv[1])
lake = open_lake(LakeAt(address, endpoint_url=url), by=who)
if dies:
    Bucket.create = lambda *_words: os._exit(9)
for number in range(count):
    lake.write("daily", bars(7, [f"{who}{number:04d}"]), keys=KEYS)
"""


def writer(at: LakeAt, who: str, count: int, *, dies: bool = False) -> subprocess.Popen[bytes]:
    words = json.dumps([at.address, at.endpoint_url, who, count, dies])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", WRITER, words], env=env)


def test_two_writers_on_different_machines_lose_nothing_beside_a_reader(at: LakeAt) -> None:
    lake, count = open_lake(at), 6
    lake.write("daily", bars(7, ["X00000"]), keys=KEYS)
    writers = [writer(at, who, count) for who in "AB"]
    sizes = []
    while any(each.poll() is None for each in writers):
        rows = lake.read("daily")
        assert len(rows) % len(DAYS) == 0
        sizes.append(len(rows))
    assert [each.returncode for each in writers] == [0, 0]
    assert sizes == sorted(sizes)
    names = set(lake.read("daily").column("symbol").to_pylist())
    assert names == {"X00000"} | {f"{who}{number:04d}" for who in "AB" for number in range(count)}
    assert lake.versions() == {"daily": 2 * count + 1}


def test_a_writer_killed_between_files_and_entry_leaves_the_old_version_and_later_no_trace(at: LakeAt, s3: Any) -> None:
    lake = open_lake(at)
    lake.write("daily", bars(1), keys=KEYS)
    dead = writer(at, "D", 1, dies=True)
    assert dead.wait(60) == 9
    assert closes(open_lake(at)) == {1}

    def files() -> int:
        listed = s3.list_objects_v2(Bucket=NAME, Prefix="deep/lake/daily/20")
        return len(listed["Contents"])

    assert files() == 4
    assert lake.vacuum("daily", keep=5).files == 0, "young files may be those of a writer at work"
    time.sleep(1.1)  # S3 tells the time to a second
    now = Lake(bucket_of(s3), StoreSettings(orphan_hours=0))
    assert now.vacuum("daily", keep=5).files == 2
    assert files() == 2
    assert closes(lake) == {1}
    assert lake.write("daily", bars(2), keys=KEYS) == 2


def bucket_of(s3: Any, meaning: Any = refusals) -> Bucket:
    return Bucket(s3, NAME, "deep/lake/", meaning)


class Contested:
    """A client in whose way another writer always gets: before each put of an entry it commits one itself."""

    def __init__(self, s3: Any, rival: Lake, times: int) -> None:
        self._s3, self._rival, self._left = s3, rival, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def put_object(self, **named: Any) -> Any:
        if "IfNoneMatch" in named and self._left:
            self._left -= 1
            self._rival.write("daily", bars(7, [f"R{self._left:05d}"]), keys=KEYS)
        return self._s3.put_object(**named)


def test_a_refused_conditional_put_is_merged_again_and_nobody_is_lost(at: LakeAt, s3: Any) -> None:
    rival = open_lake(at)
    rival.write("daily", bars(1), keys=KEYS)
    lake = Lake(bucket_of(Contested(s3, rival, 5)))
    assert lake.write("daily", bars(9, ["000660"]), keys=KEYS) == 7
    names = lake.read("daily").column("symbol").to_pylist()
    assert set(names) == {"000660", "005930", *(f"R{number:05d}" for number in range(5))}
    assert closes(lake, symbols=["000660"]) == {9}


def test_of_two_writers_that_make_a_table_both_are_heard(at: LakeAt, s3: Any) -> None:
    lake = Lake(bucket_of(Contested(s3, open_lake(at), 2)))
    lake.write("daily", bars(9, ["000660"]), keys=KEYS)
    assert set(lake.read("daily").column("symbol").to_pylist()) == {"000660", "R00000", "R00001"}


def test_a_writer_that_never_gets_a_turn_says_so(at: LakeAt, s3: Any) -> None:
    rival = open_lake(at)
    rival.write("daily", bars(1), keys=KEYS)
    lake = Lake(bucket_of(Contested(s3, rival, 99)), StoreSettings(commit_attempts=3))
    with pytest.raises(DataError, match="others keep writing"):
        lake.write("daily", bars(9), keys=KEYS)
    assert 9 not in closes(rival)


class Deaf:
    """A client that loses the answer to the put of an entry and, like the real one, asks again."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def put_object(self, **named: Any) -> Any:
        if "IfNoneMatch" in named:
            self._s3.put_object(**named)
        return self._s3.put_object(**named)


def test_an_entry_whose_answer_was_lost_is_recognised_as_our_own(at: LakeAt, s3: Any) -> None:
    lake = Lake(bucket_of(Deaf(s3)))
    assert [lake.write("daily", bars(price), keys=KEYS) for price in (1, 2, 3)] == [1, 2, 3]
    assert closes(lake) == {3}


def test_a_name_is_given_once(at: LakeAt, s3: Any) -> None:
    place = bucket_of(s3)
    assert place.create("daily/x", b"one")
    assert not place.create("daily/x", b"two")
    assert place.read("daily/x") == b"one"
    with pytest.raises(FileNotFoundError):
        place.read("daily/y")


def test_of_a_large_file_only_what_is_wanted_travels(at: LakeAt, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket_module, "WHOLE", 1_000)
    lake = Lake(bucket_of(s3), StoreSettings(row_group_rows=1_000))
    names = [f"{number:06d}" for number in range(20_000)]
    lake.write("daily", bars(5, names, DAYS[:1]), keys=KEYS)
    (entry,) = lake._log("daily").load().files
    fetched: list[int] = []

    @contextmanager
    def counting(_doing: object) -> Iterator[None]:
        yield

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(s3, name)

        def get_object(self, **named: Any) -> Any:
            answer = s3.get_object(**named)
            if named["Key"].endswith(entry.path):
                fetched.append(answer["ContentLength"])
            return answer

    reader = Lake(bucket_of(Counting(), counting))
    assert reader.read("daily", symbols=["000003"]).column("close").to_pylist() == [5]
    assert sum(fetched) < entry.bytes / 2
    assert reader.read("daily").equals(lake.read("daily"))


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
@pytest.mark.parametrize("whole", [8 * 2**20, 100], ids=["whole", "by ranges"])
def test_a_damaged_object_is_never_read_as_data(
    at: LakeAt, s3: Any, damage: str, whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_module, "WHOLE", whole)
    lake = open_lake(at)
    lake.write("daily", bars(1, [f"{number:06d}" for number in range(500)]), keys=KEYS)
    key = f"deep/lake/daily/{lake._log('daily').load().files[0].path}"
    content = bytearray(s3.get_object(Bucket=NAME, Key=key)["Body"].read())
    content[len(content) // 3] ^= 0xFF
    if damage == "gone":
        s3.delete_object(Bucket=NAME, Key=key)
    else:
        s3.put_object(Bucket=NAME, Key=key, Body=bytes(content) if damage == "flip" else bytes(content[:-9]))
    with pytest.raises(DataError, match="damaged or missing"):
        lake.read("daily")
    assert [fault.path for fault in lake.check()] == [f"s3://{NAME}/{key}"]


@pytest.mark.parametrize(
    ("address", "error", "sign"),
    [("s3://no-such-bucket/lake", HaetaeError, "NoSuchBucket"), ("s3://UPPER/lake", HaetaeError, "s3://bucket/lake")],
)
def test_a_wrong_place_is_named(aws: str, address: str, error: type[HaetaeError], sign: str) -> None:
    with pytest.raises(error) as refused:
        open_lake(LakeAt(address, endpoint_url=aws)).write("daily", bars(1), keys=KEYS)
    assert sign in f"{refused.value} {refused.value.expected} {refused.value.found}"


def test_a_server_that_is_not_there_is_one_message(aws: str) -> None:
    with pytest.raises(HaetaeError, match="not reached"):
        open_lake(LakeAt(ADDRESS, endpoint_url="http://127.0.0.1:9")).versions()


def test_writing_to_a_bucket_needs_no_right_to_delete(at: LakeAt, s3: Any) -> None:
    class Careful:
        def __getattr__(self, name: str) -> Any:
            assert not name.startswith("delete"), name
            return getattr(s3, name)

    lake = Lake(bucket_of(Careful()), StoreSettings(keep_versions=1, sweep_every=1))
    assert [lake.write("daily", bars(price), keys=KEYS) for price in (1, 2, 3)] == [1, 2, 3]
    assert closes(lake, version=1) == {1}


def test_an_address_alone_opens_no_bucket() -> None:
    with pytest.raises(HaetaeError, match="needs a client"):
        Lake(ADDRESS)


def test_minutes_fold_in_a_bucket_too(at: LakeAt) -> None:
    from lake_rows import minutes

    lake = open_lake(at)
    days = [dt.date(2025, 1, 30), dt.date(2025, 1, 31), dt.date(2025, 2, 3)]
    for price, day in enumerate(days, start=1):
        lake.write("minute", minutes(price, [day]), keys=("symbol", "start"))
    assert [entry.part for entry in lake._log("minute").load().files] == ["202501", "20250203"]
    assert [piece.num_rows for piece in lake.batches("minute")] == [12, 6]
    day = lake.read("minute", start=days[1], end=days[1])
    assert isinstance(day, pa.Table)
    assert day.column("close").to_pylist() == [2] * 6
