"""The universe of a day from a lake, kept beside its tables; the snapshots that were kept.

Everything is read at one version of each table and up to the day only. Former members come from the newest snapshot of
an earlier day under the same settings, or from the one that is named. Not here: the selection (``universe``), the
market of a trading day with its features (``selection``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from haetae.domain.errors import DataError, Text
from haetae.domain.learning import UniverseSnapshot
from haetae.ports.tables import daily_table
from haetae.research.code import code_hash
from haetae.research.told import statements, statuses
from haetae.store.snapshots import Snapshots
from haetae.store.snapshots import Stored as Stored
from haetae.universe import UniverseSettings, select
from haetae.universe.snapshots import content, identity, settings_hash, snapshot_of
from haetae.wiring.clocks import SystemClock
from haetae.wiring.lakes import LakeAt, existing_lake, open_place
from haetae.wiring.universe_inputs import PinnedLake, adjusted, named_bars, refuse_hole, session

NEWEST, NONE = "auto", "none"
"""Which former snapshot the buffer favours: the newest before the day under the same settings, or no one."""

_SIDE_TABLES = ("instruments", "flags", "fundamentals")


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection as it is kept; ``is_new`` tells that it was not there before.

    ``previous`` is the snapshot whose members the buffer favoured; ``warnings`` are for people.
    """

    stored: Stored
    is_new: bool
    previous: Stored | None
    warnings: tuple[Text, ...]


def choose(
    at: LakeAt, day: dt.date | None, settings: UniverseSettings, *, previous: str = NEWEST, keep: bool = True
) -> Selection:
    """Select the universe of a day and keep it.

    Parameters
    ----------
    day : date, optional
        A session of the lake; by default its newest.
    previous : str
        ``auto``, ``none``, or the id of a snapshot of an earlier day.
    keep : bool
        False stores nothing.

    Raises
    ------
    DataError
        For a day without a session or outside the lake, too short a history, no list of names, too few candidates,
        an unknown or damaged snapshot.
    """
    live = existing_lake(at)
    lake = PinnedLake(live)
    table = daily_table(lake.versions())
    bars = next((each for each in live.describe() if each.table == table and each.rows), None)
    day = session(day, bars)
    instruments, panel = named_bars(lake, table, day, settings)
    refuse_hole(day, panel, bars)
    used = replace(settings, prices_adjusted=settings.prices_adjusted or adjusted(lake, table, day))
    shelf = _shelf(at)
    former = _former(shelf, day, used, previous)
    snapshot = select(
        day,
        instruments,
        panel,
        used,
        previous=snapshot_of(former.content) if former else None,
        statements=statements(lake, day),
        statuses=statuses(lake, day),
    )
    told = content(snapshot, instruments, used, table=table, previous=former.id if former else None)
    made = {"code": code_hash("universe"), "tables": lake.read_tables((table, *_SIDE_TABLES))}
    now = SystemClock().now()
    stored, is_new = shelf.keep(told, made, now) if keep else (Stored(identity(told), told, made, now), False)
    return Selection(stored, is_new, former, _warnings(snapshot, used, lake.versions(), former, previous))


def kept(at: LakeAt, day: dt.date | None, limit: int) -> tuple[Stored, ...]:
    """Return the newest kept snapshots, of a day or of all, ascending by day."""
    shelf = _shelf(at)
    days = sorted({known for known, _ in shelf.names() if day is None or known == day.isoformat()})
    found: list[Stored] = []
    for each in reversed(days):
        if len(found) >= limit:
            break
        found = [*shelf.of_day(each), *found]
    return tuple(found[-limit:])


def recall(at: LakeAt, given: str | None) -> Stored:
    """Return a kept snapshot by its id, by its day, or the newest one."""
    shelf = _shelf(at)
    days = sorted({known for known, _ in shelf.names()})
    if not days:
        raise DataError(
            Text(ko="저장된 유니버스가 없습니다", en="no universe was kept yet"),
            expected=Text(ko="저장된 스냅샷", en="a kept snapshot"),
            found=at.address,
            next_step=f"haetae universe select --lake {at.address}",
        )
    if given is not None and given not in days:
        return shelf.get(given)
    return shelf.of_day(given or days[-1])[-1]


def _shelf(at: LakeAt) -> Snapshots:
    return Snapshots(open_place(at), identity)


def _former(shelf: Snapshots, day: dt.date, settings: UniverseSettings, wanted: str) -> Stored | None:
    """Return the snapshot whose members the buffer favours."""
    if wanted == NONE:
        return None
    if wanted != NEWEST:
        found = shelf.get(wanted)
        if found.content["day"] < day.isoformat():
            return found
        raise DataError(
            Text(ko="이전 스냅샷이 그날보다 앞서지 않습니다", en="the former snapshot is not of an earlier day"),
            expected=f"< {day}",
            found=f"{found.id}: {found.content['day']}",
            next_step="haetae universe list",
        )
    same = settings_hash(settings)
    for known in sorted({known for known, _ in shelf.names() if known < day.isoformat()}, reverse=True):
        alike = [stored for stored in shelf.of_day(known) if stored.content["settings_hash"] == same]
        if alike:
            return alike[-1]
    return None


def _warnings(
    snapshot: UniverseSnapshot,
    settings: UniverseSettings,
    versions: Mapping[str, int],
    former: Stored | None,
    wanted: str,
) -> tuple[Text, ...]:
    found = []
    if "instruments" not in versions:
        found.append(
            Text(
                ko="종목 목록(instruments)이 없어 종류와 상장일을 코드와 일봉에서 짐작했습니다. "
                "ETF·스팩·리츠를 가려내지 못합니다",
                en="no list of names: kinds and listings were assumed from codes and bars; "
                "ETFs, SPACs and REITs cannot be told",
            )
        )
    if settings.prices_adjusted:
        found.append(
            Text(
                ko="수정주가: 값의 수준이 뒷날의 분할을 알므로 주가 하한, 시가총액, 가치는 쓰지 않았습니다",
                en="adjusted prices: their level knows later splits; price floor, market cap and value were left out",
            )
        )
    bare = sum({"value", "quality"} <= set(flags) for flags in snapshot.flags.values())
    count, rule = len(snapshot.scores), settings.missing_parts.value
    if bare:
        found.append(
            Text(
                ko=f"후보 {count}개 중 {bare}개는 그날까지 알려진 재무가 없습니다 ({rule})",
                en=f"{bare} of {count} candidates have no statements known by the day ({rule})",
            )
        )
    if former is None and wanted == NEWEST:
        found.append(
            Text(
                ko="같은 설정의 앞선 스냅샷이 없어 유지 구간 없이 골랐습니다",
                en="no earlier snapshot under the same settings: selected without a buffer for former members",
            )
        )
    return tuple(found)
