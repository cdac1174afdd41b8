"""The control port: clock, shocks, faults, and the oracle; for tests and the demo, never for trading code.

Every call takes and gives JSON; ``GET /`` lists them. What cannot be done is HTTP 400 with expected, found and next
step. Not here: what is reported (``reports``), what a fault does (``faults``), sockets (``service``).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from aiohttp import web

from haetae.domain.errors import HaetaeError, MarketRuleError, Text
from haetae.domain.units import NS_PER_SECOND, kst_text
from haetae.emulator.faults.script import Fault, Mistake, check_script, read_fault
from haetae.emulator.market import Shock
from haetae.emulator.reports import accounts_of, ledger_of, line_of, order_of, state_of
from haetae.emulator.service import Service

MOST_SPEED = 100_000
"""Market seconds a second that may be asked for; a machine gets to as many as it can."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One control call: the rest of its path, its query, its JSON body."""

    rest: str
    query: Mapping[str, str]
    body: Mapping[str, Any]


Answer: TypeAlias = Callable[[Asked], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the port, as ``GET /`` tells of it; a path that ends in a slash takes one more part."""

    method: str
    path: str
    takes: str
    gives: str
    answer: Answer


class Control:
    """Answers the control port of one service."""

    def __init__(self, service: Service) -> None:
        """Serve one emulator."""
        self._service = service
        self.routes = (
            Route("GET", "/", "", "this index", self._index),
            Route("GET", "/state", "", "clock, phase, market, accounts, sessions, shocks", self._state),
            Route(
                "POST",
                "/clock",
                "{advance_to: ns} | {step_s: seconds} | {speed: x} | {pause: true}",
                "now, kst, speed, ws_sent; after every frame up to now has been written",
                self._clock,
            ),
            Route(
                "POST",
                "/shock",
                "{at: ns, return_bp, minutes = 5, symbols = all}",
                "the move as it is scripted",
                self._shock,
            ),
            Route(
                "GET", "/ledger", "?account=12345678[-01]", "every execution, and the books: the oracle", self._ledger
            ),
            Route("GET", "/orders", "?account=12345678[-01]", "every order as it is", self._orders),
            Route("GET", "/calls", "", "calls and refusals per key and domain", self._calls),
            Route("GET", "/rates", "", "peaks in a sliding second, longest idle, distance of tokens", self._rates),
            Route("GET", "/lines", "", "WebSocket sessions and what they hold", self._lines),
            Route("GET", "/faults", "", "armed faults: seen, fired, left, the last strikes", self._faults),
            Route("POST", "/faults", "one [[fault]] as JSON, or {toml: text}", "keys of the faults armed", self._arm),
            Route("DELETE", "/faults", "", "every fault taken back", self._disarm),
            Route("DELETE", "/faults/", "the key in the path", "that fault taken back", self._disarm),
        )

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one call."""
        try:
            body = await self._body(request)
            for route in self.routes:
                rest = _rest_of(route, request.method, request.path)
                if rest is not None:
                    return web.json_response(await route.answer(Asked(rest, request.query, body)))
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

    async def _index(self, _asked: Asked) -> list[dict[str, str]]:
        return [{name: getattr(route, name) for name in ("method", "path", "takes", "gives")} for route in self.routes]

    async def _state(self, _asked: Asked) -> dict[str, Any]:
        return {**state_of(self._service.core, self._service.clock.speed), "addresses": self._service.addresses}

    async def _clock(self, asked: Asked) -> dict[str, Any]:
        service, given = self._service, asked.body
        if "advance_to" in given:
            await service.advance(_whole(given, "advance_to"))
        elif "step_s" in given:
            step = _number(given, "step_s", 0.0, 1e9)
            await service.advance(service.clock.now() + round(step * NS_PER_SECOND))
        elif "speed" in given:
            service.set_speed(_number(given, "speed", 0.0, MOST_SPEED))
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

    async def _shock(self, asked: Asked) -> dict[str, Any]:
        given = asked.body
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

    async def _ledger(self, asked: Asked) -> dict[str, Any]:
        account = asked.query.get("account", "")
        ledgers = [ledger_of(found) for found in accounts_of(self._service.core, account)]
        sole = {name: part for name, part in ledgers[0].items() if name != "account"} if len(ledgers) == 1 else {}
        return {"account": account, "accounts": ledgers, **sole}

    async def _orders(self, asked: Asked) -> list[dict[str, Any]]:
        found = accounts_of(self._service.core, asked.query.get("account", ""))
        return [{"mode": account.mode.value, **order_of(row)} for account in found for row in account.rows]

    async def _calls(self, _asked: Asked) -> dict[str, Any]:
        return self._service.core.gate.report()

    async def _rates(self, _asked: Asked) -> dict[str, Any]:
        return self._service.core.gate.rates()

    async def _lines(self, _asked: Asked) -> list[dict[str, Any]]:
        return [line_of(line) for line in self._service.core.hub.lines]

    async def _faults(self, _asked: Asked) -> list[dict[str, Any]]:
        return self._service.core.faults.report()

    async def _arm(self, asked: Asked) -> dict[str, Any]:
        wanted, mistakes = _read(asked.body)
        absent = [fault for fault in wanted if fault.entry.needs == "tls" and self._service.authority is None]
        mistakes += [Mistake(fault.line, fault.entry.id, "an emulator with --tls", "plain HTTP") for fault in absent]
        if mistakes:
            raise MarketRuleError(
                Text(ko="장애를 걸 수 없습니다", en="the faults cannot be armed"),
                expected=Text(ko="[[fault]] 표", en="[[fault]] tables"),
                found="; ".join(map(str, mistakes)),
                next_step="haetae emulator faults list",
            )
        faults = self._service.core.faults
        keys = [faults.arm(fault).key for fault in wanted]
        faults.strike_due()
        await self._service.deliver()
        return {"keys": keys}

    async def _disarm(self, asked: Asked) -> dict[str, Any]:
        if asked.rest and not asked.rest.isdigit():
            raise _unusable(f"DELETE /faults/{asked.rest}")
        gone = self._service.core.faults.disarm(int(asked.rest) if asked.rest else None)
        if asked.rest and not gone:
            raise _unusable(f"DELETE /faults/{asked.rest}")
        return {"disarmed": gone}


def _rest_of(route: Route, method: str, path: str) -> str | None:
    """Return what a path says beyond a route's, none where it is another call's."""
    if method != route.method:
        return None
    if path == route.path:
        return ""
    takes_more = len(route.path) > 1 and route.path.endswith("/")
    return path.removeprefix(route.path) if takes_more and path.startswith(route.path) else None


def _read(body: Mapping[str, Any]) -> tuple[list[Fault], list[Mistake]]:
    if "toml" in body:
        script, mistakes = check_script(str(body["toml"]))
        return list(script.faults), mistakes
    fault, mistakes = read_fault(body)
    return ([fault] if fault else []), mistakes


def _whole(given: Mapping[str, Any], name: str) -> int:
    value = given.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _unusable(f"{name} {value!r}")
    return value


def _number(given: Mapping[str, Any], name: str, least: float, most: float) -> float:
    value = given[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise _unusable(f"{name} {value!r}")
    return float(value)


def _unusable(found: str) -> MarketRuleError:
    return MarketRuleError(
        Text(ko="제어 요청을 이해할 수 없습니다", en="the control call is not understood"),
        expected="a call of GET /, with what it takes",
        found=found,
        next_step=Text(ko="GET / 의 목록을 보고 다시 보내세요", en="see the index of GET / and send it again"),
    )
