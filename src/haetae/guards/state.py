"""Guards on the state of desk, session and symbol: G01, G04 to G08, G17, G18, G22, G26, G29, G30."""

from __future__ import annotations

from haetae.domain.events import OperatorState
from haetae.domain.market import Phase
from haetae.domain.orders import OrderIntent, Side
from haetae.domain.units import NS_PER_SECOND, Shares
from haetae.guards.escape import EscapeLevel
from haetae.guards.finding import Finding
from haetae.guards.settings import Limits
from haetae.guards.situation import Situation


def kill_switch(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G01: HALT lets nothing through, REDUCE_ONLY no buys."""
    if now.operator is OperatorState.HALT:
        return "the desk is halted"
    if now.operator is OperatorState.REDUCE_ONLY and intent.side is Side.BUY:
        return "only risk-lowering orders"
    return None


def reconciled(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G04: no buys before our books and the broker's agree."""
    if intent.side is Side.BUY and limits.require_reconciled and not now.reconciled:
        return "books and broker have not been found equal"
    return None


def session(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G05: entries inside their window of continuous trading, exits in the session, escapes in auctions too."""
    hours = now.rules.session
    if intent.escape:
        inside = hours.orders_from <= now.at < hours.close_at
    elif intent.side is Side.SELL:
        inside = hours.open_at <= now.at < hours.close_at
    else:
        first = hours.open_at + limits.entry_after_open_s * NS_PER_SECOND
        inside = first <= now.at <= hours.auction_from - limits.entry_before_auction_s * NS_PER_SECOND
        inside = inside and now.rules.phase_at(now.at) is Phase.CONTINUOUS
    return None if inside else f"{now.rules.phase_at(now.at).value} is not a time for this order"


def symbol_state(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G06: not halted, not flagged; nothing is bought in a frozen symbol. Escapes may rest in a halt."""
    if intent.symbol in now.halted:
        return "trading is halted"
    if intent.side is Side.BUY and intent.symbol in now.frozen:
        return "the symbol is frozen until a difference is explained"
    return None


def closed_list(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G07: only names of today's list are bought; what is held may always be sold."""
    if intent.side is Side.SELL:
        return None
    if intent.symbol in limits.deny_list:
        return "on the deny list"
    return None if intent.symbol in now.tradable else "not on today's list of tradable names"


def freshness(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G08: the price is there and young; an entry also needs a recent trade."""
    if now.last.get(intent.symbol, 0) <= 0:
        return "no price"
    age_s = (now.at - now.price_at) / NS_PER_SECOND
    allowed = limits.escape_price_age_s if intent.escape else limits.max_price_age_s
    if age_s > allowed:
        return f"price is {age_s:.0f} s old, allowed {allowed}"
    quiet_s = (now.at - now.traded_at.get(intent.symbol, 0)) / NS_PER_SECOND
    if intent.side is Side.BUY and quiet_s > limits.max_quiet_s:
        return f"no trade for {quiet_s:.0f} s, allowed {limits.max_quiet_s}"
    return None


def duplicates(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G17: one intent once, one open order per symbol and side, nothing bought beside an unknown order."""
    if intent.intent_id in now.known_intents:
        return "this intent was made before"
    if intent.side is Side.BUY and now.has_unknown(intent.symbol):
        return "an order of this symbol has an unknown fate"
    if intent.escape:
        return None
    if now.open_quantity(intent.symbol, intent.side) > 0:
        return "an order of this side is open"
    since = now.at - limits.same_side_pause_s * NS_PER_SECOND
    if now.sent.newest_of(intent.symbol, intent.side) > since:
        return f"same side within {limits.same_side_pause_s} s"
    return None


def rates(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G18: orders per minute, hour, day and symbol; escapes have a budget of their own."""
    sent = now.sent
    if intent.escape:
        return f"{sent.escapes} escapes today" if sent.escapes >= limits.escapes_per_day else None
    for seconds, allowed in ((60, limits.orders_per_minute), (3_600, limits.orders_per_hour)):
        count = sent.since(now.at - seconds * NS_PER_SECOND)
        if count >= allowed:
            return f"{count} orders in {seconds} s, allowed {allowed}"
    if len(sent.times) >= limits.orders_per_day:
        return f"{len(sent.times)} orders today, allowed {limits.orders_per_day}"
    of_symbol = sent.of_symbol.get(intent.symbol, 0)
    if of_symbol >= limits.orders_per_symbol_day:
        return f"{of_symbol} orders of the symbol today, allowed {limits.orders_per_symbol_day}"
    return None


def execution_excess(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G22: once more was executed than intended, nothing goes out."""
    return "more was executed than intended" if now.excess else None


def volatility_escape(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G26: nothing is bought while the escape is raised, nor in a name it left today."""
    if intent.side is Side.SELL:
        return None
    if now.escape_level >= EscapeLevel.NO_BUYS:
        return f"escape level is {now.escape_level.name.lower()}"
    return "the escape left this name today" if intent.symbol in now.cooling else None


def self_trade(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G29: no order against an own open order of the other side."""
    other = Side.SELL if intent.side is Side.BUY else Side.BUY
    return f"an own {other.value} is open" if now.open_quantity(intent.symbol, other) > 0 else None


def plausibility(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G30: no buys while our equity and the broker's differ."""
    if intent.side is Side.BUY and now.broker_gap_ppm > limits.plausibility_ppm:
        return f"books differ by {now.broker_gap_ppm} ppm of equity, allowed {limits.plausibility_ppm}"
    return None
