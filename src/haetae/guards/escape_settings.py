"""Settings of the volatility escape (G26), with the reason beside each default and bounds no configuration passes.

Falls are basis points and negative, moves of an index hundredths of a point, shares of something plain ratios. A bound
is part of the program: an escape that a typed zero could turn off would be none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from haetae.domain.errors import ConfigError, Text

ESCAPE_BOUNDS: Mapping[str, tuple[float, float]] = {
    "window": (2, 30),
    "market_bp": (-1_000, -1),
    "index_bp": (-1_000, -1),
    "volatility_ratio": (1.0, 20.0),
    "vkospi_x100": (1_000, 20_000),
    "vkospi_jump_ppm": (10_000, 2_000_000),
    "falling_bp": (-500, 0),
    "fear_below": (0.0, 100.0),
    "panic_below": (0.0, 100.0),
    "fear_scale": (0.1, 1.0),
    "symbol_minute_bp": (-1_500, -1),
    "symbol_window_bp": (-2_000, -1),
    "symbol_ratio": (1.0, 20.0),
    "symbol_falling_bp": (-1_000, -1),
    "symbol_floor_ppm": (1, 10_000),
    "escapes_per_symbol": (1, 2),
    "calm_minutes": (1, 240),
    "calm_ratio": (1.0, 10.0),
    "calm_bp": (-500, 0),
    "rearm_bp": (0, 2_000),
    "memory": (10, 2_000),
    "arm_after": (1, 2_000),
    "floor": (0.000_001, 0.01),
    "exits_per_day": (1, 5),
    "keep_share": (0.0, 0.9),
    "first_bp": (0, 500),
    "widen_bp": (1, 3_000),
    "widen_s": (1, 60),
    "renewals": (0, 20),
    "stage_share": (0.01, 1.0),
    "stage_least": (0.01, 1.0),
    "cancel_again_s": (1, 60),
}
"""Least and most of every field, and of every part of a field that has parts."""


@dataclass(frozen=True, slots=True)
class EscapeSettings:
    """When volatility sends the desk out, how it leaves, and when it may come back (G26)."""

    window: int = 5
    """Minutes over which returns and volatility are taken."""

    market_bp: tuple[int, int, int] = (-100, -200, -350)
    """Return of the universe over the window that raises no_buys, reduce, exit_all. For the latter two the mean of all
    names and the middle name must both say it: one wrong price moves a mean, never the middle one."""

    index_bp: tuple[int, int, int] = (-100, -200, -350)
    """The same of the KOSPI; the latter two need two readings, one after the other."""

    volatility_ratio: tuple[float, float] = (3.0, 4.0)
    """Realised over usual volatility: the first raises no_buys, the second (in a falling market) reduce."""

    vkospi_x100: tuple[int, int] = (3_500, 5_000)
    """Implied volatility of 35 is seen in crises alone, 50 in the worst weeks of one: no_buys, and in a falling market
    reduce."""

    vkospi_jump_ppm: tuple[int, int] = (150_000, 300_000)
    """A rise of the VKOSPI by so much within the window, likewise."""

    falling_bp: int = -50
    """What counts as a falling market where volatility asks for sales: rising ones are no reason to sell."""

    fear_below: float = 20.0
    """Below this the fear & greed index says extreme fear: falls go further then, so less of one is waited for…"""

    fear_scale: float = 0.75
    """…namely this part of each trigger."""

    panic_below: float = 10.0
    """Below this nothing new is bought: nobody knows what prices are worth."""

    symbol_minute_bp: int = -300
    """One name falls 3 % in a minute: out of it."""

    symbol_window_bp: int = -600
    """…or 6 % in the window…"""

    symbol_ratio: float = 4.0
    """…or moves more than four times as much as it usually does at this time of day…"""

    symbol_falling_bp: int = -100
    """…while it falls: a name that jumps up is no reason to sell it."""

    symbol_floor_ppm: int = 500
    """A name's usual move is never taken below 5 bp a minute: a tick of a quiet name is no alarm."""

    escapes_per_symbol: int = 2
    """After the second escape a name stays out for the day."""

    calm_minutes: int = 15
    """Minutes of calm before each step down: hysteresis, no ping-pong."""

    calm_ratio: float = 2.0
    """Calm means less than twice the usual volatility…"""

    calm_bp: int = -50
    """…and no fall beyond half of the first trigger."""

    rearm_bp: int = 150
    """From reduce or exit_all, and for a name that was left, calm alone is not enough: the price must stand 1.5 % above
    the one that triggered, or the pause in a fall would be bought."""

    memory: int = 240
    """Minutes the usual volatility is the median of where no profile of the session is known: two thirds of one."""

    arm_after: int = 30
    """The ratio is not used before it has half an hour of history, unless the session brought some."""

    floor: float = 0.0002
    """Usual mean absolute minute return is never taken below 2 bp: a dead market is no yardstick."""

    exits_per_day: int = 2
    """After the second exit_all, buying stays off for the day."""

    keep_share: float = 0.5
    """What reduce leaves of each position."""

    first_bp: int = 500
    """The first limit of a sale lies at most 5 % below the last price (G10)…"""

    widen_bp: int = 100
    """…and 1 % further…"""

    widen_s: int = 2
    """…every two seconds in which nothing was sold, down to the day's lower limit."""

    renewals: int = 4
    """An order that is not filled is renewed after 2, 4, 8, 16 seconds and then rests at the lower limit: fifty names
    times five orders stay within the budgets of orders and of calls."""

    stage_share: float = 0.25
    """A minute takes at most a quarter of what usually trades in one: more, and the price we flee from is our own."""

    stage_least: float = 0.1
    """…but never less than a tenth of what is to go, so that ten minutes end it whatever trades."""

    cancel_again_s: int = 5
    """A cancel in the way of an escape is asked for again after five seconds without an answer, or with a refusal."""

    def __post_init__(self) -> None:
        """Refuse what lies beyond the bounds or out of order, all at once."""
        faults = []
        for item in fields(self):
            least, most = ESCAPE_BOUNDS[item.name]
            value = getattr(self, item.name)
            parts = value if isinstance(value, tuple) else (value,)
            if not all(least <= part <= most for part in parts):
                faults.append(f"{item.name}={value} is not within {least} to {most}")
        for name in ("market_bp", "index_bp"):
            first, second, third = getattr(self, name)
            if not first > second > third:
                faults.append(f"{name} must fall from one level to the next")
        for name in ("volatility_ratio", "vkospi_x100", "vkospi_jump_ppm"):
            first, second = getattr(self, name)
            if not first < second:
                faults.append(f"{name} must rise from one level to the next")
        if not self.calm_ratio <= self.volatility_ratio[0]:
            faults.append("calm_ratio above the first volatility_ratio would never be left")
        if faults:
            raise ConfigError(
                Text(ko="변동성 탈출 설정이 잘못되었습니다", en="the settings of the escape are wrong"),
                expected=Text(ko="프로그램이 정한 범위 안의 값", en="values within the program's bounds"),
                found="; ".join(faults),
                next_step=Text(ko="[desk.escape] 설정을 고치세요", en="mend the [desk.escape] settings"),
            )
