"""The course of one session: its prints under the rules, and every interruption of them.

Here: ``run_course``, which bridges the daily bars, puts scripted moves in, and lets VI, halts, breakers and
periodic auctions interrupt the prints, name by name and market by market. Not here: how one name is
interrupted (``interrupts``), the rules (``krx``), what a quote shows of it (``session``, ``board``).

A day of which nothing was scripted keeps open, high, low, close and volume of its daily bar; what was scripted
changes it from its instant on. A third level of the circuit breaker, which ends a day, comes by script only.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array, Market
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, Instant
from haetae.emulator.bridge import STEPS, bridge_day, draw_noise, group
from haetae.emulator.dice import dice
from haetae.emulator.holds import Call, Hold, Plan, Settled, ViEvent
from haetae.emulator.interrupts import LATE_ROW_S, resume, settle
from haetae.emulator.interventions import (
    Break,
    Canvas,
    Lock,
    Move,
    Shock,
    Stop,
    Trip,
    put_lock,
    put_shock,
    put_trip,
)
from haetae.emulator.kernels import carry, suspects
from haetae.emulator.stage import LATE_ROWS, Course, Pause, Stage
from haetae.krx.interruptions import periodic_min, reopening_min


def run_course(stage: Stage, columns: Int64Array | None = None) -> Course:
    """Return the course of a day, of all names or of some columns of a stage that needs no index."""
    run = _Run(stage if columns is None else stage.take(columns), None if columns is None else columns)
    run.interrupt()
    return run.course()


class _Run:
    """The state of one run: prints as they would be, and what the rules made of each name.

    The day runs once as planned; then each scripted act, in the order of their instants, lets it run anew from
    there on, so that nothing before an act depends on it.
    """

    def __init__(self, stage: Stage, columns: Int64Array | None) -> None:
        self.stage = stage
        session = stage.rules.session
        self.times = session.minute_edges()
        start, end = self.times
        length = (end - start) // STEPS
        self.start: Int64Array = (start[:, None] + length[:, None] * np.arange(STEPS)).ravel()
        self.end: Int64Array = np.append(self.start[1:], end[-1])
        self.continuous, self.closing = (len(start) - 1) * STEPS, len(start) * STEPS - 1
        self.width = len(stage.bars.open)
        symbols = [item.symbol for item in stage.instruments]
        self.column = {symbol: place for place, symbol in enumerate(symbols)}
        noise = draw_noise(stage.seed, stage.day, symbols, len(start))
        self.price, self.volume = bridge_day(stage.bars, noise, stage.grid)
        places = np.arange(self.width) if columns is None else columns
        recorded = np.zeros(0, dtype=np.int64)
        if stage.recorded is not None:
            recorded = np.flatnonzero(np.isin(places, stage.recorded(self.price, self.volume, places)))
        spans = [periodic_min(stage.day, item.flags, item.market) for item in stage.instruments]
        periods = np.array(spans, dtype=np.int64)
        periods[recorded] = 0
        self.without_vi = stage.free | (periods > 0)
        self.without_vi[recorded] = True
        rules = stage.rules.vi
        pairs = [(0, 0)] * 2 if rules is None else [rules.dynamic(narrow=narrow)[:2] for narrow in (False, True)]
        self.rates: Int64Array = np.array(pairs, dtype=np.int64)[stage.narrow.astype(int)]
        self.settled: dict[int, Settled] = {}
        self.pauses: list[Pause] = []
        self.holds: dict[int, list[Hold]] = {}
        self.broken: dict[Market, list[tuple[Pause, Hold]]] = {market: [] for market in stage.weights}
        self._hold_periodic(periods)

    def interrupt(self) -> None:
        """Let the rules of the day interrupt each name and each market, then each act of the script."""
        for place in self._suspects():
            self._settle(int(place), 0)
        for market in self.stage.weights:
            self._break(market, 0, scripted=False)
        acts: list[Move | Stop] = sorted((*self.stage.moves, *self.stage.stops), key=lambda act: act.at)
        for act in acts:
            touched = self._move(act) if isinstance(act, Shock | Trip | Lock) else self._stop(act)
            for market, trips in self.broken.items():
                if any(pause.at > act.at for pause, _ in trips):
                    self.broken[market] = [trip for trip in trips if trip[0].at <= act.at]
                    touched |= self._of(market)
            for place in sorted(touched):
                self._settle(place, act.at)
            for market in self.stage.weights:
                self._break(market, act.at, scripted=True)

    def _of(self, market: Market) -> set[int]:
        return {place for place, item in enumerate(self.stage.instruments) if item.market is market}

    def _move(self, move: Move) -> set[int]:
        """Put a move into the prints; returns the names it touched."""
        stage = self.stage
        canvas = Canvas(
            self.start, self.end, self.price, self.volume, stage.lower, stage.upper, stage.bars.before > 0, stage.grid
        )
        match move:
            case Shock(symbols=named):
                some = range(self.width) if named is None else [self.column[s] for s in named if s in self.column]
                put_shock(canvas, move, np.array(some, dtype=np.int64))
                return set(some)
            case Trip(symbol=symbol) if symbol in self.column:
                put_trip(canvas, move, self.column[symbol], int(self.rates[self.column[symbol], 0]))
            case Lock(symbol=symbol) if symbol in self.column:
                put_lock(canvas, move, self.column[symbol])
            case _:
                return set()
        return {self.column[move.symbol]}

    def _stop(self, stop: Stop) -> set[int]:
        """Put a halt or a breaker in; returns the names it touches."""
        if isinstance(stop, Break):
            found = self._trip(stop.market, stop.level, stop.at)
            return self._of(stop.market) if found else set()
        place = self.column.get(stop.symbol)
        if place is None:
            return set()
        first = int(np.searchsorted(self.end, stop.at, side="right"))
        ends = bool(stop.until) and stop.until < int(self.end[-1])
        call_to = stop.until + reopening_min(self.stage.day) * NS_PER_MINUTE
        last = int(np.searchsorted(self.start, call_to)) if ends else len(self.end)
        self.holds.setdefault(place, []).append(Hold(first, last, stop.until, ends_day=not ends))
        until = self._until(last) if ends else 0
        self.pauses.append(Pause(stop.at, stop.until if ends else 0, until, column=place, reason=stop.reason))
        return {place}

    def _settle(self, place: int, cut: Instant) -> None:
        """Settle a name anew, all of the day or what comes after an instant."""
        rows = np.flatnonzero(self.volume[:, place])
        stage, market = self.stage, self.stage.instruments[place].market
        broken = [hold for _, hold in self.broken.get(market, ())]
        plan = Plan(
            column=place,
            base=int(stage.bars.before[place]),
            start=self.start,
            end=self.end,
            continuous=self.continuous,
            closing=self.closing,
            rules=None if self.without_vi[place] else stage.rules.vi,
            dynamic_bp=int(self.rates[place, 0]),
            closing_bp=int(self.rates[place, 1]),
            holds=tuple(sorted((*self.holds.get(place, ()), *broken), key=lambda hold: hold.first)),
        )
        own = dice(stage.seed, "vi", stage.day, stage.instruments[place].symbol, cut)
        prints = (rows, self.price[rows, place], self.volume[rows, place])
        if cut:
            before = self.settled.get(place)
            if before is None:
                before = self._undisturbed(place)
            self.settled[place] = resume(before, cut, prints, plan, own)
        elif len(rows):
            self.settled[place] = settle(*prints, plan, own)

    def _undisturbed(self, place: int) -> Settled:
        """A name that nothing interrupted, as far as its day has gone: its prints before any act."""
        rows = np.flatnonzero(self.volume[:, place])
        single = [row for row in (0, self.closing) if self.volume[row, place]]
        return Settled([(rows, self.price[rows, place], self.volume[rows, place])], single)

    def _suspects(self) -> Int64Array:
        """Names that may trip a VI, and those with a hold: only they are walked print by print."""
        held = np.zeros(self.width, dtype=bool)
        held[list(self.holds)] = True
        rules = self.stage.rules.vi
        if rules is None:
            return np.flatnonzero(held)
        rates = (np.ascontiguousarray(self.rates[:, 0]), np.ascontiguousarray(self.rates[:, 1]))
        tripped = suspects(self.price, self.volume, self.stage.bars.before, self.continuous, *rates, rules.static_bp)
        return np.flatnonzero(((tripped & ~self.without_vi) | held) & self.volume.any(axis=0))

    def _until(self, row: int) -> Instant:
        return int(self.end[row]) if row < self.continuous else int(self.end[self.closing])

    def _hold_periodic(self, periods: Int64Array) -> None:
        """Names that trade at single prices only: all rows but those of their marks are held."""
        for place in np.flatnonzero(periods).tolist():
            marks = [*range(0, self.continuous, int(periods[place]) * STEPS), len(self.end)]
            self.holds[place] = [Hold(before + 1, after, int(self.end[before])) for before, after in pairwise(marks)]

    def _trip(self, market: Market, level: int, at: Instant) -> bool:
        """Trip one level of a market's breaker, once a day."""
        rules, known = self.stage.rules.breaker, self.broken.get(market)
        if rules is None or known is None or level > len(rules.levels):
            return False
        if any(pause.level == level for pause, _ in known):
            return False
        one = rules.levels[level - 1]
        first = int(np.searchsorted(self.end, at, side="right"))
        call_from = at + one.halt_min * NS_PER_MINUTE
        ends_day = one.halt_min == 0
        last = int(np.searchsorted(self.start, call_from + one.auction_min * NS_PER_MINUTE))
        hold = Hold(first, len(self.end) if ends_day else last, call_from, ends_day=ends_day)
        until = 0 if ends_day else self._until(last)
        known.append((Pause(at, 0 if ends_day else call_from, until, market=market, level=level), hold))
        return True

    def _break(self, market: Market, after: Instant, *, scripted: bool) -> None:
        """Trip the breaker of a market as often as its index, as it is seen from an instant on, calls for it."""
        rules, weights = self.stage.rules.breaker, self.stage.weights[market]
        if rules is None or not weights.any() or self._lowest_index(weights) > 1.0 - rules.levels[0].fall_bp / 10_000:
            return
        known = {pause.level: pause for pause, _ in self.broken[market]}
        minute, reached = int(np.searchsorted(self.times[1], after, side="right")), 1.0
        for level, one in enumerate(rules.levels, start=1):
            index = self._index(weights)
            if level in known:
                place = max(0, int(np.searchsorted(self.times[1], known[level].at)) - 1)
                minute, reached = max(minute, place + 1), float(index[min(place, len(index) - 1)])
                continue
            if one.halt_min == 0 and not scripted:
                return
            below = min(1.0 - one.fall_bp / 10_000, reached * (1 - one.further_bp / 10_000))
            found = _first_lasting(index, below, minute, rules.lasts_s)
            if found is None:
                return
            at, close_at = int(self.times[1][found]), int(self.times[1][-1])
            if one.halt_min and at >= close_at - rules.guard_min * NS_PER_MINUTE:
                return
            self._trip(market, level, at)
            for place in sorted(self._of(market)):
                self._settle(place, at if scripted else 0)
            minute, reached = found + 1, float(index[found])

    def _lowest_index(self, weights: NDArray[np.float64]) -> float:
        live = np.where(self.volume > 0, self.price, np.iinfo(np.int64).max).min(axis=0)
        base = np.maximum(self.stage.bars.before, 1)
        lowest = np.minimum(live, self.stage.bars.before) / base
        return float((weights * lowest).sum() / weights.sum())

    def _index(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The index at each end of a minute of continuous trading, 1 at the base prices, as it is seen."""
        members = np.flatnonzero(weights)
        price, volume = self._prints(members)
        base = self.stage.bars.before[members]
        carried = carry(price, volume, base)[STEPS - 1 : self.continuous : STEPS]
        return np.asarray(carried / np.maximum(base, 1) @ weights[members] / weights[members].sum())

    def _prints(self, columns: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Return prices and volumes of some names as the rules left them."""
        price, volume = self.price[:, columns], self.volume[:, columns]
        for place, column in enumerate(columns.tolist()):
            settled = self.settled.get(column)
            if settled is not None:
                volume[:, place] = 0
                rows, prices, shares = settled.arrays()
                price[rows, place], volume[rows, place] = prices, shares
        return price, volume

    def course(self) -> Course:
        """Return what all of it comes to."""
        price, volume = self._prints(np.arange(self.width))
        start, end = self.start, self.end
        single, held = np.zeros(price.shape, dtype=bool), np.zeros(price.shape, dtype=bool)
        single[0], single[self.closing] = volume[0] > 0, volume[self.closing] > 0
        held[self.continuous :] = True
        released: dict[int, Instant] = {}
        for place, settled in self.settled.items():
            single[settled.single, place] = True
            for first, last in settled.held:
                held[first:last, place] = True
            if settled.late is not None:
                released[place] = settled.late[0]
        if released:
            start, end, price, volume, single, held = self._with_late(released, price, volume, single, held)
        bars = group(self.stage.day, self.times, price, volume, self.stage.bars.before)
        calls = sorted((call for one in self.settled.values() for call in one.calls), key=_by_start)
        events = sorted((event for one in self.settled.values() for event in one.events), key=_by_instant)
        pauses = [*self.pauses, *(pause for trips in self.broken.values() for pause, _ in trips)]
        return Course(
            day=self.stage.day,
            start=start,
            end=end,
            price=carry(price, volume, self.stage.bars.before),
            volume=volume,
            single=single,
            held=held,
            bars=bars,
            calls=tuple(calls),
            events=tuple(events),
            pauses=tuple(sorted(pauses, key=lambda pause: pause.at)),
            released=released,
        )

    def _with_late(
        self, released: dict[int, Instant], price: Int64Array, volume: Int64Array, single: BoolArray, held: BoolArray
    ) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array, BoolArray, BoolArray]:
        late = int(self.end[-1]) + LATE_ROW_S * NS_PER_SECOND * np.arange(LATE_ROWS + 1)
        shape = (LATE_ROWS, self.width)
        price, volume = (np.vstack([part, np.zeros(shape, dtype=np.int64)]) for part in (price, volume))
        single, held = (np.vstack([part, np.zeros(shape, dtype=bool)]) for part in (single, held))
        for place, until in released.items():
            row = self.closing + 1 + int(np.searchsorted(late[1:], until))
            settled = self.settled[place].late
            assert settled is not None
            price[row, place], volume[row, place], single[row, place] = settled[1], settled[2], True
            held[self.closing : row, place] = True
        return np.append(self.start, late[:-1]), np.append(self.end, late[1:]), price, volume, single, held


def _by_start(call: Call) -> tuple[Instant, int]:
    return call.since, call.column


def _by_instant(event: ViEvent) -> tuple[Instant, int]:
    return event.at, event.column


def _first_lasting(index: NDArray[np.float64], below: float, first: int, lasts_s: int) -> int | None:
    """Return the minute at whose end the index has been so low for as long as the rule asks."""
    low = index <= below
    low[:first] = False
    need = max(1, -(-lasts_s // 60))
    run = low.copy()
    for back in range(1, need + 1):
        run[back:] &= low[:-back]
        run[:back] = False
    found = np.flatnonzero(run)
    return int(found[0]) if len(found) else None
