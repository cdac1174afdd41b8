"""Guards on the state of desk, session and symbol: G01, G05 to G08, G17, G18, G22, G26, G29, G30.

As everywhere here, a comparison with what is not a number refuses.
"""

from __future__ import annotations

from haetae.domain.events import OperatorState, SessionStart
from haetae.domain.market import Phase
from haetae.domain.orders import OrderIntent, OrderKind, Side
from haetae.domain.units import NS_PER_SECOND, Instant, Shares
from haetae.guards.asking import EscapeLevel
from haetae.guards.finding import Finding
from haetae.guards.settings import Limits
from haetae.guards.situation import Situation
from haetae.krx import Rulebook

_PPM = 1_000_000
BARRED = frozenset(
    {"halted", "administrative", "liquidation", "delisted", "caution", "warning", "danger", "short_overheated"}
)
"""Status words of the master file under which a name is not entered: 거래정지, 관리종목, 정리매매, 상장폐지, 투자주의,
투자경고, 투자위험, 단기과열."""


def kill_switch(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G01: HALT lets nothing through, REDUCE_ONLY no buys."""
    if now.operator is OperatorState.ACTIVE:
        return None
    if now.operator is not OperatorState.REDUCE_ONLY:
        return "the desk is halted"
    return "only risk-lowering orders" if intent.side is Side.BUY else None


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
    """G06: nothing in a halt or on levels of before a corporate action; no entry in what is flagged or frozen.

    Escapes may rest in a halt: they are first in line when it ends.
    """
    symbol = intent.symbol
    if symbol in now.halted:
        return "trading is halted"
    if symbol in now.session.unadjusted:
        return "a corporate action of today is not in our levels"
    fault = _jump(symbol, now, limits)
    if fault is not None or intent.side is Side.SELL:
        return fault
    if symbol in now.frozen:
        return "the symbol is frozen until a difference is explained"
    flags = sorted(BARRED.intersection(now.session.flags.get(symbol, ())))
    if flags:
        return f"flagged {', '.join(flags)}"
    resumed = now.resumed_at.get(symbol)
    if resumed is None:
        return None
    quiet_s = (now.at - resumed) / NS_PER_SECOND
    return None if quiet_s >= limits.vi_cooldown_s else f"resumed {quiet_s:.0f} s ago, allowed {limits.vi_cooldown_s}"


def _jump(symbol: str, now: Situation, limits: Limits) -> str | None:
    closes = now.session.previous_closes
    if not closes and not limits.require_vitals:  # a simulation's levels and prices are of one table
        return None
    before, base = closes[symbol], now.session.base_prices[symbol]
    if before > 0 and abs(base - before) * _PPM <= limits.base_jump_ppm * before:
        return None
    return f"base price {base} beside a close of {before}, allowed {limits.base_jump_ppm} ppm apart"


def closed_list(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G07: only names of today's list are bought; what is held may always be sold."""
    if intent.side is Side.SELL:
        return None
    session = now.session
    if intent.symbol in limits.deny_list:
        return "on the deny list"
    if intent.symbol not in session.tradable:
        return "not among today's tradable names"
    if not session.universe and not limits.require_vitals:
        return None
    if not len(session.universe) <= limits.max_names:
        return f"{len(session.universe)} names on the closed list, allowed {limits.max_names}"
    return None if intent.symbol in session.universe else "not on today's closed list"


def freshness(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G08: the price is there and young; an entry also needs a recent trade and sources that agree.

    The desk lives on minute slices: the age of a price is the time since the newest slice's end, so it is up to a
    minute old by nature, and a limit in seconds would forbid everything. What happens within the minute is held by the
    collar (G10), and by the broker's own limits. An old price bars no escape: it then sells at the day's lower limit,
    or at the market where no limit is known, and the broker's book says what that brings.
    """
    if intent.escape and _asks_no_price(intent, now):
        return None
    last = now.last.get(intent.symbol, 0)
    if not last > 0:
        return f"no price ({last})"
    if intent.escape:
        blind_s = blind_for_s(now.at, now.price_at, now.session, now.rules)
        allowed = limits.escape_price_age_s
        return None if blind_s <= allowed else f"price is {blind_s} s old, allowed {allowed} above the lower limit"
    age_s = (now.at - now.price_at) / NS_PER_SECOND
    if not abs(age_s) <= limits.max_price_age_s:
        return f"price is {age_s:.0f} s old, allowed {limits.max_price_age_s}"
    if intent.side is Side.SELL:
        return None
    quiet_s = (now.at - now.traded_at.get(intent.symbol, 0)) / NS_PER_SECOND
    if not abs(quiet_s) <= limits.max_quiet_s:
        return f"no trade for {quiet_s:.0f} s, allowed {limits.max_quiet_s}"
    gap = now.vitals.price_gaps_bp.get(intent.symbol, 0) if now.vitals is not None else 0
    return None if 0 <= gap <= limits.source_gap_bp else f"two sources {gap} bp apart, allowed {limits.source_gap_bp}"


def _asks_no_price(intent: OrderIntent, now: Situation) -> bool:
    """Whether an escape goes at whatever price there is: at the market, or at the day's lower limit."""
    if intent.kind is OrderKind.MARKET:
        return intent.symbol not in now.session.base_prices
    return intent.limit_price == now.price_limits(intent.symbol)[0]


def blind_for_s(at: Instant, price_at: Instant, session: SessionStart, rules: Rulebook) -> int:
    """Return for how many seconds the market has not been seen; base prices are a sight of it, at the open or start."""
    return (at - max(price_at, session.at, rules.session.open_at)) // NS_PER_SECOND


def duplicates(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G17: one intent once, one open order per symbol and side, nothing bought beside an unknown order."""
    if intent.intent_id in now.known_intents:
        return "this intent was made before"
    if intent.side is Side.BUY and now.has_unknown(intent.symbol):
        return "an order of this symbol has an unknown fate"
    if intent.escape:
        return None
    waiting = now.open_quantity(intent.symbol, intent.side)
    if waiting != 0:
        return f"an order of this side is open ({waiting} sh)"
    since = now.at - limits.same_side_pause_s * NS_PER_SECOND
    if not now.sent.newest_of(intent.symbol, intent.side) <= since:
        return f"same side within {limits.same_side_pause_s} s"
    return None


def rates(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G18: orders per second, minute, hour, day and symbol; escapes have a budget of their own."""
    sent = now.sent
    if intent.escape:
        return f"{sent.escapes} escapes today" if not sent.escapes < limits.escapes_per_day else None
    for seconds, allowed in (
        (1, limits.orders_per_second),
        (60, limits.orders_per_minute),
        (3_600, limits.orders_per_hour),
    ):
        count = sent.since(now.at - seconds * NS_PER_SECOND)
        if not count < allowed:
            return f"{count} orders in {seconds} s, allowed {allowed}"
    if not len(sent.times) < limits.orders_per_day:
        return f"{len(sent.times)} orders today, allowed {limits.orders_per_day}"
    of_symbol = sent.of_symbol.get(intent.symbol, 0)
    if not of_symbol < limits.orders_per_symbol_day:
        return f"{of_symbol} orders of the symbol today, allowed {limits.orders_per_symbol_day}"
    changes = sent.changes.get(intent.symbol, 0)
    if intent.side is Side.BUY and not changes < limits.changes_per_symbol_day:
        return f"{changes} cancels and new prices of the symbol today, allowed {limits.changes_per_symbol_day}"
    return None


def execution_excess(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G22: once more was executed than intended, nothing goes out."""
    return "more was executed than intended" if now.excess is not False else None


def volatility_escape(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G26: nothing is bought while the escape is raised, nor in a name it left today."""
    if intent.side is Side.SELL:
        return None
    if now.escape_level is not EscapeLevel.NORMAL:
        return f"escape level is {getattr(now.escape_level, 'name', 'unknown').lower()}"
    return "the escape left this name today" if intent.symbol in now.cooling else None


def self_trade(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G29: no order against an own open order of the other side."""
    other = Side.SELL if intent.side is Side.BUY else Side.BUY
    waiting = now.open_quantity(intent.symbol, other)
    return f"an own {other.value} of {waiting} sh is open" if waiting != 0 else None


def plausibility(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G30: no buys while our equity and the broker's differ."""
    if intent.side is Side.BUY and not 0 <= now.broker_gap_ppm <= limits.plausibility_ppm:
        return f"books differ by {now.broker_gap_ppm} ppm of equity, allowed {limits.plausibility_ppm}"
    return None
