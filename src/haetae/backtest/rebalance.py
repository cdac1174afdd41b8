"""From target weights to whole-share orders: the one place where floats become shares.

Here: how many shares a weight means, and how an account is walked there by market orders, bar after
bar. Backtests and learning run these lines. Not here: matching and admission (``sim.batch``), the
live day's legs with their price collar (``execution``).

Rounding, in this order: a weight becomes whole parts per million (``rint``); investable equity is
equity without the cash floor, floored to a won; shares are ``investable * ppm // 10**6 // close``,
then whole lots. Everything after the first step is integer arithmetic, so it gives the same shares
on every machine. Exact up to an equity of 9e12 won.

Cash: the broker reserves a market buy at the upper price limit, so buys are scaled together to what
cash can reserve (never one name at the cost of another) and asked again each bar as sales bring
money in. So sells come before the buys they pay for, and cash cannot become negative.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.market import Int64Array
from haetae.domain.units import Won
from haetae.krx.scalar import reserve_buy, whole_lots
from haetae.sim.batch import Batch

PPM = 1_000_000


@njit(cache=True)
def desired_shares(
    targets: NDArray[np.float64],
    equity: Int64Array,
    close: Int64Array,
    shares: Int64Array,
    lots: Int64Array,
    floor_ppm: int,
    min_order: int,
    desired: Int64Array,
) -> None:
    """Write the shares that weights mean; see the module for the rounding.

    Parameters
    ----------
    targets : (n_envs, n_symbols) float64
        NaN leaves ``desired`` as it was; below 0 counts as 0.
    equity : (n_envs,) int64, won
    close, lots : (n_symbols,) int64
        Where ``close`` is 0 (never traded) nothing changes.
    shares, desired : (n_envs, n_symbols) int64
    floor_ppm, min_order : parts per million of equity kept in cash; won below which nothing is done
    """
    for env in range(targets.shape[0]):
        investable = equity[env] - equity[env] * floor_ppm // PPM
        for s in range(targets.shape[1]):
            weight = targets[env, s]
            if np.isnan(weight) or close[s] <= 0:
                continue
            ppm = np.int64(np.rint(max(weight, 0.0) * PPM))
            wanted = whole_lots(investable * ppm // PPM // close[s], lots[s])
            held = shares[env, s]
            if wanted != 0 and abs(wanted - held) * close[s] < min_order:
                wanted = held
            desired[env, s] = wanted


@njit(cache=True)
def orders_towards(
    desired: Int64Array,
    shares: Int64Array,
    cash: Int64Array,
    upper: Int64Array,
    lots: Int64Array,
    fee_ppb: int,
    orders: Int64Array,
) -> int:
    """Write signed market orders from what is held to what is desired; return how many there are.

    Parameters
    ----------
    cash : (n_envs,) int64, won
        Free cash, nothing reserved.
    upper : (n_symbols,) int64, won
        Upper price limit of the day, at which buys are reserved; 0 where nothing can be bought.
    """
    count = 0
    for env in range(desired.shape[0]):
        need = 0
        for s in range(desired.shape[1]):
            change = desired[env, s] - shares[env, s]
            if change > 0 and upper[s] <= 0:
                change = 0
            orders[env, s] = change
            if change > 0:
                need += reserve_buy(change, upper[s], fee_ppb)
            count += change != 0
        if need <= cash[env]:
            continue
        part = max(cash[env], 0) * PPM // need
        for s in range(desired.shape[1]):
            if orders[env, s] > 0:
                orders[env, s] = whole_lots(orders[env, s] * part // PPM, lots[s])
                count -= orders[env, s] == 0
    return count


class Rebalancer:
    """Walks the accounts of a ``Batch`` towards target weights with market orders.

    Call ``decide`` after a bar, ``work`` before each of the next bars, ``give_up`` when the time for
    it is over. A new decision replaces one still being worked only for the symbols it names; what
    was given up is dropped.

    Attributes
    ----------
    orders, ordered : int
        Orders and shares asked for so far; an order renewed for the next bar counts once.
    """

    def __init__(self, batch: Batch, *, cash_floor_ppm: int = 0, min_order_won: Won = 0) -> None:
        self._batch = batch
        self._floor_ppm = cash_floor_ppm
        self._min_order = min_order_won
        self._desired = np.zeros_like(batch.shares)
        self._sent = np.zeros_like(batch.shares)
        self._given_up = True
        self.orders = 0
        self.ordered = 0

    def reset(self) -> None:
        """Forget everything: the accounts hold cash only."""
        self._given_up = True
        self.orders = self.ordered = 0

    def decide(self, targets: NDArray[np.float64], row: int) -> None:
        """Take target weights ``(n_envs, n_symbols)`` decided on the closes of a bar."""
        batch = self._batch
        frame = batch.market.frame
        if self._given_up:
            self._desired[...] = batch.shares
            self._given_up = False
        desired_shares(
            np.ascontiguousarray(targets, dtype=np.float64),
            batch.equity(row),
            frame.close[row],
            batch.shares,
            frame.lots,
            self._floor_ppm,
            self._min_order,
            self._desired,
        )
        fresh = ~np.isnan(targets) & (self._desired != batch.shares)
        self.orders += int(fresh.sum())
        self.ordered += int(np.abs(self._desired - batch.shares)[fresh].sum())

    @property
    def arrived(self) -> bool:
        """Whether every account holds what it wants."""
        return bool(np.array_equal(self._desired, self._batch.shares))

    def work(self) -> int:
        """Replace the working orders by what is still missing; return how many were sent."""
        batch = self._batch
        market = batch.market
        batch.expire_day()
        count = orders_towards(
            self._desired,
            batch.shares,
            batch.cash,
            market.frame.upper[market.frame.session[min(batch.next_bar, len(market.panel) - 1)]],
            market.frame.lots,
            market.fee_ppb,
            self._sent,
        )
        if count:
            batch.place(self._sent)
        return count

    def give_up(self) -> None:
        """Stop asking; orders still working live on to the end of the session or the next decision."""
        self._given_up = True
