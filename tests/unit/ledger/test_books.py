"""The book by example and by law."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.account import Settlement
from haetae.domain.errors import DataError, MarketRuleError
from haetae.domain.orders import BrokerOrderId, Fill, Side
from haetae.krx import Charge
from haetae.ledger import apply_fill, deposit, mark, open_book, settle, settled_cash

DAY = dt.date(2026, 11, 23)
SETTLES = dt.date(2026, 11, 25)
ORDER = BrokerOrderId(DAY, "00950", "1")


def fill(side: Side, quantity: int, price: int, symbol: str = "005930") -> Fill:
    return Fill(ORDER, "i", symbol, side, quantity, price, quantity * price, quantity, 0)


def test_a_round_trip_realizes_the_difference_net_of_all_costs() -> None:
    book = open_book(1_000_000)
    book = apply_fill(book, fill(Side.BUY, 10, 70_000), Charge(98), SETTLES)
    assert (book.cash, book.positions["005930"].cost, book.realized) == (299_902, 700_098, 0)
    book = apply_fill(book, fill(Side.SELL, 10, 71_000), Charge(99, 1_420), SETTLES)
    assert book.positions == {}
    assert book.realized == 710_000 - 99 - 1_420 - 700_098
    assert book.cash == 1_000_000 + book.realized
    assert (book.fees, book.taxes, book.bought, book.sold) == (197, 1_420, 700_000, 710_000)


def test_a_part_sold_takes_its_floored_share_of_the_cost_and_the_last_share_the_rest() -> None:
    book = apply_fill(open_book(10_000), fill(Side.BUY, 3, 1_000), Charge(1), SETTLES)
    one = apply_fill(book, fill(Side.SELL, 1, 1_000), Charge(0), SETTLES)
    assert one.positions["005930"].cost == 3_001 - 1_000
    rest = apply_fill(one, fill(Side.SELL, 2, 1_000), Charge(0), SETTLES)
    assert rest.realized == -1


def test_money_of_one_settlement_day_is_one_row_and_reaches_the_bank_on_it() -> None:
    book = apply_fill(open_book(1_000_000), fill(Side.BUY, 10, 1_000), Charge(1), SETTLES)
    book = apply_fill(book, fill(Side.SELL, 4, 1_000), Charge(1, 8), SETTLES)
    assert book.unsettled == (Settlement(SETTLES, -10_001 + 3_991),)
    assert settled_cash(book) == 1_000_000
    assert settle(book, dt.date(2026, 11, 24)) is book
    done = settle(book, SETTLES)
    assert done.unsettled == ()
    assert settled_cash(done) == done.cash
    assert settle(done, SETTLES) is done


def test_selling_what_is_not_held_is_refused() -> None:
    with pytest.raises(MarketRuleError, match="5 shares sold, 0 held"):
        apply_fill(open_book(1_000), fill(Side.SELL, 5, 1_000), Charge(0), SETTLES)


def test_a_mark_values_every_position_or_says_which_price_is_missing() -> None:
    book = apply_fill(open_book(100_000), fill(Side.BUY, 10, 1_000), Charge(1), SETTLES)
    book = apply_fill(book, fill(Side.BUY, 1, 2_000, "000660"), Charge(0), SETTLES)
    worth = mark(book, {"005930": 1_100, "000660": 1_900, "035420": 1})
    assert worth.market_value == 12_900
    assert worth.equity == book.cash + 12_900
    assert worth.unrealized == 12_900 - 12_001
    with pytest.raises(DataError) as caught:
        mark(book, {"005930": 1_100})
    assert caught.value.found == "000660"


def test_positions_are_listed_by_code_whatever_was_bought_first() -> None:
    book = apply_fill(open_book(100_000), fill(Side.BUY, 1, 1_000, "900"), Charge(0), SETTLES)
    book = apply_fill(book, fill(Side.BUY, 1, 1_000, "100"), Charge(0), SETTLES)
    assert list(book.positions) == ["100", "900"]


trades = st.lists(
    st.tuples(
        st.sampled_from(["A", "B"]), st.integers(-50, 50), st.integers(1, 10**6), st.integers(0, 99), st.integers(0, 9)
    )
)


@given(trades, st.integers(-(10**6), 10**6))
def test_cash_cost_deposits_and_profit_balance_after_every_event(
    rows: list[tuple[str, int, int, int, int]], added: int
) -> None:
    book = deposit(open_book(10**10), added)
    for symbol, signed, price, fee, tax in rows:
        side = Side.BUY if signed > 0 else Side.SELL
        quantity = min(abs(signed), 10**9 if signed > 0 else book.quantity(symbol))
        if not quantity:
            continue
        paid = Charge(fee, tax if side is Side.SELL else 0)
        book = apply_fill(book, fill(side, quantity, price, symbol), paid, SETTLES)
        cost = sum(position.cost for position in book.positions.values())
        assert book.cash + cost == book.deposits + book.realized
        assert all(position.quantity > 0 for position in book.positions.values())
    closed = book
    for symbol, position in book.positions.items():
        closed = apply_fill(closed, fill(Side.SELL, position.quantity, 1_000, symbol), Charge(0), SETTLES)
    assert closed.cash == closed.deposits + closed.realized
