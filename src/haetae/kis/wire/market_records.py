"""Typed records of the streams about the market itself: status, expected execution, index, NAV.

Not here: trades, books and notices (`records`). Index levels and NAVs are integers x 100.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from haetae.domain.units import Shares, Symbol, Won, day_from, yyyymmdd
from haetae.kis.wire.digits import clock_of, signed, symbol_of, whole, whole_or_0
from haetae.kis.wire.fields import Form, points_text, read_value
from haetae.kis.wire.frames import EXPECTED, INDEX, MARKET_STATUS, NAV, Revision
from haetae.kis.wire.records import fault_of, sign_of


@dataclass(frozen=True, slots=True)
class StatusRecord:
    """Market status of H0STMKO0: halt and its reason, phase code, status code, VI flag."""

    symbol: Symbol
    halted: bool
    reason: str
    phase_code: str
    status_code: str = "00"
    in_vi: bool = False

    def encode(self, revision: Revision = Revision.SEPTEMBER_2026) -> list[str]:
        """Return 10 or 11 texts."""
        flag = "Y" if self.in_vi else "N"
        values = [self.symbol, "Y" if self.halted else "N", self.reason, self.phase_code, "", "", "", self.status_code]
        values += [flag, "N"]
        return values if MARKET_STATUS.widths[revision] == len(values) else [*values, "1"]

    @classmethod
    def decode(cls, values: Sequence[str]) -> StatusRecord:
        """Return the status of one record; raises ``WireError``."""
        try:
            reason = "" if values[2] == "(null)" else values[2]
            return cls(symbol_of(values[0]), values[1] == "Y", reason, values[3], values[7], values[8] == "Y")
        except (ValueError, IndexError) as fault:
            raise fault_of(MARKET_STATUS.real, values, fault) from fault


@dataclass(frozen=True, slots=True)
class ExpectedRecord:
    """What a call auction would trade at if it ended now (H0STANC0); silent in continuous trading.

    ``hour_class`` is 0 regular, A after the close, B before the open, C after 09:00 (interruption, late open),
    D single-price session.
    """

    symbol: Symbol
    day: dt.date
    clock: int
    price: Won
    volume: Shares
    base: Won
    cumulative_volume: Shares = 0
    hour_class: str = "0"

    def encode(self, revision: Revision = Revision.SEPTEMBER_2026) -> list[str]:
        """Return 45 texts."""
        change = self.price - self.base
        rate = f"{100 * change / self.base:.2f}" if self.base else "0.00"
        price = str(self.price)
        values = [self.symbol, f"{self.clock:06d}", price, sign_of(change), str(change), rate, price]
        values += ["0", "0", "0", price, price, str(self.volume), str(self.cumulative_volume)]
        values += ["0"] * 19
        values += [str(yyyymmdd(self.day)), "20", "N", "0", "0", "0", "0", "0.00", "0", "0.00", self.hour_class, ""]
        assert len(values) == EXPECTED.widths[revision]
        return values

    @classmethod
    def decode(cls, values: Sequence[str]) -> ExpectedRecord:
        """Return the expectation of one record; raises ``WireError``."""
        try:
            price = whole(values[2])
            return cls(
                symbol_of(values[0]),
                day_from(whole(values[33])),
                clock_of(values[1]),
                price,
                whole_or_0(values[12]),
                price - signed(values[4] or "0"),
                whole_or_0(values[13]),
                values[43],
            )
        except (ValueError, IndexError) as fault:
            raise fault_of(EXPECTED.real, values, fault) from fault


@dataclass(frozen=True, slots=True)
class IndexRecord:
    """Level of an index (H0UPCNT0), points x 100; counts are names of the index."""

    index: str
    clock: int
    level: int
    change: int
    volume: Shares
    turnover: Won
    open: int
    high: int
    low: int
    rising: int = 0
    flat: int = 0
    falling: int = 0

    def encode(self, revision: Revision = Revision.SEPTEMBER_2026) -> list[str]:
        """Return 30 texts."""
        before = self.level - self.change
        rate = f"{100 * self.change / before:.2f}" if before else "0.00"
        figures = [points_text(part) for part in (self.open, self.high, self.low)]
        since = [self.level - part for part in (self.open, self.high, self.low)]
        values = [self.index, f"{self.clock:06d}", points_text(self.level), sign_of(self.change)]
        values += [points_text(self.change), str(self.volume), str(self.turnover), "0", "0", rate, *figures]
        for part in since:
            values += [points_text(part), sign_of(part)]
        values += ["0.00", "0.00", "0.00", "0", str(self.rising), str(self.flat), str(self.falling), "0", "0", "0", "0"]
        assert len(values) == INDEX.widths[revision]
        return values

    @classmethod
    def decode(cls, values: Sequence[str]) -> IndexRecord:
        """Return the level of one record; raises ``WireError``."""

        def points(place: int) -> int:
            return int(read_value(Form.POINTS, values[place], name=str(place), tr=INDEX.real, about=values[0]))

        try:
            return cls(
                values[0],
                clock_of(values[1]),
                points(2),
                points(4),
                whole_or_0(values[5]),
                whole_or_0(values[6]),
                points(10),
                points(11),
                points(12),
                whole_or_0(values[23]),
                whole_or_0(values[24]),
                whole_or_0(values[25]),
            )
        except (ValueError, IndexError) as fault:
            raise fault_of(INDEX.real, values, fault) from fault


@dataclass(frozen=True, slots=True)
class NavRecord:
    """Net asset value of an ETF (H0STNAV0), x 100."""

    symbol: Symbol
    nav: int
    change: int
    open: int
    high: int
    low: int

    def encode(self, revision: Revision = Revision.SEPTEMBER_2026) -> list[str]:
        """Return 8 texts."""
        before = self.nav - self.change
        rate = f"{100 * self.change / before:.2f}" if before else "0.00"
        values = [self.symbol, points_text(self.nav), sign_of(self.change), points_text(self.change), rate]
        values += [points_text(part) for part in (self.open, self.high, self.low)]
        assert len(values) == NAV.widths[revision]
        return values

    @classmethod
    def decode(cls, values: Sequence[str]) -> NavRecord:
        """Return the value of one record; raises ``WireError``."""

        def points(place: int) -> int:
            return int(read_value(Form.POINTS, values[place], name=str(place), tr=NAV.real, about=values[0]))

        try:
            return cls(symbol_of(values[0]), points(1), points(3), points(5), points(6), points(7))
        except (ValueError, IndexError) as fault:
            raise fault_of(NAV.real, values, fault) from fault
