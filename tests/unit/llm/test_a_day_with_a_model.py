"""The live driver with a model as its decider: labels, replay, failures, no key in the journal."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import numpy as np

from haetae import agent
from haetae.desk import open_desk
from haetae.domain.decisions import Proposal, View
from haetae.journal import JournalDb
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.live import DayReport, TradingDayRunner, replay
from haetae.llm.decider import LlmDecider
from haetae.sim import open_venue
from haetae.wiring.deciders import problem_of
from rigs.desk_day import CASH, DAY, codes, instruments, loose, minutes, session_start, top_names
from rigs.language_model import KEY, MODEL, reviewing, status, text
from rigs.paper_broker import DrivenClock, PaperBroker, PushedFeed
from rigs.reviewing import reviewing_with

SYMBOLS = codes(8)
RULES = Rulebook.on(DAY)


class Top:
    policy_id = "top-names-1"

    def __init__(self) -> None:
        self._propose = top_names(4)

    def propose(self, view: View) -> Proposal:
        return self._propose(view)


async def run_day(folder: Path, *script: object, **changes: object) -> tuple[DayReport, bytes, int]:
    """Run forty minutes with a scripted model; return the report, the journal's bytes and the calls made."""
    async with reviewing_with(folder, *script, calls_per_minute=1_000, **changes) as review:  # type: ignore[arg-type]
        clock = DrivenClock(RULES.session.orders_from)
        broker, feed = PaperBroker(open_venue(RULES, instruments(SYMBOLS), CASH), clock), PushedFeed()
        with JournalDb(folder / "j.db") as journal:
            runner = TradingDayRunner(
                desk=open_desk(loose(), open_book(CASH)),
                session=session_start(SYMBOLS),
                broker=broker,
                feed=feed,
                journal=journal,
                policy=Top(),
                decider=LlmDecider(review.client, clock, problem_of, agent.reply_schema()),
                clock=clock,
                rules=RULES,
            )
            task = asyncio.create_task(runner.run())
            for piece in minutes(SYMBOLS, np.random.default_rng(5), count=40):
                broker.move(piece)
                clock.advance(piece.end)
                await runner.idle()
                feed.push(piece)
                await runner.idle()
            broker.close(RULES.session.close_at)
            clock.advance(RULES.session.close_at)
            await runner.idle()
            runner.stop()
            report = await task
            again = replay(journal, open_desk(loose(), open_book(CASH)), RULES)
            assert again.identical
            texts = "".join(row[3] for row in journal.raw())
        return report, texts.encode(), len(review.server.asked)


async def test_a_day_is_judged_under_the_models_name_and_replays_without_it(tmp_path: Path) -> None:
    report, journal, calls = await run_day(tmp_path, reviewing())
    assert report.fills > 0 and report.decisions["MODEL_APPROVE"] == calls
    assert set(report.deciders) <= {MODEL, "none"}
    assert KEY.encode() not in journal and b"offline_rules" not in journal


async def test_a_model_that_only_fails_buys_nothing_and_the_day_goes_on(tmp_path: Path) -> None:
    for number, answer in enumerate((text("buy everything"), status(500), status(401))):
        folder = tmp_path / str(number)
        folder.mkdir()
        report, journal, _ = await run_day(folder, answer)
        assert report.fills == 0 and report.orders == 0
        assert all(name.startswith("ABSTAIN_") for name in report.decisions)
        assert KEY.encode() not in journal


async def test_a_model_in_changing_moods_never_enlarges(tmp_path: Path) -> None:
    moods = (
        reviewing(),
        reviewing(action="reduce", target_fraction=0.5),
        reviewing(action="reject", target_fraction=0.0),
        reviewing(confidence=0.3),
        reviewing(target_fraction=7.0),
    )
    script = list(itertools.islice(itertools.cycle(moods), 200))
    report, _, _ = await run_day(tmp_path, *script)
    assert {"MODEL_APPROVE", "MODEL_REDUCE", "BELOW_THRESHOLD"} <= set(report.decisions)
    assert report.fills > 0
