"""Markets outside the regular session: at a close before the open and after it, and the aftermarket.

Here: their tapes, thin and seeded; which names they take is dated (``krx.afterhours``). Nothing of them enters
the bars of the regular session nor the next day's base price (unverified for the aftermarket: whether the daily
bars of the real service hold it is not published). Not here: orders for them (``accounts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haetae.domain.market import BoolArray, Instrument, Int64Array
from haetae.domain.units import NS_PER_SECOND
from haetae.emulator.dice import dice
from haetae.emulator.grid import Grid
from haetae.emulator.holds import Call, Plan, Settled, ViEvent
from haetae.emulator.interrupts import settle
from haetae.emulator.kernels import carry
from haetae.emulator.tape import Tape
from haetae.krx import Rulebook
from haetae.krx.afterhours import OffHours, OffHoursWindow

_FIXED_ROW_S, _EVENING_ROW_S = 60, 30
_FIXED_SHARE, _EVENING_SHARE = 0.002, 0.015
"""Volume of these markets against the regular day's, at the median; unverified, small by all accounts."""
_STEP = 0.0009
"""Standard deviation of an aftermarket price over one row."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What the markets of an evening (or morning) are a function of; arrays ``(n_symbols,)``.

    ``price`` is the close they start from, ``usual`` the shares of a regular day, 0 for names that do not trade.
    """

    seed: int
    rules: Rulebook
    grid: Grid
    instruments: Sequence[Instrument]
    price: Int64Array
    usual: Int64Array
    lower: Int64Array
    upper: Int64Array
    narrow: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class OffMarket:
    """One such market of a day: its prints, and the VI and their auctions in it."""

    tape: Tape
    events: tuple[ViEvent, ...] = ()
    calls: tuple[Call, ...] = ()


def open_window(scene: Scene, window: OffHoursWindow) -> OffMarket:
    """Return the market of a window."""
    if window.hours is OffHours.AFTERMARKET:
        return _aftermarket(scene, window)
    return OffMarket(_at_one_price(scene, window))


def _times(window: OffHoursWindow, row_s: int) -> tuple[Int64Array, Int64Array]:
    edges = np.arange(window.start, window.end + 1, row_s * NS_PER_SECOND, dtype=np.int64)
    return edges[:-1], edges[1:]


def _volumes(scene: Scene, window: OffHoursWindow, rows: int, share: float) -> Int64Array:
    """Shares of each row and name: few rows trade, the first minutes more than the rest."""
    volume = np.zeros((rows, len(scene.price)), dtype=np.int64)
    fade = 0.35 + np.exp(-np.arange(rows) / (rows / 6))
    for column, item in enumerate(scene.instruments):
        if item.kind in window.without or scene.usual[column] <= 0:
            continue
        own = dice(scene.seed, window.hours.value, scene.rules.day, item.symbol)
        total = scene.usual[column] * share * np.exp(0.6 * own.standard_normal())
        weight = fade * np.exp(1.4 * own.standard_normal(rows)) * (own.random(rows) < 0.3)
        if weight.sum() > 0:
            volume[:, column] = np.floor(total * weight / weight.sum()).astype(np.int64)
    return volume


def _at_one_price(scene: Scene, window: OffHoursWindow) -> Tape:
    start, end = _times(window, _FIXED_ROW_S)
    volume = _volumes(scene, window, len(start), _FIXED_SHARE)
    price = np.tile(scene.price, (len(start), 1))
    return Tape(scene.rules.day, start, end, price, volume, volume > 0, np.ones(price.shape, dtype=bool), "5")


def _aftermarket(scene: Scene, window: OffHoursWindow) -> OffMarket:
    start, end = _times(window, _EVENING_ROW_S)
    rows = len(start)
    volume = _volumes(scene, window, rows, _EVENING_SHARE)
    steps = np.zeros((rows, len(scene.price)))
    for column, item in enumerate(scene.instruments):
        own = dice(scene.seed, "evening", scene.rules.day, item.symbol)
        steps[:, column] = own.standard_t(4, rows) * _STEP
    latent = scene.price * np.exp(np.cumsum(steps, axis=0))
    price = np.clip(scene.grid.nearest(latent), scene.lower, scene.upper)
    single, held = np.zeros(price.shape, dtype=bool), np.zeros(price.shape, dtype=bool)
    events: list[ViEvent] = []
    calls: list[Call] = []
    for column in range(len(scene.price)):
        settled = _interrupted(scene, column, (start, end), price, volume)
        if settled is None:
            continue
        volume[:, column] = 0
        printed, prices, shares = settled.arrays()
        price[printed, column], volume[printed, column] = prices, shares
        single[settled.single, column] = True
        for first, last in settled.held:
            held[first:last, column] = True
        events += settled.events
        calls += settled.calls
    carried = carry(price, volume, scene.price)
    tape = Tape(scene.rules.day, start, end, carried, volume, single, held, "3")
    return OffMarket(tape, tuple(sorted(events, key=lambda event: event.at)), tuple(calls))


def _interrupted(
    scene: Scene, column: int, times: tuple[Int64Array, Int64Array], price: Int64Array, volume: Int64Array
) -> Settled | None:
    """Return a name's prints where a VI interrupted them, else none."""
    rows, rules = np.flatnonzero(volume[:, column]), scene.rules.vi
    if rules is None or not len(rows):
        return None
    rate = rules.dynamic(narrow=bool(scene.narrow[column])).evening
    plan = Plan(
        column=column,
        base=int(scene.price[column]),
        start=times[0],
        end=times[1],
        continuous=len(times[0]),
        closing=0,
        rules=rules,
        dynamic_bp=rate,
        closing_bp=rate,
        exact=False,
        opens_at_one_price=False,
    )
    own = dice(scene.seed, "evening-vi", scene.rules.day, scene.instruments[column].symbol)
    settled = settle(rows, price[rows, column], volume[rows, column], plan, own)
    return settled if settled.events else None
