"""``KisSource`` reads every study of the emulator back typed, in the columns of the lake and in its units."""

import datetime as dt

import pytest

from haetae.domain.market import Kind, Market
from haetae.domain.units import NS_PER_MINUTE, instant_at
from haetae.emulator.board import Board
from haetae.emulator.interventions import Action, ActionKind, Trip
from haetae.emulator.market import World
from haetae.emulator.server import build_world
from haetae.kis.source import KisSource
from haetae.kis.studies import ITEMS
from haetae.kis.wire.calls import prices
from haetae.kis.wire.operations import Mode
from haetae.krx.calendar import next_trading_day
from haetae.ports.tables import TABLES
from unit.kis.test_on_emulator import DAY, MARKET, desk

NAME, FUND = "005930", "069500"
EX = next_trading_day(DAY)


@pytest.fixture(scope="module")
def world() -> World:
    """A market with interruptions on its first day and a corporate action of each kind on its second."""
    world = build_world(MARKET)
    board = Board(world, instant_at(DAY, 80_000))
    for place, symbol in enumerate(["005930", "000660"]):
        board.script(Trip(instant_at(DAY, 93_000) + place * NS_PER_MINUTE, symbol))
    commons = [item.symbol for item in world.instruments if item.kind is Kind.COMMON and not item.flags]
    split, bonus, rights, gone, keeper = [symbol for symbol in commons if board.instrument(symbol)][5:10]
    for action in (
        Action(EX, split, ActionKind.SPLIT, ratio=5.0),
        Action(EX, bonus, ActionKind.BONUS, ratio=0.2),
        Action(EX, rights, ActionKind.RIGHTS, ratio=0.125, price=5_000),
        Action(EX, gone, ActionKind.MERGER, ratio=0.66, partner=keeper),
        Action(EX, NAME, ActionKind.DIVIDEND, price=361),
    ):
        board.script(action)
    return world


async def test_flows_of_a_year_are_walked_and_equal_the_market(world) -> None:
    async with desk(world, 180_000) as at:
        source, board = KisSource(at.rest, at.clock), Board(world, at.clock.now())
        found = await source.flows(NAME, world.days[0], DAY)
        assert found.schema == TABLES["flows"].schema
        own = board.library.flows(NAME, world.days[0], DAY)
        assert found["day"].to_pylist() == [day for day, _ in own]
        assert len(own) == 131
        assert found["foreign_sh"].to_pylist() == [flow.foreign_sh for _, flow in own]
        for row, (_, flow) in zip(found.to_pylist(), own, strict=True):
            assert abs(row["individual_won"] - flow.individual_won) <= 1_000_000
        assert source.effort.calls == source.effort.least == 5
        for market in (Market.KOSPI, Market.KOSDAQ):
            (row,) = (await source.market_flows(market, DAY)).to_pylist()
            total = dict(board.library.market_flows(market, DAY, DAY))[DAY]
            assert abs(row["foreign_sh"] - total.foreign_sh) <= 500
            assert abs(row["institution_won"] - total.institution_won) <= 500_000


async def test_flows_of_today_are_empty_before_the_close(world) -> None:
    async with desk(world, 152_900) as at:
        source = KisSource(at.rest, at.clock)
        assert max((await source.flows(NAME, world.days[0], DAY))["day"].to_pylist()) < DAY
        assert len(await source.market_flows(Market.KOSPI, DAY)) == 0


async def test_mock_reads_the_recent_flows(world) -> None:
    async with desk(world, 180_000, Mode.MOCK) as at:
        found = await KisSource(at.rest, at.clock).flows(NAME, DAY - dt.timedelta(days=9), DAY)
        own = Board(world, at.clock.now()).library.flows(NAME, DAY - dt.timedelta(days=9), DAY)
        assert list(zip(found["day"].to_pylist(), found["institution_sh"].to_pylist(), strict=True)) == [
            (day, flow.institution_sh) for day, flow in own
        ]


async def test_every_item_of_the_statements_is_read_and_equals_what_was_filed(world) -> None:
    async with desk(world, 100_000) as at:
        found = await KisSource(at.rest, at.clock).fundamentals(NAME)
        assert found.schema == TABLES["fundamentals"].schema
        rows = {(row["period"], row["basis"], row["item"]): row["value"] for row in found.to_pylist()}
        assert {item for _, _, item in rows} == set(ITEMS)
        for one in Board(world, at.clock.now()).library.statements(NAME):
            basis = "year" if one.annual else "quarter"
            assert rows[one.period, basis, "assets_won"] == pytest.approx(one.assets, abs=500_000)
            assert rows[one.period, basis, "debt_to_equity_pct"] == pytest.approx(one.debt_pct, abs=0.005)
            if one.annual:
                assert rows[one.period, basis, "net_income_won"] == pytest.approx(one.net, abs=500_000)
        assert (202609, "quarter", "sales_won") in rows
        assert (202612, "quarter", "sales_won") not in rows


async def test_boards_are_ranked_by_the_figure_they_are_kept_with(world) -> None:
    async with desk(world, 100_000) as at:
        found = (await KisSource(at.rest, at.clock).rankings()).to_pylist()
        boards = {name: [row for row in found if row["board"] == name] for name in {row["board"] for row in found}}
        assert set(boards) == {"turnover", "volume", "rise", "fall", "market_cap"}
        for name, rows in boards.items():
            figures = [row["value"] for row in sorted(rows, key=lambda row: row["rank"])]
            assert len(figures) == 30
            assert figures == sorted(figures, reverse=name != "fall")


async def test_values_of_a_fund_and_minutes_of_an_index_are_read(world) -> None:
    async with desk(world, 180_000) as at:
        source, board = KisSource(at.rest, at.clock), Board(world, at.clock.now())
        navs = await source.navs(FUND, world.days[0], DAY)
        own = board.library.nav_rows(FUND, world.days[0], DAY)
        assert list(zip(*(navs[name].to_pylist() for name in ("day", "nav", "close", "volume")), strict=True)) == own
        minutes = await source.index_minutes("0001")
        assert minutes.schema == TABLES["index_minute"].schema
        told = board.index_minutes("0001", DAY)[-102:]
        assert minutes["close"].to_pylist() == [bar[3] for _, _, bar in told]
        assert minutes["start"].to_pylist()[:-1] == [start for start, _, _ in told][:-1]
        now = (await at.rest.ask(prices.IndexNow(fid_input_iscd="0001"))).one(prices.IndexLevel)
        assert now.bstp_nmix_prpr == minutes["close"].to_pylist()[-1]
        fund = (await at.rest.ask(prices.FundNow(fid_input_iscd=FUND))).one(prices.Fund)
        assert (fund.nav, fund.stck_prpr, fund.acml_vol) == own[-1][1:]
        last, *_ = (await at.rest.ask(prices.FundMinutes(fid_input_iscd=FUND))).many(prices.NavMinute)
        assert (last.bsop_hour, last.nav) == (153_000, own[-1][1])


async def test_interruptions_headlines_and_corporate_actions_are_read(world) -> None:
    async with desk(world, 180_000) as at:
        source, board = KisSource(at.rest, at.clock), Board(world, at.clock.now())
        events = (await source.interruptions(DAY)).to_pylist()
        own = board.vi_events(DAY)[:30]
        assert [(row["symbol"], row["price"]) for row in events] == [(symbol, event.price) for symbol, event in own]
        assert {"005930", "000660"} <= {row["symbol"] for row in events}
        assert all(row["reference"] > 0 and row["released_at"] > row["at"] for row in events)
        news = await source.headlines(DAY)
        today = [one for one in board.library.headlines(200) if one.at >= instant_at(DAY, 0)]
        assert len(today) >= 30
        assert sorted(news["title"].to_pylist()) == sorted(one.title for one in today)
        assert set(news["at"].to_pylist()) == {one.at for one in today}
        found = (await source.corporate_actions(DAY, EX + dt.timedelta(days=14))).to_pylist()
        scripted = {one.kind.value: one for one in world.register.actions(EX, EX)}
        assert len(scripted) == 5
        for row in found:
            action = scripted[row["kind"]]
            wanted = action.price if action.kind is ActionKind.DIVIDEND else action.ratio
            assert (row["symbol"], row["day"]) == (action.symbol, action.day)
            assert row["ratio"] == pytest.approx(wanted, abs=0.005)
        assert {row["kind"] for row in found} == set(scripted)
