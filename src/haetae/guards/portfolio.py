"""Guards on portfolio, losses and the decision behind an order: G13, G14, G19 to G21, G23 to G25."""

from __future__ import annotations

from haetae.domain.orders import OrderIntent, Side
from haetae.domain.units import Shares, Won
from haetae.guards.finding import Cap, Finding
from haetae.guards.settings import Limits
from haetae.guards.situation import Situation

_PPM = 1_000_000
_TAINTED = frozenset({"injection_suspected", "data_conflict", "halt_risk"})


def _room(quantity: Shares, price: Won, room: Won, what: str) -> Finding:
    if quantity * price <= room:
        return None
    return Cap(room // price, f"{what}: {quantity * price} won, room for {max(0, room)}")


def position_size(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G13: value of one name, open buys included."""
    if intent.side is Side.SELL:
        return None
    room = now.equity * limits.max_position_ppm // _PPM - now.exposure(intent.symbol)
    return _room(quantity, max(intent.limit_price, now.last[intent.symbol]), room, "position")


def concentration(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G14: sector, gross and the five largest names; a name without a sector shares one with all such."""
    if intent.side is Side.SELL:
        return None
    values, sector_of = now.exposures(), now.sectors.get
    own, sector = values.get(intent.symbol, 0), sector_of(intent.symbol, "")
    in_sector = sum(value for symbol, value in values.items() if sector_of(symbol, "") == sector)
    largest = sorted(values.values(), reverse=True)[:5]
    if own in largest:
        largest.remove(own)
    largest_others = sum(largest[:4])
    rooms = (
        ("gross", now.equity * limits.max_gross_ppm // _PPM - sum(values.values())),
        ("sector", now.equity * limits.max_sector_ppm // _PPM - in_sector),
        ("top five", now.equity * limits.max_top5_ppm // _PPM - largest_others - own),
    )
    what, room = min(rooms, key=lambda item: item[1])
    return _room(quantity, max(intent.limit_price, now.last[intent.symbol]), room, what)


def turnover(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G19: what a day buys, and what it trades; only buys are limited, since leaving must stay possible."""
    if intent.side is Side.SELL:
        return None
    waiting = now.reserved(0)
    bought = now.opening_equity * limits.daily_buys_ppm // _PPM - now.bought_today - waiting
    traded = now.opening_equity * limits.daily_turnover_ppm // _PPM - now.bought_today - now.sold_today - waiting
    return _room(quantity, max(intent.limit_price, now.last[intent.symbol]), min(bought, traded), "turnover")


def losses(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G20: no buys at the day's loss limit or deep below the peak."""
    if intent.side is Side.SELL:
        return None
    if now.opening_equity <= 0 or now.peak_equity <= 0:
        return "opening equity is not known"
    lost = (now.opening_equity - now.equity) * _PPM
    if lost >= limits.day_loss_reduce_ppm * now.opening_equity:
        return f"day loss {lost // now.opening_equity} ppm, allowed {limits.day_loss_reduce_ppm}"
    fallen = (now.peak_equity - now.equity) * _PPM
    if fallen >= limits.drawdown_ppm * now.peak_equity:
        return f"drawdown {fallen // now.peak_equity} ppm, allowed {limits.drawdown_ppm}"
    return None


def loss_streak(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G21: after several losing exits nothing is bought, and a name sold at a loss rests for the day."""
    if intent.side is Side.SELL:
        return None
    if now.losing_exits >= limits.losing_exits:
        return f"{now.losing_exits} losing exits today"
    resting = limits.rest_after_loss and intent.symbol in now.lost_symbols
    return "sold at a loss today" if resting else None


def confidence(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G23: the agent was sure enough and cited enough; waived where no agent reviews, and for sells."""
    if intent.side is Side.SELL or now.confidence is None:
        return None
    if not now.confidence >= limits.min_confidence:
        return f"confidence {now.confidence} is below {limits.min_confidence}"
    if now.evidence < limits.min_evidence:
        return f"{now.evidence} facts cited, {limits.min_evidence} needed"
    return None


def new_names(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G24: only so many names are newly entered in a day."""
    if intent.side is Side.SELL or intent.symbol in now.new_names or now.held.get(intent.symbol, 0) > 0:
        return None
    if len(now.new_names) >= limits.new_names_per_day:
        return f"{len(now.new_names)} new names today"
    return None


def taint(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G25: no buy on a decision that flags its own inputs."""
    found = sorted(_TAINTED.intersection(now.risk_flags))
    return f"flagged {', '.join(found)}" if intent.side is Side.BUY and found else None
