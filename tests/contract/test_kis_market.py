"""What the KIS client takes from the emulator's wire is the emulator's market, bar for bar."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt

import numpy as np

from contract.test_kis_broker import opened
from contract.worlds import DAY, small_world
from haetae.domain.market import Phase, PhaseChange, Slice
from haetae.kis.feed import KisFeed
from haetae.kis.source import KisSource
from haetae.kis.wire.operations import Mode


async def test_history_taken_over_the_wire_equals_the_market() -> None:
    world = small_world()
    async with opened(100_000, Mode.REAL) as rig:
        source = KisSource(rig.market.rest, rig.market.clock)
        listed = await rig.ask(source.instruments())
        assert [item.symbol for item in listed] == list(world.symbols)
        assert {item.symbol: item.flags for item in listed} == {item.symbol: item.flags for item in world.instruments}
        halted = next(item.symbol for item in world.instruments if "halted" in item.flags)
        first, last = world.days[0], world.days[world.row[DAY] - 1]
        for symbol in ("005930", halted):
            column = world.column[symbol]
            table = await rig.ask(source.daily_bars(symbol, first, last))
            assert table.column("day").to_pylist() == list(world.days[: world.row[DAY]])
            for name in ("open", "high", "low", "close", "volume"):
                assert np.array_equal(
                    table.column(name).to_numpy(), getattr(world.daily, name)[: world.row[DAY], column]
                )
        late_open = dt.date(2026, 11, 19)
        for day in (last, late_open):
            bars, column = world.minutes(world.row[day]), world.column["005930"]
            table = await rig.ask(source.minute_bars("005930", day, day))
            live = np.flatnonzero(bars.volume[:, column])
            assert np.array_equal(table.column("start").to_numpy(), bars.start[live])
            for name in ("open", "high", "low", "close", "volume"):
                assert np.array_equal(table.column(name).to_numpy(), getattr(bars, name)[live, column])
        index = await rig.ask(source.index_bars("0001", first, last))
        assert np.array_equal(index.column("close").to_numpy(), world.indices["0001"].close[: world.row[DAY]])
        told = await rig.ask(source.holidays(first, last))
        days = tuple(row["day"] for row in told.to_pylist() if row["open"])
        assert days == world.days[: world.row[DAY]]


async def test_slices_of_streamed_and_asked_symbols_equal_the_market() -> None:
    world = small_world()
    row = world.row[DAY]
    bars = world.minutes(row)
    symbols = [symbol for symbol in world.symbols if world.daily.close[row, world.column[symbol]] > 0][:60]
    columns = [world.column[symbol] for symbol in sorted(symbols)]
    async with opened(85_500, Mode.REAL) as rig:
        feed = KisFeed(rig.market.rest, rig.market.stream, rig.market.clock)
        slices: list[Slice] = []
        phases: list[Phase] = []

        async def take() -> None:
            async for piece in feed.stream(symbols):
                if isinstance(piece, Slice):
                    slices.append(piece)
                elif isinstance(piece, PhaseChange):
                    phases.append(piece.phase)

        taking = asyncio.create_task(take())
        await rig.market.run(902)
        assert len(slices) == 10
        for k, piece in enumerate(slices):
            assert (piece.start, piece.end) == (int(bars.start[k]), int(bars.end[k]))
            assert np.array_equal(piece.close, bars.close[k, columns])
            assert np.array_equal(piece.volume, bars.volume[k, columns])
            streamed = [place for place, symbol in enumerate(piece.symbols) if symbol in symbols[:40]]
            for name in ("open", "high", "low"):
                mine, theirs = getattr(piece, name), getattr(bars, name)[k, columns]
                assert np.array_equal(mine[streamed], theirs[streamed])
        assert phases[:2] == [Phase.OPENING_AUCTION, Phase.CONTINUOUS]
        taking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await taking


async def test_closing_auction_is_one_slice_and_the_session_ends() -> None:
    world = small_world()
    bars = world.minutes(world.row[DAY])
    column = world.column["005930"]
    async with opened(151_800, Mode.REAL) as rig:
        feed = KisFeed(rig.market.rest, rig.market.stream, rig.market.clock)
        told: list = []

        async def take() -> None:
            async for piece in feed.stream(["005930"]):
                told.append(piece)

        taking = asyncio.create_task(take())
        await rig.market.run(800)
        assert taking.done()
        await taking
        slices = [piece for piece in told if isinstance(piece, Slice)]
        assert (slices[-1].start, slices[-1].end) == (int(bars.start[-1]), int(bars.end[-1]))
        assert int(slices[-1].close[0]) == bars.close[-1, column]
        assert int(slices[-1].volume[0]) == bars.volume[-1, column]
        assert told[-1].phase is Phase.CLOSED
