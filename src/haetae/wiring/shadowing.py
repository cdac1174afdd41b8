"""The evening's record of models in shadow: what each says of the session to come, and what became of earlier words.

Point in time: scores come from bars up to and including the day, and count as a forecast only where they are written
down after that day's close and before the next session opens. Written later they are kept, and do not count. The model
in charge is recorded beside the shadows, so that both can be compared on the same days.
Not here: the files (``registry.shadow``), what they must show (``ml.promotion``).
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haetae.domain.errors import DataError, Text
from haetae.domain.learning import ModelCard, ModelState
from haetae.domain.market import Instrument
from haetae.domain.panel import Panel
from haetae.domain.promotion import ShadowOutcome, ShadowScores
from haetae.domain.units import Instant, day_from, yyyymmdd
from haetae.features import daily
from haetae.krx import Rulebook
from haetae.krx.calendar import next_trading_day
from haetae.ml import committee, labels, quality
from haetae.ports.tables import daily_table
from haetae.registry.registry import Registry
from haetae.registry.shadow import ShadowBook
from haetae.research.beside import inputs_of
from haetae.store.lake import Lake
from haetae.store.reference import instruments_on
from haetae.wiring import scoring, selection
from haetae.wiring.desk_folder import RANKER

_WATCHED = (ModelState.SHADOW, ModelState.CHAMPION)


@dataclass(frozen=True, slots=True, eq=False)
class _Evening:
    """What is known after the close of ``day``; fulfils ``scoring.Known``."""

    day: dt.date
    panel: Panel
    features: np.ndarray
    instruments: tuple[Instrument, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an evening wrote down: models that spoke, of them in time, and earlier days whose outcome is now known."""

    day: dt.date
    said: tuple[str, ...]
    in_time: bool
    resolved: int


def record(models: Path, lake: Lake, day: dt.date | None, at: Instant) -> Recorded:
    """Let every ranker in shadow or in charge score the session after a day, and resolve what has come due.

    Parameters
    ----------
    day : date or None
        The last closed session to score from; None takes the newest of the lake.
    at : Instant
        Now, in the market's time: decides whether the words come in time.

    Raises
    ------
    DataError
        Where the lake has no bars of the day.
    """
    table = daily_table(lake.versions())
    version = lake.versions().get(table)
    held = {info.table: info.last_day for info in lake.describe()}
    newest = held.get(table)
    chosen = day or newest
    if version is None or newest is None or chosen is None or chosen > newest:
        raise _no_bars(chosen, newest)
    registry, book = Registry(models), ShadowBook(models)
    watched = [card for card, state in registry.models(RANKER) if state in _WATCHED]
    spoken = {(one.model_id, one.day) for one in book.scores()}
    silent = [card for card in watched if (card.model_id, chosen) not in spoken]
    in_time = _in_time(chosen, at)
    if silent:
        market = _evening(lake, table, chosen)
        data = lake.digest(table, version)
        book.say(_said(registry, card, market, at, data, in_time=in_time) for card in silent)
    resolved = _resolve(book, lake.panel(table, None, _oldest_open(book, chosen), newest))
    return Recorded(chosen, tuple(card.model_id for card in silent), in_time, resolved)


def _evening(lake: Lake, table: str, day: dt.date) -> _Evening:
    panel = lake.panel(table, None, None, day)
    last = day_from(int(panel.days[-1])) if len(panel) else None
    if last != day:
        raise _no_bars(day, last)
    listed = instruments_on(lake, day)
    return _Evening(day, panel, daily.SET.batch(inputs_of(lake, panel, listed, selection.INDEX)), listed)


def _said(
    registry: Registry, card: ModelCard, market: _Evening, at: Instant, data: str, *, in_time: bool
) -> ShadowScores:
    members = scoring.load(registry, card.model_id)
    return ShadowScores(
        model_id=card.model_id,
        content_hash=card.content_hash,
        day=market.day,
        at=at,
        in_time=in_time,
        data=data,
        horizon=committee.horizon_of(*registry.get(card.model_id)),
        values={s: v for s, v in scoring.tomorrow(market, members).items() if math.isfinite(v)},
    )


def _in_time(day: dt.date, at: Instant) -> bool:
    following = next_trading_day(day)
    closed, opens = Rulebook.on(day).session.close_at, Rulebook.on(following).session.open_at
    return closed <= at < opens


def _open(book: ShadowBook) -> list[ShadowScores]:
    done = {(one.model_id, one.day) for one in book.outcomes()}
    return [one for one in book.scores() if one.values and (one.model_id, one.day) not in done]


def _oldest_open(book: ShadowBook, day: dt.date) -> dt.date:
    return min([day, *(one.day for one in _open(book))])


def _resolve(book: ShadowBook, panel: Panel) -> int:
    """Write down the rank IC of every record whose horizon has passed; returns how many."""
    outcomes = []
    for said in _open(book):
        row = int(np.searchsorted(panel.days, yyyymmdd(said.day)))
        ends = row + 1 + said.horizon
        if ends >= len(panel) or int(panel.days[row]) != yyyymmdd(said.day):
            continue
        followed = labels.forward_returns(panel.rows(row, ends + 1), said.horizon).values[:1]
        places = {symbol: column for column, symbol in enumerate(panel.symbols)}
        scores = np.full(followed.shape, np.nan, dtype=np.float32)
        for symbol, value in said.values.items():
            if symbol in places:
                scores[0, places[symbol]] = value
        found = float(quality.daily_ic(scores, followed)[0])
        names = int((np.isfinite(scores) & np.isfinite(followed)).sum())
        # Too few names for a correlation: an outcome of nothing, which says so.
        known_on = day_from(int(panel.days[ends]))
        outcomes.append(ShadowOutcome(said.model_id, said.day, known_on, found if math.isfinite(found) else 0.0, names))
    return book.resolve(outcomes)


def _no_bars(day: dt.date | None, newest: dt.date | None) -> DataError:
    return DataError(
        Text(ko="그날의 일봉이 레이크에 없습니다", en="the lake has no daily bars of that day"),
        expected=str(day or "-"),
        found=Text(ko=f"마지막 날 {newest or '-'}", en=f"newest day {newest or '-'}").en,
        next_step=Text(
            ko="`haetae collect daily` 로 먼저 수집하세요", en="collect it first with `haetae collect daily`"
        ),
    )
