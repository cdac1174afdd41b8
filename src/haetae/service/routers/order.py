"""Holdings, orders, executions; a person's cancels and orders, which the desk lets its guards review."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from haetae.service.access import Trader, Viewer, views_of, who
from haetae.service.problems import refuse_unconfirmed, responses
from haetae.service.routers.desk import Day
from haetae.service.schemas import CancelOrder, Fills, ManualOrder, Orders, Positions, Queued

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


@router.post("/orders", response_model=Queued, status_code=202, responses=responses(409, 413))
def place(request: Request, token: Trader, order: ManualOrder) -> dict[str, Any]:
    """Put a person's order into the desk's inbox; the guards have the last word."""
    refuse_unconfirmed(order.symbol, order.confirm)
    name = views_of(request).request_order(
        order.symbol,
        order.side,
        quantity=order.quantity,
        limit_price=order.limit_price,
        who=who(token),
        why=order.why,
    )
    return {"command_id": name, "what": f"{order.side} {order.symbol} {order.quantity} @ {order.limit_price}"}


@router.post("/orders/{intent_id}/cancel", response_model=Queued, status_code=202, responses=responses(409, 413))
def cancel(
    request: Request,
    token: Trader,
    intent_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9._:@-]{1,120}$")],
    order: CancelOrder,
) -> dict[str, Any]:
    """Ask the desk to cancel what is open of an order."""
    name = views_of(request).request_cancel(intent_id, who=who(token), why=order.why)
    return {"command_id": name, "what": f"cancel {intent_id}"}
