"""Health of the service, and what the shown token may do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from haetae import __version__
from haetae.service.access import Viewer, views_of
from haetae.service.problems import responses
from haetae.service.schemas import Health, WhoAmI
from haetae.wiring.views.days import moment

router = APIRouter(tags=["health"])


@router.get("/health", response_model=Health)
def health(request: Request) -> dict[str, Any]:
    """Return whether the folder can be read; open to all on this machine, tells nothing of the account."""
    found = views_of(request).health()
    status = "degraded" if found["problems"] else "ok"
    return {**found, "status": status, "version": __version__}


@router.get("/whoami", response_model=WhoAmI, responses=responses(401, 403))
def whoami(token: Viewer) -> dict[str, Any]:
    """Return what the shown token may do."""
    return {
        "token_id": token.token_id,
        "role": token.role,
        "label": token.label,
        "expires_at": moment(token.expires_at) if token.expires_at else None,
    }
