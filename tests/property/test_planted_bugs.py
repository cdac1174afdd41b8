"""Each law of the exchange fails on an exchange that breaks it, and holds on the same source unbroken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from exchange_cases import arrays, venue
from haetae import sim
from haetae.domain.errors import HaetaeError
from haetae.sim import batch, matching, trading
from haetae.sim.batch import engine, kernels, market, signals
from planted import wrong
from property import test_laws_of_the_exchange as laws


def on_venue(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    monkeypatch.setattr(sim, "step", wrong(trading, old, new).step)


def on_arrays(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    made = wrong(kernels, old, new)
    monkeypatch.setattr(engine, "kernels", made)
    monkeypatch.setattr(signals, "kernels", made)


def in_prices(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Break the arithmetic of a fill, which both exchanges call."""
    price = wrong(matching, old, new).fill_price
    monkeypatch.setattr(trading, "fill_price", price)
    made = wrong(kernels)
    made.fill_price = price  # type: ignore[attr-defined]
    monkeypatch.setattr(engine, "kernels", made)


def in_market(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    monkeypatch.setattr(batch, "prepare", wrong(market, old, new).prepare)


def in_engine(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    monkeypatch.setattr(batch, "Batch", wrong(engine, old, new).Batch)


Plant = Callable[[pytest.MonkeyPatch, str, str], None]
_RANGE = "return min(ticks_up(open_, slippage, bounds, sizes, first), high)"
BUGS: tuple[tuple[str, Plant, str, str, Callable[..., None], dict[str, Any]], ...] = (
    ("1: fills in the bar that runs", on_venue,
     "order.live_from > (piece.end - 1 if own else piece.start)", "order.live_from >= piece.end",
     laws.test_law_1_an_order_meets_only_data_that_begins_at_or_after_it_was_sent, {"play": venue}),
    ("1: trades a signal before its bar has ended", on_arrays,
     "wish = signal[bar, s]", "wish = signal[min(bar + 1, signal.shape[0] - 1), s]",
     laws.test_law_1_a_signal_is_traded_after_the_bar_it_was_seen_on, {}),
    ("2: slips beyond the range of the bar", in_prices, _RANGE, _RANGE.replace("min(", "max("),
     laws.test_law_2_a_fill_lies_in_the_bar_on_the_grid_and_within_the_limits, {"play": venue}),
    ("2: slips beyond the range of the bar", in_prices, _RANGE, _RANGE.replace("min(", "max("),
     laws.test_law_2_a_fill_lies_in_the_bar_on_the_grid_and_within_the_limits, {"play": arrays}),
    ("3: uses a bar's volume for each order anew", on_venue, "self._left[order.symbol] -= quantity", "pass",
     laws.test_law_3_all_our_fills_of_a_bar_stay_within_a_share_of_its_volume, {"play": venue}),
    ("3: forgets the share", on_arrays, "volume_cap(volume[bar, s], share_ppm, lots[s])", "volume[bar, s]",
     laws.test_law_3_all_our_fills_of_a_bar_stay_within_a_share_of_its_volume, {"play": arrays}),
    ("4: fills on touch", in_prices, "if low < limit or (touch and low == limit):", "if low <= limit:",
     laws.test_law_4_a_resting_limit_fills_on_trade_through_and_on_touch_only_if_declared, {"play": venue}),
    ("4: fills on touch", in_prices, "if low < limit or (touch and low == limit):", "if low <= limit:",
     laws.test_law_4_a_resting_limit_fills_on_trade_through_and_on_touch_only_if_declared, {"play": arrays}),
    ("5: takes orders as they were registered", on_venue, "found.sort(key=lambda one: one[0])", "pass",
     laws.test_law_5_results_do_not_depend_on_the_order_of_registration, {}),
    ("5: grants cash by column", on_arrays, "s = turns[turn_row, turn]\n            codes",
     "s = turn\n            codes",
     laws.test_law_5_scarce_cash_goes_by_explicit_turns_whatever_the_columns_are, {}),
    ("6: rounds the fee up", on_venue, "charge.total\n", "charge.total + 1\n",
     laws.test_law_6_cash_and_cost_balance_to_the_won_after_every_fill, {"play": venue}),
    ("6: rounds the fee up", on_arrays, "fee = charge_next(before, amount, fee_ppb)",
     "fee = charge_next(before, amount, fee_ppb) + 1",
     laws.test_law_6_cash_and_cost_balance_to_the_won_after_every_fill, {"play": arrays}),
    ("6: taxes purchases", on_arrays, "if sign < 0 else 0", "if sign > 0 else 0",
     laws.test_law_6_cash_and_cost_balance_to_the_won_after_every_fill, {"play": arrays}),
    ("7: fills in a halt", on_venue, "closed = order.symbol in self.venue.halted or ", "closed = ",
     laws.test_law_7_halted_names_and_locked_limits_do_not_fill_and_an_auction_has_one_price, {"play": venue}),
    ("7: fills in a halt", in_market, "frozen(traded & ~halts, np.bool_) if len(halts) else traded", "traded",
     laws.test_law_7_halted_names_and_locked_limits_do_not_fill_and_an_auction_has_one_price, {"play": arrays}),
    ("7: takes orders in a halt", on_arrays, "if halts and frame.halted[bar, s]:\n                codes",
     "if False:\n                codes",
     laws.test_law_7_halted_names_and_locked_limits_do_not_fill_and_an_auction_has_one_price, {"play": arrays}),
    ("7: fills a purchase at the locked upper limit", in_prices, "if low == high and high >= upper:", "if False:",
     laws.test_law_7_halted_names_and_locked_limits_do_not_fill_and_an_auction_has_one_price, {"play": venue}),
    ("7: forgets that FOK is all or nothing", on_arrays, "if force == FOK and filled < signed * sign:", "if False:",
     laws.test_law_7_halted_names_and_locked_limits_do_not_fill_and_an_auction_has_one_price, {"play": arrays}),
    ("7: lets orders live on into the next session", on_arrays, "if order[env, s, DAY] < day:", "if False:",
     laws.test_law_7_halted_names_and_locked_limits_do_not_fill_and_an_auction_has_one_price, {"play": arrays}),
    ("7: forgets who is more eager at an auction's price", on_venue,
     "_eagerness(order, int(piece.close[row])) if all_single or own else 0", "0",
     laws.test_law_7_at_the_one_price_of_an_auction_the_more_eager_order_comes_first, {}),
    ("8: meets a bar twice", on_venue, "if piece.end <= venue.known_until:", "if False:",
     laws.test_law_8_applying_anything_twice_changes_nothing, {}),
    ("8: meets a bar twice", in_engine, "if t != self.next_bar or t >=", "if t >=",
     laws.test_law_8_a_bar_is_met_once_and_a_session_ends_once_on_the_arrays, {}),
)  # fmt: skip


SETTINGS = "_hypothesis_internal_use_settings"
"""Where a property keeps its settings: to fail is enough here, the smallest example would take minutes to find."""
FIND = settings(
    phases=[Phase.generate],
    report_multiple_bugs=False,
    max_examples=3_000,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    deadline=None,
)


@pytest.mark.parametrize(
    ("plant", "old", "new", "law", "given"),
    [bug[1:] for bug in BUGS],
    ids=[f"{text}, {plant.__name__} {given.get('play', sim).__name__}" for text, plant, _, _, _, given in BUGS],
)
def test_a_broken_exchange_breaks_its_law(
    monkeypatch: pytest.MonkeyPatch, plant: Plant, old: str, new: str, law: Callable[..., None], given: dict[str, Any]
) -> None:
    plant(monkeypatch, old, new)
    assert hasattr(law, SETTINGS)
    monkeypatch.setattr(law, SETTINGS, FIND)
    with pytest.raises((AssertionError, HaetaeError, pytest.fail.Exception)):
        law(**given)


def test_the_source_interpreted_without_a_bug_keeps_its_laws(monkeypatch: pytest.MonkeyPatch) -> None:
    on_venue(monkeypatch, "", "")
    on_arrays(monkeypatch, "", "")
    law = laws.test_law_7_halted_names_and_locked_limits_do_not_fill_and_an_auction_has_one_price
    monkeypatch.setattr(law, SETTINGS, settings(FIND, max_examples=20))
    for play in (venue, arrays):
        law(play=play)
