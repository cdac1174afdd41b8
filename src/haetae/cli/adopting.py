"""``haetae trade adopt``: take a holding that was traded by hand into the desk's books."""

from __future__ import annotations

import getpass
import os
from typing import Annotated

import typer

from haetae.cli.init import ACCOUNT, AccountFolder
from haetae.cli.kill import DESK, Desk
from haetae.cli.text import hint, say
from haetae.domain.errors import Text


def adopt(
    symbol: Annotated[str, typer.Argument(help=hint("종목 코드 6자리", "six-digit code"))],
    shares: Annotated[
        int,
        typer.Option("--shares", help=hint("증권사가 더 가진 주수 (나갔으면 음수)", "shares more (or gone: < 0)")),
    ],
    paid: Annotated[
        int,
        typer.Option("--paid", help=hint("치른 원화, 받았으면 음수", "won paid, fees included; got: < 0")),
    ],
    why: Annotated[str, typer.Option("--why", help=hint("이유", "the reason"))] = "",
    out: Desk = DESK,
    account: AccountFolder = ACCOUNT,
) -> None:
    """Sign an adoption with the account's key; the running desk takes it only as its newest reading shows it."""
    from haetae.wiring.clocks import SystemClock
    from haetae.wiring.signing import ask_adoption

    wish = ask_adoption(
        out, account, os.environ, SystemClock(), symbol=symbol, shares=shares, paid=paid, who=getpass.getuser(), why=why
    )
    told = Text(
        ko=f"서명한 요청 {wish.request_id}: 돌고 있는 데스크가 증권사 잔고와 같을 때만 장부에 넣습니다",
        en=f"signed request {wish.request_id}: a running desk books it only as the broker shows it",
    )
    print(say(told))
