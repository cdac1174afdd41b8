"""``haetae init``: an account from an existing key file; secrets land in a file only the owner reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haetae.cli.text import hint, say
from haetae.domain.errors import Text

ACCOUNT = Path(".haetae")
AccountFolder = Annotated[Path, typer.Option("--account", help=hint("계좌 설정 폴더", "folder of the account"))]


def init(
    from_: Annotated[
        Path, typer.Option("--from", metavar="FILE", help=hint("kis_devlp.yaml", "the broker's key file"))
    ] = Path("~/KIS/config/kis_devlp.yaml"),
    mode: Annotated[str, typer.Option(help=hint("mock(모의) 또는 real(실전)", "mock or real"))] = "mock",
    account: AccountFolder = ACCOUNT,
    force: Annotated[bool, typer.Option("--force", help=hint("덮어쓰기", "overwrite"))] = False,
) -> None:
    """Read the key file once and write settings and secrets (0600)."""
    from haetae.wiring.accounts import SECRETS, SETTINGS, make_account

    read = make_account(account, from_, mode, again=force)
    print(say(Text(ko=f"설정 {account / SETTINGS}", en=f"settings {account / SETTINGS}")))
    print(say(Text(ko=f"비밀 {account / SECRETS} (0600)", en=f"secrets {account / SECRETS} (0600)")))
    hidden = f"{read.account[:2]}****{read.account[-2:]}-{read.product}"
    print(
        say(Text(ko=f"계좌 {hidden} · {mode} · 다음: `haetae doctor`", en=f"account {hidden} · {mode} · next: doctor"))
    )
