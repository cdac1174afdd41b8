"""A lake to a bucket and back, against a local S3."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from haetae.cli.main import main
from haetae.cloud import bucket
from haetae.cloud.aws import client
from haetae.store.lake import Lake
from haetae.store.schema import spec_of
from haetae.wiring import clouds

NAME = "haetae-lake"


def rows(day: dt.date, close: int) -> pa.Table:
    values: dict[str, Any] = {
        "symbol": "005930", "day": day, "open": close, "high": close, "low": close, "close": close, "volume": 10,
        "turnover": 10 * close, "halted": False, "adjusted": False, "source": "test",
    }  # fmt: skip
    return pa.Table.from_pylist([values], schema=spec_of("daily").schema)


@pytest.fixture
def s3(aws: str) -> Any:
    made = client("s3", endpoint_url=aws)
    made.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    return made


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    path = tmp_path / "lake"
    Lake(path).write("daily", rows(dt.date(2026, 11, 20), 71_000), keys=("symbol", "day"))
    return path


def move(verb: str, aws: str, lake: Path, address: str = f"s3://{NAME}/lake") -> int:
    return main(["lake", verb, address, "--lake", str(lake), "--endpoint-url", aws])


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in (".json", ".parquet")
    }


def test_what_was_pushed_is_pulled_byte_for_byte_and_reads_the_same(
    aws: str, s3: Any, lake: Path, tmp_path: Path
) -> None:
    assert move("push", aws, lake) == 0
    copy = tmp_path / "copy"
    assert move("pull", aws, copy) == 0
    assert files(copy) == files(lake)
    assert Lake(copy).check() == ()
    assert Lake(copy).versions() == Lake(lake).versions()


def test_every_verb_of_a_lake_takes_a_bucket(
    aws: str, s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = tmp_path / "bars.csv"
    bars.write_text("symbol,date,open,high,low,close,volume\n005930,2026-01-02,100,110,90,105,1000\n")
    at = ["--lake", f"s3://{NAME}/direct", "--endpoint-url", aws]
    assert main(["lake", "import", "--kind", "daily", str(bars), *at]) == 0
    assert main(["lake", "import", "--kind", "daily", str(bars), "--map", "close=low", *at]) == 0
    for verb in (["show"], ["show", "--versions", "daily"], ["check"], ["vacuum", "--keep", "1"]):
        assert main(["lake", *verb, *at]) == 0
    assert main(["lake", "sql", "SELECT close FROM daily", *at]) == 0
    told = capsys.readouterr()
    assert '{"close": 90}' in told.out
    assert "haetae lake import bars" in told.out
    assert main(["research", "run", "--out", str(tmp_path / "out"), *at]) == 3
    assert "lake import" not in capsys.readouterr().err, "too few bars, but bars"
    copy = tmp_path / "copy"
    assert main(["lake", "pull", f"s3://{NAME}/direct", "--lake", str(copy), "--endpoint-url", aws]) == 0
    assert Lake(copy).read("daily").column("close").to_pylist() == [90]
    assert Lake(copy).check() == ()


@pytest.mark.parametrize("verb", [["demo", "--short", "--lake"], ["emulator", "run", "--free-ports", "--replay"]])
def test_a_verb_that_needs_a_folder_says_how_to_get_one(
    verb: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*verb, f"s3://{NAME}/lake"]) == 3
    assert f"haetae lake pull s3://{NAME}/lake" in capsys.readouterr().err


def test_region_and_address_of_the_cloud_come_from_the_environment_too(
    aws: str, s3: Any, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    monkeypatch.setenv("AWS_REGION", "ap-northeast-2")
    assert main(["lake", "push", f"s3://{NAME}/lake", "--lake", str(lake)]) == 0
    assert main(["lake", "show", "--lake", f"s3://{NAME}/lake"]) == 0
    assert main(["lake", "check", "--lake", f"s3://{NAME}/lake"]) == 0


def test_the_second_push_sends_only_what_is_new(
    aws: str, s3: Any, lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert move("push", aws, lake) == 0
    assert move("push", aws, lake) == 0
    assert "옮김 0개" in capsys.readouterr().out
    Lake(lake).write("daily", rows(dt.date(2026, 11, 23), 72_000), keys=("symbol", "day"))
    assert move("push", aws, lake) == 0
    copy = tmp_path / "copy"
    assert move("pull", aws, copy) == 0
    assert files(copy) == files(lake)


def test_a_push_that_dies_midway_shows_readers_no_part_of_it(aws: str, s3: Any, lake: Path, tmp_path: Path) -> None:
    """Whatever the number of files that made it, a reader finds the lake as it was or as it became."""
    names = len(files(lake))
    for survived in range(names):
        place = bucket.Place.of(f"s3://{NAME}/{survived}")
        with pytest.raises(ConnectionAbortedError):
            bucket.push(_Dying(s3, survived), lake, place, last=clouds._makes_exist, wanted=clouds._of_lake)
        copy = tmp_path / str(survived)
        if survived:
            bucket.pull(s3, place, copy, last=clouds._makes_exist, wanted=clouds._of_lake)
        assert Lake(copy).versions() == {} if not (copy / "daily/_delta_log").exists() else not Lake(copy).check()


class _Dying:
    """A client whose connection breaks after so many uploads."""

    def __init__(self, s3: Any, survived: int) -> None:
        self._s3, self._left = s3, survived

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def upload_file(self, *words: Any, **named: Any) -> None:
        if self._left == 0:
            raise ConnectionAbortedError
        self._left -= 1
        self._s3.upload_file(*words, **named)


def test_two_different_lakes_do_not_mix(
    aws: str, s3: Any, lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert move("push", aws, lake) == 0
    other = tmp_path / "other"
    Lake(other).write("daily", rows(dt.date(2026, 11, 20), 99_000), keys=("symbol", "day"))
    before = files(other)
    assert move("push", aws, other) == 3
    assert move("pull", aws, other) == 3
    assert "두 레이크가 서로 다릅니다" in capsys.readouterr().err
    assert {name: body for name, body in files(other).items() if name in before} == before


def test_a_file_damaged_on_the_way_is_not_taken_in(
    aws: str, s3: Any, lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert move("push", aws, lake) == 0
    (name,) = [each for each in files(lake) if each.endswith(".parquet")]
    honest = s3.head_object(Bucket=NAME, Key=f"lake/{name}")["Metadata"]
    s3.put_object(Bucket=NAME, Key=f"lake/{name}", Body=b"spoilt", Metadata=honest)
    copy = tmp_path / "copy"
    assert move("pull", aws, copy) == 8
    assert "온전히 오지 않았습니다" in capsys.readouterr().err
    assert files(copy) == {}


@pytest.mark.parametrize(
    ("verb", "address", "code", "words"),
    [
        ("push", "bucket/lake", 2, "s3://bucket/lake"),
        ("push", "s3://no-such-bucket/lake", 8, "NoSuchBucket"),
        ("pull", f"s3://{NAME}/empty", 3, "레이크가 없습니다"),
    ],
)
def test_a_wrong_place_is_named(
    verb: str, address: str, code: int, words: str, aws: str, s3: Any, lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert move(verb, aws, lake, address) == code
    assert words in capsys.readouterr().err


def test_an_empty_lake_is_not_pushed(aws: str, s3: Any, tmp_path: Path) -> None:
    assert move("push", aws, tmp_path / "none") == 3
