"""Models: which there are, who is in charge, and putting another in charge after a second confirmation.

The evidence carries a code made of exactly what was shown; a change asks for it back, so nobody
promotes on figures that have changed in between.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request

from haetae.service.access import Admin, Viewer, views_of, who
from haetae.service.problems import responses
from haetae.service.schemas import ModelEvidence, Models, Promoted, Promotion, Rollback

router = APIRouter(tags=["promote"], responses=responses(401, 403, 404, 409, 422, 503))

ModelPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
KindPath = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,40}$")]


@router.get("/models", response_model=Models)
def models(request: Request, token: Viewer) -> dict[str, Any]:
    """Return the registry."""
    return views_of(request).registry()


@router.get("/models/{model_id}/evidence", response_model=ModelEvidence)
def evidence(
    request: Request,
    token: Viewer,
    model_id: ModelPath,
    state: Annotated[Literal["shadow", "champion", "retired"], Query()] = "champion",
) -> dict[str, Any]:
    """Return what speaks for putting a model in a state, with the code that confirms it."""
    return views_of(request).evidence(model_id, state)


@router.post("/models/{model_id}/state", response_model=Promoted, responses=responses(413))
def promote(request: Request, token: Admin, model_id: ModelPath, change: Promotion) -> dict[str, Any]:
    """Put a model in a state."""
    return views_of(request).promote(model_id, change.state, why=f"{change.why} ({who(token)})", code=change.code)


@router.get("/rollback/{kind}", response_model=ModelEvidence)
def rollback_evidence(request: Request, token: Viewer, kind: KindPath) -> dict[str, Any]:
    """Return what speaks for calling back the champion before the present one."""
    return views_of(request).rollback_evidence(kind)


@router.post("/rollback", response_model=Promoted, responses=responses(413))
def rollback(request: Request, token: Admin, change: Rollback) -> dict[str, Any]:
    """Call back the champion before the present one."""
    return views_of(request).rollback(change.kind, why=f"{change.why} ({who(token)})", code=change.code)
