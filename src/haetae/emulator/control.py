"""The control port: clock, shocks, and the oracle; for tests and the demo, never for trading code.

Calls (JSON): ``GET /state``; ``POST /clock`` with ``advance_to``, ``speed`` or ``pause``; ``POST /shock``;
``GET /ledger?account=``; ``GET /calls``. Not here: sockets (``server``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from haetae.domain.errors import HaetaeError, MarketRuleError, Text
from haetae.domain.units import kst_text
from haetae.emulator.accounts import Account
from haetae.emulator.market import Shock
from haetae.emulator.service import Service


class Control:
    """Answers the control port of one service."""

    def __init__(self, service: Service) -> None:
        """Serve one emulator."""
        self._service = service

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one call; what cannot be done is HTTP 400 with expected, found and next step."""
        try:
            given = await self._body(request)
            match request.method, request.path:
                case "GET", "/state":
                    return web.json_response(self.state())
                case "POST", "/clock":
                    return web.json_response(await self.clock(given))
                case "POST", "/shock":
                    return web.json_response(self.shock(given))
                case "GET", "/ledger":
                    return web.json_response(self.ledger(request.query.get("account", "")))
                case "GET", "/calls":
                    return web.json_response(self._service.core.gate.report())
            raise _unusable(f"{request.method} {request.path}")
        except HaetaeError as fault:
            told = {
                "error": str(fault),
                "expected": str(fault.expected),
                "found": fault.found,
                "next_step": str(fault.next_step),
            }
            return web.json_response(told, status=400)

    async def _body(self, request: web.BaseRequest) -> Mapping[str, Any]:
        text = await request.text()
        try:
            given = json.loads(text or "{}")
        except ValueError as fault:
            raise _unusable(text[:80]) from fault
        if not isinstance(given, dict):
            raise _unusable(text[:80])
        return given

    def state(self) -> dict[str, Any]:
        """Return clock, market and connections."""
        core, clock = self._service.core, self._service.clock
        core_now = core.now
        return {
            "now": core_now,
            "kst": kst_text(core_now),
            "speed": clock.speed,
            "addresses": self._service.addresses,
            "phase": core.board.phase.value,
            "day": core.board.session.day.isoformat(),
            "first_day": core.world.days[0].isoformat(),
            "last_day": core.world.days[-1].isoformat(),
            "seed": core.settings.market.seed,
            "listed": len(core.world.symbols),
            "accounts": [f"{mode.value}:{number}-{product}" for mode, number, product in core.accounts],
            "lines": [
                {"mode": line.mode.value, "registrations": line.registrations, "sent": line.data_sent}
                for line in core.hub.lines
            ],
            "shocks": [
                {"at": shock.at, "minutes": shock.minutes, "return_bp": shock.return_bp, "symbols": shock.symbols}
                for shock in core.shocks
            ],
        }

    async def clock(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Step, run or pause; answers when all frames up to the new instant have been written."""
        service = self._service
        if "advance_to" in given:
            await service.advance(_whole(given, "advance_to"))
        elif "speed" in given:
            speed = given["speed"]
            if not isinstance(speed, (int, float)) or isinstance(speed, bool) or not 0 <= speed <= 100_000:
                raise _unusable(f"speed {speed!r}")
            service.set_speed(float(speed))
        elif given.get("pause"):
            service.catch_up()
            service.set_speed(0.0)
            service.catch_up()
            await service.deliver()
        else:
            raise _unusable(json.dumps(given)[:80])
        core = service.core
        return {
            "now": core.now,
            "kst": kst_text(core.now),
            "speed": service.clock.speed,
            "ws_sent": dict(sorted(core.hub.sent.items())),
        }

    def shock(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Script a move of the market or of some symbols."""
        named = given.get("symbols")
        if named is not None and not (isinstance(named, list) and set(named) <= set(self._service.core.world.symbols)):
            raise _unusable(f"symbols {named!r}"[:80])
        minutes, size = int(given.get("minutes", 5)), _whole(given, "return_bp")
        if minutes < 1 or not -9_000 <= size <= 9_000:
            raise _unusable(f"minutes {minutes}, return_bp {size}")
        symbols = tuple(sorted(named)) if named is not None else None
        shock = Shock(_whole(given, "at"), minutes, size, symbols)
        self._service.core.add_shock(shock)
        return {"at": shock.at, "kst": kst_text(shock.at), "minutes": minutes, "return_bp": size}

    def ledger(self, asked: str) -> dict[str, Any]:
        """Return every execution and the books of an account (``12345678``, ``12345678-01``)."""
        number, _, product = asked.partition("-")
        found = [
            account
            for (_, known, code), account in self._service.core.accounts.items()
            if known == number and product in {"", code}
        ]
        return {"account": asked, "accounts": [ledger_of(account) for account in found], **_sole(found)}


def ledger_of(account: Account) -> dict[str, Any]:
    """Return one account's ledger as plain values; amounts in won."""
    book = account.book
    return {
        "account": f"{account.number}-{account.product}",
        "mode": account.mode.value,
        "cash": book.cash,
        "deposits": book.deposits,
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


def _sole(found: list[Account]) -> dict[str, Any]:
    """Spread the only account of a number into the reply itself, the usual case."""
    return {} if len(found) != 1 else {name: part for name, part in ledger_of(found[0]).items() if name != "account"}


def _whole(given: Mapping[str, Any], name: str) -> int:
    value = given.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _unusable(f"{name} {value!r}")
    return value


def _unusable(found: str) -> MarketRuleError:
    return MarketRuleError(
        Text(ko="제어 요청을 이해할 수 없습니다", en="the control call is not understood"),
        expected="GET /state, /ledger, /calls; POST /clock {advance_to|speed|pause}, POST /shock {at, return_bp}",
        found=found,
        next_step=Text(ko="요청을 고쳐 다시 보내세요", en="mend the call and send it again"),
    )
