"""Whether names in another order give the same trades, to the won: law 5 for strategies.

The codes are dealt out anew, so that sorting by code shuffles the names; nothing else changes. A rank whose ties fall
to the lower code is found here, and so is whatever reads meaning into a code or a column.
"""

from __future__ import annotations

import numpy as np

from haetae.backtest.audit.findings import Finding, failed, noted, passed
from haetae.backtest.audit.futures import renamed
from haetae.backtest.audit.subject import (
    Grid,
    Subject,
    first_difference,
    first_path_difference,
    place_text,
    weights_of,
)
from haetae.backtest.result import Result
from haetae.backtest.strategies import run_strategy
from haetae.domain.decisions import Proposal, View
from haetae.domain.market import Int64Array

CHECK = "symbol_order"
SHUFFLES = 2
_SLACK = 1e-9
"""What another order of summands may move a weight by; shares are whole, so the path must not move at all."""


def symbol_order(subject: Subject, dice: np.random.Generator) -> Finding:
    """Return whether decisions and the account depend on the order of the symbols."""
    count = len(subject.ground.panel.symbols)
    rows, known, result = _decided(subject)
    orders = [np.arange(count)[::-1].copy(), *(dice.permutation(count) for _ in range(SHUFFLES))]
    shared = ""
    for order in orders:
        _rows, other, again = _decided(subject.on(renamed(subject.ground, order)))
        back = other[:, np.argsort(order)]
        place = first_difference(known, back, _SLACK) if known.shape == back.shape else (0, 0)
        path = first_path_difference(result, again, len(result.days))
        numbers = {"shuffles": len(orders), "symbols": count}
        if place is not None and (path is None or int(rows[place[0]]) <= path[0] + subject.ground.first):
            row, symbol = int(rows[place[0]]), subject.ground.panel.symbols[place[1]]
            where = place_text(subject.ground, row, place[1])
            first = {"row": row, "day": int(subject.ground.panel.days[row]), "symbol": symbol}
            return failed(
                CHECK,
                f"종목 코드의 순서에 따라 결정이 달라집니다: {where} (동점이 코드 순서로 풀리거나 코드를 씁니다)",
                f"it depends on symbol order at {where}: a tie falls to the lower code, or a code is read",
                numbers | {"moved": first},
            )
        if path is not None:
            shared = shared or place_text(subject.ground, path[0] + subject.ground.first)
    numbers = {"shuffles": len(orders), "symbols": count}
    if shared:
        return noted(
            CHECK,
            f"결정은 같지만, 현금이 모자랄 때 코드가 빠른 종목부터 삽니다: {shared}",
            f"decisions are the same, but scarce cash goes to the lower code first: {shared}",
            numbers,
        )
    return passed(
        CHECK,
        f"종목 순서를 {len(orders)}번 섞어도 거래가 원 단위까지 같습니다",
        f"with symbols shuffled {len(orders)} times the trades are the same to the won",
        numbers,
    )


def _decided(subject: Subject) -> tuple[Int64Array, Grid, Result]:
    """Return the rows that decide, what is decided in them, and the result."""
    rows = subject.asked_rows()
    if subject.by_arrays:
        return rows, subject.grid(rows)[rows], subject.run()
    asked: list[int] = []
    found: list[Grid] = []

    def heard(row: int, view: View, proposal: Proposal) -> None:
        asked.append(row)
        found.append(weights_of(proposal, view))

    result = run_strategy(subject.make(), subject.ground, settings=subject.settings, heard=heard)
    return np.array(asked, np.int64), np.array(found), result
