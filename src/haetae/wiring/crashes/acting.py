"""The desk that dies: the real trading day over real sockets, in a process that may be killed at any named point.

Here: a policy that wants two names, the clock that steps market and desk together, wishes of a person at their
instants. Everything else is ``floor`` as it trades. Not here: what must be true afterwards (``judging``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from haetae.agent import DECIDER
from haetae.desk import DeskSettings
from haetae.domain.decisions import Proposal, View
from haetae.domain.events import SessionStart
from haetae.domain.units import NS_PER_SECOND, Instant, Symbol, instant_at
from haetae.guards import Limits
from haetae.krx import Rulebook
from haetae.live import DayReport
from haetae.ports import Clock, Passing
from haetae.store.lake import Lake
from haetae.wiring.child import Control
from haetae.wiring.clocks import DrivenClock
from haetae.wiring.crashes.ground import CASH, DAY, Market, listed
from haetae.wiring.desks import Before, DayPlan, session_start
from haetae.wiring.floor import Floor
from haetae.wiring.lockstep import Lockstep
from haetae.wiring.operators import OperatorFile
from haetae.wiring.paces import Line

BEGIN = instant_at(DAY, 145_500)
"""Half an hour before the close: a whole end of a day lies ahead, and few minutes."""
_STEP_S = 60

Wish = tuple[Instant, Callable[[Path], object]]
"""When a person acts, and what they do in the desk's folder."""


@dataclass(frozen=True, slots=True)
class Wanting:
    """A policy that wants fixed weights at every decision."""

    weights: Mapping[Symbol, float]
    policy_id: str = "crash-test-1"

    def propose(self, view: View) -> Proposal:
        """Return the weights."""
        targets = {symbol: self.weights.get(symbol, 0.0) for symbol in view.symbols}
        scores = dict(zip(view.symbols, [float(score) for score in view.scores], strict=True))
        return Proposal(f"P{view.at}", view.at, self.policy_id, targets, scores)


def settings() -> DeskSettings:
    """Return a desk whose limits do not come first, with two decisions in the half hour."""
    limits = replace(
        Limits(), max_order_ppm=50_000, daily_buys_ppm=1_000_000, daily_turnover_ppm=2_000_000, orders_per_minute=60,
        max_top5_ppm=300_000, entry_before_auction_s=600,
    )  # fmt: skip
    return replace(DeskSettings(), decision_minutes=365, first_decision_minute=360, limits=limits)


class _Stepped(DrivenClock):
    """A clock that moves its market itself until somebody drives it: before the session nobody else would."""

    def __init__(self, at: Instant, control: Control) -> None:
        super().__init__(at)
        self._control = control
        self.driven = False

    async def sleep(self, seconds: float) -> None:
        """Wait until the driver has moved the clock so far, or move it."""
        if self.driven:
            await super().sleep(seconds)
            return
        answer = await self._control.advance(self.now() + max(1, round(seconds * NS_PER_SECOND)))
        self.advance(int(answer["now"]))


class CrashPace:
    """Steps market and desk together; it takes the market where a dead desk left it."""

    speed = 0.0

    def __init__(self, control: Control, app_key: str, folder: Path, wishes: tuple[Wish, ...], at: Instant) -> None:
        self._control, self._app_key = control, app_key
        self._folder = folder
        self._clock = _Stepped(at, control)
        self._wishes = [wish for wish in wishes if wish[0] > at]

    @property
    def clock(self) -> Clock:
        """The clock of the hours that are stepped now."""
        return self._clock

    def now(self) -> Instant:
        """Return where the market was last seen."""
        return self._clock.now()

    async def until(self, at: Instant) -> DrivenClock:
        """Step the market to an instant; the clock begins there."""
        answer = await self._control.advance(max(at, self.now()))
        self._clock = _Stepped(int(answer["now"]), self._control)
        return self._clock

    async def drive(
        self, task: asyncio.Task[DayReport], line: Line, rules: Rulebook, look: Callable[[Instant], bool]
    ) -> DayReport:
        """Step to the end of the day; a person acts where their instant comes."""
        self._clock.driven = True
        lockstep = Lockstep(self._clock, self._control, line.busy, line.received, self._app_key, 200.0)

        def each(now: Instant) -> bool:
            while self._wishes and self._wishes[0][0] <= now:
                self._wishes.pop(0)[1](self._folder)
            return look(now)

        end = rules.session.close_at + 600 * NS_PER_SECOND
        await lockstep.run_until(end, until=task, each=each, step_s=_STEP_S)
        return await task

    @asynccontextmanager
    async def collecting(self, at: Instant) -> AsyncIterator[Clock]:
        """Nothing is collected in a crash test: the clock stands where the market does."""
        yield await self.until(at)


def session() -> SessionStart:
    """Return what the desk knows before the session."""
    names = {item.symbol: item for item in listed()}
    return session_start(
        BEGIN,
        sorted(names),
        names,
        closes={symbol: item.base_price for symbol, item in names.items()},
        turnover=dict.fromkeys(names, 30_000_000_000),
        scores={symbol: place / 10 for place, symbol in enumerate(sorted(names))},
        fear_greed=55.0,
        universe=names,
        before=Before(decider=DECIDER),
    )


def trade(
    market: Market, folder: Path, weights: Mapping[Symbol, float], wishes: tuple[Wish, ...], passing: Passing
) -> DayReport:
    """Run the rest of the day in this process, recovering it where the folder knows it already."""
    return asyncio.run(_trade(market, folder, weights, wishes, passing))


async def _trade(
    market: Market, folder: Path, weights: Mapping[Symbol, float], wishes: tuple[Wish, ...], passing: Passing
) -> DayReport:
    kis = market.settings(folder)
    async with aiohttp.ClientSession(trust_env=False) as http:
        control = Control(str(market.ready["control"]), http)
        at = int((await control.state())["now"])
        lake = Lake(folder / "lake")
        floor = Floor(
            kis=kis,
            lake=lake,
            journal_path=folder / "journal.db",
            policy=Wanting(weights),
            settings=settings(),
            cash=CASH,
            pace=CrashPace(control, kis.app_key, folder, wishes, at),
            env={},
            passing=passing,
        )
        begin = session()
        return await floor.trade(begin, DayPlan(DAY, begin.symbols, lake.versions()["minute"]), OperatorFile(folder))
