"""From a lake to a ground, and from a ground to a report, a trial and an audit."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

import strategy_lake
from haetae.backtest import BacktestSettings
from haetae.backtest.audit import Verdict
from haetae.domain.errors import DataError
from haetae.domain.units import day_from, yyyymmdd
from haetae.policies import LIBRARY
from haetae.registry.trials import TrialBook
from haetae.store.lake import Lake
from haetae.universe import UniverseSettings
from haetae.wiring.audits import SCHEMA, run_audit
from haetae.wiring.backtests import run_backtest
from haetae.wiring.grounds import LOOK_BACK_DAYS, Bars, Stretch, open_stretch
from haetae.wiring.synthetic import NAMES, SESSIONS, synthetic_stretch

FROM, TO = dt.date.fromisoformat(strategy_lake.FROM), dt.date.fromisoformat(strategy_lake.TO)
PANEL = strategy_lake.panel()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake(strategy_lake.make_lake(tmp_path_factory.mktemp("strategies")))


@pytest.fixture(scope="module")
def stretch(lake: Lake) -> Stretch:
    return open_stretch(lake, FROM, TO, symbols=PANEL.symbols)


def test_a_stretch_holds_its_days_a_look_back_and_nothing_later(stretch: Stretch) -> None:
    ground = stretch.ground
    assert day_from(int(ground.traded.days[0])) == FROM
    assert day_from(int(ground.panel.days[-1])) == TO
    assert ground.first == min(LOOK_BACK_DAYS, int(np.searchsorted(PANEL.days, yyyymmdd(FROM))))
    rows = np.searchsorted(PANEL.days, ground.panel.days)
    assert np.array_equal(ground.panel.close[:, 1:], PANEL.close[rows][:, 1:])


def test_named_symbols_may_be_bought_whenever_they_trade(lake: Lake, stretch: Stretch) -> None:
    assert np.array_equal(stretch.ground.eligible, stretch.ground.panel.traded)
    two = open_stretch(lake, FROM, TO, symbols=PANEL.symbols[3:5])
    assert two.ground.panel.symbols == PANEL.symbols[3:5]
    assert two.data != stretch.data


def test_without_names_the_rules_of_the_universe_choose_each_month(lake: Lake) -> None:
    chosen = open_stretch(lake, FROM, TO, universe=UniverseSettings(size=6, buffer=0))
    counts = chosen.ground.eligible[chosen.ground.first :].sum(axis=1)
    assert (counts.min(), counts.max()) == (5, 6), "one of the six ends in between"
    assert 6 <= len(chosen.ground.panel.symbols) < len(PANEL.symbols)
    with pytest.raises(DataError, match="pass the floors"):
        open_stretch(lake, FROM, TO, universe=UniverseSettings(min_price_won=10**9))


def test_names_that_do_not_trade_in_the_period_are_no_ground(lake: Lake) -> None:
    gone = dt.date.fromisoformat(str(PANEL.days[-38])[:4] + "-" + str(PANEL.days[-38])[4:6] + "-28")
    with pytest.raises(DataError, match="no symbol may be traded") as fault:
        open_stretch(lake, gone, None, symbols=PANEL.symbols[:1])
    assert "--symbols" in str(fault.value.next_step)


def test_a_later_end_of_the_data_changes_nothing_that_was_known(lake: Lake) -> None:
    settings = UniverseSettings(size=6, buffer=0)
    short = open_stretch(lake, FROM, dt.date(2025, 7, 31), universe=settings).ground
    long = open_stretch(lake, FROM, TO, universe=settings).ground
    columns = [long.panel.symbols.index(symbol) for symbol in short.panel.symbols]
    rows = len(short.panel) - 1  # whether a month ends with the newest session is known only on the next
    for name in ("open", "high", "low", "close", "volume", "traded"):
        assert np.array_equal(getattr(short.panel, name)[:rows], getattr(long.panel, name)[:rows, columns])
    assert np.array_equal(short.eligible[:rows], long.eligible[:rows, columns])
    assert not long.eligible[:rows][:, [s not in short.panel.symbols for s in long.panel.symbols]][short.first :].any()
    assert np.array_equal(short.shares_outstanding[:rows], long.shares_outstanding[:rows, columns])  # type: ignore[index]


def test_listed_shares_are_those_announced_by_each_day(stretch: Stretch) -> None:
    listed = stretch.ground.shares_outstanding
    assert listed is not None
    before = stretch.ground.panel.days < 20250701
    assert set(listed[before].ravel().tolist()) == {10**8}
    assert set(listed[~before].ravel().tolist()) == {2 * 10**8}


@pytest.mark.parametrize(
    ("start", "end", "symbols"),
    [
        (dt.date(2030, 1, 2), None, ()),
        (FROM, dt.date(2025, 5, 2), ()),
        (dt.date(2025, 9, 12), dt.date(2025, 5, 2), ()),
        (FROM, TO, ("005930",)),
    ],
)
def test_days_and_symbols_the_lake_has_not_are_told(
    lake: Lake, start: dt.date, end: dt.date | None, symbols: tuple[str, ...]
) -> None:
    with pytest.raises(DataError) as fault:
        open_stretch(lake, start, end, symbols=symbols or PANEL.symbols)
    assert str(fault.value.next_step)
    assert fault.value.found


def test_minutes_the_lake_has_not_are_told(lake: Lake) -> None:
    with pytest.raises(DataError, match="minute"):
        open_stretch(lake, FROM, TO, bars=Bars.MINUTE, symbols=PANEL.symbols)


@pytest.mark.slow
def test_a_backtest_leaves_a_report_with_every_baseline_and_one_trial(stretch: Stretch, tmp_path: Path) -> None:
    book = TrialBook(tmp_path / "trials.jsonl")
    ran = run_backtest(LIBRARY["reversal_5"](top=4), stretch, tmp_path / "out", book=book, seed=3)
    wanted = set(LIBRARY) - {"sma_cross", "optimised"} | {"random_names"}
    assert wanted - {"reversal_5"} <= set(ran.figures["benchmarks"])
    (trial,) = book.trials()
    assert (trial.family, trial.parameters["top"], trial.data) == ("reversal_5", 4, stretch.data)
    assert (trial.first, trial.last) == (FROM, TO)
    stored = json.loads(ran.files["json"].read_text(encoding="utf-8"))
    assert stored["strategy"]["parameters"] == {"look_back": 5, "top": 4}
    assert ran.files["html"].read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")
    again = run_backtest(
        LIBRARY["reversal_5"](top=6), stretch, tmp_path / "out", book=book, seed=3, with_baselines=False
    )
    assert len(book.of("reversal_5")) == 2
    assert set(again.figures["benchmarks"]) == {"equal_weight"}


def test_equal_seeds_give_equal_figures(stretch: Stretch, tmp_path: Path) -> None:
    books = [TrialBook(tmp_path / name) for name in ("a.jsonl", "b.jsonl")]
    one, two = (
        run_backtest(LIBRARY["equal_weight"](), stretch, tmp_path / str(place), book=book, seed=5).figures
        for place, book in enumerate(books)
    )
    assert one["benchmarks"]["random_names"] == two["benchmarks"]["random_names"]
    assert one["metrics"] == two["metrics"]


@pytest.mark.slow
def test_an_audit_on_a_lake_tells_of_the_name_that_ended_and_repeats(stretch: Stretch) -> None:
    found, record = run_audit(LIBRARY["low_volatility_60"](top=4), stretch, noise_runs=5, seed=2)
    assert [one.said.en for one in found.failed] == []
    assert found.of("survivorship").verdict is Verdict.PASS
    assert (record["schema"], record["from"], record["to"]) == (SCHEMA, FROM.isoformat(), TO.isoformat())
    again = run_audit(LIBRARY["low_volatility_60"](top=4), stretch, noise_runs=5, seed=2)[1]
    assert json.dumps(record, default=str) == json.dumps(again, default=str)


def test_the_cash_of_the_settings_is_what_a_run_starts_with(stretch: Stretch, tmp_path: Path) -> None:
    settings = BacktestSettings(cash=7_000_000)
    ran = run_backtest(
        LIBRARY["cash"](), stretch, tmp_path, book=TrialBook(tmp_path / "t"), settings=settings, with_baselines=False
    )
    assert ran.figures["initial_cash_won"] == 7_000_000


@pytest.mark.slow
def test_the_synthetic_market_is_one_seed_one_market() -> None:
    one, again, other = (synthetic_stretch(seed) for seed in (7, 7, 8))
    assert one.data == again.data != other.data
    ground = one.ground
    assert (len(ground.panel.symbols), ground.first) == (NAMES, LOOK_BACK_DAYS)
    assert len(ground.traded) == SESSIONS + 1
    assert (ground.panel.high >= ground.panel.low).all()
    minutes = synthetic_stretch(7, Bars.MINUTE).ground
    sessions = minutes.traded.sessions()
    assert len(sessions) == 8
    daily = minutes.daily
    for day, first, last in sessions:
        row = int(np.searchsorted(daily.days, yyyymmdd(day)))
        traded = daily.traded[row]
        closes = minutes.traded.close[last - 1]
        assert np.array_equal(closes[traded], daily.close[row][traded])
        volume = minutes.traded.volume[first:last].sum(axis=0)
        assert np.array_equal(volume[traded], daily.volume[row][traded])


def test_two_stretches_of_other_bars_have_other_names(stretch: Stretch) -> None:
    from haetae.wiring.grounds import ground_digest

    volume = stretch.ground.panel.volume.copy()
    volume[5, 5] += 1
    other = dataclasses.replace(stretch.ground, panel=dataclasses.replace(stretch.ground.panel, volume=volume))
    assert ground_digest(other) != stretch.data == ground_digest(stretch.ground)
