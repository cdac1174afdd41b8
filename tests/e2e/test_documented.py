"""The documents run as they stand: every block that says so, in a folder as a reader has it."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from documented import Reader, has_shell, read
from haetae.cloud.aws import client
from haetae.store.lake import Lake
from lake_rows import bars
from local_aws import aws, aws_server
from strategy_lake import make_lake
from told_markets import busy_market, write_tables

__all__ = ["aws", "aws_server"]

pytestmark = [
    pytest.mark.skipif(not has_shell(), reason="bash, curl or python3 is not there"),
    pytest.mark.timeout(480),
]

STRATEGIES = read("docs/strategies.md")
EMULATOR = read("docs/emulator.md")
FEATURES = read("docs/features.md")
SIMULATION = read("docs/simulation.md")
UNIVERSE = read("docs/universe.md")
README, TRANSLATION = read("README.md"), read("README.en.md")
BUCKET = "haetae-documents"


def whole(told: str) -> list[dict[str, object]]:
    """Return the JSON values of a text, whatever stands between them."""
    found, place, decoder = [], 0, json.JSONDecoder()
    while (place := min((at for at in (told.find("{", place), told.find("[", place)) if at >= 0), default=-1)) >= 0:
        try:
            value, place = decoder.raw_decode(told, place)
        except ValueError:
            place += 1
        else:
            found += value if isinstance(value, list) else [value]
    return found


def test_the_first_steps_on_the_emulator_lead_to_a_price_and_through_the_control_port(tmp_path: Path) -> None:
    reader = Reader(EMULATOR, tmp_path)
    with reader.serving("first") as ready:
        told = whole(reader.run("first"))
    price, state, paused, stepped, fast, armed, listed, gone, calls, ledger = told
    assert (price["rt_cd"], price["output"]["stck_shrn_iscd"]) == ("0", "005930")  # type: ignore[index]
    assert state["addresses"]["control"] == ready["control"]  # type: ignore[index]
    assert (paused["speed"], stepped["speed"], fast["speed"]) == (0.0, 0.0, 60.0)
    assert int(stepped["now"]) - int(paused["now"]) == 60 * 10**9  # type: ignore[call-overload]
    assert (armed["keys"], listed["id"], listed["left"], gone["disarmed"]) == ([1], "T07", 3, 1)
    assert calls["violations"] == 0
    assert ledger["accounts"] == []


def test_the_example_of_a_lost_answer_loses_the_answer_and_takes_the_order(tmp_path: Path) -> None:
    reader = Reader(EMULATOR, tmp_path)
    with reader.serving("lost"):
        told = reader.run("lost")
    assert "nothing wrong: 1 fault(s)" in told
    assert "답 없음 (curl 52)" in told
    (order,) = [row for row in whole(told) if "number" in row]
    assert (order["number"], order["symbol"], order["quantity"]) == ("0000000001", "005930", 1)


def test_the_example_of_a_rough_morning_breaks_the_stream_at_its_time(tmp_path: Path) -> None:
    reader = Reader(EMULATOR, tmp_path)
    with reader.serving("rough"):
        told = reader.run("rough")
    assert "nothing wrong: 4 fault(s)" in told
    fired = {row["id"]: row["fired"] for row in whole(told) if "fired" in row}
    assert fired == {"T15": 1, "T18": 0, "T09": 0, "M03": 0}


def test_the_page_of_features_proves_the_daily_set_and_the_example_of_a_set(tmp_path: Path) -> None:
    reader = Reader(FEATURES, tmp_path, {"PYTHONPATH=src .venv/bin/python": sys.executable})
    told = reader.run("first")
    assert "momentum_12_1" in told
    assert "every promise was kept." in told
    assert reader.run("own").endswith(" kept its word\n")


def given_files(folder: Path) -> None:
    """Put the reader's own files there: adjusted bars as Parquet, raw ones as CSV with a Korean column."""
    days = [dt.date(2026, 11, 19), dt.date(2026, 11, 20)]
    pq.write_table(bars(70_000, days=days), folder / "daily.parquet")
    raw = bars(71_000, days=days)
    pacsv.write_csv(
        raw.rename_columns(["마감" if name == "close" else name for name in raw.column_names]), folder / "bars.csv"
    )


def rows(lake: Path, table: str) -> pa.Table:
    found = Lake(lake).read(table)
    assert len(found) > 0, table
    return found


@pytest.mark.slow
def test_the_lake_of_the_readme_keeps_both_kinds_of_prices_and_answers(tmp_path: Path) -> None:
    given_files(tmp_path)
    told = Reader(README, tmp_path).run("lake")
    lake = tmp_path / "data" / "lake"
    assert set(rows(lake, "daily").column("close").to_pylist()) == {71_000}
    assert set(rows(lake, "daily_adjusted").column("close").to_pylist()) == {70_000}
    assert [row for row in whole(told) if "n" in row] == [{"day": "2026-11-19", "n": 2}, {"day": "2026-11-20", "n": 2}]
    for sign in ("no damage", "would drop", "in today's format already"):
        assert sign in told


@pytest.mark.slow
def test_the_bucket_of_the_readme_holds_the_same_lake(tmp_path: Path, aws: str) -> None:
    where = {"LocationConstraint": "ap-northeast-2"}
    client("s3", endpoint_url=aws).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    given_files(tmp_path)
    reader = Reader(README, tmp_path, {"버킷": BUCKET}, AWS_ENDPOINT_URL=aws)
    assert {"top": 71_000} in whole(reader.run("bucket"))
    here, copy = (Lake(tmp_path / "data" / name) for name in ("lake", "copy"))
    assert here.digest("daily") == copy.digest("daily")


@pytest.mark.slow
def test_the_page_on_strategies_leads_from_the_template_to_an_audit(tmp_path: Path) -> None:
    told = Reader(STRATEGIES, tmp_path).run("first")
    assert (tmp_path / "first_try.py").is_file()
    assert "class FastTry(SignalStrategy)" in (tmp_path / "fast_try.py").read_text(encoding="utf-8")
    assert told.rstrip().endswith("every check passed.")


@pytest.mark.slow
def test_the_worked_examples_of_strategies_pass_their_audit_and_run(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    make_lake(tmp_path / "data")
    told = Reader(STRATEGIES, tmp_path, {"005930,000660,035420": "000030,000040,000050,000060,000070"}).run("examples")
    for name in ("calm", "bounce"):
        assert json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))["passed"]
    assert "> calm_risers(look_back=60,top=4)" in told
    assert (tmp_path / "data" / "backtests" / "calm_risers" / "report.html").is_file()


def test_the_page_of_the_universe_chooses_fifty_keeps_and_shows_them(tmp_path: Path) -> None:
    write_tables(busy_market(120, 300), Lake(tmp_path / "data" / "lake"))
    told = Reader(UNIVERSE, tmp_path, {"2026-11-20": "2021-03-12"}).run("select")
    first, again = (json.loads((tmp_path / name).read_text(encoding="utf-8")) for name in ("fifty.json", "again.json"))
    assert len(first["universe"]) == 50
    assert again["universe"] == first["universe"]
    assert again["snapshot"] == first["snapshot"]
    assert told.count("Universe of 50") == 3
    assert "not kept" in told


def test_the_backtests_of_the_readme_end_in_reports_and_a_judgement(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    make_lake(tmp_path / "data")
    told = Reader(README, tmp_path, {"005930,000660,035420": "000030,000040,000050,000060,000070"}).run("backtest")
    assert "> my_first(look_back=120,top=5)" in told
    reports = tmp_path / "data" / "backtests" / "my_first"
    assert {"report.html", "report.json", "report.png"} <= {path.name for path in reports.iterdir()}
    assert len((tmp_path / "data" / "trials.jsonl").read_text(encoding="utf-8").splitlines()) == 5


def test_no_block_of_a_page_is_left_out_and_both_readmes_show_the_same_commands() -> None:
    assert STRATEGIES.names == {"first", "examples"}
    assert UNIVERSE.names == {"select"}
    assert EMULATOR.names == {"first", "lost", "rough"}
    assert README.names == {"collect", "collect-more", "lake", "bucket", "backtest"}
    assert [line.replace("버킷", "BUCKET") for line in README.without_comments()] == TRANSLATION.without_comments()


def test_a_drilled_day_holds_and_tells_its_figures(tmp_path: Path) -> None:
    told = Reader(SIMULATION, tmp_path).run("drills")
    record = json.loads((tmp_path / "simtest.json").read_text(encoding="utf-8"))
    assert (record["days"], record["violations"]) == (1, [])
    assert record["trace_hash"] in told
    assert set(record["invariants"]) == {f"I{number}" for number in range(1, 15)}
    assert record["invariants"]["I9"] > 0
