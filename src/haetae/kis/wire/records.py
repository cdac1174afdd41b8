"""Typed records of the real-time streams, both directions: trade, order book, execution notice.

Prices are won, quantities shares, ``clock`` is KST wall-clock time as digits (``93000``), seconds are the finest
resolution KIS sends. ``encode`` gives the texts of one record for a schema revision, ``decode`` reads a record of
any revision: only fields at the front are read, so later additions at the end never shift a column.
During call auctions the trade stream is silent; the closing price comes as one trade at 15:30:00.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from haetae.domain.errors import WireError
from haetae.domain.orders import Side
from haetae.domain.units import Shares, Symbol, Won, day_from, yyyymmdd
from haetae.kis.wire.digits import clock_of, padded, signed, symbol_of, whole, whole_or_0
from haetae.kis.wire.frames import BOOKS, NOTICES, TRADES, Revision

_DEPTH = 10
_NOTICE_PRICE, _LEGACY_NOTICE_PRICE = 25, 22
"""Where the order's price stands in a notice of 26 or more values, and in one of 23."""


def fault_of(tr: str, values: Sequence[str], fault: Exception) -> WireError:
    """Return what a record that does not parse is raised as."""
    return WireError(
        f"{tr}: record of {values[0] if values else '?'} does not parse: {fault}",
        expected="numbers where the field table has numbers",
        found="^".join(values)[:120],
        next_step="keep the frame; the schema of this stream may have changed",
    )


def sign_of(change: int) -> str:
    """Return PRDY_VRSS_SIGN of a change inside the limits: 2 up, 5 down, 3 flat."""
    return "2" if change > 0 else "5" if change < 0 else "3"


@dataclass(frozen=True, slots=True)
class TradeRecord:
    """One print of H0STCNT0 with the day's running figures.

    ``cumulative_turnover`` is won; ``open``, ``high`` and ``low`` are of the day so far; ``base`` is the price that
    changes are counted from (the previous close); ``halted`` is the halt flag of the symbol; ``vi_reference`` is the
    price a static interruption is counted from (0 where it is not known); ``market_class`` tells pre-market 1, regular
    2, aftermarket 3, closing price 5 and is blank from servers that do not send it.
    """

    symbol: Symbol
    day: dt.date
    clock: int
    price: Won
    volume: Shares
    cumulative_volume: Shares
    cumulative_turnover: Won
    open: Won
    high: Won
    low: Won
    ask: Won
    bid: Won
    ask_size: Shares
    bid_size: Shares
    base: Won
    halted: bool = False
    vi_reference: Won = 0
    market_class: str = "2"

    def encode(self, revision: Revision = Revision.SEPTEMBER_2026) -> list[str]:
        """Return 46 or 47 texts."""
        price, base = self.price, self.base
        change = price - base
        rate = f"{100 * change / base:.2f}" if base else "0.00"
        average = f"{self.cumulative_turnover / self.cumulative_volume:.2f}" if self.cumulative_volume else "0"
        clock = f"{self.clock:06d}"
        side = "1" if price >= self.ask else "5"
        since = [price - self.open, price - self.high, price - self.low]
        values = [
            *(self.symbol, clock, str(price), sign_of(change), str(change), rate, average),
            *(str(self.open), str(self.high), str(self.low), str(self.ask), str(self.bid), str(self.volume)),
            *(str(self.cumulative_volume), str(self.cumulative_turnover), "0", "0", "0", "100.00", "0", "0"),
            *(side, "0.50", "0.00"),
            *("090000", sign_of(since[0]), str(since[0]), clock, sign_of(since[1]), str(since[1])),
            *(clock, sign_of(since[2]), str(since[2]), str(yyyymmdd(self.day)), "20", "Y" if self.halted else "N"),
            *(str(self.ask_size), str(self.bid_size), str(self.ask_size), str(self.bid_size), "0.00", "0", "0.00"),
            *("0", "", str(self.vi_reference or "")),
        ]
        return values if TRADES.widths[revision] == len(values) else [*values, self.market_class]

    @classmethod
    def decode(cls, values: Sequence[str]) -> TradeRecord:
        """Return the trade of one record; raises ``WireError``."""
        try:
            price, volume, total = whole(values[2]), whole(values[12]), whole(values[13])
            if price < 1 or total < volume:
                raise ValueError(f"price {price}, volume {volume} of {total}")
            return cls(
                symbol_of(values[0]),
                day_from(whole(values[33])),
                clock_of(values[1]),
                price,
                volume,
                total,
                whole(values[14]),
                whole(values[7]),
                whole(values[8]),
                whole(values[9]),
                whole_or_0(values[10]),
                whole_or_0(values[11]),
                whole_or_0(values[36]),
                whole_or_0(values[37]),
                price - signed(values[4]),
                values[35] == "Y",
                whole_or_0(values[45]),
                values[46] if len(values) > TRADES.least_width else "",
            )
        except (ValueError, IndexError) as fault:
            raise fault_of(TRADES.real, values, fault) from fault


@dataclass(frozen=True, slots=True)
class BookRecord:
    """Ten levels of H0STASP0, best first; a missing level is price 0 and size 0."""

    symbol: Symbol
    clock: int
    asks: tuple[Won, ...]
    bids: tuple[Won, ...]
    ask_sizes: tuple[Shares, ...]
    bid_sizes: tuple[Shares, ...]
    cumulative_volume: Shares = 0

    def encode(self, revision: Revision = Revision.SEPTEMBER_2026) -> list[str]:
        """Return 59 or 60 texts."""
        levels = (self.asks, self.bids, self.ask_sizes, self.bid_sizes)
        texts = [str(cell) for level in levels for cell in (*level, *(0,) * (_DEPTH - len(level)))]
        totals = [str(sum(self.ask_sizes)), str(sum(self.bid_sizes))]
        values = [self.symbol, f"{self.clock:06d}", "0", *texts, *totals, "0", "0", "0", "0", "0", "0", "3", "0.00"]
        values += [str(self.cumulative_volume), "0", "0", "0", "0", "0"]
        return values if BOOKS.widths[revision] == len(values) else [*values, "2"]

    @classmethod
    def decode(cls, values: Sequence[str]) -> BookRecord:
        """Return the book of one record; raises ``WireError``."""
        try:
            cells = [whole_or_0(text) for text in values[3:43]]
            if len(cells) != 4 * _DEPTH:
                raise ValueError(f"{len(cells)} of {4 * _DEPTH} levels")
            return cls(
                symbol_of(values[0]),
                clock_of(values[1]),
                tuple(cells[0:10]),
                tuple(cells[10:20]),
                tuple(cells[20:30]),
                tuple(cells[30:40]),
                whole_or_0(values[53]),
            )
        except (ValueError, IndexError) as fault:
            raise fault_of(BOOKS.real, values, fault) from fault


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """One execution notice (H0STCNI0, mock H0STCNI9).

    ``executed`` tells a fill (CNTG_YN 2) from a receipt of an order, change, cancel or refusal (1); in receipts
    ``quantity`` is the order's, so receipts never count as fills. ``change`` is 0 normal, 1 modify, 2 cancel;
    ``acceptance`` 1 received, 2 confirmed, 3 cancelled by its own condition (IOC, FOK).
    """

    customer: str
    account: str
    number: int
    original: int
    side: Side
    symbol: Symbol
    quantity: Shares
    price: Won
    clock: int
    executed: bool
    order_quantity: Shares
    order_price: Won = 0
    change: str = "0"
    kind: str = "00"
    condition: str = "0"
    refused: bool = False
    acceptance: str = "1"
    branch: str = "00950"
    name: str = ""

    def encode(self, revision: Revision = Revision.SEPTEMBER_2026) -> list[str]:
        """Return 23 or 26 texts."""
        original = f"{self.original:010d}" if self.original else ""
        front = [
            *(self.customer, self.account, f"{self.number:010d}", original),
            *("01" if self.side is Side.SELL else "02", self.change, self.kind, self.condition, self.symbol),
            *(f"{self.quantity:010d}", f"{self.price:09d}", f"{self.clock:06d}", "1" if self.refused else "0"),
            *("2" if self.executed else "1", self.acceptance, self.branch, f"{self.order_quantity:09d}", self.customer),
        ]
        tail = ["10", "", self.name, f"{self.order_price:09d}"]
        if NOTICES.widths[revision] == len(front) + 5:
            return [*front, self.name, *tail]
        return [*front, "0", "1", "N", "", *tail]

    @classmethod
    def decode(cls, values: Sequence[str]) -> NoticeRecord:
        """Return the notice of one record of any width; raises ``WireError``."""
        try:
            # Four fields took the place of one in 2025-03; whatever comes later comes after the price.
            last = _NOTICE_PRICE if len(values) > _NOTICE_PRICE else _LEGACY_NOTICE_PRICE
            return cls(
                customer=values[0],
                account=values[1],
                number=whole(values[2].strip()),
                original=padded(values[3]),
                side=Side.SELL if values[4] == "01" else Side.BUY,
                change=values[5],
                kind=values[6],
                condition=values[7],
                symbol=symbol_of(values[8].strip()),
                quantity=padded(values[9]),
                price=padded(values[10]),
                clock=clock_of(values[11].strip()),
                refused=values[12] == "1",
                executed=values[13] == "2",
                acceptance=values[14],
                branch=values[15],
                order_quantity=padded(values[16]),
                order_price=padded(values[last]),
                name=values[last - 1],
            )
        except (ValueError, IndexError) as fault:
            raise fault_of(NOTICES.real, ["notice", *values[2:9]], fault) from fault
