"""The universe: exactly as many as wanted, every other one with a reason, nothing from later days."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.errors import DataError
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
from haetae.universe import UniverseSettings, select
from random_panels import daily_panel, perturbed_after
from real_bars import SHARED, needs_real_bars, real_daily_panel

SETTINGS = UniverseSettings(size=10, min_turnover_won=0, min_market_cap_won=0, sector_cap=4, min_price_won=0)


def _instrument(symbol: str, **changes: object) -> Instrument:
    base = Instrument(
        symbol=symbol,
        name=symbol,
        market=Market.KOSPI,
        kind=Kind.COMMON,
        listed_on=dt.date(2010, 1, 4),
        base_price=10_000,
        shares_outstanding=10_000_000,
        sector=f"s{int(symbol[4]) % 4}",
        as_of=dt.date(2020, 1, 1),
    )
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]


def _listed(panel: Panel) -> list[Instrument]:
    return [_instrument(symbol) for symbol in panel.symbols]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 500), row=st.integers(100, 318))
def test_what_happens_later_changes_no_snapshot(seed: int, row: int) -> None:
    panel = daily_panel(seed, symbols=40)
    day = day_from(int(panel.days[row]))
    before = select(day, _listed(panel), panel, SETTINGS)
    after = select(day, _listed(panel), perturbed_after(panel, row, seed + 1), SETTINGS)
    assert before == after


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 500), shuffle=st.randoms(use_true_random=False))
def test_exactly_the_wanted_number_and_a_reason_for_every_other(seed: int, shuffle) -> None:
    panel = daily_panel(seed, symbols=40)
    listed = _listed(panel)
    shuffle.shuffle(listed)
    day = day_from(int(panel.days[-1]))
    snapshot = select(day, listed, panel, SETTINGS)
    assert len(snapshot.symbols) == 10
    assert list(snapshot.symbols) == sorted(snapshot.symbols)
    reasons = {item.symbol for item in snapshot.exclusions}
    assert reasons == set(panel.symbols) - set(snapshot.symbols)
    assert all(item.code and item.detail for item in snapshot.exclusions)
    sectors = [next(i.sector for i in listed if i.symbol == s) for s in snapshot.symbols]
    assert max(sectors.count(sector) for sector in sectors) <= SETTINGS.sector_cap
    assert snapshot == select(day, sorted(listed, key=lambda i: i.symbol), panel, SETTINGS)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": Kind.PREFERRED}, "kind.preferred"),
        ({"kind": Kind.SPAC}, "kind.spac"),
        ({"kind": Kind.ETF}, "kind.etf"),
        ({"flags": frozenset({"administrative"})}, "flag.administrative"),
        ({"flags": frozenset({"halted"})}, "flag.halted"),
        ({"flags": frozenset({"unfaithful_disclosure"})}, "flag.unfaithful_disclosure"),
        ({"listed_on": dt.date(2021, 3, 1)}, "listing.too_young"),
        ({"listed_on": dt.date(2031, 1, 2)}, "listing.later"),
    ],
)
def test_each_bar_of_the_master_file_excludes(changes: dict[str, object], code: str) -> None:
    panel = daily_panel(1, symbols=40, halted=0.0)
    day = day_from(int(panel.days[-1]))
    fine = select(day, _listed(panel), panel, SETTINGS)
    victim = fine.symbols[0]
    listed = [_instrument(s, **changes) if s == victim else _instrument(s) for s in panel.symbols]
    snapshot = select(day, listed, panel, SETTINGS)
    assert victim not in snapshot.symbols
    assert code in {item.code for item in snapshot.exclusions if item.symbol == victim}


def test_a_flag_announced_later_does_not_exclude() -> None:
    panel = daily_panel(2, symbols=40, halted=0.0)
    day = day_from(int(panel.days[-1]))
    fine = select(day, _listed(panel), panel, SETTINGS)
    later = {"flags": frozenset({"liquidation"}), "as_of": day + dt.timedelta(days=1)}
    listed = [_instrument(s, **later) for s in panel.symbols]
    assert select(day, listed, panel, SETTINGS).symbols == fine.symbols


def test_a_symbol_that_does_not_trade_on_the_day_is_out() -> None:
    panel = daily_panel(3, symbols=40, halted=0.0)
    day = day_from(int(panel.days[-1]))
    victim = select(day, _listed(panel), panel, SETTINGS).symbols[0]
    traded = panel.traded.copy()
    traded[-1, panel.symbols.index(victim)] = False
    halted = dataclasses.replace(panel, traded=traded)
    snapshot = select(day, _listed(panel), halted, SETTINGS)
    assert "trading.none_today" in {item.code for item in snapshot.exclusions if item.symbol == victim}


def test_a_former_member_stays_within_the_buffer_only() -> None:
    panel = daily_panel(4, symbols=40, halted=0.0)
    day = day_from(int(panel.days[-1]))
    wide = dataclasses.replace(SETTINGS, sector_cap=40, buffer=5)
    fresh = select(day, _listed(panel), panel, wide)
    ranked = sorted(fresh.scores, key=lambda s: (-fresh.scores[s]["total"], s))
    near, far = ranked[12], ranked[20]
    former = dataclasses.replace(fresh, symbols=tuple(sorted([*ranked[:8], near, far])))
    snapshot = select(day, _listed(panel), panel, wide, previous=former)
    assert near in snapshot.symbols
    assert far not in snapshot.symbols


def test_too_few_candidates_is_refused_not_relaxed() -> None:
    panel = daily_panel(5, symbols=12)
    with pytest.raises(DataError) as refusal:
        select(
            day_from(int(panel.days[-1])),
            _listed(panel),
            panel,
            dataclasses.replace(SETTINGS, min_turnover_won=10**15),
        )
    assert refusal.value.expected == "10 symbols"
    assert refusal.value.next_step


def test_a_day_before_the_first_bar_is_refused() -> None:
    panel = daily_panel(6)
    with pytest.raises(DataError):
        select(dt.date(2019, 1, 1), _listed(panel), panel, SETTINGS)


@needs_real_bars
@pytest.mark.realdata
def test_the_real_universe_reads_nothing_of_later_delistings_or_halts() -> None:
    import pyarrow.parquet as pq

    panel = real_daily_panel()
    row = int(np.searchsorted(panel.days, 20211229))
    day = day_from(int(panel.days[row]))
    life = pq.read_table(SHARED / "kr_reference" / "security_life_1998_2023.parquet").to_pylist()
    gone = {r["symbol"] for r in life if not r["alive_at_cut"]}
    listed = [
        _instrument(r["symbol"], listed_on=r["first_date"], shares_outstanding=0, sector="")
        for r in life
        if r["symbol"].endswith("0")
    ]
    wanted = UniverseSettings(prices_adjusted=True)
    now = select(day, listed, panel, wanted)
    assert len(now.symbols) == 50
    cut = panel.rows(0, row + 1)
    told = [dataclasses.replace(i, flags=frozenset({"liquidation"}), as_of=dt.date(2023, 6, 1)) for i in listed]
    assert select(day, told, cut, wanted) == now
    codes = {item.code for item in now.exclusions if item.symbol in gone}
    assert codes
    assert not any(code.startswith("flag.") for code in codes)
    assert "005930" in now.symbols
