"""Before the first byte of an order leaves, its intent is on the disk: seen from another connection."""

from __future__ import annotations

from pathlib import Path

from haetae.domain.events import Submit
from haetae.journal import JournalDb
from haetae.wiring.crashes.acting import BEGIN, trade
from haetae.wiring.crashes.ground import lay_out, market
from haetae.wiring.crashes.scenarios import scenarios


def test_an_order_whose_bytes_leave_is_committed_before(tmp_path: Path) -> None:
    lay_out(tmp_path)
    seen: list[int] = []

    def passing(point: str) -> None:
        if point == "order.bytes_leave":
            with JournalDb(tmp_path / "journal.db", read_only=True) as other:
                seen.append(sum(isinstance(record, Submit) for _, _, _, record in other.entries()))

    with market(BEGIN) as running:
        trade(running, tmp_path, scenarios()[0].weights, (), passing)
    assert len(seen) == 2
    assert all(committed >= number for number, committed in enumerate(seen, start=1))
