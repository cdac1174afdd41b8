"""From target weights to legs of whole shares at collared prices, and from legs to intents.

Sells come first (they free cash and lower risk), then buys by conviction; equal conviction is
decided by the code. Scarce cash is spent in that order and never below the cash floor. Buy limits
are rounded down and sell limits up to the tick grid and kept inside the day's limits.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from haetae.domain.decisions import Leg, Proposal
from haetae.domain.market import Kind
from haetae.domain.orders import OrderIntent, OrderKind, Side
from haetae.domain.units import Instant, Shares, Symbol, Won
from haetae.execution.settings import PlanSettings
from haetae.krx import Rulebook

_PPM = 1_000_000
_BP = 10_000
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
"""The alphabet of base32 (RFC 4648): five bits a letter, so that a name of 20 letters holds the first 100 of a hash."""
_PAIRS = tuple(first + second for first in _LETTERS for second in _LETTERS)
_NAME_BYTES = 13
_SHIFTS = tuple(range(90, -1, -10))


def limit_for(side: Side, last: Won, base: Won, kind: Kind, collar_bp: int, rules: Rulebook) -> Won:
    """Return the limit price a collar allows: on the grid, rounded toward safety, inside the day's limits."""
    lower, upper = rules.price_limits(base, kind)
    if side is Side.BUY:
        price = rules.floor_tick(last * (_BP + collar_bp) // _BP, kind)
    else:
        price = rules.ceil_tick(-(-last * (_BP - collar_bp) // _BP), kind)
    return min(max(price, lower), upper)


def plan_legs(
    proposal: Proposal,
    *,
    equity: Won,
    cash: Won,
    held: Mapping[Symbol, Shares],
    busy: AbstractSet[Symbol],
    last: Mapping[Symbol, Won],
    base_prices: Mapping[Symbol, Won],
    kinds: Mapping[Symbol, str],
    rules: Rulebook,
    settings: PlanSettings,
) -> tuple[Leg, ...]:
    """Return the legs that lead from what is held toward the targets.

    Parameters
    ----------
    equity, cash : won
        Equity at last prices; cash not reserved by open orders.
    held : shares per symbol
    busy : symbols
        Names with an open or unknown order get no leg: one order at a time per symbol.
    last, base_prices : won per symbol
        A symbol without a positive price in both gets no leg.
    kinds : values of ``market.Kind`` per symbol; missing means a common share.
    """
    spendable = cash - equity * settings.cash_floor_ppm // _PPM
    wanted: list[tuple[Symbol, Side, Shares, Won]] = []
    for symbol in sorted(proposal.targets):
        price, base = last.get(symbol, 0), base_prices.get(symbol, 0)
        if symbol in busy or price <= 0 or base <= 0:
            continue
        weight = proposal.targets[symbol]
        owned = held.get(symbol, 0)
        delta = int(equity * weight) // price - owned
        whole_exit = weight == 0.0 and owned > 0
        small = abs(delta) * price < max(settings.min_order_won, equity * settings.band_ppm // _PPM)
        if delta == 0 or (small and not whole_exit):
            continue
        side = Side.BUY if delta > 0 else Side.SELL
        collar = settings.entry_collar_bp if side is Side.BUY else settings.exit_collar_bp
        kind = Kind(kinds.get(symbol, Kind.COMMON.value))
        wanted.append((symbol, side, abs(delta), limit_for(side, price, base, kind, collar, rules)))

    scores = proposal.scores
    wanted.sort(key=lambda leg: (leg[1] is Side.BUY, -scores.get(leg[0], 0.0), leg[0]))
    legs: list[Leg] = []
    for symbol, side, quantity, limit in wanted[: settings.max_legs]:
        if side is Side.BUY:
            each = limit * (_PPM + settings.reserve_ppm) // _PPM + 1
            quantity = min(quantity, max(0, spendable) // each)
            if quantity * limit < settings.min_order_won:
                continue
            spendable -= quantity * each
        legs.append(
            Leg(
                leg_id=f"{proposal.proposal_id}.{len(legs):02d}",
                proposal_id=proposal.proposal_id,
                symbol=symbol,
                side=side,
                quantity=quantity,
                limit_price=limit,
                target_weight=proposal.targets[symbol],
                score=scores.get(symbol, 0.0),
            )
        )
    return tuple(legs)


def intent_name(account: str, day: dt.date, decision_id: str, symbol: Symbol, side: Side, leg: str) -> str:
    """Return the intent id: the same decision of the same account retried gives the same 20 letters."""
    text = "|".join((account, day.isoformat(), decision_id, symbol, side.value, leg))
    bits = int.from_bytes(hashlib.sha256(text.encode()).digest()[:_NAME_BYTES], "big") >> 4
    return "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])


def intent_from(
    leg: Leg, decision_id: str, side: Side, quantity: Shares, limit_price: Won, account: str, day: dt.date, at: Instant
) -> OrderIntent:
    """Return the intent of a decided leg; side and price differ from the leg's only when the agent said exit."""
    return OrderIntent(
        intent_id=intent_name(account, day, decision_id, leg.symbol, side, leg.leg_id),
        decision_id=decision_id,
        symbol=leg.symbol,
        side=side,
        quantity=quantity,
        kind=OrderKind.LIMIT,
        limit_price=limit_price,
        at=at,
    )
