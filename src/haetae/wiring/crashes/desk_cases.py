"""The desk as a stage of the crash test: a scenario, its deaths and starts around one surviving market."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haetae.domain.errors import Text
from haetae.domain.events import Note
from haetae.domain.units import instant_at
from haetae.journal import JournalDb
from haetae.live.recovery import CLOSED, RUN
from haetae.wiring.crashes.acting import BEGIN, trade
from haetae.wiring.crashes.cases import KILLED, Found, Straight, last_words, run_child
from haetae.wiring.crashes.dying import Death, Dying
from haetae.wiring.crashes.ground import ACCOUNT, DAY, Market, lay_out, market
from haetae.wiring.crashes.judging import judge
from haetae.wiring.crashes.scenarios import Scenario


@dataclass(frozen=True, slots=True)
class DeskStage:
    """One scenario; fulfils ``cases.Stage``."""

    scenario: Scenario

    @property
    def name(self) -> str:
        """See ``Stage``."""
        return self.scenario.name

    @property
    def told(self) -> Text:
        """See ``Stage``."""
        return self.scenario.told

    def straight(self, folder: Path) -> Straight:
        """Trade the half hour; with an earlier death the points are those of the start behind it."""
        with self._market(folder) as running:
            deaths = [self.scenario.before] if self.scenario.before else []
            for death in deaths:
                status = self._trade(running, folder, death)
                if status != KILLED:
                    raise RuntimeError(f"{self.name}: {death.point} was not reached: {last_words(folder / 'log')}")
            status = self._trade(running, folder, None)
            if status:
                raise RuntimeError(f"{self.name} ended with {status}: {last_words(folder / 'log')}")
            passed = Counter(json.loads((folder / "passed.json").read_text(encoding="utf-8")))
            return Straight(passed, _ledger(running))

    def die(self, folder: Path, death: Death, straight: Straight) -> Found:
        """Die, start again until the day is closed, and judge."""
        with self._market(folder) as running:
            for each in (self.scenario.before, death):
                if each is None:
                    continue
                status = self._trade(running, folder, each)
                if status != KILLED:
                    return Found("not reached", (f"{each.point} visit {each.visit} was not reached ({status})",))
            if not _is_closed(folder):
                status = self._trade(running, folder, None)
                if status:
                    return Found("stopped", (f"the desk did not start again ({status}): {last_words(folder / 'log')}",))
            orders = running.ask("GET", f"/orders?account={ACCOUNT}")
            verdict = judge(folder, _ledger(running), orders, straight.end)
        return Found(verdict.outcome, verdict.broken)

    def _market(self, folder: Path) -> AbstractContextManager[Market]:
        lay_out(folder)
        return _armed(self.scenario)

    def _trade(self, running: Market, folder: Path, death: Death | None) -> int:
        def work() -> None:
            passing = Dying(death)
            trade(running, folder, self.scenario.weights, self.scenario.wishes, passing)
            passing.write(folder / "passed.json")

        return run_child(work, folder / "log")


@contextmanager
def _armed(scenario: Scenario) -> Iterator[Market]:
    """Run a market with a scenario's faults and fall scripted."""
    with market(BEGIN) as running:
        if scenario.faults:
            running.ask("POST", "/faults", {"toml": scenario.faults})
        if scenario.fall:
            clock, minutes, size = scenario.fall
            running.ask("POST", "/shock", {"at": instant_at(DAY, clock), "minutes": minutes, "return_bp": size})
        yield running


def _ledger(running: Market) -> dict[str, Any]:
    found = running.ask("GET", f"/ledger?account={ACCOUNT}")
    return {name: found.get(name, default) for name, default in (("cash", 0), ("holdings", {}), ("fills", []))}


def _is_closed(folder: Path) -> bool:
    """Whether the day's books are closed: then nothing starts it again (``trading_days``)."""
    if not (folder / "journal.db").exists():
        return False
    with JournalDb(folder / "journal.db") as journal:
        notes = [record for _, _, _, record in journal.entries(kind=RUN)]
    return any(isinstance(note, Note) and note.kind == CLOSED for note in notes)
