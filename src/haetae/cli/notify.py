"""``haetae notify test``: does a message reach the people it is for."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from haetae.cli.init import ACCOUNT, AccountFolder
from haetae.cli.options import JSON, Config
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import BrokerError, Text

nouns = typer.Typer(no_args_is_help=True, help=hint("알림", "Notifications"))


@nouns.callback()
def _nouns() -> None:
    """Keep the noun where it has one verb."""


@nouns.command("test", help=hint("모든 채널에 시험 메시지를 보냅니다.", "Send a test message to every channel."))
def send_a_test(
    account: AccountFolder = ACCOUNT,
    config: Config = None,
    words: Annotated[str, typer.Option("--words", help=hint("보낼 말", "what to say"))] = "",
    json_file: JSON = None,
) -> None:
    """Send one message now; exit code 7 where a channel did not take it."""
    check_target(json_file)
    from haetae.config import load
    from haetae.wiring.accounts import read_secrets
    from haetae.wiring.notifying import send_test

    settings = load(config or [], {**read_secrets(account), **os.environ}).notify
    count, took = asyncio.run(send_test(settings, words, os.environ))
    write_record(json_file, {"channels": count, "sent": took})
    if not count:
        print(say(Text(ko="알림 채널이 없습니다: HAETAE_NOTIFY__URLS", en="no channel: HAETAE_NOTIFY__URLS")))
        raise typer.Exit(1)
    if not took:
        raise BrokerError(
            Text(ko="받지 않은 채널이 있습니다", en="a channel did not take it"),
            expected=Text(ko=f"채널 {count}개 모두 받음", en=f"all {count} channels"),
            found="apprise: false",
            next_step="HAETAE_NOTIFY__URLS",
        )
    print(say(Text(ko=f"채널 {count}개에 보냈습니다", en=f"sent to {count} channels")))
