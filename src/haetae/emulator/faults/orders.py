"""Effects on orders, cash and tokens at the broker: these things do happen, and the ledger tells them.

Here: B01 to B07, B13 to B19, B21. Not here: what a reply says of them (``told``). Every change of an account goes
through ``Account``, so that books, venue and ledger agree after each.
"""

from __future__ import annotations

import json
from functools import partial

import numpy as np

from haetae.domain.market import Slice
from haetae.domain.orders import Filled, OrderKind, Rejected, Side, TimeInForce
from haetae.domain.units import day_of
from haetae.emulator.accounts import KINDS, Account, OrderRow
from haetae.emulator.calls import Reply, refuse
from haetae.emulator.faults.armed import Armed
from haetae.emulator.faults.entries import Timebase
from haetae.emulator.faults.occasions import Occasion
from haetae.emulator.faults.stage import Hidden, Moment, Stage
from haetae.emulator.gate import Refusal
from haetae.kis.wire import codes, envelope
from haetae.kis.wire.operations import Mode
from haetae.krx.afterhours import OffHours
from haetae.sim import step

_PPM = 1_000_000
_FAR = 0.8
"""Price of an inserted order against the last one: too far away to fill soon."""


def account_of(stage: Stage, occasion: Occasion) -> Account | None:
    """Return the account a call names."""
    key = (occasion.mode, occasion.account, occasion.asked.get("ACNT_PRDT_CD", "").strip())
    return stage.exchange.accounts.get(key)


def taken_row(stage: Stage, occasion: Occasion, reply: Reply) -> tuple[Account, OrderRow] | None:
    """Return the order that a call has just been acknowledged for, none where it was refused."""
    account = account_of(stage, occasion)
    if account is None or not account.rows or reply.status != 200 or _is_refusal(reply.body):
        return None
    row = account.rows[-1]
    return (account, row) if row.working and row.at == stage.exchange.now else None


def _is_refusal(body: bytes) -> bool:
    """Whether an answer says that the order was not taken; one that another fault has spoilt says nothing."""
    try:
        return bool(json.loads(body).get("rt_cd") != "0")
    except ValueError:
        return False


def hide(armed: Armed, stage: Stage, occasion: Occasion, reply: Reply) -> Reply:
    """B01: the order just taken is not listed for a while."""
    found = taken_row(stage, occasion, reply)
    if found is not None:
        account, row = found
        before = (account.book, len(account.executions)) if armed.fault.what["balance"] else None
        until = stage.after(armed.fault.what["seconds"], armed.fault.timebase)
        stage.hidden.append(Hidden(until, row, before))
    return reply


def reject_later(armed: Armed, stage: Stage, occasion: Occasion, reply: Reply) -> Reply:
    """B02: the exchange refuses what the broker has acknowledged."""
    found = taken_row(stage, occasion, reply)
    if found is not None:
        account, row = found

        def refuse_it() -> None:
            current = account.row_for(row.intent_id)
            if current is not None and current.working:
                account.refuse(current, stage.exchange.now)
                stage.exchange.flush()

        stage.later(armed.fault.what["seconds"], armed.fault.timebase, refuse_it)
    return reply


def fill_in_parts(armed: Armed, stage: Stage, occasion: Occasion, reply: Reply) -> Reply:
    """B03: the next fill of the order just taken comes in parts."""
    found = taken_row(stage, occasion, reply)
    if found is not None:
        stage.parts[found[1].intent_id] = list(armed.fault.what["parts"])
    return reply


def pieces(stage: Stage, account: Account, piece: Slice) -> list[Slice]:
    """Return a slice of the market cut so that a marked order fills in its parts, within the same second."""
    marked = [row for row in account.rows if row.working and row.intent_id in stage.parts] if stage.parts else []
    for row in marked:
        order = account.venue.orders[row.intent_id]
        alone = sum(other.symbol == row.symbol for other in account.venue.open_orders()) == 1
        if not alone or order.time_in_force is not TimeInForce.DAY or order.live_from > piece.start:
            continue
        whole = [event for event in step(account.venue, piece)[1] if _fills(event, row)]
        if not whole:
            continue
        event = whole[0]
        assert isinstance(event, Filled)
        parts = _parts(stage.parts.pop(row.intent_id), event.fill.quantity)
        edges = [piece.end - len(parts) - 1 + place for place in range(len(parts) + 1)]
        own = [
            _flat(row.symbol, event.fill.price, _volume(account, quantity), edges[place], edges[place + 1])
            for place, quantity in enumerate(parts)
        ]
        return [*_without(piece, row.symbol, edges[0]), *own]
    return [piece]


def _fills(event: object, row: OrderRow) -> bool:
    return isinstance(event, Filled) and event.intent_id == row.intent_id


def _parts(wanted: list[int], quantity: int) -> list[int]:
    parts: list[int] = []
    for part in wanted:
        left = quantity - sum(parts)
        if left > 0:
            parts.append(min(part, left))
    rest = quantity - sum(parts)
    return [*parts, rest] if rest else parts


def _volume(account: Account, quantity: int) -> int:
    """Return the least volume of which our share is a quantity."""
    return -(-quantity * _PPM // account.venue.model.volume_share_ppm)


def _flat(symbol: str, price: int, volume: int, start: int, end: int) -> Slice:
    prices, traded = np.array([price], dtype=np.int64), np.array([True])
    shares = np.array([volume], dtype=np.int64)
    return Slice(start, end, (symbol,), prices, prices, prices, prices, shares, traded)


def _without(piece: Slice, symbol: str, end: int) -> list[Slice]:
    kept = [place for place, name in enumerate(piece.symbols) if name != symbol]
    if not kept:
        return []
    prices = (piece.open[kept], piece.high[kept], piece.low[kept], piece.close[kept])
    names = tuple(piece.symbols[place] for place in kept)
    return [Slice(piece.start, end, names, *prices, piece.volume[kept], piece.traded[kept])]


def fill_before_cancel(armed: Armed, stage: Stage, occasion: Occasion) -> None:
    """B04: somebody takes the order, or a part of it, just before its cancel arrives."""
    account = account_of(stage, occasion)
    number = occasion.asked.get("ORGN_ODNO", "").strip()
    if account is None or not number.isdigit():
        return
    row = account.row_of(day_of(stage.exchange.now), int(number))
    if row is not None and row.working:
        take(stage, account, row, armed.fault.what["quantity"] or row.remaining)
        stage.exchange.flush()


def take(stage: Stage, account: Account, row: OrderRow, quantity: int) -> None:
    """Let a scripted counterparty take shares of one order at its limit, aside from the tape and all other orders."""
    venue, now = account.venue, stage.exchange.now
    order = venue.orders[row.intent_id]
    price = order.limit_price or stage.exchange.board.sight(row.symbol).last
    start = max(now, order.live_from, venue.known_until)
    piece = _flat(row.symbol, price, _volume(account, min(quantity, row.remaining)), start, start + 1)
    account.meet_alone(row, piece)


def modify_from_outside(armed: Armed, stage: Stage, occasion: Occasion, reply: Reply) -> Reply:
    """B06: the order just taken is modified by somebody else, once or more, away from the market."""
    found = taken_row(stage, occasion, reply)
    if found is None or KINDS[found[1].kind][0] is not OrderKind.LIMIT:
        return reply
    account, row = found
    for _ in range(armed.fault.what["links"]):
        price = _away(stage, row, armed.fault.what["ticks"])
        moved = account.modify(row, price, stage.exchange.now, row.app_key)
        if isinstance(moved, Rejected):
            break
        row = moved
    stage.exchange.flush()
    return reply


def _away(stage: Stage, row: OrderRow, ticks: int) -> int:
    item = stage.exchange.world.by_symbol[row.symbol]
    rules, price = stage.exchange.board.session.rules, row.price
    for _ in range(ticks):
        if row.side is Side.BUY:
            price = rules.floor_tick(price - 1, item.kind, item.market)
        else:
            price = rules.ceil_tick(price + 1, item.kind, item.market)
    return price


def between_pages(armed: Armed, stage: Stage, occasion: Occasion) -> None:
    """B07: an order comes in, or an open one fills, before the next page is answered."""
    account = account_of(stage, occasion)
    if account is None:
        return
    working = [row for row in account.rows if row.working]
    if armed.fault.what["how"] == "fill" and working:
        take(stage, account, working[-1], 1)
    elif account.rows:
        last = account.rows[-1]
        far = int(stage.exchange.board.sight(last.symbol).last * _FAR)
        item = stage.exchange.world.by_symbol[last.symbol]
        price = stage.exchange.board.session.rules.floor_tick(far, item.kind, item.market)
        _place(stage, account, last, quantity=1, price=price, side=Side.BUY)
    armed.memory["shift"] = armed.fault.what["shift"]
    stage.exchange.flush()


def _place(stage: Stage, account: Account, like: OrderRow, *, quantity: int, price: int, side: Side) -> None:
    account.place(
        symbol=like.symbol,
        side=side,
        quantity=quantity,
        price=price,
        kind="00" if price else like.kind,
        at=stage.exchange.now,
        app_key=like.app_key,
    )


def order_by_hand(armed: Armed, stage: Stage, occasion: Occasion, reply: Reply) -> Reply:
    """B14: the owner orders in the app what the program has just ordered."""
    found = taken_row(stage, occasion, reply)
    if found is not None:
        account, row = found
        what = armed.fault.what
        price = what["price"] or row.price
        _place(stage, account, row, quantity=what["quantity"] or row.quantity, price=price, side=row.side)
        stage.exchange.flush()
    return reply


def number_again(armed: Armed, stage: Stage, occasion: Occasion) -> None:
    """B15: the next order gets a number that an order of an earlier day had."""
    today = day_of(stage.exchange.now)
    mode: Mode = occasion.mode
    earlier = [
        row
        for (domain, _, _), account in stage.exchange.accounts.items()
        for row in account.rows
        if domain is mode and row.day < today
    ]
    last = max(((row.day, row.number) for row in earlier), default=(today, 0))
    number = armed.fault.what["number"] or last[1]
    if number:
        stage.exchange.number_next(mode, number)


def withdraw(armed: Armed, stage: Stage) -> None:
    """B13: money leaves the account."""
    where, what = armed.fault.where, armed.fault.what
    for (mode, number, _), account in stage.exchange.accounts.items():
        if (where.account and number not in where.account) or (where.domain and mode.value not in where.domain):
            continue
        free = max(0, account.venue.orderable_cash)
        account.transfer(-min(free, what["won"] or int(free * what["share"])), stage.exchange.now)


def expire_all(armed: Armed, stage: Stage) -> None:
    """B21: every open order ends as if the day were over."""
    where = armed.fault.where
    for (mode, number, _), account in stage.exchange.accounts.items():
        if (not where.account or number in where.account) and (not where.domain or mode.value in where.domain):
            for hours in (None, *OffHours):
                account.expire(stage.exchange.now, hours)
    stage.exchange.flush()


def expire_token(_armed: Armed, stage: Stage, occasion: Occasion) -> Reply:
    """B16: the token of this call has just expired."""
    stage.exchange.gate.kill_token(occasion.app_key, expired=True)
    return refuse(Refusal(codes.TOKEN_EXPIRED), occasion.tr)


def revoke_token(armed: Armed, stage: Stage, occasion: Occasion) -> Reply:
    """B17: the token has died early, and the service says so in words of its own."""
    stage.exchange.gate.kill_token(occasion.app_key, expired=False)
    what = armed.fault.what
    return Reply(envelope.build_refusal(what["code"], what["text"]), int(what["status"]), occasion.tr)


def refuse_token(_armed: Armed, stage: Stage, occasion: Occasion) -> Reply:
    """B18: no token is issued now."""
    refusal = stage.exchange.gate.refuse_token(occasion.app_key, stage.exchange.now)
    return Reply(envelope.build_oauth_refusal(refusal.code), 403)


def second_user(armed: Armed, stage: Stage) -> None:
    """B19: another program uses the same keys: it calls, holds the session, and has just asked for a token."""
    what, base = armed.fault.what, armed.fault.timebase
    gate, hub = stage.exchange.gate, stage.exchange.hub
    until = stage.after(what["seconds"], base)
    keys = [key for key in gate.counts if not armed.fault.where.app_key or key[0] in armed.fault.where.app_key]
    for app_key, mode in keys:
        if what["token"]:
            gate.occupy_token(app_key, stage.exchange.now)
        if what["session"]:
            phantom = hub.occupy(app_key, mode)
            stage.later(what["seconds"], base, partial(hub.close, phantom))
        if what["calls_per_second"]:
            _call_on(stage, app_key, mode, what["calls_per_second"], until, base)


def _call_on(stage: Stage, app_key: str, mode: Mode, rate: int, until: Moment, base: Timebase) -> None:
    """Let the other program make its calls, evenly, until its time is over."""
    moment = stage.after(1.0 / rate, base)
    if moment.at_s >= until.at_s:
        return
    stage.exchange.gate.occupy(app_key, mode, stage.exchange.now, 1)
    stage.later(1.0 / rate, base, partial(_call_on, stage, app_key, mode, rate, until, base))
