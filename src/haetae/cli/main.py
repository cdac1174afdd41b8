"""The command tree and its one door: ``main`` returns the exit code of every path out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

import haetae.cli.backtest_sweep  # noqa: F401 - its verb stands among those of backtest
from haetae import __version__
from haetae.cli import (
    backtest_audit,
    collect,
    deploy,
    emulator,
    faults,
    feargreed,
    features_check,
    guards,
    infra,
    journal,
    lake,
    llm,
    model,
    notify,
    research,
    review,
    serve,
    strategy,
    trade,
    train,
    universe,
)
from haetae.cli.bench import bench
from haetae.cli.crashtest import crashtest
from haetae.cli.dashboard import dashboard
from haetae.cli.demo import demo
from haetae.cli.doctor import doctor
from haetae.cli.health import health
from haetae.cli.init import init
from haetae.cli.kill import kill
from haetae.cli.simtest import simtest
from haetae.cli.text import hint
from haetae.domain.errors import HaetaeError

SHORT = {"help_option_names": ["-h", "--help"]}


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


def version() -> None:
    """Print the version and what it runs on."""
    print(f"haetae {__version__} (Python {sys.version.split()[0]}, {sys.platform})")


def build() -> typer.Typer:
    """Return the command tree; nothing heavy is imported by building it."""
    app = typer.Typer(
        name="haetae",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings=SHORT,
        help=hint(
            "해태: 한국 주식 자동매매 플랫폼 (KIS Open API). 실거래는 기본값이 아닙니다.",
            "Haetae: a trading platform for Korean stocks (KIS Open API). Real trading is never a default.",
        ),
    )

    @app.callback()
    def _root(
        version: Annotated[
            bool,
            typer.Option(
                "--version", is_eager=True, callback=_version, help=hint("버전을 보이고 끝냅니다.", "Show the version.")
            ),
        ] = False,
    ) -> None:
        """Take the options that stand before a command."""

    app.command(
        help=hint(
            "수집부터 거래, 회고까지 한 번에. 키도 인터넷도 필요 없고, 씨앗이 같으면 결과도 같습니다.",
            "The whole trading life in one command: no key, no internet, and one seed gives one result.",
        )
    )(demo)
    app.add_typer(emulator.nouns, name="emulator")
    app.add_typer(collect.nouns, name="collect")
    app.add_typer(research.nouns, name="research")
    app.add_typer(backtest_audit.nouns, name="backtest")  # those of `backtest`, and the audit
    app.add_typer(train.nouns, name="train")
    app.add_typer(strategy.nouns, name="strategy")
    app.add_typer(feargreed.nouns, name="feargreed")
    app.add_typer(lake.nouns, name="lake")
    app.add_typer(features_check.nouns, name="features")  # those of `features`, and the proofs
    app.add_typer(universe.nouns, name="universe")
    app.add_typer(journal.nouns, name="journal")
    app.add_typer(guards.nouns, name="guards")
    app.add_typer(llm.nouns, name="llm")
    app.command(help=hint("키 파일에서 계좌 설정을 만듭니다.", "Make the account from a key file."))(init)
    app.command(help=hint("거래일 준비를 점검합니다.", "Check that a trading day can begin."))(doctor)
    app.command(help=hint("데스크를 멈추거나 풉니다.", "Stop the desk, or release it."))(kill)
    app.add_typer(trade.nouns, name="trade")
    app.add_typer(notify.nouns, name="notify")
    app.add_typer(model.nouns, name="model")
    app.add_typer(review.nouns, name="review")
    app.command(help=hint("서비스와 대시보드를 켭니다.", "Start the service and the dashboard."))(serve.serve)
    app.add_typer(serve.tokens, name="token")
    app.command(help=hint("서비스의 웹 화면을 엽니다.", "Open the web pages of a service."))(dashboard)
    app.command(help=hint("이름 붙은 지점마다 죽이고 되살려 판정합니다.", "Kill at each named point, restart, judge."))(
        crashtest
    )
    app.command(help=hint("벤치마크를 비교 대상과 나란히 돌립니다.", "Run a benchmark beside its peer."))(bench)
    app.command(
        help=hint("데스크 전체를 가상 시간으로, 장애와 함께.", "The whole desk on virtual time, under faults.")
    )(simtest)
    app.add_typer(infra.nouns, name="infra")
    app.add_typer(deploy.nouns, name="deploy")
    app.command(help=hint("살아 있다고 셀 수 있는지 봅니다.", "Tell whether this counts as alive."))(health)
    app.command(help=hint("버전과 실행 환경을 보입니다.", "Show the version and what it runs on."))(version)
    return app


def _run(command: Any, arguments: list[str]) -> int:
    """Run without the command library's own handling of failures, which would hide kinds and codes."""
    try:
        with command.make_context("haetae", arguments) as context:
            command.invoke(context)
    except typer.Exit as asked:
        return int(asked.exit_code)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; failures become one message on stderr."""
    command = typer.main.get_command(build())
    try:
        code = _run(command, list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except HaetaeError as fault:
        print(faults.of_haetae(fault), file=sys.stderr)
        return fault.exit_code
    except faults.UsageError as fault:
        if type(fault).__name__ == "NoArgsIsHelpError":
            fault.show()
        else:
            print(faults.of_usage(fault), file=sys.stderr)
        return faults.USAGE_EXIT
    except (KeyboardInterrupt, typer.Abort):
        print(hint("중단했습니다.", "Interrupted."), file=sys.stderr)
        return faults.INTERRUPTED_EXIT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return faults.READER_GONE_EXIT
    except OSError as fault:
        print(faults.of_system(fault), file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
