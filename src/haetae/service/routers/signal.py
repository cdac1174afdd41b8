"""Signals: what the policy wished, what the decider said, what the guards left of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from haetae.service.access import Viewer, views_of
from haetae.service.problems import responses
from haetae.service.routers.desk import Day
from haetae.service.schemas import DecisionChain, Decisions, Signals

router = APIRouter(tags=["signal"], responses=responses(401, 403, 404, 422, 503))

Status = Annotated[str | None, Query(pattern=r"^[A-Z_]{1,40}$", description="one status only")]
DecisionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:@-]{1,120}$")]


@router.get("/signals", response_model=Signals)
def signals(request: Request, token: Viewer, day: Day = None) -> dict[str, Any]:
    """Return a day's proposals."""
    return views_of(request).signals(day)


@router.get("/decisions", response_model=Decisions)
def decisions(
    request: Request,
    token: Viewer,
    day: Day = None,
    status: Status = None,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=2_000)] = 500,
) -> dict[str, Any]:
    """Return a day's decisions."""
    return views_of(request).decisions(day, status=status, offset=offset, limit=limit)


@router.get("/decisions/{decision_id}", response_model=DecisionChain)
def decision(request: Request, token: Viewer, decision_id: DecisionId) -> dict[str, Any]:
    """Return one decision from the policy's wish to its outcome."""
    return views_of(request).decision(decision_id)
