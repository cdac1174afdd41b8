"""``haetae demo``: the whole trading life on the screen, and the same facts as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.panel import Panel as Frame
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from haetae.cli.options import JSON
from haetae.cli.record import check_target
from haetae.cli.serve import show
from haetae.cli.text import hint, language, say
from haetae.domain.errors import Text


class ConsoleScreen:
    """Draws the demo on a terminal, or as plain lines where there is none."""

    def __init__(self, console: Console) -> None:
        """Draw on ``console``."""
        self._console = console
        self._bar: Progress | None = None
        self._task: Any = None
        self._label = ""
        self._tenth = -1

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        self._label, self._tenth = "", -1

    def stage(self, number: int, total: int, title: Text) -> None:
        """Begin a stage with a rule."""
        self._end_bar()
        self._console.print(f"[bold cyan]{number}/{total}[/] [bold]{say(title)}[/]")

    def progress(self, label: Text, done: int, total: int) -> None:
        """Move the bar of the stage; off a terminal print every tenth part."""
        text = say(label)
        if not self._console.is_terminal:
            tenth = 10 * done // max(1, total)
            if (text, tenth) != (self._label, self._tenth):
                self._label, self._tenth = text, tenth
                self._console.print(f"   {text} {done:,}/{total:,}")
            return
        if self._bar is None or text != self._label:
            self._end_bar()
            self._bar = Progress(
                TextColumn("   {task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("ETA"),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(text, total=total)
            self._label = text
        self._bar.update(self._task, completed=done, total=total)
        if done >= total:
            self._end_bar()

    def say(self, text: Text) -> None:
        """Print one line."""
        self._end_bar()
        self._console.print(f"   {say(text)}", highlight=False, soft_wrap=True)

    def table(self, title: Text, head: Sequence[Text], rows: Sequence[Sequence[str]]) -> None:
        """Print figures side by side; the first column is text, the others are numbers."""
        self._end_bar()
        table = Table(title=say(title), title_justify="left", title_style="bold", pad_edge=False)
        for place, name in enumerate(head):
            table.add_column(say(name), justify="left" if place == 0 else "right", no_wrap=place > 0)
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._end_bar()


def demo(
    json_file: JSON = None,
    out: Annotated[Path | None, typer.Option(help=hint("결과 폴더 (data/demo)", "output folder"))] = None,
    lake: Annotated[Path | None, typer.Option(help=hint("이 레이크의 일봉을 재생", "replay a lake's bars"))] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help=hint("처음부터 다시", "start over, do not resume"))] = False,
    short: Annotated[bool, typer.Option("--short", help=hint("작은 시장으로", "a smaller market"))] = False,
    seed: Annotated[int, typer.Option(min=0, help=hint("시장과 학습의 씨앗", "seed of market and learning"))] = 7,
    serve: Annotated[bool, typer.Option("--serve", help=hint("끝나면 대시보드를 켭니다", "then serve it"))] = False,
) -> None:
    """Run every stage on the screen and write the same facts as JSON."""
    check_target(json_file)
    if serve:
        from haetae.service.serving import require_libraries

        require_libraries("fastapi", "uvicorn", "streamlit")
    import asyncio

    from haetae.wiring.demo.run import DemoSettings, run_demo

    console = Console()
    screen = ConsoleScreen(console)
    settings = DemoSettings(out=out, lake=lake, seed=seed, fresh=fresh, short=short, json_file=json_file)
    try:
        facts = asyncio.run(run_demo(settings, screen))
    finally:
        screen.close()
    console.print(Frame("\n".join(closing(facts)), title=say(Text(ko="마무리", en="Closing")), expand=False))
    if serve:
        show(Path(facts["files"]["journal"]).parent, port=8710, dashboard_port=8711, json_file=None)


def won(amount: int) -> str:
    """Return an amount as people write it, ``1,234,567원``."""
    return f"{amount:,}원" if language() == "ko" else f"KRW {amount:,}"


def closing(facts: dict[str, Any]) -> list[str]:
    """Return the lines of the closing screen: what happened, what it cost, what was refused, where it is."""
    made, orders, fills = sum(facts["decisions"].values()), facts["orders"], facts["fills"]
    cash = won(facts["reconciliation"]["journal"]["cash"])
    lessons = len(facts["lessons"])
    names = facts["denied_by"]
    refused = _listed({f"{code} {names[code][language()]}": count for code, count in facts["denied"].items()})
    agreed = facts["reconciled"]
    lines = [
        _say(
            f"결정 {made:,} → 주문 {orders:,} → 체결 {fills:,}",
            f"{made:,} decisions, {orders:,} orders, {fills:,} fills",
        ),
        f"  {_listed(facts['decisions'])}",
        *(_session(day) for day in facts["sessions"]),
        _say(f"가드가 거절한 주문: {refused}", f"refused by guards: {refused}"),
        _say(f"교훈 후보 {lessons}건 (승인 전에는 효과 없음)", f"{lessons} candidate lessons (no effect yet)"),
        _say(
            f"저널과 에뮬레이터 원장: {'원 단위까지 일치' if agreed else '불일치!'} · 현금 {cash}",
            f"journal and emulator ledger: {'equal to the won' if agreed else 'DIFFERENT!'} · cash {cash}",
        ),
        _deciders(facts["deciders"]),
        *(f"{name}: {path}" for name, path in facts["files"].items()),
    ]
    seconds = sum(facts["seconds"].values())
    lines.append(_say(f"{seconds:.0f}초 · 메모리 {facts['rss_mb']:,} MB", f"{seconds:.0f} s · {facts['rss_mb']:,} MB"))
    return lines


def _say(ko: str, en: str) -> str:
    return say(Text(ko=ko, en=en))


def _deciders(counts: dict[str, int]) -> str:
    """Say who judged; ``none`` are legs that were not put to anybody."""
    names = sorted(set(counts) - {"none", "offline_rules_v1"})
    rules_ko, rules_en = "오프라인 규칙 (AI 아님)", "offline rules (not AI)"
    if not names:
        return _say(f"판단: {rules_ko}", f"decider: {rules_en}")
    models = ", ".join(names)
    mixed = "offline_rules_v1" in counts
    return _say(
        f"판단: 언어 모델 {models}" + (f", {rules_ko}" if mixed else ""),
        f"decider: language model {models}" + (f", {rules_en}" if mixed else ""),
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "-"


def _session(day: dict[str, Any]) -> str:
    profit, fees, taxes = won(day["profit"]), won(day["fees"]), won(day["taxes"])
    level = day["escape"]["level"]
    return _say(
        f"{day['day']}: 손익 {profit} · 수수료 {fees} · 세금 {taxes} · 탈출 {level}",
        f"{day['day']}: profit {profit} · fees {fees} · taxes {taxes} · escape {level}",
    )
