"""The desk: its day, its equity, its safety, and the kill switch."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from haetae.service.access import Trader, Viewer, views_of, who
from haetae.service.problems import refuse_unconfirmed, responses
from haetae.service.schemas import Equity, OperatorOrder, Queued, Safety, Today

router = APIRouter(tags=["desk"], responses=responses(401, 403, 404, 422, 503))

Day = Annotated[dt.date | None, Query(description="a trading day of the journal; the newest by default")]


@router.get("/today", response_model=Today)
def today(request: Request, token: Viewer, day: Day = None) -> dict[str, Any]:
    """Return a day at a glance."""
    return views_of(request).today(day)


@router.get("/equity", response_model=Equity)
def equity(request: Request, token: Viewer, every: Annotated[int, Query(ge=1, le=400)] = 5) -> dict[str, Any]:
    """Return equity beside the benchmark, one point every so many minutes."""
    return views_of(request).equity(every)


@router.get("/safety", response_model=Safety)
def safety(request: Request, token: Viewer, day: Day = None) -> dict[str, Any]:
    """Return guards, volatility escape, kill switch, and waiting commands."""
    return views_of(request).safety(day)


@router.post("/operator", response_model=Queued, status_code=202, responses=responses(409, 413))
def operator(request: Request, token: Trader, order: OperatorOrder) -> dict[str, Any]:
    """Move the kill switch: halt, reduce only, or release."""
    refuse_unconfirmed(order.state, order.confirm)
    name = views_of(request).move_operator(order.state, who=who(token), why=order.why)
    return {"command_id": name, "what": f"operator {order.state}"}
