"""Point-in-time selection of the universe.

A snapshot of ``day`` uses bars of days up to and including ``day`` and statuses announced by then
(``Instrument.as_of``), is known after that day's close, and is meant for the sessions that follow.
That a symbol is delisted later, halted later or renamed later cannot matter: it is never read.
Prices are won. Ties in score are broken by symbol code, so the order of input does not matter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.learning import Exclusion, UniverseSnapshot
from haetae.domain.market import Instrument, Kind
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, yyyymmdd
from haetae.universe.settings import EXCLUDED_FLAGS, UniverseSettings

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Figures:
    """What the bars up to the day say of each panel column."""

    close: Float64Array
    traded_today: NDArray[np.bool_]
    rows: NDArray[np.int64]
    turnover: Float64Array
    idle: NDArray[np.int64]
    momentum: Float64Array
    volatility: Float64Array


def _figures(panel: Panel, rows: int) -> _Figures:
    close = panel.close[max(0, rows - 253) : rows].astype(np.float64)
    recent = slice(max(0, rows - 60), rows)
    won = panel.close[recent].astype(np.float64) * panel.volume[recent]
    returns = np.diff(np.log(np.maximum(close, 1.0)), axis=0)
    known = close > 0
    first = np.argmax(known, axis=0)
    base = close[first, np.arange(close.shape[1])]
    month_ago = close[max(0, len(close) - 22)]
    momentum = np.log(np.maximum(month_ago, 1.0) / np.maximum(base, 1.0))
    return _Figures(
        close=close[-1],
        traded_today=panel.traded[rows - 1],
        rows=(panel.close[:rows] > 0).sum(axis=0),
        turnover=np.median(won, axis=0),
        idle=(~panel.traded[recent]).sum(axis=0),
        momentum=momentum,
        volatility=returns[-60:].std(axis=0) if len(returns) else np.zeros(close.shape[1]),
    )


def _faults(
    instrument: Instrument, column: int | None, figures: _Figures, day: dt.date, settings: UniverseSettings
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    announced = instrument.as_of <= day
    if instrument.kind is not Kind.COMMON:
        found.append((f"kind.{instrument.kind.value}", "only common shares are held"))
    if instrument.listed_on > day:
        return [*found, ("listing.later", f"listed on {instrument.listed_on}")]
    age = (day - instrument.listed_on).days
    if age < settings.min_listed_days:
        found.append(("listing.too_young", f"{age} days, floor {settings.min_listed_days}"))
    if announced:
        found += [(f"flag.{flag}", f"as of {instrument.as_of}") for flag in EXCLUDED_FLAGS if flag in instrument.flags]
    if column is None or figures.close[column] <= 0:
        return [*found, ("history.none", "no bar up to the day")]
    if figures.rows[column] < settings.min_history_rows:
        found.append(("history.too_short", f"{figures.rows[column]} sessions, floor {settings.min_history_rows}"))
    if not figures.traded_today[column]:
        found.append(("trading.none_today", "no trade on the day"))
    if figures.idle[column] > settings.max_idle_days:
        found.append(("trading.idle", f"{figures.idle[column]} of 60 sessions without trade"))
    price = int(figures.close[column])
    if not settings.prices_adjusted and price < settings.min_price_won:
        found.append(("price.below_floor", f"{price} won, floor {settings.min_price_won}"))
    if figures.turnover[column] < settings.min_turnover_won:
        turnover = int(figures.turnover[column])
        found.append(("turnover.below_floor", f"median {turnover} won a day, floor {settings.min_turnover_won}"))
    if announced and instrument.shares_outstanding > 0:
        cap = price * instrument.shares_outstanding
        if cap < settings.min_market_cap_won:
            found.append(("market_cap.below_floor", f"{cap} won, floor {settings.min_market_cap_won}"))
    return found


def _ranks(values: Float64Array) -> Float64Array:
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1) / len(values)
    return ranks


def _scored(
    candidates: list[Symbol], columns: Mapping[Symbol, int], figures: _Figures, settings: UniverseSettings
) -> dict[Symbol, dict[str, float]]:
    at = np.array([columns[symbol] for symbol in candidates], dtype=np.int64)
    parts = {
        "liquidity": (_ranks(figures.turnover[at]), settings.liquidity_weight),
        "momentum": (_ranks(figures.momentum[at]), settings.momentum_weight),
        "calm": (_ranks(-figures.volatility[at]), settings.calm_weight),
    }
    whole = sum(weight for _, weight in parts.values())
    total = np.sum([ranks * weight for ranks, weight in parts.values()], axis=0) / whole
    scores: dict[Symbol, dict[str, float]] = {}
    for k, symbol in enumerate(candidates):
        scores[symbol] = {name: round(float(ranks[k]), 6) for name, (ranks, _) in parts.items()}
        scores[symbol]["total"] = round(float(total[k]), 6)
    return scores


def _chosen(
    ranked: list[Symbol], sectors: Mapping[Symbol, str], members: frozenset[Symbol], settings: UniverseSettings
) -> tuple[list[Symbol], list[Symbol]]:
    # Former members inside the buffer first, then the best of the rest; returns (chosen, over the sector cap).
    reach = settings.size + settings.buffer
    staying = [symbol for symbol in ranked[:reach] if symbol in members]
    order = staying + [symbol for symbol in ranked if symbol not in set(staying)]
    chosen: list[Symbol] = []
    crowded: list[Symbol] = []
    counts: dict[str, int] = {}
    for symbol in order:
        if len(chosen) == settings.size:
            break
        sector = sectors[symbol]
        if sector and counts.get(sector, 0) >= settings.sector_cap:
            crowded.append(symbol)
            continue
        counts[sector] = counts.get(sector, 0) + 1
        chosen.append(symbol)
    return chosen, crowded


def _refuse_empty(day: dt.date) -> DataError:
    return DataError(
        Text(ko=f"{day}까지의 일봉이 없어 종목을 고를 수 없습니다", en=f"no daily bar up to {day} to select from"),
        expected="daily bars on or before the day",
        found="none",
        next_step="collect or import daily bars, or choose a later day",
    )


def select(
    day: dt.date,
    instruments: Iterable[Instrument],
    panel: Panel,
    settings: UniverseSettings | None = None,
    *,
    previous: UniverseSnapshot | None = None,
) -> UniverseSnapshot:
    """Return the universe known after the close of ``day``: exactly ``settings.size`` symbols.

    Parameters
    ----------
    instruments : iterable of Instrument
        Static facts count from ``listed_on``; flags and share counts only if ``as_of <= day``.
    panel : Panel
        Daily bars; rows after ``day`` are not read.
    previous : UniverseSnapshot, optional
        Its members may stay while they rank within the buffer.

    Returns
    -------
    UniverseSnapshot
        Symbols sorted by code, score parts (0-1 ranks) of every candidate, and one exclusion for
        each reason of each symbol left out.

    Raises
    ------
    DataError
        If fewer candidates pass than are wanted; nothing is relaxed silently.
    """
    chosen_settings = settings or UniverseSettings()
    rows = int(np.searchsorted(panel.days, yyyymmdd(day), side="right"))
    if rows == 0:
        raise _refuse_empty(day)
    figures = _figures(panel, rows)
    columns = {symbol: k for k, symbol in enumerate(panel.symbols)}
    listed = sorted(instruments, key=lambda instrument: instrument.symbol)
    exclusions: list[Exclusion] = []
    candidates: list[Symbol] = []
    for instrument in listed:
        faults = _faults(instrument, columns.get(instrument.symbol), figures, day, chosen_settings)
        exclusions += [Exclusion(instrument.symbol, code, detail) for code, detail in faults]
        if not faults:
            candidates.append(instrument.symbol)
    scores = _scored(candidates, columns, figures, chosen_settings) if candidates else {}
    ranked = sorted(candidates, key=lambda symbol: (-scores[symbol]["total"], symbol))
    sectors = {instrument.symbol: instrument.sector for instrument in listed}
    members = frozenset(previous.symbols) if previous else frozenset()
    chosen, crowded = _chosen(ranked, sectors, members, chosen_settings)
    if len(chosen) < chosen_settings.size:
        raise DataError(
            Text(
                ko=f"{day} 기준 조건을 통과한 종목이 {len(chosen)}개뿐입니다",
                en=f"only {len(chosen)} symbols pass the floors on {day}",
            ),
            expected=f"{chosen_settings.size} symbols",
            found=f"{len(listed)} listed, {len(candidates)} candidates, {len(crowded)} over the sector cap",
            next_step="lower the universe's floors or its size, raise the sector cap, or collect more symbols",
        )
    taken = set(chosen)
    full = set(crowded)
    for place, symbol in enumerate(ranked, start=1):
        if symbol in full:
            detail = f"{chosen_settings.sector_cap} names of sector {sectors[symbol]} rank higher"
            exclusions.append(Exclusion(symbol, "sector.full", detail))
        elif symbol not in taken:
            detail = f"place {place} of {len(ranked)}, score {scores[symbol]['total']:.3f}"
            exclusions.append(Exclusion(symbol, "rank.below_cut", detail))
    exclusions.sort(key=lambda item: (item.symbol, item.code))
    return UniverseSnapshot(day, tuple(sorted(chosen)), scores, tuple(exclusions))
