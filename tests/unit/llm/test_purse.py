"""Spending: reserved before it is spent, settled once, never credited."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import ConfigError, DataError
from haetae.domain.units import NS_PER_DAY, NS_PER_SECOND
from haetae.llm.ledger import Ask, Ledger, Outcome
from haetae.llm.prices import Price, read_prices
from rigs import language_model as model
from rigs.language_model import reviewing, text
from rigs.reviewing import AT, brief, reviewing_with

GOOD = reviewing()


def ask(reserve: int) -> Ask:
    return Ask("review", "P1.00", 1, "localhost", "m", "b", "p", "h", (), "1", 1_500, reserve)


async def test_a_call_is_settled_at_its_usage(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, GOOD) as review:
        await review.decide()
        (call,) = review.calls()
        dearest = read_prices(None).price("watchdog-1", dt.date(2026, 11, 23))
        assert call["settled"] == dearest.milliwon(1_500, 200, 1_500) == 56_250
        assert call["settled"] < call["reserved"]
        assert review.client.ledger.today(review.clock.now()).spent == 56_250


@pytest.mark.parametrize(
    ("usage", "flag"),
    [
        (None, "usage_missing"),
        ({}, "usage_missing"),
        ({"prompt_tokens": 0, "completion_tokens": 0}, "usage_implausible"),
        ({"prompt_tokens": -5, "completion_tokens": -9}, "usage_implausible"),
        ({"prompt_tokens": 10**9, "completion_tokens": 10**9}, "usage_implausible"),
        ({"prompt_tokens": "1", "completion_tokens": 1.5}, "usage_missing"),
        ({"prompt_tokens": True, "completion_tokens": True}, "usage_missing"),
    ],
)
async def test_case_52_usage_that_cannot_be_books_the_reservation(tmp_path: Path, usage: object, flag: str) -> None:
    async with reviewing_with(tmp_path, text("prose", usage=usage)) as review:
        await review.decide()
        for call in review.calls():
            assert (call["settled"], call["flag"]) == (call["reserved"], flag)


async def test_case_52_a_larger_plausible_usage_is_believed(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 9_000, "completion_tokens": 9_000}
    async with reviewing_with(tmp_path, text("prose", usage=usage)) as review:
        await review.decide()
        assert review.calls()[0]["settled"] > review.calls()[0]["reserved"]


async def test_case_58_at_the_daily_cap_the_rest_abstains_without_a_call(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, GOOD, daily_krw=400) as review:
        found = [(await review.decide(brief(leg_id=f"P1.{n:02d}"))).status for n in range(6)]
        assert found[0] == "MODEL_APPROVE" and found[-1] == "ABSTAIN_BUDGET"
        assert len(review.server.asked) == found.count("MODEL_APPROVE") < 6
        assert review.client.ledger.today(AT).spent <= 400_000


async def test_a_cap_of_zero_asks_nothing(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, GOOD, daily_krw=0) as review:
        assert (await review.decide()).status == "ABSTAIN_BUDGET"
        assert not review.server.asked


async def test_a_runaway_loop_is_stopped_by_the_pace(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, GOOD, calls_per_minute=3) as review:
        found = [(await review.decide(brief(leg_id=f"P1.{n:02d}"))).status for n in range(5)]
        assert found == ["MODEL_APPROVE"] * 3 + ["ABSTAIN_RATE"] * 2


async def test_a_ledger_that_cannot_be_written_means_no_call(tmp_path: Path) -> None:
    async with reviewing_with(tmp_path, GOOD) as review:
        review.client.ledger._db.execute("PRAGMA query_only=1")
        assert (await review.decide()).status == "ABSTAIN_BUDGET"
        assert not review.server.asked


def test_case_55_a_call_that_never_ended_stays_spent_after_a_restart(tmp_path: Path) -> None:
    first = Ledger(tmp_path / "s.db")
    first.reserve(ask(700), AT, daily_krw=1, calls_per_minute=9)
    again = Ledger(tmp_path / "s.db")
    assert (again.today(AT).spent, again.today(AT).open_calls) == (700, 1)
    assert again.reserve(ask(301), AT, daily_krw=1, calls_per_minute=9)[0] == 0
    assert again.reserve(ask(300), AT, daily_krw=1, calls_per_minute=9)[0] > 0


def test_case_59_a_clock_that_goes_back_does_not_refill_the_purse(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "s.db")
    ledger.reserve(ask(1_000), AT, daily_krw=1, calls_per_minute=9)
    assert ledger.reserve(ask(1), AT - NS_PER_DAY, daily_krw=1, calls_per_minute=9)[0] == 0
    assert ledger.reserve(ask(1), AT + NS_PER_DAY, daily_krw=1, calls_per_minute=9)[0] > 0


def test_a_booked_call_cannot_be_changed_or_removed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "s.db")
    number, _ = ledger.reserve(ask(500), AT, daily_krw=1, calls_per_minute=9)
    ledger.settle(number, Outcome("OK", settled=400))
    ledger.settle(number, Outcome("OK", settled=0))
    assert ledger.today(AT).spent == 400
    for statement in ("DELETE FROM calls", "UPDATE calls SET settled = 0", "UPDATE calls SET settled = -9"):
        with pytest.raises(sqlite3.Error):
            ledger._db.execute(statement)
    assert (tmp_path / "s.db").stat().st_mode & 0o077 == 0


@given(st.lists(st.tuples(st.integers(0, 900), st.none() | st.integers(0, 900), st.integers(-2, 2)), max_size=12))
def test_spending_never_falls_and_reservations_never_pass_the_cap(steps: list[tuple[int, int | None, int]]) -> None:
    ledger = _fresh()
    spent, day = 0, ""
    for reserve, settled, days in steps:
        at = AT + days * NS_PER_DAY
        number, cap = ledger.reserve(ask(reserve), at, daily_krw=1, calls_per_minute=1_000)
        now = ledger.today(at)
        assert now.day >= day
        if now.day == day:
            assert now.spent >= spent
        if number:
            assert now.spent <= 1_000
            if settled is not None:
                ledger.settle(number, Outcome("OK", settled=min(settled, reserve)))
        else:
            assert cap.startswith("BUDGET")
        day, spent = now.day, ledger.today(at).spent
        assert spent >= 0
    ledger.close()


def _fresh() -> Ledger:
    import tempfile

    return Ledger(Path(tempfile.mkdtemp(prefix="haetae-purse-")) / "s.db")


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_text("not a database, and long enough to be read as one" * 20)
    with pytest.raises(DataError):
        Ledger(tmp_path / "s.db")


def test_costs_are_whole_milliwon_rounded_up() -> None:
    price = Price("m", dt.date.min, 150_000, 600_000)
    assert price.milliwon(1, 0, 1_500) == 1
    assert price.milliwon(3_000, 300, 1_500) == 945


def test_a_dated_snapshot_costs_what_its_model_costs_and_an_unknown_one_the_dearest() -> None:
    table = read_prices(None)
    day = dt.date(2026, 1, 1)
    assert table.price("gpt-4o-mini-2024-07-18", day).input == 150_000
    assert table.price("gpt-4o-mini-clone", day).output == max(row.output for row in table.rows)
    assert table.price("gpt-5", dt.date(2020, 1, 1)).model == "unknown"


def test_a_table_of_ones_own_comes_first(tmp_path: Path) -> None:
    own = tmp_path / "p.toml"
    own.write_text(
        'version = "mine"\n[[price]]\nmodel = "watchdog-1"\neffective_from = 2026-01-01\ninput = 0\noutput = 0\n'
    )
    assert read_prices(own).price("watchdog-1", dt.date(2026, 11, 23)).milliwon(9, 9, 1_500) == 0
    own.write_text('version = "mine"\n[[price]]\nmodel = "x"\neffective_from = 2026-01-01\ninput = -1\noutput = 0\n')
    with pytest.raises(ConfigError):
        read_prices(own)


def test_a_minute_later_the_pace_allows_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "s.db")
    for _ in range(2):
        ledger.reserve(ask(1), AT, daily_krw=9, calls_per_minute=2)
    assert ledger.reserve(ask(1), AT, daily_krw=9, calls_per_minute=2)[0] == 0
    assert ledger.reserve(ask(1), AT + 61 * NS_PER_SECOND, daily_krw=9, calls_per_minute=2)[0] > 0


def test_the_usage_of_the_rig_is_what_the_figures_above_assume() -> None:
    assert (model.USAGE["prompt_tokens"], model.USAGE["completion_tokens"]) == (1_500, 200)
