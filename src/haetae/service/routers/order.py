"""Holdings, orders, executions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from haetae.service.access import Viewer, views_of
from haetae.service.problems import responses
from haetae.service.routers.desk import Day
from haetae.service.schemas import Fills, Orders, Positions

router = APIRouter(tags=["order"], responses=responses(401, 403, 404, 422, 503))


@router.get("/positions", response_model=Positions)
def positions(request: Request, token: Viewer, day: Day = None) -> dict[str, Any]:
    """Return what is held."""
    return views_of(request).positions(day)


@router.get("/orders", response_model=Orders)
def orders(request: Request, token: Viewer, day: Day = None) -> dict[str, Any]:
    """Return a day's orders."""
    return views_of(request).orders(day)


@router.get("/fills", response_model=Fills)
def fills(request: Request, token: Viewer, day: Day = None) -> dict[str, Any]:
    """Return a day's executions."""
    return views_of(request).fills(day)
