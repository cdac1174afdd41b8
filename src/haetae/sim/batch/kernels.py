"""Compiled loops of the array twin: one working order per environment and symbol.

Here: matching a bar, admission, expiry, the walk of signals over a panel. Not here: rules
(``krx.scalar``), the fill model (``sim.matching``), admission (``sim.admission``), which these loops
call one value at a time, as ``sim.Venue`` does; the daily limits (`limits`). Money is int64 won,
quantities are signed shares (buys positive).

``walk`` is one long loop on purpose: handing its arrays to an inner function per order costs a
reference count per array, which is more than the arithmetic of the order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array
from haetae.krx.scalar import affordable, charge_next, part_of, reserve_buy, whole_lots
from haetae.sim.admission import HALTED, NOT_IN_AUCTION, OK, check
from haetae.sim.batch.prefetch import prefetch
from haetae.sim.matching import fill_price, volume_cap

Int8Array = NDArray[np.int8]
Int32Array = NDArray[np.int32]

LOG_WIDTH = 7

CASH, RESERVED, FEES, TAXES, BUSY = range(5)
"""Columns of ``Accounts.money``; ``BUSY`` counts working orders."""

LIMIT, HELD, DAY, PAID, FORCE = range(5)
"""Columns of ``Accounts.order``: price (0 is market), cash reserved, session it lives in, won executed, its life."""

REST, IOC, FOK = range(3)
"""Values of ``FORCE``: the order rests to the end of its session, or its first bar decides."""


class Frame(NamedTuple):
    """Bars ``(n_bars, n_symbols)`` and rules ``(n_sessions, n_symbols)``; see ``BatchMarket``.

    ``traded`` is False in halted bars too: nothing fills there. ``halted`` has no rows where nothing is halted.
    """

    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array
    traded: BoolArray
    halted: BoolArray
    session: Int32Array
    one_price: BoolArray
    lower: Int64Array
    upper: Int64Array
    tax_ppb: Int64Array
    table: Int32Array
    bounds: Int64Array
    sizes: Int64Array
    lots: Int64Array


class Accounts(NamedTuple):
    """State of all environments.

    ``money`` is (n_envs, 5), ``shares`` and ``quantity`` are (n_envs, n_symbols), ``order`` is
    (n_envs, n_symbols, 5). ``quantity`` is the open part of the working order, 0 if there is none.
    """

    money: Int64Array
    shares: Int64Array
    quantity: Int64Array
    order: Int64Array


class Terms(NamedTuple):
    """Scalars of the fill model and the commission."""

    fee_ppb: int
    share_ppm: int
    slippage: int
    touch: bool


def frozen(array: NDArray[Any], kind: type[np.generic]) -> NDArray[Any]:
    """Return a contiguous read-only view of one type, so each loop is compiled once only."""
    view = np.ascontiguousarray(array, dtype=kind).view()
    view.flags.writeable = False
    return view


@njit(cache=True, error_model="numpy", inline="always")
def drop(money: Int64Array, quantity: Int64Array, order: Int64Array, env: int, s: int) -> None:
    """Take a working order out of the book and free what it reserved."""
    money[env, RESERVED] -= order[env, s, HELD]
    money[env, BUSY] -= 1
    order[env, s, HELD] = 0
    quantity[env, s] = 0


@njit(cache=True, error_model="numpy", inline="always")
def admit(
    lower: Int64Array,
    upper: Int64Array,
    table: Int32Array,
    bounds: Int64Array,
    sizes: Int64Array,
    lots: Int64Array,
    money: Int64Array,
    shares: Int64Array,
    quantity: Int64Array,
    order: Int64Array,
    fee_ppb: int,
    day: int,
    env: int,
    s: int,
    signed: int,
    limit: int,
    force: int,
) -> int:
    """Replace the working order of a symbol by a new one that lives in a session; return its code."""
    sign = 1 if signed > 0 else -1
    code = check(
        sign,
        signed * sign,
        limit,
        lower[day, s],
        upper[day, s],
        lots[s],
        money[env, CASH] - money[env, RESERVED],
        shares[env, s],
        fee_ppb,
        bounds,
        sizes,
        table[day, s],
    )
    if code == OK:
        quantity[env, s] = signed
        order[env, s, LIMIT] = limit
        order[env, s, DAY] = day
        order[env, s, PAID] = 0
        order[env, s, FORCE] = force
        money[env, BUSY] += 1
        if sign > 0:
            held = reserve_buy(signed, limit if limit != 0 else upper[day, s], fee_ppb)
            order[env, s, HELD] = held
            money[env, RESERVED] += held
    return code


@njit(cache=True, error_model="numpy")
def place(
    frame: Frame,
    accounts: Accounts,
    terms: Terms,
    bar: int,
    quantities: Int64Array,
    limits: Int64Array,
    turns: Int64Array,
    forces: Int64Array,
    codes: Int8Array,
) -> None:
    """Admit an order per non-zero quantity, in the order of ``turns``; write codes, -1 for none.

    ``limits`` has one row per environment, or a single row for all; ``turns`` and ``forces`` likewise.
    """
    lower, upper, table = frame.lower, frame.upper, frame.table
    bounds, sizes, lots = frame.bounds, frame.sizes, frame.lots
    money, shares, quantity, order = accounts.money, accounts.shares, accounts.quantity, accounts.order
    n_envs, n_symbols = quantities.shape
    day = frame.session[bar]
    halts = frame.halted.shape[0] > 0
    for env in range(n_envs):
        limit_row = env if limits.shape[0] > 1 else 0
        turn_row = env if turns.shape[0] > 1 else 0
        force_row = env if forces.shape[0] > 1 else 0
        for turn in range(n_symbols):
            s = turns[turn_row, turn]
            codes[env, s] = -1
            if quantities[env, s] == 0:
                continue
            if quantity[env, s] != 0:
                drop(money, quantity, order, env, s)
            if halts and frame.halted[bar, s]:
                codes[env, s] = HALTED
            elif forces[force_row, s] != REST and frame.one_price[bar]:
                codes[env, s] = NOT_IN_AUCTION
            else:
                codes[env, s] = admit(
                    lower, upper, table, bounds, sizes, lots, money, shares, quantity, order, terms.fee_ppb,
                    day, env, s, quantities[env, s], limits[limit_row, s], forces[force_row, s],
                )  # fmt: skip


@njit(cache=True, error_model="numpy")
def clip(
    frame: Frame,
    accounts: Accounts,
    terms: Terms,
    bar: int,
    quantities: Int64Array,
    limits: Int64Array,
    turns: Int64Array,
    result: Int64Array,
) -> None:
    """Cut quantities to what ``place`` would admit for cash and shares, in the order of ``turns``."""
    n_envs, n_symbols = quantities.shape
    day = frame.session[bar]
    halts = frame.halted.shape[0] > 0
    for env in range(n_envs):
        limit_row = env if limits.shape[0] > 1 else 0
        turn_row = env if turns.shape[0] > 1 else 0
        cash = accounts.money[env, CASH] - accounts.money[env, RESERVED]
        for turn in range(n_symbols):
            s = turns[turn_row, turn]
            lot = frame.lots[s]
            wanted = quantities[env, s]
            freed = accounts.order[env, s, HELD]
            admitted = 0
            if halts and frame.halted[bar, s]:
                wanted = 0
            if wanted < 0:
                admitted = -whole_lots(min(-wanted, accounts.shares[env, s]), lot)
            elif wanted > 0:
                limit = limits[limit_row, s]
                price = limit if limit != 0 else frame.upper[day, s]
                admitted = min(whole_lots(wanted, lot), affordable(cash + freed, price, terms.fee_ppb, lot))
                if admitted > 0:
                    cash -= reserve_buy(admitted, price, terms.fee_ppb)
            if admitted != 0:
                cash += freed
            result[env, s] = admitted


@njit(cache=True, error_model="numpy")
def worth(frame: Frame, accounts: Accounts, bar: int, result: Int64Array) -> None:
    """Write cash plus shares at the closes of a bar, per environment."""
    close, money, shares = frame.close, accounts.money, accounts.shares
    n_envs, n_symbols = shares.shape
    for env in range(n_envs):
        total = money[env, CASH]
        for s in range(n_symbols):
            total += shares[env, s] * close[bar, s]
        result[env] = total


@njit(cache=True, error_model="numpy")
def walk(
    frame: Frame,
    accounts: Accounts,
    terms: Terms,
    first_bar: int,
    end_bar: int,
    signal: Int8Array,
    fraction_ppm: int,
    equity: Int64Array,
    log: Int64Array,
    count: int,
) -> tuple[int, int, int, int]:
    """Move bars ``first_bar <= bar < end_bar``; with a signal, trade entries and exits on the way.

    For each bar and environment: working orders of earlier sessions expire, the others meet the bar
    (those that may not rest end with it); then, if ``signal`` has rows, equity is marked at the closes
    and orders are sent that meet the next bar first. ``log`` takes fills as long as it has rows; with a
    signal the walk stops before a bar for which it might have too few, so that the caller can go on from
    there with a longer one (an array made in here would take as long to compile as all the rest).
    Return the bar after the last one moved, fills in the log, orders taken, orders refused.
    """
    open_, high, low, close, volume = frame.open, frame.high, frame.low, frame.close, frame.volume
    traded, lower, upper, tax_ppb = frame.traded, frame.lower, frame.upper, frame.tax_ppb
    table, bounds, sizes, lots = frame.table, frame.bounds, frame.sizes, frame.lots
    session, one_price, halted = frame.session, frame.one_price, frame.halted
    money, shares, quantity, order = accounts.money, accounts.shares, accounts.quantity, accounts.order
    fee_ppb, share_ppm, slippage, touch = terms
    n_envs, n_symbols = quantity.shape
    signals = signal.shape[0] > 0
    halts = halted.shape[0] > 0
    orders = 0
    refused = 0
    for bar in range(first_bar, end_bar):
        if signals and count + n_envs * n_symbols > log.shape[0]:
            return bar, count, orders, refused
        day = session[bar]
        single = one_price[bar]
        for env in range(n_envs):
            if money[env, BUSY] != 0:
                for s in range(n_symbols):
                    signed = quantity[env, s]
                    if signed == 0:
                        continue
                    if order[env, s, DAY] < day:
                        drop(money, quantity, order, env, s)
                        continue
                    sign = 1 if signed > 0 else -1
                    limit = order[env, s, LIMIT]
                    price = 0
                    filled = 0
                    if traded[bar, s]:
                        price = fill_price(
                            sign,
                            limit,
                            close[bar, s] if single else open_[bar, s],
                            close[bar, s] if single else high[bar, s],
                            close[bar, s] if single else low[bar, s],
                            lower[day, s],
                            upper[day, s],
                            slippage,
                            touch,
                            bounds,
                            sizes,
                            table[day, s],
                        )
                    force = order[env, s, FORCE]
                    if price != 0:
                        filled = min(signed * sign, volume_cap(volume[bar, s], share_ppm, lots[s]))
                        if force == FOK and filled < signed * sign:
                            filled = 0
                    if filled == 0:
                        if force != REST:
                            drop(money, quantity, order, env, s)
                        continue
                    left = signed - sign * filled
                    amount = filled * price
                    before = order[env, s, PAID]
                    fee = charge_next(before, amount, fee_ppb)
                    tax = charge_next(before, amount, tax_ppb[day, s]) if sign < 0 else 0
                    order[env, s, PAID] = before + amount
                    money[env, CASH] -= sign * amount + fee + tax
                    money[env, FEES] += fee
                    money[env, TAXES] += tax
                    money[env, BUSY] -= left == 0
                    shares[env, s] += sign * filled
                    quantity[env, s] = left
                    if sign > 0:
                        held = reserve_buy(left, limit if limit != 0 else upper[day, s], fee_ppb, before + amount)
                        money[env, RESERVED] += held - order[env, s, HELD]
                        order[env, s, HELD] = held
                    if left != 0 and force != REST:
                        drop(money, quantity, order, env, s)
                    if count < log.shape[0]:
                        log[count, 0] = env
                        log[count, 1] = bar
                        log[count, 2] = s
                        log[count, 3] = sign * filled
                        log[count, 4] = price
                        log[count, 5] = fee
                        log[count, 6] = tax
                        count += 1
            if not signals:
                continue
            total = money[env, CASH]
            for s in range(n_symbols):
                total += shares[env, s] * close[bar, s]
            equity[bar, env] = total
            next_bar = min(bar + 1, session.shape[0] - 1)
            following = session[next_bar]
            for s in range(n_symbols):
                wish = signal[bar, s]
                if wish == 0:
                    continue
                signed = 0
                if wish > 0 and shares[env, s] == 0 and quantity[env, s] <= 0 and close[bar, s] > 0:
                    signed = whole_lots(part_of(total, fraction_ppm * 1_000) // close[bar, s], lots[s])
                elif wish < 0 and quantity[env, s] >= 0:
                    signed = -shares[env, s]
                    if signed == 0 and quantity[env, s] > 0:
                        drop(money, quantity, order, env, s)
                if signed != 0:
                    if quantity[env, s] != 0:
                        drop(money, quantity, order, env, s)
                    code = HALTED
                    if not (halts and halted[next_bar, s]):
                        code = admit(
                            lower, upper, table, bounds, sizes, lots, money, shares, quantity, order,
                            fee_ppb, following, env, s, signed, 0, REST,
                        )  # fmt: skip
                    if code == OK:
                        orders += 1
                        if bar + 1 < end_bar:
                            prefetch(open_, bar + 1, s)
                            prefetch(high, bar + 1, s)
                            prefetch(low, bar + 1, s)
                            prefetch(volume, bar + 1, s)
                            prefetch(traded, bar + 1, s)
                    refused += code != OK
    return end_bar, count, orders, refused
