"""``haetae trade claim``: say which order of the broker is the desk's order of unknown fate, or that there is none."""

from __future__ import annotations

import getpass
import os
from typing import Annotated

import typer

from haetae.cli.init import ACCOUNT, AccountFolder
from haetae.cli.kill import DESK, Desk
from haetae.cli.options import read_day
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text


def claim(
    intent_id: Annotated[
        str, typer.Argument(help=hint("결과를 모르는 주문의 이름 (알림과 주문 화면에 있음)", "name of the lost order"))
    ],
    order: Annotated[
        str, typer.Option("--order", metavar="NUMBER", help=hint("우리 주문인 증권사 주문번호", "the broker's number"))
    ] = "",
    absent: Annotated[
        bool, typer.Option("--absent", help=hint("증권사에 그 주문이 없었음", "the broker never had the order"))
    ] = False,
    branch: Annotated[
        str, typer.Option("--branch", help=hint("주문 지점번호, 모르면 비움", "the broker's branch; blank: any"))
    ] = "",
    day: Annotated[
        str | None, typer.Option("--day", help=hint("그 주문의 날짜, 기본 오늘", "day of that order; default today"))
    ] = None,
    why: Annotated[
        str, typer.Option("--why", help=hint("이유, --absent 에는 꼭", "the reason; --absent needs one"))
    ] = "",
    out: Desk = DESK,
    account: AccountFolder = ACCOUNT,
) -> None:
    """Sign a claim with the account's key; the running desk takes it only where its newest reading leaves it open."""
    if bool(order) == absent:
        raise ConfigError(
            Text(ko="--order 와 --absent 가운데 하나만 고르세요", en="choose one of --order and --absent"),
            expected="--order NUMBER | --absent --why TEXT",
            found="--order --absent" if absent else "-",
            next_step=Text(ko="docs/runbooks/stuck-order.md", en="docs/runbooks/stuck-order.md"),
        )
    from haetae.wiring.clocks import SystemClock
    from haetae.wiring.signing import ask_claim

    wish = ask_claim(
        out,
        account,
        os.environ,
        SystemClock(),
        intent_id=intent_id,
        number=order,
        branch=branch,
        day=read_day(day, "--day"),
        who=getpass.getuser(),
        why=why,
    )
    told = Text(
        ko=f"서명한 요청 {wish.request_id}: 돌고 있는 데스크가 마지막 조회와 어긋나지 않을 때만 받아들입니다",
        en=f"signed request {wish.request_id}: a running desk takes it only where its newest reading leaves it open",
    )
    print(say(told))
