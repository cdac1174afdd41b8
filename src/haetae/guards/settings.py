"""Limits of the guards, with the reason beside each default. Not here: the escape's (`escape_settings`).

Shares of equity are in parts per million, price distances in basis points. ``CEILINGS`` and ``FLOORS`` are
part of the program: a configuration beyond one is refused, so a typed zero too many cannot pass.
"""
# long: every number of the guards with its reason, read as one table.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import Symbol

CEILINGS: Mapping[str, int | float] = {
    "vitals_age_s": 60,
    "exit_vitals_age_s": 300,
    "entry_skew_ms": 2_000,
    "skew_ms": 2_000,
    "reconcile_age_s": 120,
    "exit_reconcile_age_s": 300,
    "base_jump_ppm": 300_000,
    "max_names": 100,
    "max_price_age_s": 180,
    "escape_price_age_s": 600,
    "max_quiet_s": 1_800,
    "source_gap_bp": 100,
    "entry_above_bp": 100,
    "entry_below_bp": 300,
    "exit_below_bp": 500,
    "escape_below_bp": 500,
    "escape_step_bp": 500,
    "day_volume_ppm": 100_000,
    "turnover_share_ppm": 10_000,
    "max_order_ppm": 50_000,
    "max_position_ppm": 60_000,
    "max_sector_ppm": 400_000,
    "max_gross_ppm": 950_000,
    "max_top5_ppm": 300_000,
    "orders_per_second": 15,
    "orders_per_minute": 60,
    "orders_per_hour": 600,
    "orders_per_day": 2_000,
    "orders_per_symbol_day": 50,
    "changes_per_symbol_day": 100,
    "escapes_per_day": 500,
    "daily_buys_ppm": 1_000_000,
    "daily_turnover_ppm": 2_000_000,
    "day_loss_reduce_ppm": 30_000,
    "day_loss_halt_ppm": 50_000,
    "week_loss_ppm": 100_000,
    "drawdown_ppm": 150_000,
    "losing_exits": 10,
    "min_confidence": 1.0,
    "evidence_age_s": 86_400,
    "baseline_against": 0.9,
    "new_names_per_day": 15,
    "first_day_ppm": 100_000,
    "budget_used_ppm": 900_000,
    "error_ppm": 100_000,
    "plausibility_ppm": 5_000,
}
"""No configuration may exceed these; they are an order of magnitude above careful use at most."""

FLOORS: Mapping[str, int | float] = {
    "vi_cooldown_s": 60,
    "escape_step_s": 1,
    "reserve_ppm": 500,
    "min_confidence": 0.5,
    "min_evidence": 1,
    "baseline_against": 0.5,
    "token_left_s": 600,
}
"""Nor may it fall below these, where less is looser."""

REAL_HOST = "openapi.koreainvestment.com"
"""Where an order becomes real: play money is never addressed to it (G02). The broker's REST host for real accounts."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an order may be; see the reliability table for the source of each number."""

    ceilings: ClassVar[Mapping[str, int | float]] = CEILINGS
    """What no field may exceed."""

    floors: ClassVar[Mapping[str, int | float]] = FLOORS
    """What no field may fall below."""

    require_vitals: bool = True
    """Whether a driver must prove whose money it trades and that its machinery is well (G02, G03, G04, G27, G28)."""

    vitals_age_s: int = 15
    """Vitals are measured every five seconds; three missed in a row mean that nobody measures (G02, G04, G28)."""

    exit_vitals_age_s: int = 60
    """Leaving may rest on older ones: a minute in which a stalled driver comes back (G02, G04)."""

    entry_skew_ms: int = 500
    """A clock half a second off the broker's is wrong enough not to enter (G04)."""

    skew_ms: int = 2_000
    """At two seconds nothing leaves: session, expiry and order of events can no longer be trusted (G04)."""

    require_reconciled: bool = True
    """Buys wait for a clean comparison with the broker (G04); a backtest has none and turns this off."""

    reconcile_age_s: int = 90
    """The comparison asked for at a minute's end, and half a minute for the broker to answer it (G04)."""

    exit_reconcile_age_s: int = 300
    """A sale needs to know what is held, but not to the minute: five of them without any reading (G04)."""

    entry_after_open_s: int = 300
    """No entries in the first five minutes: prices of the opening auction settle (G05)."""

    entry_before_auction_s: int = 600
    """No entries in the last ten minutes of continuous trading: an entry could not be left (G05)."""

    vi_cooldown_s: int = 180
    """Three minutes after an interruption ended, before its price is one to enter at (G06)."""

    base_jump_ppm: int = 300_000
    """A base price 30 % off the close before is a corporate action that our levels do not know of (G06)."""

    max_names: int = 50
    """The closed list holds fifty names; a longer one was not made by our selection (G07)."""

    deny_list: frozenset[Symbol] = frozenset()
    """Names never to be bought (G07)."""

    max_price_age_s: int = 90
    """Minute bars: one bar may be missing, two may not (G08)."""

    max_quiet_s: int = 600
    """A name that did not trade for ten minutes has no price to enter at (G08)."""

    source_gap_bp: int = 100
    """Stream and query 1 % apart: one of them is wrong, and nobody knows which (G08)."""

    escape_price_age_s: int = 600
    """Leaving may use an old price, since its limit lies far below; after ten minutes in which the market was not seen
    it sells at the day's lower limit, that is for whatever the broker's book pays (G08)."""

    entry_above_bp: int = 75
    """The planned collar of 0.5 % plus what may drift while the agent thinks (G10)."""

    entry_below_bp: int = 200
    """A bid further below would only rest (G10)."""

    exit_below_bp: int = 200
    """The planned 1.5 % plus drift (G10)."""

    escape_below_bp: int = 500
    """An escape begins 5 % below the last price at most… (G10)."""

    escape_step_bp: int = 100
    """…and may go 1 % lower… (G10)."""

    escape_step_s: int = 2
    """…every two seconds it is under way, down to the day's lower limit, which is always allowed (G10)."""

    day_volume_ppm: int = 50_000
    """Five percent of the day's volume so far: more would be the market (G11)."""

    turnover_share_ppm: int = 1_000
    """0.1 % of the 20-day average turnover: no visible impact (G11)."""

    max_order_ppm: int = 20_000
    """Two percent of equity in one order (G12)."""

    max_position_ppm: int = 40_000
    """Four percent of equity in one name: a limit-down costs 1.2 % (G13)."""

    max_sector_ppm: int = 200_000
    """A fifth of equity in one sector (G14)."""

    max_gross_ppm: int = 900_000
    """Ten percent stays cash (G14)."""

    max_top5_ppm: int = 200_000
    """The five largest names together, a fifth of equity (G14)."""

    reserve_ppm: int = 3_000
    """Cash kept beside each buy for fees (G15)."""

    same_side_pause_s: int = 30
    """Two orders of one side in one name within 30 s are a loop, not two decisions (G17)."""

    orders_per_second: int = 12
    """The legs of one decision leave in one turn, and the sending lane paces them; more in a second is a loop (G18)."""

    orders_per_minute: int = 12
    """The legs of one decision (G18)."""

    orders_per_hour: int = 120
    """Six decisions an hour, each with fewer legs than the first (G18)."""

    orders_per_day: int = 400
    """A tenth of what a person would call frantic; the exchange's yardstick is 20 000 (G18)."""

    orders_per_symbol_day: int = 12
    """More is churning (G18)."""

    changes_per_symbol_day: int = 20
    """After twenty cancels and new prices of a name it is not entered again; a cancel itself is never refused (G18)."""

    escapes_per_day: int = 400
    """A budget of their own, so entries cannot use up the way out; fifty names left with five orders each are 250, and
    some of them are left twice (G18)."""

    daily_buys_ppm: int = 300_000
    """Three tenths of equity bought a day: a book is built over days, an error stays small (G19)."""

    daily_turnover_ppm: int = 600_000
    """Buys and sells together (G19)."""

    day_loss_reduce_ppm: int = 15_000
    """At -1.5 % on the day nothing new is bought (G20)."""

    day_loss_halt_ppm: int = 30_000
    """At -3 % everything stops and is cancelled (G20)."""

    week_loss_ppm: int = 50_000
    """At -5 % since the week's first opening nothing new is bought until the next one (G20)."""

    drawdown_ppm: int = 100_000
    """Ten percent below the peak nothing is bought until a person looked; a live permit is revoked (G20)."""

    losing_exits: int = 4
    """Four losing exits in a day: the day is not understood (G21)."""

    rest_after_loss: bool = True
    """A name sold at a loss is not bought again that day: the reason to sell still stands (G21)."""

    min_confidence: float = 0.65
    """The agent's gate, checked again where orders pass (G23)."""

    record_least: int = 30
    """So many decisions of a confidence must be known before their record is worth more than the word (G23)."""

    min_evidence: int = 2
    """A decision rests on at least two shown facts (G23)."""

    evidence_age_s: int = 86_400
    """…the newest of them not older than a day (G23)."""

    baseline_against: float = 0.65
    """No entry where the fixed rules are this sure of the opposite, the agent's own gate (G24)."""

    new_names_per_day: int = 10
    """Each new name is a position to watch (G24)."""

    first_day_ppm: int = 100_000
    """A promoted change trades a tenth of its size on its first day (G27)."""

    budget_used_ppm: int = 800_000
    """A fifth of the broker's call budget stays free, or a cancel would wait behind entries (G28)."""

    error_ppm: int = 50_000
    """One call in twenty unanswered in a minute: the broker is not well (G28)."""

    token_left_s: int = 1_800
    """What is entered now must be left before the token ends (G28)."""

    plausibility_ppm: int = 1_000
    """Our equity and the broker's may differ by 0.1 % (G30)."""

    def __post_init__(self) -> None:
        """Refuse limits beyond a ceiling or a floor, below zero or of another type, all at once."""
        faults = [fault for item in fields(self) for fault in self._faults(item.name, item.default)]
        if faults:
            raise ConfigError(
                Text(ko="한도 설정이 잘못되었습니다", en="the limits are wrong"),
                expected=Text(ko="프로그램이 정한 범위 안의 값", en="values within the program's ceilings and floors"),
                found="; ".join(faults),
                next_step=Text(ko="[desk.limits] 설정을 고치세요", en="mend the [desk.limits] settings"),
            )

    def _faults(self, name: str, default: object) -> list[str]:
        value = getattr(self, name)
        if isinstance(default, frozenset):
            return [] if isinstance(value, frozenset) else [f"{name}={value!r} is not a set of names"]
        if isinstance(default, bool) or isinstance(value, bool):
            return [] if type(value) is type(default) else [f"{name}={value!r} is not of its type"]
        if not isinstance(value, int | (float if isinstance(default, float) else int)):
            return [f"{name}={value!r} is not of its type"]
        if not value >= 0:
            return [f"{name}={value} is not 0 or more"]
        ceiling, floor = self.ceilings.get(name), self.floors.get(name)
        faults = [] if ceiling is None or value <= ceiling else [f"{name}={value} is above its ceiling {ceiling}"]
        return faults + ([] if floor is None or value >= floor else [f"{name}={value} is below its floor {floor}"])


@dataclass(frozen=True, slots=True)
class TrialLimits(Limits):
    """Limits without ceilings, for experiments on simulated money; a trading day refuses them.

    Every guard still runs on every order. A benchmark that must send thousands of orders a day uses them.
    """

    ceilings: ClassVar[Mapping[str, int | float]] = {}
    floors: ClassVar[Mapping[str, int | float]] = {}


def require_measured(limits: Limits) -> None:
    """Refuse limits that do not ask for the machinery and the account: whoever trades through a broker asks this."""
    if not (limits.require_vitals and limits.require_reconciled):
        raise ConfigError(
            Text(
                ko="기계와 잔고를 보지 않는 한도로는 거래일을 운영할 수 없습니다",
                en="a trading day does not run without looking at machinery and account",
            ),
            expected="require_vitals = true, require_reconciled = true",
            found=f"require_vitals={limits.require_vitals}, require_reconciled={limits.require_reconciled}",
            next_step=Text(ko="[desk.limits] 에서 둘 다 켜세요", en="switch both on in [desk.limits]"),
        )


def require_ceilings(limits: Limits) -> None:
    """Refuse limits of an experiment: whoever trades on a real or a paper account asks this first."""
    if limits.ceilings is not CEILINGS or limits.floors is not FLOORS:
        raise ConfigError(
            Text(
                ko="실험용 한도로는 거래일을 운영할 수 없습니다",
                en="a trading day does not run on the limits of an experiment",
            ),
            expected=Text(ko="상한이 있는 한도 (Limits)", en="limits with their ceilings (Limits)"),
            found=type(limits).__name__,
            next_step=Text(ko="[desk.limits] 설정으로 만드세요", en="make them from the [desk.limits] settings"),
        )
