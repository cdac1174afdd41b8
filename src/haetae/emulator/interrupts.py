"""Interruptions put into the prints of one name: VI, halts and breakers as gaps that end in one price.

Here: ``settle``, which walks the prints a name would have had and gives those it has under the rules: what
falls into an interruption is withheld and trades at its end, together, at a single price. Open, high, low,
close and volume of the day stay what they were where ``Plan.exact`` asks for it. A script that moves prices
within the day comes in with ``resume``: what was printed before it stays, a VI that runs ends when it was told
to end. Not here: the records (``holds``), the rules (``krx.interruptions``), which days and names are
interrupted from outside (``course``).

Rows are those of a session's tape. A VI begins with the print that would have tripped it, which does not
happen; it is released at the end of a row 120 to 150 s later, and that row prints. Times within a row are
drawn from the name's own dice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from haetae.domain.market import Int64Array
from haetae.domain.units import NS_PER_SECOND, Instant, Shares, Won
from haetae.emulator.holds import Call, Hold, Plan, Prints, Settled, ViEvent, ViKind
from haetae.emulator.kernels import first_trip
from haetae.krx.interruptions import trips

LATE_ROW_S = 15
"""Length of the rows after the close in which prolonged closing auctions print."""
_LEAD_S = 180
"""Seconds between two prices of a sparse day at least: a VI of 150 s and a row fit in."""


def settle(
    rows: Int64Array, price: Int64Array, volume: Int64Array, plan: Plan, generator: np.random.Generator
) -> Settled:
    """Return the prints of a name under the rules.

    Parameters
    ----------
    rows, price, volume : int64, ``(n_prints,)``
        What would be printed; the closing auction's print, if any, is the last.
    """
    walk = _Walk(rows, price, volume, plan, generator)
    walk.run()
    if plan.exact and not walk.met():
        sparse = _Walk(rows, price, volume, plan, generator)
        sparse.lay_out()
        if sparse.met():
            return sparse.out
    return walk.out


def resume(before: Settled, cut: Instant, prints: Prints, plan: Plan, generator: np.random.Generator) -> Settled:
    """Return the prints of a name after something changed at ``cut``.

    ``before`` is how the day had gone until then, ``prints`` what would be printed now, of the whole day.
    ``plan.exact`` is not looked at: the day is another one.
    """
    first = int(np.searchsorted(plan.end, cut, side="right"))
    active = next((event for event in before.events if event.at <= cut < event.released_at), None)
    if before.late is not None and cut >= int(plan.end[-1]):
        return before
    holds = plan.holds
    if active is not None:
        last = next(call.row for call in before.calls if call.since == active.at)
        began = max(span[0] for span in before.held if span[0] <= first)
        holds = (*holds, Hold(began, last, active.at))
        first = min(first, began)
    rows, price, volume = (part[np.searchsorted(prints[0], first) :] for part in prints)
    known = before.arrays()
    kept = int(np.searchsorted(known[0], first))
    after = replace(plan, holds=tuple(sorted(holds, key=lambda hold: hold.first)), exact=False)
    walk = _Walk(rows, price, volume, after, generator)
    walk.not_before = cut
    walk.out = Settled(
        pieces=[(known[0][:kept], known[1][:kept], known[2][:kept])],
        single=[row for row in before.single if row < first],
        held=[span for span in before.held if span[1] <= first],
        events=[event for event in before.events if event.at <= cut],
        calls=[call for call in before.calls if call.row < first],
    )
    if kept:
        alone = np.flatnonzero(np.isin(known[0][:kept], walk.out.single))
        walk.reference = int(known[1][alone[-1]]) if len(alone) else int(known[1][0])
        walk.last = int(known[1][kept - 1])
    walk.run()
    return walk.out


class _Walk:
    """One pass over the prints of a name."""

    def __init__(
        self, rows: Int64Array, price: Int64Array, volume: Int64Array, plan: Plan, generator: np.random.Generator
    ) -> None:
        self.rows, self.price, self.volume = rows.copy(), price.copy(), volume.copy()
        self.plan = plan
        self.generator = generator
        self.out = Settled()
        self.reference = plan.base
        self.last = 0
        self.not_before: Instant = 0
        self.high, self.low = (int(price.max()), int(price.min())) if len(price) else (0, 0)
        self.first, self.close = (int(price[0]), int(price[-1])) if len(price) else (0, 0)
        self.total = int(volume.sum())

    def met(self) -> bool:
        """Whether the day has its four prices and its volume."""
        _, price, volume = self.out.arrays()
        if self.out.late is not None:
            price, volume = np.append(price, self.out.late[1]), np.append(volume, self.out.late[2])
        return (
            bool(len(price))
            and (price[0], price.max(), price.min(), price[-1]) == (self.first, self.high, self.low, self.close)
            and int(volume.sum()) == self.total
        )

    def run(self) -> None:
        """Print in order, hold where a rule or a hold says so."""
        place = 0
        while place < len(self.rows):
            stop, hold = self._next_stop(place)
            self._print(place, stop)
            if stop == len(self.rows):
                return
            place = self._interrupt(stop, hold)

    def _next_stop(self, place: int) -> tuple[int, Hold | None]:
        """Return the first print from ``place`` on that may not happen, and the hold it falls into."""
        held, hold = len(self.rows), None
        for one in self.plan.holds:
            found = max(place, int(np.searchsorted(self.rows, one.first)))
            if found < held and int(self.rows[found]) <= one.last:
                held, hold = found, one
        tripped = self._next_trip(place, held)
        return (tripped, None) if tripped < held else (held, hold)

    def _next_trip(self, place: int, end: int) -> int:
        if self.plan.rules is None:
            return end
        last, reference = self.last, self.reference
        if not last:
            last = reference = int(self.price[place])
            if self._kind(last, place) is not None:
                return place
            place += 1
        plan, span = self.plan, slice(place, end)
        rates = int(plan.dynamic_bp), int(plan.closing_bp), int(plan.static_bp)
        found = first_trip(self.price[span], self.rows[span], last, reference, int(plan.continuous), *rates)
        return min(place + int(found), end)

    def _kind(self, price: Won, place: int) -> ViKind | None:
        plan = self.plan
        static = trips(price, self.reference, plan.static_bp)
        rate = plan.closing_bp if int(self.rows[place]) >= plan.continuous else plan.dynamic_bp
        dynamic = bool(self.last) and trips(price, self.last, rate)
        if static and dynamic:
            return ViKind.BOTH
        return ViKind.STATIC if static else ViKind.DYNAMIC if dynamic else None

    def _print(self, place: int, stop: int) -> None:
        if stop <= place:
            return
        plan, rows = self.plan, self.rows[place:stop]
        self.out.pieces.append((rows, self.price[place:stop], self.volume[place:stop]))
        if rows[0] == 0 and plan.opens_at_one_price:
            self.out.single.append(0)
        if not self.last:
            self.reference = int(self.price[place])
        self.last = int(self.price[stop - 1])
        if rows[-1] >= plan.continuous:
            self.out.single.append(int(rows[-1]))
            self.reference = self.last

    def _interrupt(self, place: int, hold: Hold | None) -> int:
        """Withhold prints from ``place`` on; returns the first one after the interruption."""
        plan = self.plan
        if hold is None and int(self.rows[place]) >= plan.continuous:
            return self._prolong(place)
        began = int(self.rows[place]) if hold is None else hold.first
        since, until, row = self._span(place, hold)
        for one in plan.holds:
            if one is not hold and began < one.last and one.first <= row:
                row, until = max(row, one.last), max(until, self._end_of(one.last))
                hold = one if one.ends_day else hold
        if hold is not None and hold.ends_day:
            self.out.held.append((began, len(plan.end)))
            return len(self.rows)
        closes = row >= plan.continuous
        after = len(self.rows) if closes else int(np.searchsorted(self.rows, row, side="right"))
        if closes:
            row, until = plan.closing, int(plan.end[plan.closing]) if plan.closing else int(plan.end[-1])
        self.out.held.append((began, min(row, plan.continuous)))
        if hold is None:
            self._tell(place, since, until)
        if closes and not plan.closing:
            return len(self.rows)
        self._uncross(place, after, row, since, until)
        return after

    def _span(self, place: int, hold: Hold | None) -> tuple[Instant, Instant, int]:
        """Return when the call began, when it ends, and the row that ends it."""
        plan = self.plan
        if hold is not None:
            return hold.call_from, self._end_of(hold.last), hold.last
        assert plan.rules is not None
        row = int(self.rows[place])
        length = int(plan.end[row] - plan.start[row]) // NS_PER_SECOND
        opening = row == 0 and plan.opens_at_one_price
        since = int(plan.start[row]) + (0 if opening else int(self.generator.integers(length))) * NS_PER_SECOND
        since = max(since, self.not_before)
        return since, *self._release(since)

    def _release(self, since: Instant) -> tuple[Instant, int]:
        assert self.plan.rules is not None
        call, spare = self.plan.rules.call_s * NS_PER_SECOND, self.plan.rules.random_s * NS_PER_SECOND
        first = int(np.searchsorted(self.plan.end, since + call))
        last = int(np.searchsorted(self.plan.end, since + call + spare, side="right")) - 1
        row = int(self.generator.integers(first, max(first, last) + 1))
        return self._end_of(row), row

    def _end_of(self, row: int) -> Instant:
        return int(self.plan.end[min(row, len(self.plan.end) - 1)])

    def _tell(self, place: int, since: Instant, until: Instant) -> None:
        price = int(self.price[place])
        kind = self._kind(price, place) or ViKind.DYNAMIC
        event = ViEvent(self.plan.column, kind, self.reference, self.last, price, since, until)
        self.out.events.append(event)

    def _uncross(self, place: int, after: int, row: int, since: Instant, until: Instant) -> None:
        """Print what was withheld in one, at a price the day needs or at the last one withheld."""
        before = self.last or self.plan.base
        if place == after:
            self.out.calls.append(Call(self.plan.column, since, until, row, before, before, 0))
            return
        needed = self._needed(place, after) if self.plan.exact else []
        price = self.close if row == self.plan.closing and self.plan.closing else int(self.price[after - 1])
        if needed and row < self.plan.continuous:
            price = needed.pop(0)
        volume = int(self.volume[place:after].sum())
        volume -= self._owe(after, row, needed, volume)
        self.out.add(row, price, volume)
        self.out.single.append(row)
        self.out.calls.append(Call(self.plan.column, since, until, row, before, price, volume))
        self.reference = self.last = price

    def _needed(self, place: int, after: int) -> list[Won]:
        """Prices of the day that only the withheld prints had, in the order they came."""
        shown, withheld, later = self.out.arrays()[1], self.price[place:after], self.price[after:]
        wanted = [] if len(shown) else [self.first]
        edges = [
            price
            for price in {self.high, self.low}
            if price not in wanted and price in withheld and price not in shown and price not in later
        ]
        return wanted + _in_order(withheld, tuple(edges))

    def _owe(self, after: int, row: int, needed: list[Won], volume: Shares) -> Shares:
        """Let the next prints carry prices that were withheld; returns the shares taken for prints put in."""
        taken = 0
        for price in needed:
            row += 1
            rest = self.price[after + 1 :]
            if after < len(self.rows) and int(self.rows[after]) <= row:
                row = int(self.rows[after])
                own = int(self.price[after])
                if row < self.plan.continuous and len(rest) and (own not in (self.high, self.low) or own in rest):
                    self.price[after] = price
            elif row < self.plan.continuous and taken + 1 < volume:
                self.rows = np.insert(self.rows, after, row)
                self.price = np.insert(self.price, after, price)
                self.volume = np.insert(self.volume, after, 1)
                taken += 1
            after += 1
        return taken

    def _prolong(self, place: int) -> int:
        """The closing auction goes on: one price after the close."""
        plan = self.plan
        assert plan.rules is not None
        close_at = int(plan.end[plan.closing])
        spare = LATE_ROW_S * int(self.generator.integers(plan.rules.random_s // LATE_ROW_S + 1))
        until = close_at + (plan.rules.call_s + spare) * NS_PER_SECOND
        self._tell(place, close_at, until)
        volume = int(self.volume[place:].sum())
        self.out.late = (until, self.close, volume)
        self.out.calls.append(Call(plan.column, close_at, until, plan.closing, self.last, self.close, volume))
        return len(self.rows)

    def lay_out(self) -> None:
        """A sparse day: only the prices it needs, far enough apart for a VI before each."""
        between = [p for p in _in_order(self.price, (self.high, self.low)) if p not in (self.first, self.close)]
        needed = [self.first, *between]
        if self.close != self.first or between or self.total > 1:
            needed.append(self.close)
        if self.total < len(needed):
            return
        chosen = self._slots(len(needed))
        if chosen is None:
            return
        share = self.total // len(needed)
        self.rows = np.array(chosen, dtype=np.int64)
        self.price = np.array(needed, dtype=np.int64)
        self.volume = np.full(len(needed), share, dtype=np.int64)
        self.volume[-1] += self.total - share * len(needed)
        self.run()

    def _slots(self, count: int) -> Sequence[int] | None:
        """Return rows for so many prices: the first as early as may be, the last in the closing auction."""
        plan = self.plan
        lead = 1 + int(np.searchsorted(plan.end, plan.end[0] + _LEAD_S * NS_PER_SECOND))
        blocked = np.zeros(plan.continuous, dtype=bool)
        for hold in plan.holds:
            blocked[hold.first if hold.first <= 1 else max(0, hold.first - lead) : hold.last] = True
        ends = [hold.last for hold in plan.holds if hold.last < plan.continuous and not hold.ends_day]
        usable = np.union1d(np.flatnonzero(~blocked), np.array(ends, dtype=np.int64))
        if not len(usable):
            return None
        chosen = [int(usable[0])]
        for k in range(1, count - 1):
            aim = max(chosen[-1] + 2 * lead, plan.continuous * k // count)
            spot = usable[usable >= aim]
            if not len(spot):
                return None
            chosen.append(int(spot[0]))
        if count > 1:
            chosen.append(plan.closing or int(usable[-1]))
        return chosen


def _in_order(price: Int64Array, wanted: tuple[Won, ...]) -> list[Won]:
    """Return the wanted prices in the order they first come."""
    return sorted(dict.fromkeys(wanted), key=lambda one: int(np.argmax(price == one)))
