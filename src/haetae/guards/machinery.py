"""Guards on whose money it is and on the machinery around the desk: G02 to G04, G27, G28.

They read ``Vitals``, which the driver of a trading day measures. A simulation has no machinery and says so in its
limits (``require_vitals`` off); a trading day cannot. Vitals that are missing, old or from the future refuse.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from haetae.domain.events import Mandate, Vitals
from haetae.domain.orders import OrderIntent, Side
from haetae.domain.units import NS_PER_DAY, NS_PER_SECOND, Shares
from haetae.guards.finding import Finding
from haetae.guards.portfolio import room_for
from haetae.guards.settings import REAL_HOST, Limits
from haetae.guards.situation import Situation

_PPM = 1_000_000
_NOT_MEASURED = "nobody measures the machinery"
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})


def mandate(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G02: play money stays play money; real money needs build, a signature of this account and host, and its day."""
    if not limits.require_vitals:
        return None
    vitals = now.vitals
    if vitals is None:
        return _NOT_MEASURED
    given = vitals.mandate
    return _real(given, now) if given.live is True else _play(given)


def _play(given: Mandate) -> Finding:
    if given.live is not False:
        return f"whether it is real money is not known ({given.live})"
    host = host_of(given.host)
    if not host or host == REAL_HOST:
        return f"play money addressed to {host or 'nowhere'}"
    here = host in _THIS_MACHINE and given.tr_prefix == "T"  # an emulator serves both domains; nothing leaves
    if given.tr_prefix != "V" and not here:
        return f"play money with TR ids of {given.tr_prefix or 'nothing'}, not V"
    return None


def _real(given: Mandate, now: Situation) -> Finding:
    if given.build is not True:
        return "not a build for real money"
    if not given.account or given.account != given.signed_account:
        return "the signed account is not this one"
    if not given.host or given.host != given.signed_host:
        return f"signed for {given.signed_host or 'no host'}, the host is {given.host or 'none'}"
    left = given.expires_at - now.at
    if not 0 < left <= NS_PER_DAY:
        return f"the token of the day has {left // NS_PER_SECOND} s left, allowed up to a day"
    if given.tr_prefix != "T":
        return f"real money with TR ids of {given.tr_prefix or 'nothing'}, not T"
    return None


def host_of(address: str) -> str:
    """Return the host of an address, with or without scheme and port."""
    return (urlsplit(address if "//" in address else f"//{address}").hostname or "").rstrip(".")


def attestation(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G03: what runs is what was promoted; play money may run what nobody promoted."""
    if not limits.require_vitals:
        return None
    vitals = now.vitals
    if vitals is None:
        return _NOT_MEASURED
    if not vitals.promoted and vitals.mandate.live is False:
        return None
    if vitals.promoted and vitals.running == vitals.promoted:
        return None
    return f"running {vitals.running or 'unknown'}, promoted {vitals.promoted or 'nothing'}"


def healthy(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G04: one writer, a journal that keeps what it is told, a true clock, and books compared with the broker's."""
    buying = intent.side is Side.BUY
    if limits.require_vitals:
        fault = _unwell(now.vitals, now, limits, buying=buying)
        if fault is not None:
            return fault
    if not limits.require_reconciled:
        return None
    if buying and now.reconciled is not True:
        return "books and broker have not been found equal"
    if not limits.require_vitals:  # a simulated broker tells every change at once
        return None
    age_s = (now.at - now.read_at) / NS_PER_SECOND
    allowed = limits.reconcile_age_s if buying else limits.exit_reconcile_age_s
    return None if abs(age_s) <= allowed else f"the account was read {age_s:.0f} s ago, allowed {allowed}"


def _unwell(vitals: Vitals | None, now: Situation, limits: Limits, *, buying: bool) -> str | None:
    if vitals is None:
        return _NOT_MEASURED
    age_s = (now.at - vitals.at) / NS_PER_SECOND
    allowed_s = limits.vitals_age_s if buying else limits.exit_vitals_age_s
    if not abs(age_s) <= allowed_s:
        return f"vitals are {age_s:.0f} s old, allowed {allowed_s}"
    if not vitals.lease_epoch > 0:
        return f"the single-writer lease is not held (epoch {vitals.lease_epoch})"
    if vitals.journal_ok is not True:
        return "the journal did not reach its disk"
    if vitals.skew_ms is None:
        return "the clock was not compared with the broker's"
    allowed_ms = limits.entry_skew_ms if buying else limits.skew_ms
    if not abs(vitals.skew_ms) < allowed_ms:
        return f"the clock is {vitals.skew_ms} ms off, allowed below {allowed_ms}"
    return None


def first_day(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G27: on its first day a promoted change buys at a tenth of the size, per order and in all."""
    if intent.side is Side.SELL or not limits.require_vitals:
        return None
    if now.vitals is None:
        return _NOT_MEASURED
    if now.vitals.full_size is True:
        return None
    if not now.bought_today >= 0:
        return f"what was bought today is not known ({now.bought_today})"
    order = now.basis * limits.max_order_ppm // _PPM * limits.first_day_ppm // _PPM
    day = now.opening_equity * limits.daily_buys_ppm // _PPM * limits.first_day_ppm // _PPM
    room = min(order, day - now.bought_today - now.reserved(0))
    return room_for(quantity, max(intent.limit_price, now.last[intent.symbol]), room, "first day of a change")


def api_health(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G28: nothing is entered while calls run short, fail, or the token ends soon; exits have a lane of their own."""
    if intent.side is Side.SELL or not limits.require_vitals:
        return None
    vitals = now.vitals
    if vitals is None:
        return _NOT_MEASURED
    if not 0 <= vitals.budget_used_ppm < limits.budget_used_ppm:
        return f"{vitals.budget_used_ppm} ppm of the call budget used, allowed below {limits.budget_used_ppm}"
    if not 0 <= vitals.error_ppm < limits.error_ppm:
        return f"{vitals.error_ppm} ppm of the calls failed, allowed below {limits.error_ppm}"
    if not vitals.token_left_s > limits.token_left_s:
        return f"the token has {vitals.token_left_s} s left, more than {limits.token_left_s} needed"
    return None
