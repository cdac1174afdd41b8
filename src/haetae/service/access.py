"""Who may enter a route: the token's role against the route's, as a dependency of FastAPI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from haetae.service.problems import Refusal
from haetae.service.tokens import Role, Token, TokenBook

_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="`haetae token new --role viewer`")


def token_of(request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None) -> Token:
    """Return the token of a request; raises ``Refusal`` with 401 if it is missing, wrong or over."""
    book: TokenBook = request.app.state.tokens
    token = book.find(shown.credentials) if shown is not None else None
    if token is None:
        raise Refusal(
            401,
            "token.refused",
            ko="토큰이 없거나 맞지 않습니다",
            en="the token is missing or wrong",
            next_ko="`haetae token new --role viewer` 로 새로 만드세요",
            next_en="make a new one with `haetae token new --role viewer`",
        )
    if book.expired(token):
        raise Refusal(
            401,
            "token.expired",
            ko="토큰의 기한이 지났습니다",
            en="the token has expired",
            next_ko="`haetae token new --role viewer` 로 새로 만드세요",
            next_en="make a new one with `haetae token new --role viewer`",
        )
    return token


def at_least(role: Role) -> Callable[..., Token]:
    """Return a dependency that lets in tokens of a role and above."""

    def entrance(token: Annotated[Token, Depends(token_of)]) -> Token:
        if Role[token.role.upper()] < role:
            raise Refusal(
                403,
                "role.too_low",
                ko=f"이 일에는 {role.word} 권한이 필요합니다",
                en=f"this needs the role {role.word}",
                next_ko=f"`haetae token new --role {role.word}` 로 만든 토큰을 쓰세요",
                next_en=f"use a token made with `haetae token new --role {role.word}`",
                found=token.role,
            )
        return token

    entrance.role = role  # type: ignore[attr-defined]
    return entrance


Viewer = Annotated[Token, Depends(at_least(Role.VIEWER))]
Trader = Annotated[Token, Depends(at_least(Role.TRADER))]
Admin = Annotated[Token, Depends(at_least(Role.ADMIN))]


def views_of(request: Request) -> Any:
    """Return the views of the folder this service shows."""
    return request.app.state.views


def who(token: Token) -> str:
    """Return how a token's holder is named in the journal."""
    return f"{token.label or token.role} ({token.token_id})"
