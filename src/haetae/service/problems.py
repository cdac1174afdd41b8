"""Refusals and failures as one shape, with the status that says who must act."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from haetae.domain.errors import ConfigError, DataError, HaetaeError, JournalError, MarketRuleError, ModelError, Text
from haetae.service.schemas import Problem
from haetae.wiring.views.views import Absent

_STATUS: tuple[tuple[type[HaetaeError], int, str], ...] = (
    (Absent, 404, "absent"),
    (ModelError, 409, "model.refused"),
    (MarketRuleError, 409, "rule.refused"),
    (ConfigError, 409, "config.wrong"),
    (JournalError, 503, "journal.unreadable"),
    (DataError, 503, "data.unreadable"),
)
_WORDS = {
    404: ("없는 주소입니다", "no such address"),
    405: ("허용되지 않는 방법입니다", "method not allowed"),
    422: ("본문을 읽을 수 없습니다", "the body cannot be read"),
}


class Refusal(Exception):
    """A request the service itself refuses."""

    def __init__(
        self, status: int, code: str, *, ko: str, en: str, next_ko: str = "", next_en: str = "", found: str = ""
    ) -> None:
        """Keep the problem that will be answered."""
        super().__init__(en)
        self.status = status
        self.problem = Problem(code=code, ko=ko, en=en, found=found, next_step_ko=next_ko, next_step_en=next_en)


def refuse_unconfirmed(wanted: str, confirmed: str) -> None:
    """Refuse a command whose second mention differs from the first."""
    if wanted != confirmed:
        raise Refusal(
            409,
            "confirm.differs",
            ko="확인 값이 다릅니다",
            en="the confirmation differs",
            next_ko="같은 값을 confirm 에 한 번 더 적으세요",
            next_en="repeat the same value in confirm",
            found=confirmed,
        )


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problem answers of a route for its description."""
    return {status: {"model": Problem} for status in statuses}


def _both(text: str | Text) -> tuple[str, str]:
    return (text.ko, text.en) if isinstance(text, Text) else (text, text)


def problem_of(fault: HaetaeError) -> tuple[int, Problem]:
    """Return status and shape of an expected failure."""
    status, code = next(((s, c) for kind, s, c in _STATUS if isinstance(fault, kind)), (500, "failed"))
    ko, en = _both(fault.message)
    next_ko, next_en = _both(fault.next_step)
    problem = Problem(
        code=code,
        ko=ko,
        en=en,
        expected=str(fault.expected),
        found=fault.found,
        next_step_ko=next_ko,
        next_step_en=next_en,
    )
    return status, problem


def _answer(status: int, problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(problem.model_dump(mode="json"), status_code=status, headers=headers)


def install(app: FastAPI) -> None:
    """Make an application answer every failure in the one shape."""

    @app.exception_handler(Refusal)
    async def _refused(request: Request, fault: Refusal) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if fault.status == 401 else None
        return _answer(fault.status, fault.problem, headers)

    @app.exception_handler(HaetaeError)
    async def _failed(request: Request, fault: HaetaeError) -> JSONResponse:
        return _answer(*problem_of(fault))

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, fault: RequestValidationError) -> JSONResponse:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = Problem(
            code="request.invalid",
            ko=f"요청이 규격에 맞지 않습니다: {where}",
            en=f"the request does not fit: {where}",
            expected=str(first["msg"])[:200],
        )
        return _answer(422, problem)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, fault: HTTPException) -> JSONResponse:
        status = 422 if fault.status_code == 400 else fault.status_code  # a body that is no text does not fit either
        ko, en = _WORDS.get(status, ("요청을 처리할 수 없습니다", "the request cannot be served"))
        headers = dict(fault.headers) if fault.headers else None
        return _answer(status, Problem(code=f"http.{status}", ko=ko, en=en), headers)
