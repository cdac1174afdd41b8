"""Compiled loops of the array twin: one working order per environment and symbol.

Here: limits of all days, matching a bar, admission, expiry, the walk of signals over a panel. Not
here: rules (``krx.scalar``), the fill model (``sim.matching``), admission (``sim.admission``), which
these loops call one value at a time, as ``sim.Venue`` does. Money is int64 won, quantities are
signed shares (buys positive).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array
from haetae.krx.scalar import affordable, charge, limit_prices, part_of, reserve_buy
from haetae.sim.admission import NO_BASE_PRICE, OK, check
from haetae.sim.matching import fill_price, volume_cap

Int8Array = NDArray[np.int8]
Int32Array = NDArray[np.int32]

LOG_WIDTH = 7


class Frame(NamedTuple):
    """Bars ``(n_bars, n_symbols)`` and rules ``(n_sessions, n_symbols)``; see ``BatchMarket``."""

    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array
    traded: BoolArray
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
    """State of all environments: ``(n_envs,)`` cash columns, ``(n_envs, n_symbols)`` the rest.

    ``quantity`` is the open part of the working order, signed, 0 if there is none; ``limit`` its
    price, 0 for market; ``held`` the cash it reserves; ``day`` the session it lives in.
    """

    cash: Int64Array
    reserved: Int64Array
    fees: Int64Array
    taxes: Int64Array
    shares: Int64Array
    quantity: Int64Array
    limit: Int64Array
    held: Int64Array
    day: Int32Array


class Terms(NamedTuple):
    """Scalars of the fill model and the commission."""

    fee_ppb: int
    share_ppm: int
    slippage: int
    touch: bool


@njit(cache=True)
def daily_limits(
    open_: Int64Array,
    high: Int64Array,
    low: Int64Array,
    close: Int64Array,
    traded: BoolArray,
    edges: Int64Array,
    bases: Int64Array,
    limit_bp: Int64Array,
    table: Int32Array,
    bounds: Int64Array,
    sizes: Int64Array,
) -> tuple[Int64Array, Int64Array]:
    """Return lowest and highest valid prices per session and symbol, 0 where nothing is known."""
    n_sessions, n_symbols = bases.shape
    lower = np.zeros((n_sessions, n_symbols), dtype=np.int64)
    upper = np.zeros((n_sessions, n_symbols), dtype=np.int64)
    previous = np.zeros(n_symbols, dtype=np.int64)
    for day in range(n_sessions):
        first = np.zeros(n_symbols, dtype=np.int64)
        top = np.zeros(n_symbols, dtype=np.int64)
        bottom = np.full(n_symbols, np.iinfo(np.int64).max, dtype=np.int64)
        last = previous.copy()
        for bar in range(edges[day, 0], edges[day, 1]):
            for s in range(n_symbols):
                if traded[bar, s]:
                    if first[s] == 0:
                        first[s] = open_[bar, s]
                    top[s] = max(top[s], high[bar, s])
                    bottom[s] = min(bottom[s], low[bar, s])
                    last[s] = close[bar, s]
        for s in range(n_symbols):
            base = bases[day, s] if bases[day, s] > 0 else (previous[s] if previous[s] > 0 else first[s])
            if base > 0:
                row = table[day, s]
                low_limit, high_limit = limit_prices(base, limit_bp[day, s], bounds[row], sizes[row])
                if top[s] > 0 and (bottom[s] < low_limit or top[s] > high_limit):
                    low_limit, high_limit = limit_prices(first[s], limit_bp[day, s], bounds[row], sizes[row])
                    low_limit = min(low_limit, bottom[s])
                    high_limit = max(high_limit, top[s])
                lower[day, s] = low_limit
                upper[day, s] = high_limit
        previous = last
    return lower, upper


@njit(cache=True)
def drop(accounts: Accounts, env: int, s: int) -> None:
    """Take a working order out of the book and free what it reserved."""
    accounts.reserved[env] -= accounts.held[env, s]
    accounts.held[env, s] = 0
    accounts.quantity[env, s] = 0


@njit(cache=True)
def match(
    frame: Frame, accounts: Accounts, terms: Terms, bar: int, env: int, s: int, log: Int64Array, count: int
) -> int:
    """Let one working order meet one bar; return the count of logged fills."""
    if not frame.traded[bar, s]:
        return count
    day = frame.session[bar]
    signed = accounts.quantity[env, s]
    sign = 1 if signed > 0 else -1
    row = frame.table[day, s]
    close = frame.close[bar, s]
    single = frame.one_price[bar]
    price = fill_price(
        sign,
        accounts.limit[env, s],
        close if single else frame.open[bar, s],
        close if single else frame.high[bar, s],
        close if single else frame.low[bar, s],
        frame.lower[day, s],
        frame.upper[day, s],
        terms.slippage,
        terms.touch,
        frame.bounds[row],
        frame.sizes[row],
    )
    if price == 0:
        return count
    filled = min(signed * sign, volume_cap(frame.volume[bar, s], terms.share_ppm, frame.lots[s]))
    if filled == 0:
        return count
    amount = filled * price
    fee = charge(amount, terms.fee_ppb)
    tax = charge(amount, frame.tax_ppb[day, s]) if sign < 0 else 0
    accounts.cash[env] -= sign * amount + fee + tax
    accounts.fees[env] += fee
    accounts.taxes[env] += tax
    accounts.shares[env, s] += sign * filled
    accounts.quantity[env, s] = signed - sign * filled
    if sign > 0:
        limit = accounts.limit[env, s]
        at = limit if limit != 0 else frame.upper[day, s]
        held = reserve_buy(signed - filled, at, terms.fee_ppb)
        accounts.reserved[env] += held - accounts.held[env, s]
        accounts.held[env, s] = held
    if count < log.shape[0]:
        log[count, 0] = env
        log[count, 1] = bar
        log[count, 2] = s
        log[count, 3] = sign * filled
        log[count, 4] = price
        log[count, 5] = fee
        log[count, 6] = tax
        count += 1
    return count


@njit(cache=True)
def advance(frame: Frame, accounts: Accounts, terms: Terms, bar: int, log: Int64Array, count: int) -> int:
    """Move one bar: expire orders of earlier sessions, match the rest; return the fill count."""
    n_envs, n_symbols = accounts.quantity.shape
    day = frame.session[bar]
    for env in range(n_envs):
        for s in range(n_symbols):
            if accounts.quantity[env, s] != 0:
                if accounts.day[env, s] < day:
                    drop(accounts, env, s)
                else:
                    count = match(frame, accounts, terms, bar, env, s, log, count)
    return count


@njit(cache=True)
def admit(frame: Frame, accounts: Accounts, terms: Terms, bar: int, env: int, s: int, signed: int, limit: int) -> int:
    """Replace the working order of a symbol by a new one for ``bar`` and later; return its code."""
    if accounts.quantity[env, s] != 0:
        drop(accounts, env, s)
    day = frame.session[bar]
    row = frame.table[day, s]
    sign = 1 if signed > 0 else -1
    code = check(
        sign,
        signed * sign,
        limit,
        frame.lower[day, s],
        frame.upper[day, s],
        frame.lots[s],
        accounts.cash[env] - accounts.reserved[env],
        accounts.shares[env, s],
        terms.fee_ppb,
        frame.bounds[row],
        frame.sizes[row],
    )
    if code == OK:
        accounts.quantity[env, s] = signed
        accounts.limit[env, s] = limit
        accounts.day[env, s] = day
        if sign > 0:
            held = reserve_buy(signed, limit if limit != 0 else frame.upper[day, s], terms.fee_ppb)
            accounts.held[env, s] = held
            accounts.reserved[env] += held
    return code


@njit(cache=True)
def place(
    frame: Frame,
    accounts: Accounts,
    terms: Terms,
    bar: int,
    quantities: Int64Array,
    limits: Int64Array,
    turns: Int64Array,
    codes: Int8Array,
) -> None:
    """Admit an order per non-zero quantity, in the order of ``turns``; write codes, -1 for none.

    ``limits`` has one row per environment, or a single row for all; ``turns`` likewise.
    """
    n_envs, n_symbols = quantities.shape
    for env in range(n_envs):
        limit_row = env if limits.shape[0] > 1 else 0
        turn_row = env if turns.shape[0] > 1 else 0
        for turn in range(n_symbols):
            s = turns[turn_row, turn]
            codes[env, s] = -1
            if quantities[env, s] != 0:
                codes[env, s] = admit(frame, accounts, terms, bar, env, s, quantities[env, s], limits[limit_row, s])


@njit(cache=True)
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
    for env in range(n_envs):
        limit_row = env if limits.shape[0] > 1 else 0
        turn_row = env if turns.shape[0] > 1 else 0
        cash = accounts.cash[env] - accounts.reserved[env]
        for turn in range(n_symbols):
            s = turns[turn_row, turn]
            wanted = quantities[env, s]
            result[env, s] = 0
            if wanted == 0:
                continue
            cash += accounts.held[env, s]
            if wanted < 0:
                result[env, s] = -(min(-wanted, accounts.shares[env, s]) // frame.lots[s] * frame.lots[s])
                continue
            limit = limits[limit_row, s]
            price = limit if limit != 0 else frame.upper[day, s]
            bought = min(wanted // frame.lots[s] * frame.lots[s], affordable(cash, price, terms.fee_ppb, frame.lots[s]))
            result[env, s] = bought
            cash -= reserve_buy(bought, price, terms.fee_ppb)


@njit(cache=True)
def worth(frame: Frame, accounts: Accounts, bar: int, result: Int64Array) -> None:
    """Write cash plus shares at the closes of a bar, per environment."""
    n_envs, n_symbols = accounts.shares.shape
    for env in range(n_envs):
        total = accounts.cash[env]
        for s in range(n_symbols):
            total += accounts.shares[env, s] * frame.close[bar, s]
        result[env] = total


@njit(cache=True)
def walk_signals(
    frame: Frame,
    accounts: Accounts,
    terms: Terms,
    signal: Int8Array,
    fraction_ppm: int,
    equity: Int64Array,
    log: Int64Array,
) -> tuple[Int64Array, int, int, int]:
    """Trade entries and exits of one account over all bars; return log, fills, orders, refusals."""
    n_bars, n_symbols = signal.shape
    count = 0
    orders = 0
    refused = 0
    for bar in range(n_bars):
        if count + n_symbols > log.shape[0]:
            longer = np.empty((2 * log.shape[0] + n_symbols, LOG_WIDTH), dtype=np.int64)
            longer[:count] = log[:count]
            log = longer
        count = advance(frame, accounts, terms, bar, log, count)
        worth(frame, accounts, bar, equity[bar : bar + 1])
        following = min(bar + 1, n_bars - 1)
        for s in range(n_symbols):
            wish = signal[bar, s]
            if wish == 0:
                continue
            signed = 0
            if wish > 0 and accounts.shares[0, s] == 0 and accounts.quantity[0, s] <= 0 and frame.close[bar, s] > 0:
                lot = frame.lots[s]
                signed = part_of(equity[bar], fraction_ppm * 1_000) // frame.close[bar, s] // lot * lot
            elif wish < 0 and accounts.quantity[0, s] >= 0:
                signed = -accounts.shares[0, s]
                if signed == 0 and accounts.quantity[0, s] > 0:
                    drop(accounts, 0, s)
            if signed != 0:
                code = admit(frame, accounts, terms, following, 0, s, signed, 0)
                orders += code == OK
                refused += code != OK and code != NO_BASE_PRICE
    return log, count, orders, refused
