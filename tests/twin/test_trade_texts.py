"""The hot path of the trade stream and the record it stands for give the same texts."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.units import hhmmss_of, instant_at
from haetae.emulator.board import Board
from haetae.emulator.interventions import Trip
from haetae.emulator.prints import TradeTexts
from haetae.emulator.server import build_world
from haetae.kis.wire.frames import TRADES, Revision
from haetae.kis.wire.records import TradeRecord
from haetae.krx.afterhours import OffHours
from unit.emulator.service_rig import DAY, SMALL


def record(view, row: int, symbol: str, k: int) -> TradeRecord:
    tape = view.tape
    ask, bid, size = (int(part[k]) for part in view.best(row))
    end = int(tape.end[row])
    closed = view.in_minutes and end >= view.rules.session.close_at
    columns = (tape.price, tape.volume, tape.cumulative, tape.turnover, tape.opened, tape.high, tape.low)
    figures = [int(part[row, k]) for part in columns]
    base = reference = int(view.base[k])
    for earlier in range(row + 1):
        if tape.single[earlier, k] and tape.volume[earlier, k]:
            reference = int(tape.price[earlier, k])
    return TradeRecord(
        symbol,
        view.day,
        hhmmss_of(end if closed else end - 1),
        *figures,
        ask,
        bid,
        size,
        size,
        base,
        vi_reference=reference,
        market_class=tape.market_class,
    )


@pytest.fixture(scope="module")
def board() -> Board:
    """A day with an interruption in it, so that the price it is counted from moves."""
    board = Board(build_world(SMALL), instant_at(DAY, 80_000))
    board.script(Trip(instant_at(DAY, 103_000), "005930"))
    return board


@settings(max_examples=80, deadline=None)
@given(data=st.data(), revision=st.sampled_from(Revision), evening=st.booleans())
def test_texts_are_those_of_the_record(board: Board, data, revision, evening: bool) -> None:
    view = board.off_view(OffHours.AFTERMARKET) if evening else board.session
    assert view is not None
    rows = len(view.tape.end)
    row = data.draw(st.one_of(st.integers(0, rows - 1), st.sampled_from([0, 1, rows - 4, rows - 1])))
    world = board.world
    symbols = data.draw(st.lists(st.sampled_from(world.symbols), min_size=1, max_size=41, unique=True))
    symbols = list(dict.fromkeys(["005930", *symbols]))
    columns = [world.column[symbol] for symbol in symbols]
    texts = TradeTexts().of_row(view, row, symbols, columns, revision)
    traded = [symbol for symbol, k in zip(symbols, columns, strict=True) if view.tape.volume[row, k]]
    assert list(texts) == traded
    for symbol in traded:
        made = record(view, row, symbol, world.column[symbol])
        assert texts[symbol].split("^") == made.encode(revision)
        assert texts[symbol].count("^") + 1 == TRADES.widths[revision]
        read = TradeRecord.decode(texts[symbol].split("^"))
        assert read == replace(made, market_class=read.market_class)


def test_the_price_an_interruption_is_counted_from_moves_with_it(board: Board) -> None:
    world, view = board.world, board.session
    k, texts = world.column["005930"], TradeTexts()
    told = {
        texts.of_row(view, row, ["005930"], [k], Revision.SEPTEMBER_2026)["005930"].split("^")[45]
        for row in range(len(view.tape.end))
        if view.tape.volume[row, k]
    }
    assert len(told) >= 3
