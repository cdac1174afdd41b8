"""Answer of the board of changes: names that rose or fell most, against a price of the day or over some sessions.

Not here: which names a board is about, the other boards (``rankings``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.domain.units import hhmmss_of
from haetae.emulator.answers import Answer, direction, invalid, lowered, percent, strange
from haetae.emulator.board import Board
from haetae.emulator.gate import Refusal
from haetae.emulator.rankings import Scene, best, chosen_of, percents
from haetae.emulator.sights import SightTable

_WAY_OF = {("0", "0"): "low", ("0", "1"): "close", ("1", "0"): "high", ("1", "1"): "close"}
"""FID_PRC_CLS_CODE says against what rises (low or last close) and falls (high or last close) are taken."""


def fluctuation(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Names that rose or fell most: against the last close, the day's low or high, its open, or over some sessions."""
    given = lowered(asked)
    refused = strange(
        given,
        fid_cond_mrkt_div_code="J NX UN",
        fid_cond_scr_div_code="20170",
        fid_div_cls_code="0 1 2",
        fid_rank_sort_cls_code="0 1 2 3 4",
        fid_prc_cls_code="0 1",
    )
    scene = Scene.of(board)
    chosen = refused or chosen_of(board, scene, given)
    if isinstance(chosen, Refusal):
        return chosen
    days = given["fid_input_cnt_1"] or "0"
    if not days.isdigit():
        return invalid("fid_input_cnt_1")
    since = _over(board, scene, int(days))
    order = (given["fid_rank_sort_cls_code"], given["fid_prc_cls_code"])
    by = since if int(days) else _ways(scene.shown, scene.rate)[_WAY_OF.get(order, order[0])]
    falls = order[0] in ("1", "3")
    places = best(scene, chosen & (scene.shown.volume > 0), -by if falls else by)
    rows = [_moved(board, scene, column, rank, since if int(days) else None) for rank, column in enumerate(places, 1)]
    return Answer({"output": rows})


def _ways(shown: SightTable, rate: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
    open_rate = percents(shown.last - shown.open, shown.open)
    return {
        "close": rate,
        "low": percents(shown.last - shown.low, shown.low),
        "high": percents(shown.last - shown.high, shown.high),
        "2": open_rate,
        "3": open_rate,
        "4": percents(shown.high - shown.low, shown.base),
    }


def _over(board: Board, scene: Scene, days: int) -> NDArray[np.float64]:
    """Return the change of the last sessions, today's with them, from base price to price: corporate actions aside."""
    daily, row = board.world.daily, board.session.row
    ratio = 1.0 + scene.rate / 100.0
    for earlier in range(max(0, row - days + 1), row):
        base = daily.base[earlier]
        ratio = ratio * np.divide(daily.close[earlier], base, out=np.ones(len(base)), where=base > 0)
    return np.asarray(100.0 * (ratio - 1.0))


def _moved(board: Board, scene: Scene, column: int, rank: int, since: NDArray[np.float64] | None) -> dict[str, Any]:
    shown, tape, day = scene.shown, board.session.tape, board.session.day
    last, opened, high, low = (int(part[column]) for part in (shown.last, shown.open, shown.high, shown.low))
    seen = board.seen
    top = int(np.argmax(tape.high[:seen, column] == high))
    bottom = int(np.argmax(tape.low[:seen, column] == low))
    up, down = _streaks(board, column, last - int(shown.base[column]))
    period = float(since[column]) if since is not None else 0.0
    return scene.common(board, column, rank) | {
        "stck_shrn_iscd": shown.symbols[column],
        "stck_hgpr": high,
        "hgpr_hour": hhmmss_of(int(tape.end[top]) - 1),
        "acml_hgpr_date": day,
        "stck_lwpr": low,
        "lwpr_hour": hhmmss_of(int(tape.end[bottom]) - 1),
        "acml_lwpr_date": day,
        "lwpr_vrss_prpr_rate": percent(last - low, low),
        "dsgt_date_clpr_vrss_prpr_rate": period if since is not None else float(scene.rate[column]),
        "cnnt_ascn_dynu": up,
        "hgpr_vrss_prpr_rate": percent(last - high, high),
        "cnnt_down_dynu": down,
        "oprc_vrss_prpr_sign": direction(last - opened),
        "oprc_vrss_prpr": last - opened,
        "oprc_vrss_prpr_rate": percent(last - opened, opened),
        "prd_rsfl": round(last - last / (1.0 + period / 100.0)),
        "prd_rsfl_rate": period,
    }


def _streaks(board: Board, column: int, change: int) -> tuple[int, int]:
    """Return for how many sessions a name has risen, and fallen, today's among them."""
    if change == 0:
        return 0, 0
    daily, row, length = board.world.daily, board.session.row, 1
    moves = (daily.close[:row, column] - daily.base[:row, column])[::-1].tolist()
    for move in moves:
        if move * change <= 0:
            break
        length += 1
    return (length, 0) if change > 0 else (0, length)


ANSWERS: Mapping[str, Callable[[Board, Mapping[str, str]], Answer | Refusal]] = {"fluctuation": fluctuation}
"""The function that answers the board of changes."""
