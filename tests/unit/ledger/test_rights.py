"""The book under corporate actions, by example and by law."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.account import Book
from haetae.krx import Charge
from haetae.ledger import apply_fill, exchange, grant, open_book, receive
from unit.ledger.test_books import SETTLES, Side, fill


def holding(quantity: int = 10, price: int = 1_000) -> Book:
    return apply_fill(open_book(10**9), fill(Side.BUY, quantity, price), Charge(3), SETTLES)


def kept(book: Book) -> bool:
    return book.cash + sum(item.cost for item in book.positions.values()) == book.deposits + book.realized


def test_a_split_multiplies_shares_at_the_same_cost() -> None:
    before = holding()
    after = exchange(before, "005930", "005930", 500)
    assert (after.quantity("005930"), after.positions["005930"].cost) == (500, before.positions["005930"].cost)
    assert (after.cash, after.realized) == (before.cash, before.realized)


def test_a_fraction_that_is_paid_out_realizes_its_part() -> None:
    after = exchange(holding(), "005930", "005930", 3, part_ppm=100_000, paid=1_500)
    assert after.positions["005930"].cost == 10_003 - 1_000
    assert (after.realized, after.cash) == (500, 10**9 - 10_003 + 1_500)


def test_shares_of_a_merged_name_join_those_of_the_other() -> None:
    book = apply_fill(holding(), fill(Side.BUY, 4, 2_000, "000660"), Charge(0), SETTLES)
    after = exchange(book, "005930", "000660", 5)
    assert {symbol: (item.quantity, item.cost) for symbol, item in after.positions.items()} == {
        "000660": (9, 8_000 + 10_003)
    }


def test_shares_that_become_nothing_are_a_loss() -> None:
    after = exchange(holding(), "005930", "005930", 0, paid=400)
    assert after.positions == {}
    assert after.realized == 400 - 10_003


def test_what_is_not_held_cannot_change() -> None:
    assert exchange(holding(), "000660", "000660", 5) == holding()


def test_a_dividend_is_profit_after_tax() -> None:
    after = receive(holding(), 3_610, 555)
    assert (after.cash - holding().cash, after.realized, after.taxes) == (3_055, 3_055, 555)


def test_bonus_shares_of_a_holding_that_was_sold_cost_nothing() -> None:
    after = grant(open_book(100), "005930", 2, 50)
    assert (after.quantity("005930"), after.positions["005930"].cost, after.cash, after.realized) == (2, 0, 150, 50)
    assert grant(open_book(100), "005930", 0, 50).positions == {}


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("exchange"), st.integers(0, 10**6), st.integers(0, 999_999), st.integers(0, 10**6)),
            st.tuples(st.just("merge"), st.integers(0, 10**6), st.integers(0, 999_999), st.integers(0, 10**6)),
            st.tuples(st.just("grant"), st.integers(0, 1_000), st.just(0), st.integers(0, 1_000)),
            st.tuples(st.just("receive"), st.integers(0, 10**6), st.just(0), st.integers(0, 1_000)),
        ),
        max_size=8,
    )
)
def test_the_identity_of_the_book_holds_after_any_actions(acts) -> None:
    book = holding(7, 1_313)
    for name, shares, ppm, paid in acts:
        match name:
            case "exchange":
                book = exchange(book, "005930", "005930", shares, part_ppm=ppm, paid=paid)
            case "merge":
                book = exchange(book, "005930", "000660", shares, part_ppm=ppm, paid=paid)
            case "grant":
                book = grant(book, "005930", shares, paid)
            case _:
                book = receive(book, shares, min(paid, shares))
        assert kept(book)
        assert all(item.quantity > 0 and item.cost >= 0 for item in book.positions.values())
