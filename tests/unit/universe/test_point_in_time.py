"""A snapshot is a function of what was known at the close of its day, to the byte."""

from __future__ import annotations

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.units import day_from
from haetae.universe import UniverseSettings, select
from haetae.universe.snapshots import canonical, content
from told_markets import Told, told_market

SETTINGS = UniverseSettings(size=8, min_turnover_won=0, min_market_cap_won=10**9, sector_cap=2, min_price_won=0)


def text_of(told: Told, day: dt.date, given: UniverseSettings = SETTINGS) -> str:
    """Return the stored form of the selection that these tables lead to."""
    names = told.instruments(day)
    chosen = select(day, names, told.panel, given, statements=told.statement_rows(), statuses=told.status_rows())
    return canonical(content(chosen, names, given, table="daily", previous=None))


@settings(max_examples=12)
@given(seed=st.integers(0, 500), row=st.integers(130, 318), future=st.integers(1_000, 2_000))
def test_no_later_bar_state_status_or_statement_moves_a_byte(seed: int, row: int, future: int) -> None:
    told = told_market(seed)
    day = day_from(int(told.panel.days[row]))
    then = text_of(told.known(day), day)
    assert text_of(told, day) == then
    assert text_of(told.rewritten_after(day, future), day) == then


@settings(max_examples=6)
@given(seed=st.integers(0, 500), shuffle=st.randoms(use_true_random=False))
def test_the_order_of_rows_moves_no_byte(seed: int, shuffle) -> None:
    told = told_market(seed)
    day = day_from(int(told.panel.days[-1]))
    assert text_of(told.shuffled(shuffle.shuffle), day) == text_of(told, day)


@settings(max_examples=6)
@given(seed=st.integers(0, 500), cut=st.integers(1, 60))
def test_bars_before_the_year_move_no_byte(seed: int, cut: int) -> None:
    told = told_market(seed)
    day = day_from(int(told.panel.days[-1]))
    later = Told(told.panel.rows(cut, len(told.panel)), told.states, told.statuses, told.statements)
    assert text_of(later, day) == text_of(told, day)


def test_the_random_markets_hold_what_the_laws_are_about() -> None:
    """Without flags, missing figures, delistings and restatements among the candidates the laws would prove nothing."""
    told = told_market(3, symbols=60)
    day = day_from(int(told.panel.days[-1]))
    names = told.instruments(day)
    chosen = select(day, names, told.panel, SETTINGS, statements=told.statement_rows(), statuses=told.status_rows())
    codes = {item.code for item in chosen.exclusions}
    assert {"kind.spac", "kind.etf", "kind.preferred", "listing.ended", "sector.full", "rank.below_cut"} <= codes
    assert any(code.startswith("flag.") for code in codes)
    flags = {flag for each in chosen.flags.values() for flag in each}
    assert {"sector", "book.negative"} <= flags
    with_books = [parts for parts in chosen.scores.values() if {"value", "quality"} <= parts.keys()]
    assert 2 * len(with_books) > len(chosen.scores) > len(with_books)
