"""Point-in-time selection of the universe.

A snapshot of ``day`` uses bars of days up to and including ``day``, statuses told and statements known by then, and is
meant for the sessions that follow. That a symbol is delisted, halted, restated or renamed later cannot matter: it is
never read. Prices are won. Ties in score are broken by symbol code, so the order of input does not matter.

Here: the steps in their order. Not here: the figures (``figures``), the floors (``exclusions``), the ranks
(``scoring``, ``candidates``), the places (``choosing``), the stored form (``snapshots``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from haetae.domain.errors import DataError, Text
from haetae.domain.learning import Exclusion, UniverseSnapshot
from haetae.domain.market import Instrument
from haetae.domain.panel import Panel
from haetae.domain.units import day_from, yyyymmdd
from haetae.universe import figures
from haetae.universe.candidates import Candidates
from haetae.universe.choosing import choose, passed_over
from haetae.universe.exclusions import Judge
from haetae.universe.settings import MissingParts, UniverseSettings
from haetae.universe.statements import NO_STATEMENTS, Statements
from haetae.universe.statuses import NO_STATUSES, Statuses


def select(
    day: dt.date,
    instruments: Iterable[Instrument],
    panel: Panel,
    settings: UniverseSettings | None = None,
    *,
    previous: UniverseSnapshot | None = None,
    statements: Statements = NO_STATEMENTS,
    statuses: Statuses = NO_STATUSES,
) -> UniverseSnapshot:
    """Return the universe known after the close of ``day``: exactly ``settings.size`` symbols.

    Parameters
    ----------
    instruments : iterable of Instrument
        One state of each name, the newest announced by the day where there is one. Static facts (kind, sector, day of
        listing) count as they stand; flags, shares and a delisting only if ``as_of <= day``.
    panel : Panel
        Daily bars; rows after ``day`` are not read.
    previous : UniverseSnapshot, optional
        Its members may stay while they rank within the buffer.
    statements : Statements
        Rows with ``known_on`` after ``day`` are not read.
    statuses : Statuses
        Rows of days after ``day`` are not read.

    Returns
    -------
    UniverseSnapshot
        Symbols sorted by code, score parts (0-1 ranks), figures and flags of every candidate, and one exclusion for
        each reason of each symbol left out.

    Raises
    ------
    DataError
        If fewer candidates pass than are wanted (nothing is relaxed silently), or the bars up to the day are too few.
    """
    chosen = settings or UniverseSettings()
    rows = int(np.searchsorted(panel.days, yyyymmdd(day), side="right"))
    _refuse_too_little(day, panel, rows, chosen)
    bars = figures.of_bars(panel, rows, chosen)
    listed = sorted(instruments, key=lambda instrument: instrument.symbol)
    exclusions, passed = _judged(day, listed, panel, bars, statuses, chosen)
    candidates = _candidates(day, passed, panel, bars, statements, chosen)
    if chosen.missing_parts is MissingParts.EXCLUDE:
        bare = _without_statements(candidates)
        exclusions += bare
        left_out = {item.symbol for item in bare}
        passed = [item for item in passed if item.symbol not in left_out]
        candidates = _candidates(day, passed, panel, bars, statements, chosen)
    scores = candidates.scores()
    totals = {symbol: parts["total"] for symbol, parts in scores.items()}
    ranked = sorted(totals, key=lambda symbol: (-totals[symbol], symbol))
    sectors = {item.symbol: item.sector for item in passed}
    choice = choose(ranked, sectors, frozenset(previous.symbols) if previous else frozenset(), chosen)
    if len(choice.chosen) < chosen.size:
        raise _too_few(day, chosen.size, listed, exclusions, len(ranked), len(choice.crowded))
    exclusions += passed_over(ranked, totals, sectors, choice, chosen)
    exclusions.sort(key=lambda item: (item.symbol, item.code))
    return UniverseSnapshot(
        day,
        tuple(sorted(choice.chosen)),
        scores,
        tuple(exclusions),
        candidates.flags(scores),
        candidates.figures(),
    )


def _judged(
    day: dt.date,
    listed: Sequence[Instrument],
    panel: Panel,
    bars: figures.BarFigures,
    statuses: Statuses,
    settings: UniverseSettings,
) -> tuple[list[Exclusion], list[Instrument]]:
    """Return every reason against anyone, and the instruments against which there is none."""
    columns = {symbol: column for column, symbol in enumerate(panel.symbols)}
    places = [columns.get(item.symbol) for item in listed]
    caps = _caps(day, listed, places, bars, settings)
    told = statuses.on(day)
    judge = Judge(day, bars, settings)
    exclusions: list[Exclusion] = []
    passed: list[Instrument] = []
    for item, column, cap in zip(listed, places, caps.tolist(), strict=True):
        faults = judge.faults(item, column, cap, told.get(item.symbol))
        exclusions += [Exclusion(item.symbol, code, detail) for code, detail in faults]
        if not faults:
            passed.append(item)
    known = {item.symbol for item in listed}
    exclusions += [
        Exclusion(symbol, "listing.unknown", "traded within a year, but on no list of names known by the day")
        for symbol, column in columns.items()
        if symbol not in known and bars.close[column] > 0
    ]
    return exclusions, passed


def _caps(
    day: dt.date,
    listed: Sequence[Instrument],
    places: Sequence[int | None],
    bars: figures.BarFigures,
    settings: UniverseSettings,
) -> figures.Float64Array:
    if settings.prices_adjusted:
        return np.full(len(listed), np.nan)
    closes = np.array([0 if place is None else bars.close[place] for place in places], np.int64)
    rebased = np.array([0 if place is None else bars.rebased_on[place] for place in places], np.int64)
    return figures.market_caps(listed, closes, rebased, day)


def _candidates(
    day: dt.date,
    passed: Sequence[Instrument],
    panel: Panel,
    bars: figures.BarFigures,
    statements: Statements,
    settings: UniverseSettings,
) -> Candidates:
    columns = {symbol: column for column, symbol in enumerate(panel.symbols)}
    places = [columns[item.symbol] for item in passed]
    caps = _caps(day, passed, places, bars, settings)
    books = figures.of_books(statements, [item.symbol for item in passed], caps, day, settings)
    return Candidates(passed, np.array(places, np.int64), caps, bars, books, settings)


def _without_statements(candidates: Candidates) -> list[Exclusion]:
    books = candidates.books
    value = np.isnan(books.earnings_yield) & np.isnan(books.book_to_price)
    quality = np.isnan(books.return_on_equity) & np.isnan(books.debt) & np.isnan(books.operating_margin)
    found = []
    for k in np.flatnonzero(value | quality).tolist():
        parts = " and ".join(name for name, gone in (("value", value[k]), ("quality", quality[k])) if gone)
        why = "the newest statement is too old" if books.stale[k] else "nothing known by the day"
        found.append(Exclusion(candidates.instruments[k].symbol, "fundamentals.none", f"no {parts}: {why}"))
    return found


def _refuse_too_little(day: dt.date, panel: Panel, rows: int, settings: UniverseSettings) -> None:
    if rows == 0:
        raise DataError(
            Text(ko=f"{day}까지의 일봉이 없어 종목을 고를 수 없습니다", en=f"no daily bar up to {day} to select from"),
            expected=Text(ko="그날까지의 일봉", en="daily bars on or before the day"),
            found=f"first bar {day_from(int(panel.days[0]))}" if len(panel) else "no bars",
            next_step=Text(
                ko="일봉을 수집하거나 가져오거나, 더 늦은 날을 고르세요",
                en="collect or import daily bars, or choose a later day",
            ),
        )
    least = settings.min_history_rows
    if rows < least:
        raise DataError(
            Text(ko=f"{day}까지의 일봉 이력이 너무 짧습니다", en=f"the history of daily bars up to {day} is too short"),
            expected=Text(ko=f"{least}거래일 이상", en=f"{least} sessions or more"),
            found=f"{rows} sessions from {day_from(int(panel.days[0]))} to {day}",
            next_step=Text(
                ko=f"{least - rows}거래일 이상 늦은 날을 고르거나, 더 이른 일봉을 가져오거나 수집하세요",
                en=f"choose a day {least - rows} sessions later, or import or collect earlier daily bars",
            ),
        )


def _too_few(
    day: dt.date, size: int, listed: Sequence[Instrument], exclusions: Sequence[Exclusion], ranked: int, crowded: int
) -> DataError:
    reasons = Counter(item.code for item in exclusions).most_common(6)
    told = ", ".join(f"{code} {count}" for code, count in sorted(reasons, key=lambda each: (-each[1], each[0])))
    return DataError(
        Text(
            ko=f"{day} 기준으로 {size}종목을 채울 수 없습니다: 후보 {ranked}개, 업종 한도로 넘긴 것 {crowded}개",
            en=f"only {ranked - crowded} symbols pass the floors on {day}, {size} are wanted",
        ),
        expected=f"{size} symbols",
        found=f"{len(listed)} listed, {ranked} candidates, {crowded} over the sector cap"
        + (f"; left out: {told}" if told else ""),
        next_step=Text(
            ko="종목 수나 하한을 낮추거나, 업종 한도를 올리거나, 종목을 더 수집하세요 (--size, --set)",
            en="lower the size or the floors, raise the sector cap, or collect more symbols (--size, --set)",
        ),
    )
