"""What a view shows of earlier bars, and that the desk remembers without growing."""

from __future__ import annotations

import datetime as dt
import pickle
from dataclasses import replace

import numpy as np
import pytest

from haetae.desk import DeskSettings, open_desk, step, warm
from haetae.domain import codec
from haetae.domain.events import AskPolicy
from haetae.domain.market import Slice
from haetae.domain.panel import Panel
from haetae.domain.units import yyyymmdd
from haetae.krx import Rulebook, trading_days
from haetae.ledger import open_book
from haetae.sim import open_day as venue_day
from haetae.sim import open_venue
from rigs.desk_day import CASH, DAY, DeskDay, codes, instruments, loose, minutes, session_start

SYMBOLS = codes(5)
DAYS = trading_days(DAY, DAY + dt.timedelta(days=20))


def panel_of(pieces: list[Slice], day: dt.date) -> Panel:
    def block(name: str) -> np.ndarray:
        return np.array([getattr(piece, name) for piece in pieces])

    start, end = (np.array([getattr(p, name) for p in pieces]) for name in ("start", "end"))
    days = np.full(len(pieces), yyyymmdd(day), np.int32)
    return Panel(pieces[0].symbols, days, start, end, *map(block, ("open", "high", "low", "close", "volume", "traded")))


def daily_bar(pieces: list[Slice]) -> tuple[np.ndarray, ...]:
    panel = panel_of(pieces, DAY)
    return panel.open[0], panel.high.max(axis=0), panel.low.min(axis=0), panel.close[-1], panel.volume.sum(axis=0)


def day_of_views(settings: DeskSettings, days, *, desk=None, count: int = 381):
    """Live through days; return the rig, the slices by day and the views by instant."""
    first = Rulebook.on(days[0])
    venue = open_venue(first, instruments(SYMBOLS), CASH)
    rig = DeskDay(desk or open_desk(settings, open_book(CASH)), venue, first)
    rng, lived, views = np.random.default_rng(4), {}, {}
    for day in days:
        rig.rules = Rulebook.on(day)
        rig.venue = venue_day(rig.venue, rig.rules, {})
        lived[day] = minutes(SYMBOLS, rng, day=day, count=count, volatility=0.0003)
        before = len(rig.commands)
        rig.run(session_start(SYMBOLS, day), lived[day])
        views.update({c.view.at: c.view for c in rig.commands[before:] if isinstance(c, AskPolicy)})
    return rig, lived, views


def same(panel: Panel, other: Panel) -> bool:
    names = ("days", "start", "end", "open", "high", "low", "close", "volume", "traded")
    return panel.symbols == other.symbols and all(np.array_equal(getattr(panel, n), getattr(other, n)) for n in names)


def test_a_view_shows_the_closed_minutes_and_sessions_and_nothing_later() -> None:
    settings = replace(loose(), minute_history=500, daily_history=2)
    _, lived, views = day_of_views(settings, DAYS[:4])
    every = [(piece, day) for day in DAYS[:4] for piece in lived[day]]
    for at, view in views.items():
        known = [(piece, day) for piece, day in every if piece.end <= at][-500:]
        assert len(view.minutes) == len(known)
        assert view.minutes.end.tolist() == [piece.end for piece, _ in known]
        assert np.array_equal(view.minutes.close, [piece.close for piece, _ in known])
        assert view.minutes.days.tolist() == [yyyymmdd(day) for _, day in known]
        closed = [day for day in DAYS[:4] if day < view.day][-2:]
        assert view.daily.days.tolist() == [yyyymmdd(day) for day in closed]
        assert all(end <= at for end in view.daily.end.tolist())
        for row, day in enumerate(closed):
            for name, column in zip(("open", "high", "low", "close", "volume"), daily_bar(lived[day]), strict=True):
                assert np.array_equal(getattr(view.daily, name)[row], column)


def test_a_session_is_among_the_closed_ones_with_its_last_minute_and_once_only() -> None:
    rig, _, _ = day_of_views(loose(), DAYS[:1])
    assert rig.desk.tape.daily.panel().days.tolist() == [yyyymmdd(DAY)]
    again, _ = step(rig.desk, session_start(SYMBOLS, DAYS[1]), Rulebook.on(DAYS[1]))
    assert again.tape.daily.panel().days.tolist() == [yyyymmdd(DAY)]


def test_a_session_whose_last_minutes_were_missed_counts_from_the_next_morning() -> None:
    rig, lived, _ = day_of_views(loose(), DAYS[:1], count=200)
    assert len(rig.desk.tape.daily) == 0
    after, _ = step(rig.desk, session_start(SYMBOLS, DAYS[1]), Rulebook.on(DAYS[1]))
    panel = after.tape.daily.panel()
    assert panel.days.tolist() == [yyyymmdd(DAY)]
    assert np.array_equal(panel.close[0], lived[DAY][-1].close)


def test_a_warmed_desk_shows_the_same_bars_as_one_that_lived_through_them() -> None:
    settings = replace(loose(), minute_history=450, daily_history=3)
    _, lived, views = day_of_views(settings, DAYS[:2])
    first = panel_of(lived[DAYS[0]], DAYS[0])
    hours = Rulebook.on(DAYS[0]).session
    one = [np.array([column]) for column in daily_bar(lived[DAYS[0]])]
    daily = Panel(SYMBOLS, np.array([yyyymmdd(DAYS[0])], np.int32), np.array([hours.open_at]),
                  np.array([hours.close_at]), *one, np.ones((1, len(SYMBOLS)), np.bool_))  # fmt: skip
    rules, shown = Rulebook.on(DAYS[1]), 0
    warmed = warm(open_desk(settings, open_book(CASH)), first, daily)
    desk, _ = step(warmed, session_start(SYMBOLS, DAYS[1]), rules)
    for piece in lived[DAYS[1]]:
        desk, commands = step(desk, piece, rules)
        for command in commands:
            if isinstance(command, AskPolicy):
                shown += 1
                assert same(command.view.minutes, views[command.view.at].minutes)
                assert same(command.view.daily, views[command.view.at].daily)
    assert shown > 30


def test_a_desk_stepped_again_from_an_old_state_gives_the_same_bars_and_the_old_one_stays() -> None:
    rules, pieces = Rulebook.on(DAY), minutes(SYMBOLS, np.random.default_rng(1), count=60)
    settings = replace(loose(), minute_history=10)
    states = [step(open_desk(settings, open_book(CASH)), session_start(SYMBOLS), rules)[0]]
    for piece in pieces:
        states.append(step(states[-1], piece, rules)[0])
    before = [state.tape.minutes.panel().close.copy() for state in states]
    for number in (3, 17, 40, 58):
        other = minutes(SYMBOLS, np.random.default_rng(2), count=60)[number]
        aside, _ = step(states[number], other, rules)
        assert np.array_equal(aside.tape.minutes.panel().close[-1], other.close)
        again, _ = step(states[number], pieces[number], rules)
        assert same(again.tape.minutes.panel(), states[number + 1].tape.minutes.panel())
        assert again.equity == states[number + 1].equity
    assert all(
        np.array_equal(state.tape.minutes.panel().close, close) for state, close in zip(states, before, strict=True)
    )


def test_a_name_new_to_the_session_has_no_earlier_bars() -> None:
    rig, _, _ = day_of_views(loose(), DAYS[:1])
    wider = codes(6)
    after, _ = step(rig.desk, session_start(wider, DAYS[1]), Rulebook.on(DAYS[1]))
    for window in (after.tape.minutes, after.tape.daily):
        panel = window.panel()
        assert panel.symbols == wider
        assert not panel.close[:, 5].any() and not panel.traded[:, 5].any()
        assert panel.traded[:, :5].all()


def test_the_bars_of_a_view_are_not_stored_with_it() -> None:
    _, _, views = day_of_views(loose(), DAYS[:1])
    view = views[max(views)]
    assert len(view.minutes) > 300
    text = codec.encode(AskPolicy(view))
    assert '"minutes"' not in text and '"daily"' not in text
    again = codec.decode(text)
    assert len(again.view.minutes) == 0
    assert codec.encode(again) == text


def test_the_state_of_desk_and_exchange_does_not_grow_with_the_days() -> None:
    settings = replace(loose(), minute_history=60, daily_history=4)
    desk, sizes = None, []
    for first in range(0, 12, 2):
        rig, _, _ = day_of_views(settings, DAYS[first : first + 2], desk=desk, count=381)
        desk = replace(rig.desk, book=open_book(CASH))
        sizes.append(len(pickle.dumps(rig.desk)))
    assert max(sizes[2:]) < 1.1 * min(sizes[2:])


@pytest.mark.parametrize("field", ["minute_history", "daily_history"])
def test_a_view_cannot_look_back_on_fewer_than_no_bars(field) -> None:
    with pytest.raises(ValueError, match="0 bars"):
        DeskSettings(**{field: -1})
