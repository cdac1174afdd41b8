"""The rules of the KRX in force on one trading day.

Here: ``Rulebook``, the one face of dated rules for people who hold a day. Not here: the tables (`ticks`,
`limits`, `lots`, `hours`, `closures`, `afterhours`, `nxt`, `interruptions`, `costs`, `settlement`), the
arithmetic (`scalar`). Prices and amounts are won.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from haetae.domain.market import Int64Array, Kind, Market, Phase
from haetae.domain.orders import Fill, Side
from haetae.domain.units import BasisPoints, Instant, Shares, Won
from haetae.krx import afterhours, calendar, costs, interruptions, limits, lots, nxt, scalar, settlement, ticks
from haetae.krx.afterhours import OffHoursWindow
from haetae.krx.costs import Charge
from haetae.krx.interruptions import BreakerRow, ViRow
from haetae.krx.nxt import NxtWindow
from haetae.krx.sessions import Session, session_on
from haetae.krx.settings import FeeSchedule


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Ticks, limits, lots, costs, hours and settlement of a trading day.

    Build it with ``Rulebook.on(day)``. Tables that differ by market take the KOSPI row unless told;
    since 2023-01-25 the tick tables of KOSPI and KOSDAQ are one.
    """

    day: dt.date
    session: Session
    fees: FeeSchedule
    settlement_days: int
    limit_bp: BasisPoints

    @staticmethod
    def on(day: dt.date) -> Rulebook:
        """Return the rules of a trading day (cached); raises ``MarketRuleError`` on a closed day."""
        return _rulebook(day)

    def with_fees(self, fees: FeeSchedule) -> Rulebook:
        """Return the same rules with the account's own commission."""
        return replace(self, fees=fees)

    def tick_table(self, kind: Kind = Kind.COMMON, market: Market = Market.KOSPI) -> tuple[Int64Array, Int64Array]:
        """Return exclusive upper bounds and tick sizes, read-only int64 arrays in won."""
        return ticks.tick_table(self.day, kind, market)

    def tick_size(self, price: Won, kind: Kind = Kind.COMMON, market: Market = Market.KOSPI) -> Won:
        """Return the tick at a price."""
        return int(scalar.tick_size(price, *self.tick_table(kind, market)))

    def floor_tick(self, price: Won, kind: Kind = Kind.COMMON, market: Market = Market.KOSPI) -> Won:
        """Return the highest valid price at or below a price."""
        return int(scalar.floor_tick(price, *self.tick_table(kind, market)))

    def ceil_tick(self, price: Won, kind: Kind = Kind.COMMON, market: Market = Market.KOSPI) -> Won:
        """Return the lowest valid price at or above a price."""
        return int(scalar.ceil_tick(price, *self.tick_table(kind, market)))

    def on_grid(self, price: Won, kind: Kind = Kind.COMMON, market: Market = Market.KOSPI) -> bool:
        """Return whether an order may carry a price: positive and a multiple of its tick."""
        return price > 0 and self.floor_tick(price, kind, market) == price

    def limit_bp_of(self, market: Market) -> BasisPoints:
        """Return the daily limit of a market around the base price; KONEX keeps 15 %."""
        return limits.limit_bp(self.day, market)

    def price_limits(self, base_price: Won, kind: Kind = Kind.COMMON, market: Market = Market.KOSPI) -> tuple[Won, Won]:
        """Return the lowest and highest valid price of the day (하한가, 상한가) from the base price."""
        return _price_limits(self.day, base_price, kind, market)

    def listing_day_limits(
        self, offer: Won, kind: Kind = Kind.COMMON, market: Market = Market.KOSPI
    ) -> tuple[Won, Won]:
        """Return the lowest and highest valid price of a name's first day from its offering price."""
        row = limits.listing_day(self.day)
        lower = self.ceil_tick(offer * row.lower_bp // scalar.BP, kind, market)
        return lower, self.floor_tick(offer * row.upper_bp // scalar.BP, kind, market)

    @property
    def vi(self) -> ViRow | None:
        """The rules of volatility interruptions; none where the day has none."""
        return interruptions.vi_on(self.day)

    @property
    def breaker(self) -> BreakerRow | None:
        """The rules of the market-wide circuit breaker."""
        return interruptions.breaker_on(self.day)

    def off_hours(self) -> tuple[OffHoursWindow, ...]:
        """Return the markets outside the regular session, ascending by their start."""
        return afterhours.windows_on(self.day, self.session.open_at, self.session.close_at)

    def nxt(self) -> tuple[NxtWindow, ...]:
        """Return the markets of Nextrade on this day, ascending; which names it takes is told elsewhere."""
        session = self.session
        return nxt.windows_on(self.day, session.open_at, session.close_at, late=calendar.opens_late(self.day))

    def lot(self, base_price: Won, kind: Kind = Kind.COMMON, market: Market = Market.KOSPI) -> Shares:
        """Return how many shares an order is a multiple of, by the base price of the day."""
        return lots.lot_of(self.day, market, kind, base_price)

    def sale_tax_ppb(self, market: Market, kind: Kind) -> int:
        """Return the tax on sales traded this day, in parts per billion."""
        return costs.sale_tax_ppb(self.day, market, kind)

    @property
    def fee_ppb(self) -> int:
        """The commission on both sides, in parts per billion."""
        return self.fees.fee_ppb

    def charge(self, side: Side, amount: Won, market: Market, kind: Kind, *, before: Won = 0) -> Charge:
        """Return fee and tax of one fill of an order that has executed ``before`` won already.

        Each is floored to a won on the order's whole amount; buys pay no tax.
        """
        fee = int(scalar.charge_next(before, amount, self.fee_ppb))
        if side is Side.BUY:
            return Charge(fee)
        return Charge(fee, int(scalar.charge_next(before, amount, self.sale_tax_ppb(market, kind))))

    def charge_fill(self, fill: Fill, market: Market, kind: Kind) -> Charge:
        """Return fee and tax of a fill."""
        return self.charge(fill.side, fill.amount, market, kind, before=fill.amount_before)

    def phase_at(self, at: Instant) -> Phase:
        """Return the phase of an instant of this day."""
        return self.session.phase_at(at)

    def settle_on(self) -> dt.date:
        """Return the day on which this day's trades settle (T+2 sessions)."""
        return calendar.next_trading_day(self.day, self.settlement_days)


@lru_cache(maxsize=16_384)
def _price_limits(day: dt.date, base_price: Won, kind: Kind, market: Market) -> tuple[Won, Won]:
    """Remembered, since plan, guards and exchange ask for the same few bases all day."""
    lower, upper = scalar.limit_prices(base_price, limits.limit_bp(day, market), *ticks.tick_table(day, kind, market))
    return int(lower), int(upper)


@cache
def _rulebook(day: dt.date) -> Rulebook:
    return Rulebook(
        day=day,
        session=session_on(day),
        fees=FeeSchedule(costs.public_fee_ppb(day)),
        settlement_days=settlement.settlement_sessions(day),
        limit_bp=limits.limit_bp(day, Market.KOSPI),
    )
