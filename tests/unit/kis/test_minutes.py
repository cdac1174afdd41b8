"""Minute bars from prints and snapshots."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND
from haetae.kis.minutes import MinuteBook, Snapshot

OPEN = 1_795_392_000 * NS_PER_SECOND
EDGES = [(OPEN + i * NS_PER_MINUTE, OPEN + (i + 1) * NS_PER_MINUTE) for i in range(4)]
BEFORE = Snapshot(price=1_000, open=0, high=0, low=0, volume=0)

prints = st.lists(
    st.tuples(st.integers(0, 239), st.integers(900, 1_100), st.integers(1, 50)),
    max_size=40,
).map(sorted)


def fold(printed):
    """Return (second, price, cumulative volume)."""
    total = 0
    for second, price, volume in printed:
        total += volume
        yield second, price, total


@given(prints)
def test_streamed_bars_are_those_of_the_prints(printed):
    book = MinuteBook({"005930": BEFORE}, EDGES)
    for second, price, total in fold(printed):
        book.trade("005930", OPEN + second * NS_PER_SECOND, price, total)
    last = 1_000
    for minute in range(4):
        mine = [(price, volume) for second, price, volume in printed if second // 60 == minute]
        slice_ = book.close()
        got = (slice_.open[0], slice_.high[0], slice_.low[0], slice_.close[0], slice_.volume[0])
        if mine:
            prices = [price for price, _ in mine]
            last = prices[-1]
            assert got == (prices[0], max(prices), min(prices), last, sum(volume for _, volume in mine))
        else:
            assert got == (last, last, last, last, 0)
        assert bool(slice_.traded[0]) == bool(mine)
    assert book.late == 0


@given(prints, st.sets(st.integers(0, 39)))
def test_lost_messages_lose_no_shares(printed, lost):
    book = MinuteBook({"005930": BEFORE}, EDGES)
    seen = list(fold(printed))
    for i, (second, price, total) in enumerate(seen):
        if i not in lost or i == len(seen) - 1:
            book.trade("005930", OPEN + second * NS_PER_SECOND, price, total)
    assert sum(int(book.close().volume[0]) for _ in EDGES) == (seen[-1][2] if seen else 0)


@given(prints)
def test_bars_from_snapshots_keep_close_and_volume_and_stay_within_the_true_range(printed):
    book = MinuteBook({"005930": BEFORE}, EDGES)
    seen = list(fold(printed))
    for minute in range(4):
        known = [row for row in seen if row[0] < (minute + 1) * 60]
        mine = [row[1] for row in known if row[0] >= minute * 60]
        before = [row[1] for row in known if row[0] < minute * 60]
        if known:
            day = [row[1] for row in known]
            book.snapshot("005930", Snapshot(day[-1], day[0], max(day), min(day), known[-1][2]))
        slice_ = book.close()
        if mine:
            assert slice_.close[0] == mine[-1]
            assert slice_.high[0] <= max([*mine, before[-1] if before else mine[0]])
            assert slice_.low[0] >= min([*mine, before[-1] if before else mine[0]])
            assert slice_.low[0] <= slice_.close[0] <= slice_.high[0]
        else:
            assert not slice_.traded[0]


@given(prints, st.randoms(use_true_random=False), st.lists(st.integers(0, 39), max_size=10))
def test_the_order_in_which_prints_of_a_minute_come_and_repeats_change_nothing(printed, dice, again):
    """Reordered, duplicated messages give the bar of the true order (T18)."""
    straight, shuffled = (MinuteBook({"005930": BEFORE}, EDGES) for _ in range(2))
    seen = [row for row in fold(printed) if row[0] < 60]
    for second, price, total in seen:
        straight.trade("005930", OPEN + second * NS_PER_SECOND, price, total)
    mixed = seen + [seen[n] for n in again if n < len(seen)]
    dice.shuffle(mixed)
    for second, price, total in mixed:
        shuffled.trade("005930", OPEN + second * NS_PER_SECOND, price, total)
    first, second_ = straight.close(), shuffled.close()
    for name in ("open", "high", "low", "close", "volume", "traded"):
        assert getattr(first, name)[0] == getattr(second_, name)[0], name


@given(prints, st.integers(1, 3))
def test_prints_delayed_into_the_next_minute_lose_no_shares_and_leave_the_newest_price(printed, minutes):
    book = MinuteBook({"005930": BEFORE}, EDGES)
    seen = list(fold(printed))
    volume = 0
    for minute in range(4):
        due = [row for row in seen if row[0] // 60 == minute]
        delayed = [row for row in seen if row[0] // 60 == minute - minutes]
        for second, price, total in due + delayed:  # what is late comes after what is newer
            book.trade("005930", OPEN + second * NS_PER_SECOND, price, total)
        slice_ = book.close()
        volume += int(slice_.volume[0])
        if due:
            assert slice_.close[0] == due[-1][1]
    assert volume == (seen[-1][2] if seen else 0)


def test_a_print_that_comes_too_late_gives_its_shares_to_the_next_minute():
    book = MinuteBook({"005930": BEFORE}, EDGES)
    book.trade("005930", OPEN + 10 * NS_PER_SECOND, 1_000, 10)
    assert book.close().volume[0] == 10
    book.trade("005930", OPEN + 50 * NS_PER_SECOND, 1_010, 15)
    assert book.late == 1
    assert book.close().volume[0] == 5


def test_a_print_of_the_next_minute_waits_for_it():
    book = MinuteBook({"005930": BEFORE}, EDGES)
    book.trade("005930", OPEN + 61 * NS_PER_SECOND, 1_010, 10)
    assert not book.close().traded[0]
    assert book.close().open[0] == 1_010


def test_the_print_stamped_with_the_close_belongs_to_the_last_bar():
    book = MinuteBook({"005930": BEFORE}, EDGES[:1])
    book.trade("005930", EDGES[0][1], 1_020, 500)
    slice_ = book.close()
    assert (slice_.close[0], slice_.volume[0]) == (1_020, 500)


def test_begun_within_a_session_the_first_bar_counts_only_its_own_shares():
    book = MinuteBook({"005930": Snapshot(1_000, 990, 1_010, 980, 700)}, EDGES[1:])
    book.trade("005930", OPEN + 59 * NS_PER_SECOND, 1_005, 720)
    book.trade("005930", OPEN + 61 * NS_PER_SECOND, 1_006, 730)
    slice_ = book.close()
    assert (slice_.open[0], slice_.volume[0]) == (1_006, 10)


def test_a_snapshot_after_missed_messages_heals_the_bar():
    book = MinuteBook({"005930": BEFORE}, EDGES)
    book.trade("005930", OPEN, 1_000, 10)
    book.snapshot("005930", Snapshot(1_030, 1_000, 1_050, 990, 100))
    slice_ = book.close()
    bar = [slice_.open[0], slice_.high[0], slice_.low[0], slice_.close[0], slice_.volume[0]]
    assert bar == [1_000, 1_050, 990, 1_030, 100]


def test_a_snapshot_that_reaches_into_the_next_minute_is_cut_at_its_first_print():
    book = MinuteBook({"005930": BEFORE}, EDGES)
    book.trade("005930", OPEN, 1_000, 10, 10)  # then 20 shares at 1 005 are missed
    book.trade("005930", EDGES[1][0], 1_020, 37, 7)
    book.trade("005930", EDGES[1][0] + 1, 1_030, 40, 3)
    book.snapshot("005930", Snapshot(1_030, 1_000, 1_030, 1_000, 40))
    first, second = book.close(), book.close()
    assert (int(first.volume[0]), int(second.volume[0])) == (30, 10)
    assert (int(first.high[0]), int(first.close[0])) == (1_020, 1_020)
    assert (int(second.open[0]), int(second.close[0])) == (1_020, 1_030)


def test_a_snapshot_of_the_same_moment_shows_a_high_that_no_print_told_of():
    book = MinuteBook({"005930": BEFORE}, EDGES)
    book.trade("005930", OPEN, 1_000, 10)
    book.trade("005930", OPEN + 1, 1_001, 30)
    book.snapshot("005930", Snapshot(1_001, 1_000, 1_040, 990, 30))
    slice_ = book.close()
    assert [int(part[0]) for part in (slice_.open, slice_.high, slice_.low, slice_.close)] == [1_000, 1_040, 990, 1_001]


def test_slices_hold_all_symbols_sorted_and_ignore_strangers():
    book = MinuteBook({"005930": BEFORE, "000660": BEFORE}, EDGES)
    book.trade("999999", OPEN, 5, 5)
    slice_ = book.close()
    assert slice_.symbols == ("000660", "005930")
    assert np.array_equal(slice_.close, [1_000, 1_000])


@pytest.mark.parametrize("volume", [0, 10])
def test_an_old_snapshot_changes_nothing(volume):
    book = MinuteBook({"005930": BEFORE}, EDGES)
    book.trade("005930", OPEN, 1_000, 10)
    book.snapshot("005930", Snapshot(900, 900, 900, 900, volume))
    assert book.close().close[0] == 1_000
