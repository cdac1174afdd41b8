"""Many accounts on one market at once, bar by bar: the array twin of ``sim.Venue``.

Here: ``Batch``, a mutable state machine for learning and backtests. Supported: one working day
order per environment and symbol, market or limit, that rests to the end of its session or ends with
its first bar (IOC, FOK); no in-place change of price, no latency beyond the next bar. What it does not
support it refuses. Not here: policies, books with cost bases (``ledger``). Money is int64 won,
quantities are signed shares (buys positive).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import MarketRuleError, Text
from haetae.domain.market import Int64Array
from haetae.domain.units import Won
from haetae.sim.batch import kernels
from haetae.sim.batch.kernels import LOG_WIDTH, Accounts, Int8Array, Terms, frozen
from haetae.sim.batch.market import BatchMarket
from haetae.sim.settings import FillModel

FILL = np.dtype([(name, np.int64) for name in ("env", "bar", "symbol", "quantity", "price", "fee", "tax")])
"""One row of the fill log; ``symbol`` is the column of the panel, ``quantity`` signed."""

NO_SIGNAL = frozen(np.empty((0, 0)), np.int8)
NO_EQUITY = np.empty((0, 0), dtype=np.int64)


class Batch:
    """``n_envs`` accounts that trade one prepared market in step.

    Orders placed before ``advance(t)`` meet bar ``t`` first: place after looking at bar ``t - 1``.
    They live to the end of the session of the next bar and expire when a later one begins.

    Attributes
    ----------
    next_bar : int
        The bar that ``advance`` takes next.
    cash, fees, taxes : (n_envs,) int64, won
    shares, working : (n_envs, n_symbols) int64
        Shares held, and the open part of each working order (signed).
    """

    def __init__(
        self,
        market: BatchMarket,
        n_envs: int,
        cash: Won,
        model: FillModel | None = None,
        *,
        start: int = 0,
        keep_fills: bool = False,
    ) -> None:
        """Open the accounts; ``keep_fills`` keeps a log of every fill in ``fills``."""
        self.market = market
        self.model = model if model is not None else FillModel()
        self._terms = terms_of(market, self.model)
        self._first_cash = cash
        self._n_envs = n_envs
        self._keep = keep_fills
        self._turns = frozen(np.arange(len(market.panel.symbols))[None, :], np.int64)
        self._zeros = frozen(np.zeros((1, len(market.panel.symbols))), np.int64)
        self.reset(start)

    def reset(self, start: int = 0) -> None:
        """Begin again with cash only, so that bar ``start`` is the next one."""
        self._accounts = open_accounts(self._n_envs, len(self.market.panel.symbols), self._first_cash)
        self._log = np.empty((0, LOG_WIDTH), dtype=np.int64)
        self._count = 0
        self.next_bar = start

    @property
    def cash(self) -> Int64Array:
        """Trade-date cash per environment, won."""
        return self._accounts.money[:, kernels.CASH]

    @property
    def shares(self) -> Int64Array:
        """Shares held, ``(n_envs, n_symbols)``."""
        return self._accounts.shares

    @property
    def working(self) -> Int64Array:
        """Open part of the working orders, ``(n_envs, n_symbols)``, signed, 0 where there is none."""
        return self._accounts.quantity

    @property
    def reserved(self) -> Int64Array:
        """Cash tied up by working buys per environment, won."""
        return self._accounts.money[:, kernels.RESERVED]

    @property
    def fees(self) -> Int64Array:
        """Fees paid per environment, won."""
        return self._accounts.money[:, kernels.FEES]

    @property
    def taxes(self) -> Int64Array:
        """Sale taxes paid per environment, won."""
        return self._accounts.money[:, kernels.TAXES]

    @property
    def fills(self) -> NDArray[np.void]:
        """The log of fills so far, a structured array of ``FILL``; empty unless kept."""
        return as_fills(self._log[: self._count])

    def place(
        self,
        quantities: Int64Array,
        limits: Int64Array | None = None,
        *,
        turns: Int64Array | None = None,
        forces: Int64Array | None = None,
    ) -> Int8Array:
        """Send orders for the next bar; a new order first cancels the symbol's working one.

        Parameters
        ----------
        quantities : (n_envs, n_symbols) int64
            Signed shares, 0 leaves a working order alone.
        limits : (n_envs, n_symbols) or (1, n_symbols) int64, won, optional
            Limit prices, 0 for a market order; all are market orders by default.
        turns : (n_envs, n_symbols) or (1, n_symbols) int64, optional
            Columns in the order in which scarce cash is granted; by code if not given.
        forces : (n_envs, n_symbols) or (1, n_symbols) int64, optional
            ``kernels.REST``, ``IOC`` or ``FOK``; all rest by default. A call auction takes only orders that rest.

        Returns
        -------
        (n_envs, n_symbols) int8
            -1 where nothing was sent, 0 accepted, else a number of ``sim.admission``.
        """
        codes = np.empty(quantities.shape, dtype=np.int8)
        lives = self._rows(forces, self._zeros, "forces")
        kernels.place(*self._order_arguments(quantities, limits, turns), lives, codes)
        return codes

    def affordable(
        self, quantities: Int64Array, limits: Int64Array | None = None, *, turns: Int64Array | None = None
    ) -> Int64Array:
        """Return quantities cut to what ``place`` would admit, given cash and shares (same arguments)."""
        result = np.empty(quantities.shape, dtype=np.int64)
        kernels.clip(*self._order_arguments(quantities, limits, turns), result)
        return result

    def advance(self, t: int) -> None:
        """Let bar ``t`` happen; it must be ``next_bar``."""
        if t != self.next_bar or t >= len(self.market.panel):
            raise MarketRuleError(
                Text(ko=f"{t}번째 봉은 차례가 아닙니다", en=f"bar {t} is not the next one"),
                expected=f"bar {self.next_bar} of {len(self.market.panel)}",
                found=f"bar {t}",
                next_step="advance bar by bar, or reset to where the episode starts",
            )
        if self._keep and self._count + self.working.size > len(self._log):
            self._log = lengthened(self._log, self._count, self.working.size)
        _, self._count, _, _ = kernels.walk(
            self.market.frame, self._accounts, self._terms, t, t + 1, NO_SIGNAL, 0, NO_EQUITY, self._log, self._count
        )
        self.next_bar = t + 1

    def expire_day(self) -> None:
        """End the session: every working order expires."""
        self._accounts.quantity[...] = 0
        self._accounts.order[...] = 0
        self._accounts.money[:, kernels.RESERVED] = 0
        self._accounts.money[:, kernels.BUSY] = 0

    def equity(self, t: int) -> Int64Array:
        """Return cash plus shares at the closes of bar ``t``, ``(n_envs,)`` int64, won."""
        result = np.empty(self._n_envs, dtype=np.int64)
        kernels.worth(self.market.frame, self._accounts, t, result)
        return result

    def _order_arguments(
        self, quantities: Int64Array, limits: Int64Array | None, turns: Int64Array | None
    ) -> tuple[kernels.Frame, Accounts, Terms, int, Int64Array, Int64Array, Int64Array]:
        if quantities.shape != self.working.shape:
            raise ValueError(f"quantities have shape {quantities.shape}, expected {self.working.shape}")
        return (
            self.market.frame,
            self._accounts,
            self._terms,
            min(self.next_bar, len(self.market.panel) - 1),
            frozen(quantities, np.int64),
            self._rows(limits, self._zeros, "limits"),
            self._rows(turns, self._turns, "turns"),
        )

    def _rows(self, given: Int64Array | None, default: Int64Array, name: str) -> Int64Array:
        if given is None:
            return default
        if given.ndim != 2 or given.shape[0] not in (1, self._n_envs) or given.shape[1] != default.shape[1]:
            raise ValueError(f"{name} have shape {given.shape}, expected (1 or {self._n_envs}, {default.shape[1]})")
        return frozen(given, np.int64)


def terms_of(market: BatchMarket, model: FillModel) -> Terms:
    """Return the scalars of a fill model; raises ``MarketRuleError`` for what the twin lacks."""
    if model.latency_ns:
        raise MarketRuleError(
            Text(ko="배치 시뮬레이터는 지연 시간을 지원하지 않습니다", en="the batch simulator has no latency"),
            expected="latency_ns = 0",
            found=f"latency_ns = {model.latency_ns}",
            next_step="use sim.Venue for models with latency",
        )
    return Terms(market.fee_ppb, model.volume_share_ppm, model.slippage_ticks, model.touch)


def open_accounts(n_envs: int, n_symbols: int, cash: Won) -> Accounts:
    """Return accounts that hold cash only."""
    money = np.zeros((n_envs, 5), dtype=np.int64)
    money[:, kernels.CASH] = cash
    return Accounts(
        money=money,
        shares=np.zeros((n_envs, n_symbols), dtype=np.int64),
        quantity=np.zeros((n_envs, n_symbols), dtype=np.int64),
        order=np.zeros((n_envs, n_symbols, 5), dtype=np.int64),
    )


def lengthened(log: Int64Array, count: int, room: int) -> Int64Array:
    """Return a log of at least twice the length and ``room`` more rows, with its first ``count`` rows."""
    longer = np.empty((2 * len(log) + room, LOG_WIDTH), dtype=np.int64)
    longer[:count] = log[:count]
    return longer


def as_fills(log: Int64Array) -> NDArray[np.void]:
    """Return rows of the compiled log as a structured array of ``FILL``."""
    return np.ascontiguousarray(log).view(FILL).reshape(-1)
