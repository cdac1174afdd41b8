"""Selections from a lake: point in time, kept once under one name, refused where they would be a guess."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import shutil
from pathlib import Path

import pyarrow.compute as pc
import pytest

from haetae.domain.errors import DataError, HaetaeError, MarketRuleError
from haetae.domain.units import day_from
from haetae.ports.tables import TABLES
from haetae.research.market import load
from haetae.research.universes import monthly
from haetae.store.lake import Lake
from haetae.universe import UniverseSettings
from haetae.universe.snapshots import canonical
from haetae.wiring.lakes import LakeAt
from haetae.wiring.selection import read_market, universe_record
from haetae.wiring.universes import Selection, choose, kept, recall
from told_markets import Told, told_market, write_tables

SETTINGS = UniverseSettings(size=8, min_turnover_won=0, min_market_cap_won=0, min_price_won=0, buffer=3)
TOLD = told_market(11, symbols=36, sessions=300)
DAYS = [day_from(int(day)) for day in TOLD.panel.days]
DAY = DAYS[-30]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("universes") / "lake"
    write_tables(TOLD, Lake(folder))
    return folder


@pytest.fixture
def at(source: Path, tmp_path: Path) -> LakeAt:
    return LakeAt(str(shutil.copytree(source, tmp_path / "lake")))


def lake_of(told: Told, folder: Path) -> LakeAt:
    write_tables(told, Lake(folder))
    return LakeAt(str(folder))


def selected(at: LakeAt, day: dt.date | None = DAY, settings: UniverseSettings = SETTINGS, **more: object) -> Selection:
    return choose(at, day, settings, **more)  # type: ignore[arg-type]


def test_the_future_of_every_table_moves_no_byte(at: LakeAt, tmp_path: Path) -> None:
    whole = selected(at).stored
    cut = selected(lake_of(TOLD.known(DAY), tmp_path / "cut")).stored
    other = selected(lake_of(TOLD.rewritten_after(DAY, 77), tmp_path / "other")).stored
    assert canonical(whole.content) == canonical(cut.content) == canonical(other.content)
    assert whole.id == cut.id == other.id
    assert whole.made["tables"] != other.made["tables"]


def test_selecting_a_day_again_later_finds_what_was_kept_then(tmp_path: Path) -> None:
    at = lake_of(TOLD.known(DAY), tmp_path / "grown")
    then = selected(at)
    write_tables(TOLD, Lake(tmp_path / "grown"))
    later = selected(at)
    assert (then.is_new, later.is_new) == (True, False)
    assert later.stored == then.stored
    assert then.stored.made["tables"]["daily"]["version"] == 1
    assert Lake(tmp_path / "grown").versions()["daily"] == 2


def test_other_settings_are_another_version_and_both_stay(at: LakeAt) -> None:
    one = selected(at)
    two = selected(at, settings=dataclasses.replace(SETTINGS, momentum_weight=0.0))
    assert one.stored.id != two.stored.id
    assert [each.id for each in kept(at, None, 10)] == [one.stored.id, two.stored.id]
    assert recall(at, one.stored.id[:6]).content == one.stored.content
    assert recall(at, DAY.isoformat()).id == recall(at, None).id == two.stored.id


def test_members_of_the_newest_earlier_snapshot_under_the_same_settings_may_stay(at: LakeAt) -> None:
    other = selected(at, DAYS[-32], dataclasses.replace(SETTINGS, buffer=0))
    first = selected(at, DAYS[-40])
    assert first.previous is None
    assert any("앞선" in warning.ko for warning in first.warnings)
    second = selected(at, DAYS[-31])
    assert second.previous is not None
    assert second.previous.id == first.stored.id == second.stored.content["previous"]
    assert selected(at, DAYS[-31], previous="none").stored.content["previous"] is None
    named = selected(at, DAYS[-31], previous=other.stored.id)
    assert named.stored.content["previous"] == other.stored.id
    apart = [selected(at, DAYS[-31], previous=each).stored.id for each in ("auto", "none", other.stored.id)]
    assert len(set(apart)) == 3


def test_the_buffer_of_a_lake_keeps_a_member_that_fell_a_little(at: LakeAt) -> None:
    loose = dataclasses.replace(SETTINGS, buffer=8, sector_cap=99)
    before = selected(at, DAYS[-60], loose)
    fresh = selected(at, DAY, loose, previous="none", keep=False).stored.content
    stayed = selected(at, DAY, loose).stored.content
    held, reach = set(before.stored.content["universe"]), loose.size + loose.buffer
    near = {symbol for symbol in held if fresh["candidates"].get(symbol, {"place": 99})["place"] <= reach}
    assert near - set(fresh["universe"]), "the example must have a member that fell below the cut"
    assert near <= set(stayed["universe"])


def test_a_dry_run_keeps_nothing(at: LakeAt) -> None:
    assert selected(at, keep=False).stored.content["day"] == DAY.isoformat()
    assert kept(at, None, 10) == ()
    with pytest.raises(DataError, match="no universe"):
        recall(at, None)


def test_without_a_day_the_newest_session_of_the_lake_counts(at: LakeAt) -> None:
    assert selected(at, None, keep=False).stored.content["day"] == DAYS[-1].isoformat()


@pytest.mark.parametrize(
    ("day", "sign"),
    [
        (dt.date(2020, 5, 2), "2020-05-04"),  # a Saturday: the message names the session before it, and after it
        (dt.date(2020, 5, 5), "--date 2020-05-04"),  # Children's day
        (DAYS[-1] + dt.timedelta(days=40), str(DAYS[-1])),
        (dt.date(2019, 12, 27), str(DAYS[0])),
        (DAYS[40], "choose a day 20 sessions later"),
    ],
    ids=["weekend", "holiday", "after the lake", "before the lake", "too little history"],
)
def test_a_day_that_cannot_be_selected_says_which_can(at: LakeAt, day: dt.date, sign: str) -> None:
    with pytest.raises(DataError) as refusal:
        selected(at, day)
    assert sign in f"{refusal.value.expected} {refusal.value.found} {refusal.value.next_step}"
    assert kept(at, None, 10) == ()


def test_a_day_outside_the_calendar_is_refused(at: LakeAt) -> None:
    with pytest.raises(MarketRuleError):
        selected(at, dt.date(2090, 1, 2))


def test_a_session_that_the_bars_skip_is_refused(at: LakeAt) -> None:
    lake = Lake(Path(at.address))
    rows = lake.read("daily")
    lake.replace("daily", rows.filter(pc.not_equal(rows.column("day"), DAY)))
    with pytest.raises(DataError, match="no daily bars"):
        selected(at)


def test_a_lake_whose_list_of_names_began_later_is_refused(at: LakeAt) -> None:
    late = tuple(dataclasses.replace(state, as_of=DAYS[-1]) for state in TOLD.states)
    folder = Path(at.address).with_name("late")
    write_tables(dataclasses.replace(TOLD, states=late), Lake(folder))
    with pytest.raises(DataError, match="no list of names") as refusal:
        selected(LakeAt(str(folder)))
    assert str(DAYS[-1]) in refusal.value.found


def test_a_lake_without_any_list_assumes_and_says_so(tmp_path: Path) -> None:
    bare = lake_of(Told(TOLD.panel, (), (), ()), tmp_path / "bare")
    found = selected(bare)
    assert all("listing.assumed" in told["flags"] for told in found.stored.content["candidates"].values())
    assert any("종목 목록" in warning.ko for warning in found.warnings)
    cut = selected(lake_of(Told(TOLD.panel, (), (), ()).known(DAY), tmp_path / "cut"))
    assert cut.stored.id == found.stored.id


def test_an_empty_lake_one_without_bars_and_too_few_names_are_refused(tmp_path: Path, at: LakeAt) -> None:
    with pytest.raises(DataError):
        selected(LakeAt(str(tmp_path / "none")))
    lake = Lake(tmp_path / "names")
    rows = Lake(Path(at.address)).read("instruments")
    lake.write("instruments", rows, keys=TABLES["instruments"].keys)
    with pytest.raises(DataError, match="no daily bars"):
        selected(LakeAt(str(tmp_path / "names")))
    with pytest.raises(DataError) as refusal:
        selected(at, settings=dataclasses.replace(SETTINGS, size=500))
    assert "500 symbols" in str(refusal.value.expected)
    assert "kind." in refusal.value.found


def test_declared_adjusted_bars_have_no_price_floor_and_no_value(at: LakeAt, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "adjusted")
    rows = Lake(Path(at.address)).read("daily")
    names = Lake(Path(at.address)).read("instruments")
    place = rows.column_names.index("adjusted")
    adjusted = rows.set_column(place, "adjusted", pc.is_valid(rows.column("symbol")))
    lake.write("daily_adjusted", adjusted, keys=TABLES["daily_adjusted"].keys)
    lake.write("instruments", names, keys=TABLES["instruments"].keys)
    found = selected(LakeAt(str(tmp_path / "adjusted")), settings=dataclasses.replace(SETTINGS, min_price_won=10**9))
    assert found.stored.content["bars"] == "daily_adjusted"
    assert found.stored.content["settings"]["prices_adjusted"]
    assert all("value" in told["flags"] for told in found.stored.content["candidates"].values())


@pytest.mark.parametrize("which", ["none there", "zzzz", "ab"])
def test_a_snapshot_that_is_not_there_is_named(at: LakeAt, which: str) -> None:
    selected(at)
    with pytest.raises(DataError) as refusal:
        recall(at, which)
    assert which in str(refusal.value.message)


def test_a_former_snapshot_of_a_later_day_is_refused(at: LakeAt) -> None:
    later = selected(at)
    with pytest.raises(DataError, match="not of an earlier day"):
        selected(at, DAYS[-31], previous=later.stored.id)


def test_a_damaged_snapshot_is_refused_by_its_file(at: LakeAt) -> None:
    found = selected(at)
    (path,) = (Path(at.address) / "_universe").glob("*.json")
    path.write_text(path.read_text().replace(found.stored.content["universe"][0], "999999"))
    with pytest.raises(DataError, match="damaged"):
        recall(at, found.stored.id)
    path.write_text("{")
    with pytest.raises(DataError, match="damaged"):
        selected(at)


def test_the_market_of_a_trading_day_and_the_research_choose_as_the_verb_does(at: LakeAt) -> None:
    month_end = max(a for a, b in itertools.pairwise(DAYS) if a.month != b.month)
    by_verb = selected(at, month_end, previous="none", keep=False).stored.content
    lake = Lake(Path(at.address))
    by_day = read_market(lake, month_end, SETTINGS)
    assert list(by_day.universe.symbols) == by_verb["universe"]
    assert set(universe_record(by_day)["flags"]) == set(by_verb["universe"])
    market = load(lake, "0001")
    row = int((market.panel.days <= int(f"{month_end:%Y%m%d}")).sum()) - 1
    first = dataclasses.replace(SETTINGS, prices_adjusted=False)
    alone = monthly(dataclasses.replace(market, adjusted=False), row + 1, first)[row]
    assert list(alone.symbols) == by_verb["universe"]
    assert alone.scores == {symbol: told["scores"] for symbol, told in by_verb["candidates"].items()}


def test_statements_of_the_lake_reach_the_digest_of_research(at: LakeAt) -> None:
    lake = Lake(Path(at.address))
    before = load(lake, "0001")
    rows = lake.read("fundamentals")
    lake.write(
        "fundamentals",
        rows.slice(0, 1).set_column(rows.column_names.index("value"), "value", [[123.0]]),
        keys=TABLES["fundamentals"].keys,
    )
    after = load(lake, "0001")
    assert len(before.statements.value) == len(rows)
    assert before.digest != after.digest
    lake.write("flags", lake.read("flags").slice(0, 1).set_column(2, "flag", [["vi"]]), keys=TABLES["flags"].keys)
    assert load(lake, "0001").digest != after.digest


def test_every_refusal_here_is_one_that_a_face_can_show(at: LakeAt) -> None:
    with pytest.raises(HaetaeError) as refusal:
        selected(at, dt.date(2020, 5, 2))
    assert not isinstance(refusal.value.message, str)
    assert "거래일" in refusal.value.message.ko
