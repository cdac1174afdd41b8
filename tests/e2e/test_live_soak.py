"""``collect live`` over bad days: killed, cut off, lied to; and afterwards the lake is the market."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from soaking.days import CLEAN_EVERY, death_of, faults_of

from haetae.emulator.faults.catalogue import CATALOGUE
from haetae.emulator.faults.script import read_fault
from rigs.running import ENVIRONMENT, ROOT

SYMBOLS = ("000660", "005930", "035420")
MENDED_BY_A_PERSON = {"T11", "B20"}
OF_ORDERS = {"T02", "T20", *(f"B{n:02d}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 21))}
DATES = {"M09", "M10"}


def soak(folder: Path, *words: object) -> dict[str, Any]:
    out = folder / "soak.json"
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "live_soak.py"), *map(str, words), str(out)],
        env={**ENVIRONMENT, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=230,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(out.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_nothing_is_left_after_three_bad_days_with_more_names_than_registrations(tmp_path) -> None:
    figures = soak(tmp_path, "--days", 3, "--names", 44, "--seed", 11, "--budget", 200)
    assert figures["minute"]["minutes"] > 3 * 44 * 300
    for table in ("minute", "index_minute"):
        left = {name: figures[table][name] for name in ("missing", "invented", "different", "twice")}
        assert not any(left.values()), (table, left, figures["faults"])
    assert (figures["provisional"], figures["violations"]) == (0, 0)
    assert figures["peak_per_second"] <= 18
    assert figures["deaths"] == 1
    assert sum(figures["fired"].values()) >= 5
    assert figures["repairs"] > 0


@pytest.mark.slow
def test_on_a_calm_day_the_stream_alone_brings_every_minute(tmp_path) -> None:
    figures = soak(tmp_path, "--days", 1, "--names", 12, "--seed", 3, "--calm")
    assert figures["minute"]["minutes"] > 12 * 300
    assert figures["streamed_rows"] == figures["minute"]["minutes"]
    assert (figures["repairs"], figures["breaks"], figures["deaths"]) == (0, 0, 0)
    assert not any(figures["minute"][name] for name in ("missing", "invented", "different", "twice"))


def days(count: int):
    from soaking.market import sessions

    return sessions(count)


@pytest.mark.parametrize("seed", [1, 20261127])
def test_bad_days_are_scripts_that_the_emulator_takes_and_the_same_each_time(seed) -> None:
    seen = set()
    for number, day in enumerate(days(150)):
        chosen = faults_of(day, number, SYMBOLS, seed)
        assert chosen == faults_of(day, number, SYMBOLS, seed)
        assert bool(chosen) == (number % CLEAN_EVERY != CLEAN_EVERY - 1)
        for fault in chosen:
            found, mistakes = read_fault(fault)
            assert found is not None, mistakes
            seen.add(found.entry.id)
    every = {entry.id for entry in CATALOGUE}
    assert seen == every - MENDED_BY_A_PERSON - OF_ORDERS - DATES


def test_the_collector_dies_only_where_its_memory_is_not_told() -> None:
    deaths = [number for number, day in enumerate(days(30)) if death_of(day, number, 30, 5) is not None]
    assert len(deaths) >= 3
    assert max(deaths) < 10
