"""The HTTP client of the service: one call per answer, parsed by ``service.schemas``.

A failure is a ``Trouble`` that says what a person can do: the service is down, the token is missing
or refused, the role is too small, nothing is there yet, the request was refused, or the answer does
not fit. Not here: how a trouble looks (``states``). Loopback only, so no proxy is ever asked.
"""

from __future__ import annotations

import datetime as dt
import http.client
from enum import Enum
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import ValidationError

from haetae.dashboard.settings import DashboardSettings
from haetae.domain.errors import HaetaeError, Text
from haetae.service import schemas

S = TypeVar("S", bound=schemas.Shape)


class Kind(Enum):
    """What stands between the page and its figures."""

    DOWN = "down"
    NO_TOKEN = "no_token"  # noqa: S105 - a state
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a state
    ROLE_TOO_SMALL = "role_too_small"
    NOTHING_THERE = "nothing_there"
    REFUSED = "refused"
    FAULT = "fault"
    UNREADABLE = "unreadable"


_OF_STATUS = {401: Kind.TOKEN_REFUSED, 403: Kind.ROLE_TOO_SMALL, 404: Kind.NOTHING_THERE}


class Trouble(HaetaeError):
    """A call that brought no answer; ``kind`` says which page state to show."""

    def __init__(
        self, kind: Kind, message: Text, *, expected: str | Text = "", found: str = "", next_step: str | Text = ""
    ) -> None:
        """Keep the kind beside the parts of the message."""
        super().__init__(message, expected=expected, found=found, next_step=next_step)
        self.kind = kind


class ServiceClient:
    """Asks one service with one token; holds no connection between calls."""

    def __init__(self, settings: DashboardSettings, token: str) -> None:
        """Ask ``settings.service_url`` and show ``token``."""
        self._settings = settings
        self._token = token

    def whoami(self) -> schemas.WhoAmI:
        """Return what the token may do."""
        return self._get("/v1/whoami", schemas.WhoAmI)

    def today(self, day: dt.date | None = None) -> schemas.Today:
        """Return a day at a glance, the newest if none is asked."""
        return self._get("/v1/today", schemas.Today, day=day)

    def equity(self) -> schemas.Equity:
        """Return our equity beside the benchmark."""
        return self._get("/v1/equity", schemas.Equity)

    def positions(self, day: dt.date | None = None) -> schemas.Positions:
        """Return the holdings."""
        return self._get("/v1/positions", schemas.Positions, day=day)

    def orders(self, day: dt.date | None = None) -> schemas.Orders:
        """Return the orders of a day."""
        return self._get("/v1/orders", schemas.Orders, day=day)

    def fills(self, day: dt.date | None = None) -> schemas.Fills:
        """Return the executions of a day."""
        return self._get("/v1/fills", schemas.Fills, day=day)

    def decisions(self, day: dt.date | None = None) -> schemas.Decisions:
        """Return the decisions of a day."""
        return self._get("/v1/decisions", schemas.Decisions, day=day)

    def chain(self, decision_id: str) -> schemas.DecisionChain:
        """Return one decision from wish to outcome."""
        return self._get(f"/v1/decisions/{quote(decision_id, safe='')}", schemas.DecisionChain)

    def safety(self, day: dt.date | None = None) -> schemas.Safety:
        """Return guards, escape and kill switch."""
        return self._get("/v1/safety", schemas.Safety, day=day)

    def universe(self) -> schemas.Universe:
        """Return the fifty names and why not the others."""
        return self._get("/v1/universe", schemas.Universe)

    def candles(self, symbol: str, table: str, day: dt.date | None = None) -> schemas.Candles:
        """Return the bars of a symbol with our executions."""
        return self._get(f"/v1/candles/{quote(symbol, safe='')}", schemas.Candles, table=table, day=day)

    def mood(self) -> schemas.MoodHistory:
        """Return fear and greed over time."""
        return self._get("/v1/fear-greed", schemas.MoodHistory)

    def models(self) -> schemas.Models:
        """Return the registry."""
        return self._get("/v1/models", schemas.Models)

    def backtest(self) -> schemas.Backtest:
        """Return the figures of the backtest."""
        return self._get("/v1/backtest", schemas.Backtest)

    def retrospect(self, day: dt.date | None = None) -> schemas.Retrospect:
        """Return reviews, attribution and lessons."""
        return self._get("/v1/review", schemas.Retrospect, day=day)

    def move_operator(self, state: schemas.OperatorWord, why: str) -> schemas.Queued:
        """Ask the desk to move its kill switch; the caller has confirmed with a person."""
        order = schemas.OperatorOrder(state=state, confirm=state, why=why)
        return self._send("POST", "/v1/operator", schemas.Queued, order)

    def cancel(self, intent_id: str, why: str) -> schemas.Queued:
        """Ask the desk to cancel what is open of an order."""
        path = f"/v1/orders/{quote(intent_id, safe='')}/cancel"
        return self._send("POST", path, schemas.Queued, schemas.CancelOrder(why=why))

    def _get(self, path: str, shape: type[S], **asked: dt.date | str | None) -> S:
        wanted = {name: str(value) for name, value in asked.items() if value is not None}
        return self._send("GET", f"{path}?{urlencode(wanted)}" if wanted else path, shape)

    def _send(self, method: str, path: str, shape: type[S], body: schemas.Shape | None = None) -> S:
        if not self._token:
            raise Trouble(
                Kind.NO_TOKEN,
                Text(ko="접속 토큰이 필요합니다", en="An access token is needed"),
                next_step=Text(
                    ko="왼쪽에 토큰을 넣으십시오. 새 토큰: haetae token new --role viewer",
                    en="type a token at the left; a new one: haetae token new --role viewer",
                ),
            )
        status, raw = self._talk(method, path, b"" if body is None else body.model_dump_json().encode())
        if status >= 300:
            raise _problem(status, raw)
        try:
            return shape.model_validate_json(raw)
        except ValidationError as fault:
            first = fault.errors(include_url=False, include_input=False)[0]
            raise _unreadable(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from fault

    def _talk(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(self._settings.service_url)
        line = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=self._settings.timeout_s)
        head = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        try:
            line.request(method, path, body or None, head | ({"Content-Type": "application/json"} if body else {}))
            answer = line.getresponse()
            raw = answer.read(self._settings.answer_bytes + 1)
        except (OSError, http.client.HTTPException) as fault:
            raise Trouble(
                Kind.DOWN,
                Text(ko="서비스에 연결할 수 없습니다", en="The service cannot be reached"),
                expected=self._settings.service_url,
                found=str(fault) or type(fault).__name__,
                next_step=Text(
                    ko="haetae serve 로 서비스를 켜고 새로 고치십시오", en="start it with haetae serve, then refresh"
                ),
            ) from fault
        finally:
            line.close()
        if len(raw) > self._settings.answer_bytes:
            raise _unreadable(path, f"> {self._settings.answer_bytes:,} bytes")
        return answer.status, raw


def _problem(status: int, raw: bytes) -> Trouble:
    """Return the service's own words about a refusal, or plain ones where it said none."""
    kind = _OF_STATUS.get(status, Kind.FAULT if status >= 500 else Kind.REFUSED)
    try:
        said = schemas.Problem.model_validate_json(raw)
    except ValidationError:
        plain = Text(ko=f"서비스가 HTTP {status}로 답했습니다", en=f"The service answered HTTP {status}")
        return Trouble(kind, plain)
    step = Text(ko=said.next_step_ko, en=said.next_step_en) if said.next_step_ko or said.next_step_en else ""
    return Trouble(kind, Text(ko=said.ko, en=said.en), expected=said.expected, found=said.found, next_step=step)


def _unreadable(path: str, found: str) -> Trouble:
    return Trouble(
        Kind.UNREADABLE,
        Text(ko="서비스의 답을 읽을 수 없습니다", en="The answer of the service cannot be read"),
        expected=path,
        found=found,
        next_step=Text(
            ko="서비스와 대시보드를 같은 버전으로 다시 켜십시오", en="restart service and dashboard of one version"
        ),
    )
