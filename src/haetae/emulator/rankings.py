"""Answers of the leader boards: volume and turnover, size; thirty names a call.

Here: which names a board is about and by what they are ranked, all from the one table of present sights. Names with
the same figure stand in the order of their codes. A board of trading shows nothing before the day's first print, as
users see outside the hours. Not here: rises and falls (``movers``), present prices (``board``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Instrument, Int64Array, Kind, Market
from haetae.emulator.answers import Answer, invalid, lowered, percent, strange
from haetae.emulator.board import Board
from haetae.emulator.gate import Refusal
from haetae.emulator.sights import SightTable, sign_of

PLACES = 30
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
_MARKETS = {"0001": Market.KOSPI, "1001": Market.KOSDAQ}
_CAP_UNIT = 100_000_000
_OUTSIDE: tuple[Callable[[Instrument], bool], ...] = (
    lambda item: bool(item.flags & {"danger", "warning", "caution"}),
    lambda item: "administrative" in item.flags,
    lambda item: "liquidation" in item.flags,
    lambda item: "unfaithful_disclosure" in item.flags,
    lambda item: item.kind is Kind.PREFERRED,
    lambda item: "halted" in item.flags,
    lambda item: item.kind is Kind.ETF,
    lambda item: item.kind is Kind.ETN,
    lambda item: False,
    lambda item: item.kind is Kind.SPAC,
)
"""What each place of FID_TRGT_EXLS_CLS_CODE leaves out; the ninth, names without credit, are none here."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """All names at once: present figures, what each moved, the volume of the session before."""

    shown: SightTable
    change: Int64Array
    rate: NDArray[np.float64]
    before: Int64Array

    @staticmethod
    def of(board: Board) -> Scene:
        """Return all names as a board shows them."""
        shown, row = board.table(), board.session.row
        change = np.where(shown.base > 0, shown.last - shown.base, 0)
        before = board.world.daily.volume[row - 1] if row else np.zeros(len(change), dtype=np.int64)
        return Scene(shown, change, percents(change, shown.base), before)

    def common(self, board: Board, column: int, rank: int) -> dict[str, Any]:
        """Return what every board tells of a name."""
        shown = self.shown
        last, base = int(shown.last[column]), int(shown.base[column])
        return {
            "data_rank": rank,
            "hts_kor_isnm": board.session.instruments[column].name,
            "stck_prpr": last,
            "prdy_vrss": last - base,
            "prdy_vrss_sign": sign_of(last, base, int(shown.lower[column]), int(shown.upper[column])),
            "prdy_ctrt": float(self.rate[column]),
            "acml_vol": int(shown.volume[column]),
        }


def percents(part: Int64Array, whole: Int64Array) -> NDArray[np.float64]:
    """Return shares in percent, 0 of nothing."""
    return np.divide(100.0 * part, whole, out=np.zeros(len(part)), where=whole > 0)


_BOUNDS = ("fid_input_price_1", "fid_input_price_2", "fid_vol_cnt", "fid_rsfl_rate1", "fid_rsfl_rate2")


def _bounds(given: Mapping[str, str]) -> dict[str, float] | Refusal:
    """Return the bounds that are given; blank is none, a price or volume of 0 stands for it (documented example)."""
    found = {}
    for name in _BOUNDS:
        text = given.get(name, "")
        if text and not _DECIMAL.fullmatch(text):
            return invalid(name)
        if text and (float(text) or "rsfl" in name):
            found[name] = float(text)
    return found


def chosen_of(board: Board, scene: Scene, given: Mapping[str, str]) -> BoolArray | Refusal:
    """Return which names a board is about; refuses an index or a bound that is none."""
    if given["fid_cond_mrkt_div_code"].upper() == "NX":
        return np.zeros(len(scene.change), dtype=bool)  # nothing trades on the alternative exchange here
    code, items, world = given["fid_input_iscd"], board.session.instruments, board.world
    shown = scene.shown
    found: BoolArray = shown.base > 0
    if code in _MARKETS:
        found &= np.array([item.market is _MARKETS[code] for item in items])
    elif code == "2001":
        found &= np.isin(np.arange(len(items)), world.members[code])
    elif any(item.sector == code for item in items):
        found &= np.array([item.sector == code for item in items])
    elif code != "0000":
        return invalid("fid_input_iscd")
    if given["fid_div_cls_code"] in "12":
        found &= np.array([(item.kind is Kind.PREFERRED) is (given["fid_div_cls_code"] == "2") for item in items])
    for place, mark in enumerate(given["fid_trgt_exls_cls_code"][: len(_OUTSIDE)]):
        if mark == "1":
            found &= ~np.array([_OUTSIDE[place](item) for item in items])
    bounds = _bounds(given)
    if isinstance(bounds, Refusal):
        return bounds
    for name, bound in bounds.items():
        figures = _bounded(scene, name)
        found &= figures <= bound if name.endswith("2") else figures >= bound
    return found


def _bounded(scene: Scene, name: str) -> NDArray[Any]:
    """Return the figures that a bound is about."""
    if "rsfl" in name:
        return scene.rate
    return scene.shown.volume if "vol" in name else scene.shown.last


def best(scene: Scene, chosen: BoolArray, value: NDArray[Any]) -> list[int]:
    """Return the columns of the highest values, best first, by code where they are equal."""
    columns = np.flatnonzero(chosen).tolist()
    return sorted(columns, key=lambda column: (-value[column], scene.shown.symbols[column]))[:PLACES]


def volume_rank(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Names of most volume, growth of volume, turnover of shares, turnover in won, turnover of value."""
    given = lowered(asked)
    refused = strange(
        given,
        fid_cond_mrkt_div_code="J NX UN",
        fid_cond_scr_div_code="20171",
        fid_div_cls_code="0 1 2",
        fid_blng_cls_code="0 1 2 3 4",
    )
    scene = Scene.of(board)
    chosen = refused or chosen_of(board, scene, given)
    if isinstance(chosen, Refusal):
        return chosen
    shown = scene.shown
    cap = shown.shares_outstanding * shown.last
    by = {
        "0": shown.volume,
        "1": percents(shown.volume, scene.before),
        "2": percents(shown.volume, shown.shares_outstanding),
        "3": shown.turnover,
        "4": percents(shown.turnover, cap),
    }
    places = best(scene, chosen & (shown.volume > 0), by[given["fid_blng_cls_code"]])
    rows = []
    for rank, column in enumerate(places, 1):
        volume, turnover = int(shown.volume[column]), int(shown.turnover[column])
        row = scene.common(board, column, rank) | {
            "mksc_shrn_iscd": shown.symbols[column],
            "prdy_vol": int(scene.before[column]),
            "lstn_stcn": int(shown.shares_outstanding[column]),
            "avrg_vol": volume,
            "n_befr_clpr_vrss_prpr_rate": float(scene.rate[column]),
            "vol_inrt": float(by["1"][column]),
            "vol_tnrt": float(by["2"][column]),
            "nday_vol_tnrt": float(by["2"][column]),
            "avrg_tr_pbmn": turnover,
            "tr_pbmn_tnrt": float(by["4"][column]),
            "nday_tr_pbmn_tnrt": float(by["4"][column]),
            "acml_tr_pbmn": turnover,
        }
        rows.append(row)
    return Answer({"output": rows})


def market_cap(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Names of most market value, in 100 million won, with their share of the whole list's."""
    given = lowered(asked)
    refused = strange(given, fid_cond_mrkt_div_code="J NX UN", fid_cond_scr_div_code="20174", fid_div_cls_code="0 1 2")
    scene = Scene.of(board)
    chosen = refused or chosen_of(board, scene, given)
    if isinstance(chosen, Refusal):
        return chosen
    shown = scene.shown
    cap = np.where(shown.base > 0, shown.shares_outstanding * shown.last, 0)
    whole = int(cap.sum())
    rows = [
        scene.common(board, column, rank)
        | {
            "mksc_shrn_iscd": shown.symbols[column],
            "lstn_stcn": int(shown.shares_outstanding[column]),
            "stck_avls": int(cap[column]) // _CAP_UNIT,
            "mrkt_whol_avls_rlim": percent(int(cap[column]), whole),
        }
        for rank, column in enumerate(best(scene, chosen, cap), 1)
    ]
    return Answer({"output": rows})


ANSWERS: Mapping[str, Callable[[Board, Mapping[str, str]], Answer | Refusal]] = {
    "volume-rank": volume_rank,
    "market-cap": market_cap,
}
"""The function that answers each leader board."""
