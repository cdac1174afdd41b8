"""What the emulator knows, as plain values: accounts with their ledgers, orders, sessions, the market's state.

Here: the answers of the control port that only read. Amounts in won, instants in nanoseconds. Not here: the calls
themselves (``control``).
"""

from __future__ import annotations

from typing import Any

from haetae.domain.units import hhmmss_of, kst_text
from haetae.emulator.accounts import Account, OrderRow
from haetae.emulator.core import Core
from haetae.emulator.hub import Line


def state_of(core: Core, speed: float) -> dict[str, Any]:
    """Return clock, market, accounts and sessions."""
    return {
        "now": core.now,
        "kst": kst_text(core.now),
        "speed": speed,
        "phase": core.board.phase.value,
        "day": core.board.session.day.isoformat(),
        "first_day": core.world.days[0].isoformat(),
        "last_day": core.world.days[-1].isoformat(),
        "seed": core.settings.market.seed,
        "listed": len(core.world.symbols),
        "accounts": [f"{mode.value}:{number}-{product}" for mode, number, product in core.accounts],
        "lines": [line_of(line) for line in core.hub.lines],
        "shocks": [
            {"at": shock.at, "minutes": shock.minutes, "return_bp": shock.return_bp, "symbols": shock.symbols}
            for shock in core.shocks
        ],
        "faults": len(core.faults.armed),
    }


def line_of(line: Line) -> dict[str, Any]:
    """Return one WebSocket session."""
    return {
        "mode": line.mode.value,
        "app_key": f"{line.app_key[:4]}…" if line.app_key else "",
        "registrations": line.registrations,
        "held": {tr_id: sorted(keys) for tr_id, keys in sorted(line.held.items()) if keys},
        "sent": line.data_sent,
        "waiting": len(line.outbox),
    }


def accounts_of(core: Core, asked: str) -> list[Account]:
    """Return the accounts of a number, ``12345678`` or ``12345678-01``, of both domains."""
    number, _, product = asked.partition("-")
    return [
        account
        for (_, known, code), account in core.accounts.items()
        if known == number and (not product or code == product)
    ]


def ledger_of(account: Account) -> dict[str, Any]:
    """Return one account's ledger."""
    book = account.book
    return {
        "account": f"{account.number}-{account.product}",
        "mode": account.mode.value,
        "cash": book.cash,
        "deposits": book.deposits,
        "orderable_cash": account.venue.orderable_cash,
        "holdings": {symbol: item.quantity for symbol, item in sorted(book.positions.items())},
        "fees": book.fees,
        "taxes": book.taxes,
        "realized": book.realized,
        "unsettled": [{"day": item.day.isoformat(), "amount": item.amount} for item in book.unsettled],
        "fills": [
            {
                "day": line.day.isoformat(),
                "number": f"{line.number:010d}",
                "branch": line.branch,
                "symbol": line.symbol,
                "side": line.side.value,
                "quantity": line.quantity,
                "price": line.price,
                "amount": line.quantity * line.price,
                "fee": line.fee,
                "tax": line.tax,
                "at": line.at,
                "cash_after": line.cash_after,
            }
            for line in account.executions
        ],
        "orders": len(account.rows),
        "working": sum(1 for row in account.rows if row.working),
        "balanced": account.venue.cash == book.cash
        and {symbol: item.quantity for symbol, item in book.positions.items()} == dict(account.venue.holdings),
    }


def order_of(row: OrderRow) -> dict[str, Any]:
    """Return one order as it is, whatever a fault lets the lists say."""
    return {
        "day": row.day.isoformat(),
        "number": f"{row.number:010d}",
        "original": f"{row.original:010d}" if row.original else "",
        "branch": row.branch,
        "symbol": row.symbol,
        "side": row.side.value,
        "kind": row.kind,
        "change": row.change,
        "quantity": row.quantity,
        "price": row.price,
        "filled": row.filled,
        "amount": row.amount,
        "canceled": row.canceled,
        "rejected": row.rejected,
        "working": row.working,
        "clock": f"{hhmmss_of(row.at):06d}",
        "at": row.at,
    }
