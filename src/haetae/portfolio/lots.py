"""From target weights to whole lots and orders, on integers of won and shares.

The rounding, by name **largest remainder within the limits**:

1. a sale is rounded up to a whole lot, so that no limit is missed by a fraction; where the turnover
   cap forbids that, down, and the largest fractions get their lot while turnover lasts;
2. a buy is rounded down; if cash or turnover do not reach for all of them, all are scaled alike before;
3. what is left gives one lot more to the buys that are missing the largest part of one (then by code), as
   long as cash with fees, turnover, the name's and sector's caps, the cash floor and the sum of what
   was wanted allow.

Buys are reckoned at a limit price above the last one and their fee, sales at a limit below it, less
fee and tax: so cash cannot go below zero. Caps are reckoned at last prices, as equity is.
Not here: what the live desk makes of a proposal (``execution``), matching (``sim``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from haetae.domain.decisions import Leg, Proposal
from haetae.domain.market import Instrument
from haetae.domain.orders import Side
from haetae.domain.units import Instant, Shares, Symbol, Won
from haetae.krx import Rulebook, scalar
from haetae.krx.scalar import PPB
from haetae.portfolio.bounds import sector_tops, upper, whole_top
from haetae.portfolio.costs import listed_as
from haetae.portfolio.request import Allocation, Request


@dataclass(frozen=True, slots=True)
class Account:
    """What an allocation is rounded for, at one instant.

    ``shares`` and ``last`` (won) by symbol, absent is none; ``cash`` is not reserved by open orders.
    ``equity`` is cash plus shares at ``last``.
    """

    shares: Mapping[Symbol, Shares]
    last: Mapping[Symbol, Won]
    cash: Won
    equity: Won
    instruments: Mapping[Symbol, Instrument] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderProposal:
    """Whole-share orders, sales first, and the proposal of target weights that means the same shares.

    ``cash_after`` is what is left in the worst case: everything bought and sold at its limit price.
    """

    proposal: Proposal
    legs: tuple[Leg, ...]
    cash_after: Won


@dataclass(slots=True)
class _Order:
    """One name while its lots are counted; amounts are won."""

    place: int
    side: Side
    symbol: Symbol
    held: Shares
    lot: Shares
    last: Won
    limit: Won
    tax_ppb: int
    goal: Won
    lots: int = 0

    @property
    def quantity(self) -> Shares:
        return self.lots * self.lot

    @property
    def missing(self) -> Fraction:
        """Lots still missing to the goal, exactly; negative beyond it."""
        gap = self.goal - self.held * self.last
        toward = gap if self.side is Side.BUY else -gap
        return Fraction(toward - self.quantity * self.last, self.lot * self.last)


def _won(equity: Won, weight: float) -> Won:
    return equity * round(weight * PPB) // PPB


def _orders(allocation: Allocation, account: Account, rules: Rulebook, side: Side, collar_ticks: int) -> list[_Order]:
    orders = []
    rises = allocation.weights > allocation.held if side is Side.BUY else allocation.weights < allocation.held
    for k in np.flatnonzero(rises):
        symbol = allocation.symbols[int(k)]
        market, kind = listed_as(account.instruments, symbol)
        last = account.last.get(symbol, 0)
        if last <= 0:
            continue
        known = account.instruments.get(symbol)
        table = rules.tick_table(kind, market)
        move = scalar.ticks_up if side is Side.BUY else scalar.ticks_down
        limit = int(move(last, collar_ticks, *table))
        if known and known.base_price > 0:
            lower, top = rules.price_limits(known.base_price, kind, market)
            limit = min(max(limit, lower), top)
        orders.append(
            _Order(
                place=int(k),
                side=side,
                symbol=symbol,
                held=account.shares.get(symbol, 0),
                lot=known.lot if known else 1,
                last=last,
                limit=limit,
                tax_ppb=rules.sale_tax_ppb(market, kind),
                goal=_won(account.equity, float(allocation.weights[int(k)])),
            )
        )
    return orders


def _count_sales(orders: list[_Order], turnover: Won) -> None:
    for order in orders:
        # Ceiling of the missing lots, but never more whole lots than are held.
        order.lots = max(0, min(-((order.goal - order.held * order.last) // (order.lot * order.last)),
                                order.held // order.lot))  # fmt: skip
    if sum(order.quantity * order.last for order in orders) <= turnover:
        return
    for order in orders:
        order.lots = max(0, (order.held * order.last - order.goal) // (order.lot * order.last))
    spent = sum(order.quantity * order.last for order in orders)
    if spent > turnover:  # weights that already ask for too much
        for order in orders:
            order.lots = order.lots * turnover // spent
        spent = sum(order.quantity * order.last for order in orders)
    for order in sorted(orders, key=lambda each: (-each.missing, each.symbol)):
        step = order.lot * order.last
        if order.missing > 0 and order.quantity + order.lot <= order.held and spent + step <= turnover:
            order.lots += 1
            spent += step


def _count_buys(orders: list[_Order], cash: Won, turnover: Won, room: _Room, fee_ppb: int) -> None:
    # Quotas are exact fractions of lots; scaled so that even unrounded they can be paid.
    quotas = {order.symbol: max(Fraction(0), order.missing) for order in orders}
    need = sum(quotas[o.symbol] * o.lot * o.limit * (PPB + fee_ppb) / PPB for o in orders)
    amount = sum(quotas[o.symbol] * o.lot * o.last for o in orders)
    part = min(
        [Fraction(1), *(Fraction(max(0, has)) / wants for has, wants in ((cash, need), (turnover, amount)) if wants)]
    )
    left, unspent = cash, min(int(amount), max(0, turnover))
    for order in orders:
        quota = quotas[order.symbol] = quotas[order.symbol] * part
        order.lots = min(int(quota), max(0, room.left(order.place)) // (order.lot * order.last))
        room.take(order.place, order.quantity * order.last)
        left -= int(scalar.reserve_buy(order.quantity, order.limit, fee_ppb))
        unspent -= order.quantity * order.last
    for order in sorted(orders, key=lambda each: (each.lots - quotas[each.symbol], each.symbol)):
        step = order.lot * order.last
        price = int(scalar.reserve_buy(order.quantity + order.lot, order.limit, fee_ppb)) - int(
            scalar.reserve_buy(order.quantity, order.limit, fee_ppb)
        )
        if order.lots < quotas[order.symbol] and price <= left and step <= min(unspent, room.left(order.place)):
            order.lots += 1
            left -= price
            unspent -= step
            room.take(order.place, step)


class _Room:
    """How many won each name, each sector and the whole may still grow by."""

    def __init__(self, request: Request, account: Account, sales: list[_Order]) -> None:
        worth = [account.shares.get(s, 0) * account.last.get(s, 0) for s in request.symbols]
        for order in sales:
            worth[order.place] -= order.quantity * order.last
        self._sector = [int(number) for number in request.sectors]
        tops = upper(request)
        self._names = [_won(account.equity, float(top)) - value for top, value in zip(tops, worth, strict=True)]
        self._sectors = [_won(account.equity, min(float(top), 1.0)) for top in sector_tops(request)]
        for number, value in zip(self._sector, worth, strict=True):
            if number >= 0:
                self._sectors[number] -= value
        self._whole = _won(account.equity, whole_top(request)) - sum(worth)

    def left(self, place: int) -> Won:
        """Return by how much a name may still grow."""
        free = min(self._names[place], self._whole)
        return min(free, self._sectors[self._sector[place]]) if self._sector[place] >= 0 else free

    def take(self, place: int, amount: Won) -> None:
        """Count an amount as bought."""
        self._names[place] -= amount
        self._whole -= amount
        if self._sector[place] >= 0:
            self._sectors[self._sector[place]] -= amount


def order_proposal(
    allocation: Allocation,
    request: Request,
    account: Account,
    rules: Rulebook,
    *,
    at: Instant,
    policy_id: str,
    collar_ticks: int = 2,
    spend_proceeds: bool = True,
) -> OrderProposal:
    """Return orders of whole lots that lead from an account toward an allocation.

    Parameters
    ----------
    collar_ticks : int
        Limit prices stand this many ticks beyond the last price, within the day's limits where the
        base price is known.
    spend_proceeds : bool
        Whether buys may count on the sales of the same proposal; the market settles both on the same day
        and lets proceeds buy again at once.
    """
    if account.equity <= 0:
        return OrderProposal(Proposal(f"{policy_id}@{at}", at, policy_id, {}), (), account.cash)
    turnover = _won(account.equity, request.limits.turnover_cap)
    sales = _orders(allocation, account, rules, Side.SELL, collar_ticks)
    _count_sales(sales, turnover)
    cash = account.cash
    for order in sales:
        amount = order.quantity * order.limit
        income = amount - int(scalar.charge(amount, rules.fee_ppb)) - int(scalar.charge(amount, order.tax_ppb))
        cash += income if spend_proceeds else 0
    buys = _orders(allocation, account, rules, Side.BUY, collar_ticks)
    sold = sum(order.quantity * order.last for order in sales)
    _count_buys(buys, cash, turnover - sold, _Room(request, account, sales), rules.fee_ppb)
    cash -= sum(int(scalar.reserve_buy(order.quantity, order.limit, rules.fee_ppb)) for order in buys)
    return _proposed(allocation, request, account, sales, buys, cash, at, policy_id)


def _proposed(
    allocation: Allocation, request: Request, account: Account, sales: list[_Order], buys: list[_Order],
    cash: Won, at: Instant, policy_id: str,
) -> OrderProposal:  # fmt: skip
    proposal_id = f"{policy_id}@{at}"
    opinion = np.where(np.isfinite(request.expected), request.expected, 0.0)
    targets: dict[Symbol, float] = {}
    scores: dict[Symbol, float] = {}
    legs: list[Leg] = []
    for order in [*sales, *sorted(buys, key=lambda each: (-opinion[each.place], each.symbol))]:
        if not order.lots:
            continue
        after = order.held + (order.quantity if order.side is Side.BUY else -order.quantity)
        # Half a won more: who turns the weight into shares by flooring finds exactly these shares again.
        weight = (after * order.last + 0.5) / account.equity if after else 0.0
        targets[order.symbol], scores[order.symbol] = weight, float(opinion[order.place])
        legs.append(
            Leg(f"{proposal_id}.{len(legs):02d}", proposal_id, order.symbol, order.side, order.quantity, order.limit,
                weight, scores[order.symbol])
        )  # fmt: skip
    ordered = dict(sorted(targets.items()))
    proposal = Proposal(proposal_id, at, policy_id, ordered, {s: scores[s] for s in ordered})
    return OrderProposal(proposal, tuple(legs), cash)
