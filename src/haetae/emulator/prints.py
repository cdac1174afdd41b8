"""Texts of trade records, straight from a row of the tape.

Here: ``trade_texts``, the hot path of the trade stream: one text for each symbol that traded, without a record
object in between. ``TradeRecord.encode`` is the oracle it is tested against. Not here: frames and sessions (``hub``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haetae.domain.units import Symbol, hhmmss_of, yyyymmdd
from haetae.emulator.session import Printed
from haetae.kis.wire.frames import TRADES, Revision


def _sign(change: int) -> str:
    return "2" if change > 0 else "5" if change < 0 else "3"


def print_clock(session: Printed, row: int) -> int:
    """Return the wall-clock time of a tape row's prints: its last second, and the close for the closing auction."""
    end = int(session.tape.end[row])
    return hhmmss_of(end if end >= session.rules.session.close_at else end - 1)


def trade_texts(
    session: Printed, row: int, symbols: Sequence[Symbol], columns: Sequence[int], revision: Revision
) -> dict[Symbol, str]:
    """Return the record text of every given symbol that traded in a tape row.

    Parameters
    ----------
    symbols, columns : sequences of the same length
        Names, and where they stand in the tape.
    """
    tape, places = session.tape, np.asarray(columns)
    parts = (tape.price, tape.volume, tape.cumulative, tape.turnover, tape.opened, tape.high, tape.low)
    lists = [part[row][places].tolist() for part in parts]
    lists += [part[places].tolist() for part in (*session.best(row), session.base)]
    clock, day = f"{print_clock(session, row):06d}", yyyymmdd(session.day)
    tail = "^2" if TRADES.widths[revision] > TRADES.widths[Revision.LEGACY] else ""
    texts: dict[Symbol, str] = {}
    for symbol, price, volume, total, turnover, opened, high, low, ask, bid, size, base in zip(
        symbols, *lists, strict=True
    ):
        if not volume:
            continue
        change, up, below, above = price - base, price - opened, price - high, price - low
        texts[symbol] = (
            f"{symbol}^{clock}^{price}^{_sign(change)}^{change}^{100 * change / base if base else 0:.2f}^"
            f"{turnover / total:.2f}^{opened}^{high}^{low}^{ask}^{bid}^{volume}^{total}^{turnover}^0^0^0^100.00^0^0^"
            f"{'1' if price >= ask else '5'}^0.50^0.00^090000^{_sign(up)}^{up}^{clock}^{_sign(below)}^{below}^{clock}^"
            f"{_sign(above)}^{above}^{day}^20^N^{size}^{size}^{size}^{size}^0.00^0^0.00^0^^{base}{tail}"
        )
    return texts
