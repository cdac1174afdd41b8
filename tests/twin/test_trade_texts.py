"""The hot path of the trade stream and the record it stands for give the same texts."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.units import hhmmss_of
from haetae.emulator.board import Board
from haetae.emulator.prints import trade_texts
from haetae.kis.wire.frames import TRADES, Revision
from haetae.kis.wire.records import TradeRecord
from unit.emulator.service_rig import DAY, shared_world


def record(session, row: int, symbol: str, k: int) -> TradeRecord:
    tape = session.tape
    ask, bid, size = (int(part[k]) for part in session.best(row))
    end = int(tape.end[row])
    clock = hhmmss_of(end if end >= session.rules.session.close_at else end - 1)
    columns = (tape.price, tape.volume, tape.cumulative, tape.turnover, tape.opened, tape.high, tape.low)
    figures = [int(part[row, k]) for part in columns]
    base = int(session.base[k])
    return TradeRecord(
        symbol, session.day, clock, *figures, ask, bid, size, size, base, vi_reference=base, market_class="2"
    )


@pytest.fixture(scope="module")
def session():
    from haetae.domain.units import instant_at

    return Board(shared_world(), instant_at(DAY, 100_000)).session


@settings(max_examples=60, deadline=None)
@given(data=st.data(), revision=st.sampled_from(Revision))
def test_texts_are_those_of_the_record(session, data, revision) -> None:
    rows = len(session.tape.end)
    row = data.draw(st.one_of(st.integers(0, rows - 1), st.sampled_from([0, 1, rows - 4, rows - 1])))
    world = shared_world()
    symbols = data.draw(st.lists(st.sampled_from(world.symbols), min_size=1, max_size=41, unique=True))
    columns = [world.column[symbol] for symbol in symbols]
    texts = trade_texts(session, row, symbols, columns, revision)
    traded = [symbol for symbol, k in zip(symbols, columns, strict=True) if session.tape.volume[row, k]]
    assert list(texts) == traded
    for symbol in traded:
        values = record(session, row, symbol, world.column[symbol]).encode(revision)
        assert texts[symbol].split("^") == values
        assert len(values) == TRADES.widths[revision]
        read = TradeRecord.decode(texts[symbol].split("^"))
        assert read == replace(record(session, row, symbol, world.column[symbol]), market_class=read.market_class)
