"""Strategies that cheat, each in one way, for the tests of the audit; and the small ground they cheat on."""

from __future__ import annotations

import dataclasses
import functools
import random
import time

import numpy as np

from haetae.backtest import Ground, Listing
from haetae.domain.errors import DataError, Text
from haetae.policies import SignalStrategy, Strategy, TargetStrategy
from haetae.policies.baselines import listed
from haetae.policies.strategy import Parameter
from panels import daily_panel, minute_panel


@functools.cache
def ground(symbols: int = 12, sessions: int = 150, first: int = 70, seed: int = 3) -> Ground:
    """Return daily bars of a random walk, the first ones for look-backs."""
    panel = daily_panel(sessions, symbols, seed=seed)
    return Ground(panel, first, Listing(), listed(panel))


@functools.cache
def minute_ground() -> Ground:
    """Return three sessions of minutes with daily bars before and beside them."""
    panel = minute_panel(3, 4, seed=5)
    daily = daily_panel(720, 4, seed=5)
    rows = np.flatnonzero(daily.days <= panel.days[-1])[-40:]
    daily = daily.rows(int(rows[0]), int(rows[-1]) + 1)
    return Ground(panel, 381, Listing(), listed(panel), daily=daily)


class PeekOneBar(SignalStrategy):
    """Enters before a rise, leaves before a fall."""

    fraction: float = 0.05

    def signals(self, panel):
        rise = np.sign(np.diff(panel.close, axis=0, append=panel.close[-1:]))
        return rise.astype(np.int8)


class WholeZScore(TargetStrategy):
    """Holds what is cheap against the mean of the whole panel, the future included."""

    every = "week"

    def targets(self, task):
        close = task.panel.close.astype(np.float64)
        score = (close - close.mean(axis=0)) / close.std(axis=0)
        found = task.empty()
        found[task.rows] = np.where(score[task.rows] < -0.5, 1 / close.shape[1], 0.0)
        return found


class VolumeOfTomorrow(SignalStrategy):
    """Enters where tomorrow's volume will be above today's."""

    fraction: float = 0.05

    def signals(self, panel):
        found = np.zeros(panel.close.shape, np.int8)
        found[:-1] = np.where(panel.volume[1:] > panel.volume[:-1], 1, -1)
        return found


class LookThroughTheView(Strategy):
    """Reads the bars behind the window it is shown."""

    every = "day"

    def propose(self, view):
        whole = view.daily.close if view.daily.close.base is None else view.daily.close.base
        row = min(int(np.flatnonzero((whole == view.daily.close[-1]).all(axis=1))[-1]) + 1, len(whole) - 1)
        best = int(np.argmax(whole[row] / np.maximum(view.last, 1)))
        return self.hold(view, {view.symbols[best]: 0.9}, close_others=True)


class NextListing(TargetStrategy):
    """Holds the names that will still be eligible a week from now."""

    every = "week"

    def targets(self, task):
        found = task.empty()
        for row in task.rows:
            coming = task.eligible[min(row + 5, len(task.eligible) - 1)]
            found[row] = coming / max(coming.sum(), 1)
        return found


class FirstColumn(TargetStrategy):
    """Holds whatever has the lowest code."""

    every = "week"

    def targets(self, task):
        found = task.empty()
        found[task.rows] = 0.0
        found[task.rows, 0] = 0.5
        return found


class OddCodes(Strategy):
    """Reads meaning into the digits of a code."""

    every = "week"

    def propose(self, view):
        return self.hold(
            view, {s: 0.5 / len(view.symbols) for s in view.symbols if int(s) // 10 % 2}, close_others=True
        )


class TiesByCode(TargetStrategy):
    """Ranks by a score in which most names tie."""

    every = "week"

    def targets(self, task):
        found = task.empty()
        for row in task.rows:
            up = (task.panel.close[row] > task.panel.close[row - 1]).astype(np.float64)
            found[row] = 0.0
            found[row, np.argsort(-up, kind="stable")[:2]] = 0.4
        return found


class OwnDice(Strategy):
    """Throws dice nobody gave it."""

    every = "week"

    def propose(self, view):
        return self.hold(view, {view.symbols[random.randrange(len(view.symbols))]: 0.5}, close_others=True)


class SeededDice(Strategy):
    """Throws dice, but the same ones for the same view."""

    every = "week"

    def propose(self, view):
        pick = int(np.random.default_rng(view.at).integers(len(view.symbols)))
        return self.hold(view, {view.symbols[pick]: 0.5}, close_others=True)


class Clockwatcher(Strategy):
    """Asks the clock, though it does not use what it hears."""

    every = "week"

    def propose(self, view):
        return self.hold(view, {view.symbols[0]: 0.5 if time.time() > 0 else 0.0})


class Remembers(Strategy):
    """Buys a name only the third time it sees a rise."""

    every = "day"

    def __init__(self, **parameters: Parameter) -> None:
        super().__init__(**parameters)
        self.seen: dict[str, int] = {}

    def propose(self, view):
        rising = view.daily.close[-1] > view.daily.close[-2]
        for symbol in np.array(view.symbols)[rising]:
            self.seen[str(symbol)] = self.seen.get(str(symbol), 0) + 1
        chosen = [symbol for symbol, count in self.seen.items() if count % 3 == 0]
        return self.hold(view, dict.fromkeys(chosen, 0.05), close_others=True)


TOLD: list[int] = []
"""What `Gossip` keeps in its module."""


class Gossip(Strategy):
    """Keeps a list outside itself."""

    every = "week"

    def propose(self, view):
        TOLD.append(view.at)
        return self.hold(view, {view.symbols[len(TOLD) % len(view.symbols)]: 0.5}, close_others=True)


class SometimesNaN(Strategy):
    """Divides by a volume that is nought when nothing trades."""

    every = "week"

    def propose(self, view):
        if not len(view.daily):
            return self.hold(view, {view.symbols[0]: float("nan")})
        return self.hold(view, {view.symbols[0]: 0.1})


class Brittle(Strategy):
    """Stops on the first view in which a name is not traded."""

    every = "week"

    def propose(self, view):
        quiet = np.flatnonzero(view.daily.volume[-1] == 0)
        if len(quiet):
            raise ZeroDivisionError(f"no volume in {view.symbols[quiet[0]]}")
        return self.hold(view, {view.symbols[0]: 0.1})


class NoView(TargetStrategy):
    """Works on arrays, but a view lacks what it needs."""

    every = "week"

    def targets(self, task):
        if len(task.rows) == 1:
            raise DataError(Text(ko="없음", en="nothing"), expected="more", found="one row", next_step="-")
        found = task.empty()
        found[task.rows] = 0.5 / found.shape[1]
        return found


class ShortMemory(SignalStrategy):
    """Looks back on more bars than a view carries."""

    sessions_back = 20

    def signals(self, panel):
        found = np.zeros(panel.close.shape, np.int8)
        found[30:] = np.where(panel.close[30:] > panel.close[:-30], 1, -1)
        return found


class Greedy(TargetStrategy):
    """Asks for 140 % of what there is."""

    every = "week"

    def targets(self, task):
        found = task.empty()
        found[task.rows, :2] = 0.7
        return found


def with_ended(whole: Ground) -> Ground:
    """Return a ground in which the last name stops trading fifteen sessions before the end."""
    panel = whole.panel
    traded, volume = panel.traded.copy(), panel.volume.copy()
    traded[-15:, -1], volume[-15:, -1] = False, 0
    blocks = {name: getattr(panel, name).copy() for name in ("open", "high", "low", "close")}
    for block in blocks.values():
        block[-15:, -1] = panel.close[-16, -1]
    quiet = dataclasses.replace(panel, **blocks, traded=traded, volume=volume)
    return dataclasses.replace(whole, panel=quiet, eligible=whole.eligible & traded)
