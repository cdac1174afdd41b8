"""Fear & greed as faces show it: a day with its components, years as rows, a running day; JSON values.

Not here: reading the lake (``moods``), printing (``cli``), drawing (``mood_picture``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from haetae.domain.errors import ConfigError, DataError, Text
from haetae.domain.units import day_from, kst_text, yyyymmdd
from haetae.features.feargreed import COMPONENTS, NAMES, FearGreed, FearGreedSettings, MoodInputs, word_of
from haetae.features.feargreed.intraday import IntradayMood
from haetae.store.lake import Lake
from haetae.wiring.lakes import LakeAt, existing_lake
from haetae.wiring.moods import DEFAULTS, CnnMood, cnn_between, read_intraday, read_mood

Row: TypeAlias = dict[str, Any]
_CNN_STALE = dt.timedelta(days=7)
"""A session older than this is not shown beside a day; the longest American holiday is four days."""


def _both(text: Text) -> Row:
    return {"ko": text.ko, "en": text.en}


def _number(value: float, digits: int) -> float | None:
    return round(float(value), digits) if value == value else None


def mood_day(at: LakeAt, day: dt.date | None, settings: FearGreedSettings = DEFAULTS) -> Row:
    """Return the newest index known at the close of ``day`` (of the newest day by default), with its components."""
    lake = existing_lake(at)
    last = day or newest_day(lake)
    mood, inputs = read_mood(lake, last, last, settings)
    row = mood.row_of(last)
    if row is None:
        raise _too_short(last, mood, settings)
    found = day_from(int(mood.days[row]))
    return {**_day_row(mood, inputs, row, settings), "asked": str(last), "cnn": _cnn_at(lake, found)}


def newest_day(lake: Lake) -> dt.date:
    """Return the last day of the lake's daily bars."""
    days = [info.last_day for info in lake.describe() if info.table in ("daily", "daily_adjusted") and info.last_day]
    if not days:
        raise DataError(
            Text(ko="레이크에 일봉이 없습니다", en="the lake has no daily bars"),
            expected=Text(ko="행이 있는 일봉 표", en="a table 'daily' or 'daily_adjusted' with rows"),
            found=", ".join(info.table for info in lake.describe()),
            next_step="haetae lake import --kind daily PATH",
        )
    return max(days)


def _too_short(day: dt.date, mood: FearGreed, settings: FearGreedSettings) -> DataError:
    known = ", ".join(f"{flag.component} ({flag.since or '-'})" for flag in mood.flags())
    return DataError(
        Text(ko=f"{day}까지 지수를 셀 이력이 모자랍니다", en=f"there is too little history for an index up to {day}"),
        expected=Text(
            ko=f"창 + {settings.least_days}일의 이력, 가중치의 {settings.least_weight:.0%} 이상 (약 200거래일)",
            en=f"window + {settings.least_days} days for {settings.least_weight:.0%} of the weights (200 sessions)",
        ),
        found=f"{mood.days[0]}-{mood.days[-1]} ({len(mood.days)}): {known}",
        next_step=Text(
            ko="앞선 일봉과 지수를 가져오세요: haetae lake import --kind daily·index_daily 경로",
            en="import earlier bars and index: haetae lake import --kind daily or index_daily PATH",
        ),
    )


def _day_row(mood: FearGreed, inputs: MoodInputs, row: int, settings: FearGreedSettings) -> Row:
    shares = mood.shares(row)
    flags = {flag.component: flag.since for flag in mood.flags(row)}
    bar = int(inputs.bars()[row])
    value = float(mood.value[row])
    return {
        "day": str(day_from(int(mood.days[row]))),
        "known_at": kst_text(int(inputs.panel.end[bar])) if bar >= 0 else None,
        "value": round(value, 2),
        "word": _both(word_of(value)),
        "index": None if mood.stands_in else settings.index,
        "calm_from": settings.volatility_index if mood.implied[row] else "realised",
        "symbols": int(inputs.counted.sum()) if inputs.counted is not None else len(inputs.panel.symbols),
        "rank_window_days": settings.window_days,
        "components": [
            {
                "name": part.name,
                "title": _both(part.title),
                "formula": _both(part.formula),
                "window_days": part.window,
                "raw": _number(mood.raw[row, c], 6),
                "rank": _number(mood.ranks[row, c], 2),
                "weight": float(mood.weights[c]),
                "share": round(float(shares[c]), 4),
                "missing": part.name in flags,
                "last_known": str(flags[part.name]) if flags.get(part.name) else None,
            }
            for c, part in enumerate(COMPONENTS)
        ],
        "missing": list(flags),
    }


def _cnn_row(told: CnnMood) -> Row:
    return {
        "day": str(told.day),
        "value": round(told.value, 2),
        "rating": told.rating,
        "regime": told.regime,
        "known_on": str(told.known_on),
    }


def _cnn_at(lake: Lake, day: dt.date) -> Row | None:
    known = cnn_between(lake, day - _CNN_STALE, day)
    return _cnn_row(known[-1]) if known else None


def mood_history(
    at: LakeAt, first: dt.date | None, last: dt.date | None, settings: FearGreedSettings = DEFAULTS
) -> Row:
    """Return the days of a range that have a value, each with ranks, what is missing, and CNN's value known by then."""
    lake = existing_lake(at)
    end = last or newest_day(lake)
    begin = first or end - dt.timedelta(days=365)
    if begin > end:
        raise ConfigError(
            Text(ko="기간이 거꾸로입니다", en="the range runs backward"),
            expected="--from <= --to",
            found=f"{begin} > {end}",
            next_step="--from 2022-01-01 --to 2022-12-31",
        )
    mood, _ = read_mood(lake, begin, end, settings)
    chosen = np.flatnonzero((mood.days >= yyyymmdd(begin)) & (mood.days <= yyyymmdd(end)) & np.isfinite(mood.value))
    if not len(chosen):
        raise _too_short(end, mood, settings)
    beside = list(cnn_between(lake, begin - _CNN_STALE, end))
    rows, told = [], None
    for row in chosen.tolist():
        day = day_from(int(mood.days[row]))
        while beside and beside[0].known_on <= day:
            told = beside.pop(0)
        fresh = told is not None and told.known_on >= day - _CNN_STALE
        rows.append({**_history_row(mood, row), "cnn": round(told.value, 2) if fresh and told else None})
    return {"from": str(begin), "to": str(end), "days": rows}


def _history_row(mood: FearGreed, row: int) -> Row:
    return {
        "day": str(day_from(int(mood.days[row]))),
        "value": round(float(mood.value[row]), 2),
        "ranks": {name: _number(mood.ranks[row, c], 2) for c, name in enumerate(NAMES)},
        "missing": list(mood.missing(row)),
    }


def mood_minutes(at: LakeAt, day: dt.date, settings: FearGreedSettings = DEFAULTS) -> Row:
    """Return the index at each minute of a day; None where too little was seen."""
    running: IntradayMood = read_intraday(existing_lake(at), day, settings)
    return {
        "day": str(day),
        "index": None if running.rows.stands_in else settings.index,
        "minutes": [
            {
                "known_at": kst_text(int(end)),
                "value": _number(running.rows.value[t], 2),
                "ranks": {name: _number(running.rows.ranks[t, c], 2) for c, name in enumerate(NAMES)},
                "missing": list(running.rows.missing(t)),
            }
            for t, end in enumerate(running.ends.tolist())
        ],
    }


def csv_of(rows: Sequence[Mapping[str, Any]], time: str) -> str:
    """Return rows of days or minutes as comma separated text: time, value, ranks, CNN where there is one."""
    beside = ["cnn"] if rows and "cnn" in rows[0] else []
    lines = [",".join([time, "value", *NAMES, *beside, "missing"])]
    for row in rows:
        cells = [row[time], row["value"], *(row["ranks"][name] for name in NAMES), *(row[name] for name in beside)]
        lines.append(",".join(["" if cell is None else str(cell) for cell in cells] + ["|".join(row["missing"])]))
    return "\n".join(lines) + "\n"
