"""Whole lots never cost more than there is, never pass a limit, and miss the goal by as little as they must."""

from __future__ import annotations

import datetime as dt

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.orders import Side
from haetae.domain.proposals import proposal_fault
from haetae.krx import Rulebook
from haetae.portfolio import Account, Allocation, Limits, Method, OrderProposal, Outcome, Request, order_proposal
from unit.portfolio.requests import DAY, codes, covariance, request

RULES = Rulebook.on(DAY)
AT = 1_000


def instrument(symbol: str, *, lot: int = 1, market: Market = Market.KOSPI, base: int = 0) -> Instrument:
    return Instrument(symbol, symbol, market, Kind.COMMON, dt.date(2020, 1, 2), base, 10_000_000, lot=lot)


def answer(asked: Request, weights: np.ndarray) -> Allocation:
    return Allocation(asked.day, Method.EQUAL_WEIGHT, asked.symbols, asked.held, weights, Outcome.SOLVED)


def propose(asked: Request, weights: np.ndarray, account: Account, **more: object) -> OrderProposal:
    return order_proposal(answer(asked, weights), asked, account, RULES, at=AT, policy_id="p", **more)  # type: ignore[arg-type]


def fees(amount: int, side: Side) -> int:
    return RULES.charge(side, amount, Market.KOSPI, Kind.COMMON).total


@st.composite
def cases(draw: st.DrawFn) -> tuple[Request, np.ndarray, Account]:
    n = draw(st.integers(1, 10))
    names = codes(n)
    last = {s: RULES.ceil_tick(draw(st.integers(150, 900_000))) for s in names}
    lots = {s: draw(st.sampled_from([1, 1, 10])) for s in names}
    shares = {s: draw(st.integers(0, 400)) for s in names}
    cash = draw(st.integers(0, 200_000_000))
    equity = cash + sum(shares[s] * last[s] for s in names)
    held = {s: shares[s] * last[s] / max(equity, 1) for s in names if shares[s]}
    limits = Limits(
        max_weight=draw(st.floats(0.02, 1.0)),
        sector_cap=draw(st.floats(0.1, 1.0)),
        cash_floor=draw(st.floats(0.0, 0.2)),
        turnover_cap=draw(st.floats(0, 2.0)),
    )
    asked = Request.of(
        DAY, held=held, wanted=dict.fromkeys(names, 0.0), symbols=names, covariance=covariance(n),
        limits=limits, sectors={s: draw(st.sampled_from(["", "a", "b"])) for s in names},
    )  # fmt: skip
    goals = np.array([draw(st.floats(0.0, 1.0)) for _ in names])
    goals = np.where([draw(st.booleans()) for _ in names], goals / max(goals.sum(), 1.0), asked.held)
    instruments = {s: instrument(s, lot=lots[s]) for s in names}
    return asked, goals, Account(shares, last, cash, equity, instruments)


@settings(max_examples=150, deadline=None)
@given(case=cases(), spend=st.booleans())
def test_orders_keep_cash_and_every_limit_for_any_goal(case: tuple[Request, np.ndarray, Account], spend: bool) -> None:
    asked, goals, account = case
    found = propose(asked, goals, account, spend_proceeds=spend)
    after = dict(account.shares)
    cash, income, traded = account.cash, 0, 0
    for leg in found.legs:
        known = account.instruments[leg.symbol]
        assert leg.quantity > 0
        assert leg.quantity % known.lot == 0
        assert RULES.on_grid(leg.limit_price)
        amount = leg.quantity * leg.limit_price
        if leg.side is Side.BUY:
            assert leg.limit_price >= account.last[leg.symbol]
            cash -= amount + fees(amount, Side.BUY)
            after[leg.symbol] += leg.quantity
        else:
            assert leg.limit_price <= account.last[leg.symbol]
            income += amount - fees(amount, Side.SELL)
            after[leg.symbol] -= leg.quantity
        traded += leg.quantity * account.last[leg.symbol]
    cash += income if spend else 0
    bought = any(leg.side is Side.BUY for leg in found.legs)
    assert cash == found.cash_after
    assert cash >= 0
    assert traded <= account.equity * asked.limits.turnover_cap + account.equity * 1e-9
    worth = np.array([after[s] * account.last[s] for s in asked.symbols], dtype=np.int64)
    was = np.array([account.shares[s] * account.last[s] for s in asked.symbols], dtype=np.int64)
    equity = account.equity
    assert all(shares >= 0 for shares in after.values())
    assert np.all(worth <= np.maximum(asked.caps * equity, was) + 1)
    for number, cap in enumerate(asked.sector_caps):
        inside = asked.in_sector(number)
        assert worth[inside].sum() <= max(cap * equity, was[inside].sum()) + 1
    if bought:
        assert worth.sum() <= max((1.0 - asked.limits.cash_floor) * equity, 0) + 1
    for symbol, now in after.items():
        toward = goals[asked.symbols.index(symbol)]
        if now != account.shares[symbol]:
            step = account.instruments[symbol].lot * account.last[symbol]
            assert (toward > account.shares[symbol] * account.last[symbol] / equity) == (now > account.shares[symbol])
            assert (
                abs(now * account.last[symbol] - toward * equity)
                < abs(was[asked.symbols.index(symbol)] - toward * equity) + step
            )


@settings(max_examples=80, deadline=None)
@given(case=cases())
def test_who_floors_the_proposed_weights_finds_the_shares_of_the_legs(
    case: tuple[Request, np.ndarray, Account],
) -> None:
    asked, goals, account = case
    found = propose(asked, goals, account)
    assert set(found.proposal.targets) == {leg.symbol for leg in found.legs}
    for leg in found.legs:
        after = account.shares[leg.symbol] + (leg.quantity if leg.side is Side.BUY else -leg.quantity)
        assert int(account.equity * found.proposal.targets[leg.symbol]) // account.last[leg.symbol] == after
    assert proposal_fault(found.proposal, set(asked.symbols)) is None or not all(
        weight <= 1.0 for weight in found.proposal.targets.values()
    )


def plain(n: int, *, cash: int, last: dict[str, int], shares: dict[str, int] | None = None, **limits: float) -> tuple:
    names = codes(n)
    owned = dict.fromkeys(names, 0) | (shares or {})
    equity = cash + sum(owned[s] * last[s] for s in names)
    held = {s: owned[s] * last[s] / equity for s in names if owned[s]}
    rules = Limits(**({"max_weight": 1.0, "cash_floor": 0.0, "turnover_cap": 2.0} | limits))  # type: ignore[arg-type]
    asked = request(n, held=held, limits=rules, sectors={}, wanted=dict.fromkeys(names, 0.0))
    return asked, Account(owned, last, cash, equity, {})


def test_the_largest_remainder_gets_the_last_share() -> None:
    # 10,000 won of each: 3.33, 2.50 and 1.43 shares. Fractions .33, .50, .43; 14,000 won are left over.
    asked, account = plain(3, cash=30_300, last={"000010": 3_000, "000020": 4_000, "000030": 7_000})
    found = propose(asked, np.full(3, 10_000 / 30_300), account, collar_ticks=0)
    shares = {leg.symbol: leg.quantity for leg in found.legs}
    assert shares == {"000010": 3, "000020": 3, "000030": 1}  # .50 first; then .43 does not fit into what is left


def test_equal_remainders_go_by_code_whatever_the_order_of_telling() -> None:
    last = dict.fromkeys(codes(3), 10_000)
    asked, account = plain(3, cash=45_100, last=last)
    turned = Account(
        dict(reversed(list(account.shares.items()))), dict(reversed(list(last.items()))), account.cash, account.equity
    )
    goal = np.full(3, 15_000 / 45_100)
    first, second = (propose(asked, goal, a, collar_ticks=0) for a in (account, turned))
    assert first == second
    assert {leg.symbol: leg.quantity for leg in first.legs} == {"000010": 2, "000020": 1, "000030": 1}


def test_scarce_cash_shortens_all_buys_alike() -> None:
    last = dict.fromkeys(codes(4), 1_000)
    asked, account = plain(4, cash=1_000_000, last=last, shares={"000010": 3_000})
    goals = asked.held.copy()
    goals[1:] = 0.33
    found = propose(asked, goals, account, collar_ticks=0)
    quantities = [leg.quantity for leg in found.legs]
    assert max(quantities) - min(quantities) <= 1
    assert 0 <= found.cash_after < 1_001


def test_sales_come_first_and_pay_for_buys_only_if_told() -> None:
    last = dict.fromkeys(codes(2), 10_000)
    asked, account = plain(2, cash=0, last=last, shares={"000010": 100})
    found = propose(asked, np.array([0.0, 1.0]), account, collar_ticks=0)
    assert [leg.side for leg in found.legs] == [Side.SELL, Side.BUY]
    assert [leg.quantity for leg in found.legs] == [100, 99]  # 2,140 won of fees and tax: one share less
    assert found.legs[0].target_weight == found.proposal.targets["000010"] == 0.0
    waiting = propose(asked, np.array([0.0, 1.0]), account, collar_ticks=0, spend_proceeds=False)
    assert [leg.side for leg in waiting.legs] == [Side.SELL]


def test_a_sale_is_rounded_so_that_the_cap_is_met() -> None:
    asked, account = plain(1, cash=900_000, last={"000010": 30_000}, shares={"000010": 10})
    found = propose(asked, np.array([0.1]), account)  # 0.1 of 1.2 million is four shares exactly; 0.09 is 3.6
    assert found.legs[0].quantity == 6
    assert propose(asked, np.array([0.09]), account).legs[0].quantity == 7


def test_limit_prices_stay_inside_the_days_limits_and_on_the_grid() -> None:
    asked, account = plain(1, cash=10_000_000, last={"000010": 13_000})
    bounded = Account(
        account.shares, account.last, account.cash, account.equity, {"000010": instrument("000010", base=10_000)}
    )
    assert propose(asked, np.array([0.5]), bounded, collar_ticks=5).legs[0].limit_price == 13_000
    assert propose(asked, np.array([0.5]), account, collar_ticks=5).legs[0].limit_price == 13_050


def test_the_same_weights_of_ten_times_the_money_are_ten_times_the_shares_to_a_share() -> None:
    last = dict(zip(codes(3), (12_340, 56_700, 1_235), strict=True))
    goal = np.array([0.3, 0.4, 0.2])
    one, ten = (
        {
            leg.symbol: leg.quantity
            for leg in propose(*(lambda a: (a[0], goal, a[1]))(plain(3, cash=cash, last=last))).legs
        }
        for cash in (100_000_000, 1_000_000_000)
    )
    assert all(abs(ten[s] - 10 * one[s]) <= 10 for s in one)


def test_an_account_without_equity_orders_nothing() -> None:
    asked, _ = plain(1, cash=1, last={"000010": 1_000})
    assert propose(asked, np.array([0.5]), Account({}, {"000010": 1_000}, -5, -5)).legs == ()
