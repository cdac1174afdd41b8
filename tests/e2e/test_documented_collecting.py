"""What the README says of collecting, run as it stands against the emulator it starts."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pytest

from documented import Reader, has_shell, read
from haetae.store.lake import Lake

pytestmark = [
    pytest.mark.skipif(not has_shell(), reason="bash, curl or python3 is not there"),
    pytest.mark.timeout(480),
]

README = read("README.md")


def rows(lake: Path, table: str) -> pa.Table:
    found = Lake(lake).read(table)
    assert len(found) > 0, table
    return found


@pytest.mark.slow
def test_what_the_readme_collects_is_in_the_lake(tmp_path: Path) -> None:
    reader = Reader(README, tmp_path)
    with reader.serving("collect"):
        told = reader.run("collect")
    lake = tmp_path / "data" / "lake"
    for table in ("minute", "instruments", "daily", "weekly", "monthly", "holidays"):
        rows(lake, table)
    days = set(rows(lake, "minute").column("day").to_pylist())
    assert days == {dt.date(2026, 11, 19), dt.date(2026, 11, 20), dt.date(2026, 11, 23)}
    assert "2026-11-23: " in told
    facts = json.loads((tmp_path / "minute.json").read_text(encoding="utf-8"))
    assert (facts["gaps"], facts["calls"]) == (0, facts["least_calls"])


@pytest.mark.slow
def test_what_the_readme_collects_beside_bars_is_in_the_lake(tmp_path: Path) -> None:
    reader = Reader(README, tmp_path)
    with reader.serving("collect"):
        reader.run("collect-more")
    lake = tmp_path / "data" / "lake"
    for table in (
        "index_daily",
        "index_minute",
        "etf_nav",
        "flows",
        "market_flows",
        "fundamentals",
        "rankings",
        "news",
    ):
        rows(lake, table)
