"""The market as the lake has it: names, candles with our executions, fear and greed."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request

from haetae.service.access import Viewer, views_of
from haetae.service.problems import responses
from haetae.service.schemas import Candles, MoodHistory, Universe

router = APIRouter(tags=["market"], responses=responses(401, 403, 404, 422, 503))

SymbolPath = Annotated[str, Path(pattern=r"^[0-9A-Z]{6}$", examples=["005930"])]


@router.get("/universe", response_model=Universe)
def universe(request: Request, token: Viewer) -> dict[str, Any]:
    """Return the names that may be traded and why the others may not."""
    return views_of(request).universe()


@router.get("/candles/{symbol}", response_model=Candles)
def candles(
    request: Request,
    token: Viewer,
    symbol: SymbolPath,
    table: Annotated[Literal["minute", "daily"], Query()] = "minute",
    day: Annotated[dt.date | None, Query(description="day of the minutes, last day of the daily bars")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 400,
) -> dict[str, Any]:
    """Return bars of a symbol with our executions on them."""
    return views_of(request).candles(symbol, table, day, limit)


@router.get("/fear-greed", response_model=MoodHistory)
def fear_greed(request: Request, token: Viewer, limit: Annotated[int, Query(ge=1, le=1_000)] = 250) -> dict[str, Any]:
    """Return fear and greed over time."""
    return views_of(request).mood(limit)
