"""Which figures ask for which level of the escape, and what counts as calm. Pure comparisons, each named by its source.

What sells must be seen twice: the universe by its mean and its middle name, an index by two readings, a level of
volatility by a market that falls as well. What merely stops buying is believed at once.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from haetae.domain.events import MarketReading
from haetae.guards.escape_settings import EscapeSettings

_BP = 10_000
_PPM = 1_000_000
_FEWEST = 3
"""Readings before an index is compared: two to begin with and two to end with, one of them shared."""


class EscapeLevel(IntEnum):
    """How far the desk has withdrawn."""

    NORMAL = 0
    NO_BUYS = 1
    REDUCE = 2
    EXIT_ALL = 3


class Figures(NamedTuple):
    """What the decision compares; a note holds all of it.

    Attributes
    ----------
    market_bp, middle_bp : mean and middle return of the universe over the window.
    index_bp, newest_index_bp : return of the index over the window, by the milder of its two newest readings and by the
        newest alone; 0 where too little is known.
    vkospi_x100, vkospi_jump_ppm : implied volatility and its rise over the window, each by two readings.
    ratio : realised over usual volatility.
    fear_greed : 0 to 100, NaN where it is not known.
    """

    market_bp: float
    middle_bp: float
    index_bp: float
    newest_index_bp: float
    vkospi_x100: int
    vkospi_jump_ppm: int
    ratio: float
    fear_greed: float


CALM_MARKET = Figures(0.0, 0.0, 0.0, 0.0, 0, 0, 1.0, float("nan"))
"""Before anything was seen."""


def indices_of(marks: tuple[MarketReading, ...]) -> tuple[float, float, int, int]:
    """Return index_bp, newest_index_bp, vkospi_x100 and vkospi_jump_ppm of readings, oldest first.

    The beginning is the lower of the two oldest readings, the end the higher of the two newest (of the VKOSPI the other
    way round): one wrong reading, high or low, moves neither.
    """
    if len(marks) < _FEWEST:
        return 0.0, 0.0, 0, 0
    began = min(marks[0].index_x100, marks[1].index_x100)
    newest = marks[-1].index_x100
    index_bp = (max(newest, marks[-2].index_x100) / began - 1.0) * _BP
    newest_bp = (newest / began - 1.0) * _BP
    before, now = max(marks[0].vkospi_x100, marks[1].vkospi_x100), min(marks[-1].vkospi_x100, marks[-2].vkospi_x100)
    jump = (now - before) * _PPM // before if before > 0 and now > 0 else 0
    return index_bp, newest_bp, now, jump


def _steps(fall_bp: float, triggers: tuple[int, int, int], scale: float) -> EscapeLevel:
    return EscapeLevel(sum(1 for trigger in triggers if fall_bp <= trigger * scale))


def asked_of(figures: Figures, settings: EscapeSettings) -> tuple[EscapeLevel, str]:
    """Return the level that figures ask for and the source that asks loudest; the first named where several do."""
    fear = figures.fear_greed
    scale = settings.fear_scale if fear < settings.fear_below else 1.0
    if (
        figures.market_bp > settings.market_bp[0] * scale
        and figures.newest_index_bp > settings.index_bp[0] * scale
        and figures.ratio < settings.volatility_ratio[0] * scale
        and figures.vkospi_x100 < settings.vkospi_x100[0]
        and figures.vkospi_jump_ppm < settings.vkospi_jump_ppm[0]
        and not fear < settings.panic_below
    ):
        return EscapeLevel.NORMAL, ""  # nearly every minute: nothing reaches its first trigger
    seen = max(figures.market_bp, figures.middle_bp)
    falling = min(seen, figures.index_bp) <= settings.falling_bp
    best, why = _steps(seen, settings.market_bp, scale), "universe"
    for level, source in (
        (_steps(figures.index_bp, settings.index_bp, scale), "index"),
        (min(_steps(figures.market_bp, settings.market_bp, scale), EscapeLevel.NO_BUYS), "universe"),
        (min(_steps(figures.newest_index_bp, settings.index_bp, scale), EscapeLevel.NO_BUYS), "index"),
        (_loud(figures.ratio, settings.volatility_ratio, scale, falling=falling), "volatility"),
        (_loud(figures.vkospi_x100, settings.vkospi_x100, 1.0, falling=falling), "vkospi"),
        (_loud(figures.vkospi_jump_ppm, settings.vkospi_jump_ppm, 1.0, falling=falling), "vkospi"),
        (EscapeLevel.NO_BUYS if fear < settings.panic_below else EscapeLevel.NORMAL, "fear"),
    ):
        if level > best:
            best, why = level, source
    return best, why if best else ""


def _loud(value: float, triggers: tuple[float, float], scale: float, *, falling: bool) -> EscapeLevel:
    """Return what a measure of unrest asks for: no purchases, and sales where the market falls."""
    if value >= triggers[1] * scale and falling:
        return EscapeLevel.REDUCE
    return EscapeLevel.NO_BUYS if value >= triggers[0] * scale else EscapeLevel.NORMAL


def is_quiet(figures: Figures, settings: EscapeSettings) -> bool:
    """Whether a minute counts as calm: volatility below ``calm_ratio``, neither universe nor index falling."""
    fall = min(figures.market_bp, figures.index_bp)
    return figures.ratio < settings.calm_ratio and fall > settings.calm_bp
