"""Models: which there are, and who is in charge."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from haetae.service.access import Viewer, views_of
from haetae.service.problems import responses
from haetae.service.schemas import Models

router = APIRouter(tags=["promote"], responses=responses(401, 403, 404, 409, 422, 503))


@router.get("/models", response_model=Models)
def models(request: Request, token: Viewer) -> dict[str, Any]:
    """Return the registry."""
    return views_of(request).models()
