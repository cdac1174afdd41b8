"""``create_app``: the application over one folder's views and its tokens."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp

from haetae import __version__
from haetae.service import problems
from haetae.service.doors import Doors
from haetae.service.routers import desk, health, learning, market, order, promote, signal
from haetae.service.settings import ServiceSettings
from haetae.service.tokens import TokenBook
from haetae.wiring.views.views import Views

ROUTERS = (health.router, desk.router, signal.router, order.router, market.router, learning.router, promote.router)


def describe(views: Views, tokens: TokenBook) -> FastAPI:
    """Return the application without its doors; its routes and description are what clients see."""
    app = FastAPI(
        title="Haetae",
        version=__version__,
        description="해태 서비스: 데스크 폴더의 조회와 명령. 읽기는 viewer, 명령은 trader, 모델은 admin.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        redirect_slashes=False,
    )
    app.state.views = views
    app.state.tokens = tokens
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router, prefix="/v1")
    return app


def create_app(views: Views, tokens: TokenBook, settings: ServiceSettings | None = None) -> ASGIApp:
    """Return the application behind its doors: what a server may be given."""
    return Doors(describe(views, tokens), settings or ServiceSettings())
