"""Bad days: a seeded choice of scripted faults for each session of a long run, and when the collector is killed.

A day has up to six faults, of the wire, of the broker and of the market, at any time from before the open to the repair
after the close; every fifth has none, so that the run also shows what the stream alone is worth. What a fault of the
catalogue asks a person to mend (another domain, a wrong certificate) is left out: the collector rightly ends there.
Not here: what the faults do (the emulator), what must be left after them (`live_soak`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from haetae.domain.units import NS_PER_SECOND, Instant, instant_at

Fault: TypeAlias = dict[str, Any]
Dice: TypeAlias = np.random.Generator
CHART, MANY = "inquire-time-dailychartprice", "intstock-multprice"
_OPEN, _CLOSE = 9 * 3_600, 15 * 3_600 + 30 * 60
_REPAIR = 15 * 3_600 + 50 * 60
"""The repair begins so many seconds after midnight, twenty minutes after the close."""
CLEAN_EVERY = 5


def _pick(dice: Dice, *choices: Any) -> Any:
    return choices[int(dice.integers(len(choices)))]


def _socket(dice: Dice) -> list[Fault]:
    code = _pick(dice, 1000, 1001, 1006, 1011)
    return [{"id": "T15", "what": {"code": code}}]


def _half_dead(dice: Dice) -> list[Fault]:
    how = _pick(dice, "half_open", "no_data")
    more = {"seconds": float(dice.integers(30, 600))} if how == "no_data" else {}
    return [{"id": "T14", "what": {"how": how, "frees_key_after_s": 3, **more}, "clock": "market"}]


def _flaps(dice: Dice) -> list[Fault]:
    return [{"id": "T16", "what": {"every_s": 20, "seconds": int(dice.integers(120, 900))}, "clock": "market"}]


def _acks(dice: Dice) -> list[Fault]:
    how = _pick(dice, "missing", "error", "in_use")
    return [{"id": "T15"}, {"id": "T17", "where": {"stream": "H0STCNT0"}, "what": {"how": how}, "times": 4}]


def _frames(dice: Dice) -> list[Fault]:
    how = _pick(dice, "reordered", "duplicated", "delayed")
    seconds = float(dice.integers(1, 120))
    return [{"id": "T18", "what": {"how": how, "seconds": seconds}, "times": 0, "chance": 0.1, "clock": "market"}]


def _counts(dice: Dice) -> list[Fault]:
    what = _pick(dice, {"count": 1}, {"count": -1}, {"records": 3})
    return [{"id": "T19", "what": what, "times": 0, "chance": 0.05}]


def _beats(dice: Dice) -> list[Fault]:
    return [{"id": "T21", "what": {"how": _pick(dice, "withheld", "storm"), "per_second": 200, "seconds": 1}}]


def _page(dice: Dice) -> list[Fault]:
    where = {"operation": _pick(dice, "quote", CHART, MANY, "oauth")}
    return [{"id": "T07", "where": where, "times": int(dice.integers(1, 12))}]


def _server(dice: Dice) -> list[Fault]:
    what = {"status": _pick(dice, 500, 502, 503), "code": _pick(dice, "", "EGW00316", "EGW00301")}
    where = {"operation": _pick(dice, "quote", CHART, MANY)}
    return [{"id": "T08", "where": where, "what": what, "times": int(dice.integers(1, 60))}]


def _rate(dice: Dice) -> list[Fault]:
    where = {"operation": _pick(dice, "quote", CHART)}
    return [
        {
            "id": "T09",
            "where": where,
            "what": {"how": _pick(dice, "EGW00201", "429")},
            "times": int(dice.integers(1, 9)),
        }
    ]


def _slow(dice: Dice) -> list[Fault]:
    late = {
        "id": "T05",
        "where": {"operation": _pick(dice, CHART, MANY)},
        "what": {"how": "late", "seconds": 2},
        "times": 2,
    }
    slow = {"id": "T12", "where": {"operation": "quote"}, "what": {"ms": 5, "jitter_ms": 20}, "times": 40}
    return [_pick(dice, late, slow)]


def _torn(dice: Dice) -> list[Fault]:
    how = _pick(dice, "truncated", "cut", "surplus")
    return [{"id": "T06", "where": {"operation": "quote"}, "what": {"how": how}, "times": int(dice.integers(1, 6))}]


def _lost(dice: Dice) -> list[Fault]:
    where = {"operation": _pick(dice, CHART, MANY)}
    what = {"how": _pick(dice, "closed", "reset", "silent")}
    return [{"id": _pick(dice, "T03", "T04"), "where": where, "what": what, "times": int(dice.integers(1, 4))}]


def _reset(dice: Dice) -> list[Fault]:
    return [{"id": "T10", "where": {"operation": "quote"}, "what": {"how": "reset"}, "times": 3}]


def _away(dice: Dice) -> list[Fault]:
    shut = {"id": "T01", "what": {"seconds": int(dice.integers(60, 3_000))}, "clock": "market"}
    dark = {"id": "T13", "what": {"seconds": 45, "requests": _pick(dice, "lost", "late")}, "clock": "market"}
    return [_pick(dice, shut, shut, dark)]


def _token(dice: Dice) -> list[Fault]:
    dead = {"id": "B17", "where": {"operation": "quote"}}
    refused = {"id": "B18", "times": int(dice.integers(1, 4))}
    return _pick(dice, [dead], [dead, refused])


def _empty(dice: Dice) -> list[Fault]:
    where = {"operation": _pick(dice, CHART, MANY)}
    return [{"id": "B10", "where": where, "times": int(dice.integers(1, 12))}]


def _words(dice: Dice) -> list[Fault]:
    operation, field = _pick(dice, (CHART, "cntg_vol"), (CHART, "stck_oprc"), (MANY, "acml_vol"))
    times = int(dice.integers(1, 5))
    odd = {"id": "B12", "where": {"operation": operation}, "what": {"field": field, "value": "-"}, "times": times}
    gone = {
        "id": "B11",
        "where": {"operation": operation},
        "what": {"how": "missing_field", "field": field},
        "times": times,
    }
    return [_pick(dice, odd, gone)]


def _second_user(dice: Dice) -> list[Fault]:
    what = {"seconds": int(dice.integers(30, 300)), "calls_per_second": 0}
    return [{"id": "T15"}, {"id": "B19", "what": what}]


def _name(dice: Dice) -> list[Fault]:
    return [
        _pick(
            dice,
            {"id": "M01"},
            {"id": "M02", "what": {"side": _pick(dice, "upper", "lower"), "seconds": 1_200}},
            {"id": "M03", "what": {"way": _pick(dice, "up", "down")}},
            {"id": "M04", "what": {"how": "halt", "seconds": int(dice.integers(60, 7_200))}},
        )
    ]


def _prices(dice: Dice) -> list[Fault]:
    how = _pick(dice, "zero", "negative", "times", "other")
    bad = {"id": "M07", "what": {"how": how}, "times": int(dice.integers(1, 20))}
    book = {"id": "M06", "what": {"how": _pick(dice, "zero_ask", "zero_bid", "crossed")}, "times": 20}
    return [_pick(dice, bad, book)]


def _breaker(dice: Dice) -> list[Fault]:
    return [
        {
            "id": "M05",
            "what": {"level": int(dice.choice([1, 1, 2, 3])), "market": _pick(dice, "both", "KOSPI", "KOSDAQ")},
        }
    ]


def _split(dice: Dice) -> list[Fault]:
    return [{"id": "M08", "what": {"kind": _pick(dice, "split", "bonus"), "ratio": float(dice.integers(2, 6))}}]


_OF_THE_WIRE: tuple[Callable[[Dice], list[Fault]], ...] = (
    _socket, _half_dead, _flaps, _acks, _frames, _counts, _beats, _page, _server, _rate, _slow, _torn, _lost, _reset,
    _away, _token, _empty, _words, _second_user,
)  # fmt: skip
_OF_A_NAME = (_name, _prices, _split)
_OF_THE_MARKET = (_breaker,)


def faults_of(day: dt.date, number: int, symbols: Sequence[str], seed: int) -> list[Mapping[str, Any]]:
    """Return the faults of the ``number``-th day, as the control port takes them; clean days have none."""
    if number % CLEAN_EVERY == CLEAN_EVERY - 1:
        return []
    dice = np.random.default_rng([seed, number])
    found: list[Mapping[str, Any]] = []
    for _ in range(int(dice.integers(3, 7))):
        kind = int(dice.integers(12))
        makers = _OF_THE_MARKET if kind == 0 else _OF_A_NAME if kind <= 2 else _OF_THE_WIRE
        at = int(dice.integers(_OPEN - 900, _CLOSE)) if dice.random() < 0.75 else _REPAIR + int(dice.integers(0, 8))
        if makers is not _OF_THE_WIRE:
            at = int(dice.integers(_OPEN + 60, _CLOSE - 3_600))
        for fault in _pick(dice, *makers)(dice):
            one = {**fault, "when": {"at": _text(day, at)}, "seed": int(dice.integers(1 << 30))}
            if fault.get("times") == 0:
                one["when"]["until"] = _text(day, at + int(dice.integers(60, 3_600)))
            if makers is _OF_A_NAME:
                one["where"] = {"symbol": str(dice.choice(list(symbols)))}
            found.append(one)
    return found


def _text(day: dt.date, seconds: int) -> str:
    return f"{day}T{seconds // 3_600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def death_of(day: dt.date, number: int, days: int, seed: int) -> Instant | None:
    """Return when the collector is killed on a day, none where it is not.

    Deaths are in the first third of the run, so that one process lives through the rest and its memory can be told.
    """
    if number % 3 != 1 or number >= max(2, days // 3):
        return None
    dice = np.random.default_rng([seed, number, 9])
    seconds = _pick(dice, int(dice.integers(_OPEN - 420, _CLOSE)), _REPAIR + int(dice.integers(0, 6)))
    return instant_at(day, 0) + seconds * NS_PER_SECOND
