"""Texts of trade records, straight from a row of the tape.

Here: ``TradeTexts``, the hot path of the trade stream: one text for each symbol that traded, without a record
object in between. ``TradeRecord.encode`` is the oracle it is tested against. Not here: frames and sessions (``hub``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haetae.domain.market import Int64Array
from haetae.domain.units import Symbol, hhmmss_of, yyyymmdd
from haetae.emulator.session import Printed
from haetae.emulator.tape import Tape
from haetae.kis.wire.frames import TRADES, Revision


def _sign(change: int) -> str:
    return "2" if change > 0 else "5" if change < 0 else "3"


def print_clock(session: Printed, row: int) -> int:
    """Return the wall-clock time of a tape row's prints: its last second, and the close for the closing auction."""
    end = int(session.tape.end[row])
    return hhmmss_of(end if session.in_minutes and end >= session.rules.session.close_at else end - 1)


class TradeTexts:
    """Writes the records of the sessions it is given, a row at a time."""

    def __init__(self) -> None:
        """Nothing is known of any session yet."""
        self._references: tuple[Tape | None, Int64Array] = (None, np.zeros((0, 0), dtype=np.int64))

    def of_row(
        self, session: Printed, row: int, symbols: Sequence[Symbol], columns: Sequence[int], revision: Revision
    ) -> dict[Symbol, str]:
        """Return the record text of every given symbol that traded in a tape row.

        Parameters
        ----------
        symbols, columns : sequences of the same length
            Names, and where they stand in the tape.
        """
        tape, places = session.tape, np.asarray(columns, dtype=np.int64)
        parts = (tape.price, tape.volume, tape.cumulative, tape.turnover, tape.opened, tape.high, tape.low)
        lists = [part[row][places].tolist() for part in parts]
        lists += [part[places].tolist() for part in (*session.best(row), session.base, self._reference(session)[row])]
        clock, day = f"{print_clock(session, row):06d}", yyyymmdd(session.day)
        wide = TRADES.widths[revision] > TRADES.widths[Revision.LEGACY]
        tail = f"^{tape.market_class}" if wide else ""
        texts: dict[Symbol, str] = {}
        for symbol, price, volume, total, turnover, opened, high, low, ask, bid, size, base, reference in zip(
            symbols, *lists, strict=True
        ):
            if not volume:
                continue
            change, up, below, above = price - base, price - opened, price - high, price - low
            texts[symbol] = (
                f"{symbol}^{clock}^{price}^{_sign(change)}^{change}^{100 * change / base if base else 0:.2f}^"
                f"{turnover / total:.2f}^{opened}^{high}^{low}^{ask}^{bid}^{volume}^{total}^{turnover}^0^0^0^100.00^0^"
                f"0^{'1' if price >= ask else '5'}^0.50^0.00^090000^{_sign(up)}^{up}^{clock}^{_sign(below)}^{below}^"
                f"{clock}^{_sign(above)}^{above}^{day}^20^N^{size}^{size}^{size}^{size}^0.00^0^0.00^0^^"
                f"{reference or ''}{tail}"
            )
        return texts

    def _reference(self, session: Printed) -> Int64Array:
        """Return after each row what a static interruption is counted from: the last single price, else the base."""
        tape = session.tape
        if self._references[0] is not tape:
            rows = np.where(tape.single & (tape.volume > 0), np.arange(len(tape.end))[:, None], -1)
            newest = np.maximum.accumulate(rows, axis=0)
            found = np.where(newest >= 0, np.take_along_axis(tape.price, np.maximum(newest, 0), axis=0), session.base)
            self._references = (tape, found)
        return self._references[1]
