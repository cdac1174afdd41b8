"""Looking back: simulated runs, the report, reviews and lessons."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from haetae.service.access import Viewer, views_of
from haetae.service.problems import Refusal, responses
from haetae.service.routers.desk import Day
from haetae.service.schemas import Backtest, Retrospect

router = APIRouter(tags=["learning"], responses=responses(401, 403, 404, 422, 503))


@router.get("/backtest", response_model=Backtest)
def backtest(request: Request, token: Viewer) -> dict[str, Any]:
    """Return the policy beside the baselines and the rankers beside one-line scores."""
    return views_of(request).backtest()


@router.get(
    "/report", response_class=FileResponse, responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}}
)
def report(request: Request, token: Viewer) -> FileResponse:
    """Return the full HTML report; its scripts run in a sandbox without this service's origin."""
    path = views_of(request).report()
    if path is None:
        raise Refusal(
            404,
            "absent",
            ko="보고서가 없습니다",
            en="there is no report",
            next_ko="`haetae demo` 또는 `haetae research run`",
            next_en="`haetae demo` or `haetae research run`",
        )
    headers = {"Content-Security-Policy": "sandbox allow-scripts"}
    return FileResponse(path, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/review", response_model=Retrospect)
def review(request: Request, token: Viewer, day: Day = None) -> dict[str, Any]:
    """Return reviews, outcomes, attribution and lessons; of all days by default."""
    return views_of(request).retrospect(day)
