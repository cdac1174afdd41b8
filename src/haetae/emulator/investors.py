"""Answers of the calls about who bought and sold: names and markets by day, newest first.

A day's figures are known after its close; before it the day has no row (unverified). Shares are shares, of a whole
market thousands of them; amounts are millions of won. What a day's buyers bought is its volume, and what the parts of
the institutions did adds up to them; how it divides among them is made up. Not here: net purchases (``flows``),
when they may be seen (``library``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from haetae.domain.market import Instrument, Market
from haetae.domain.units import Shares, Won
from haetae.emulator.answers import (
    UNKNOWN_SYMBOL,
    Answer,
    direction,
    listed,
    lowered,
    moved,
    percent,
    read_day,
    strange,
)
from haetae.emulator.board import Board
from haetae.emulator.flows import Flow, both_sides
from haetae.emulator.gate import Refusal
from haetae.emulator.periods import Bar
from haetae.kis.wire.table.investors import MARKET_SHARE_UNIT, WON_UNIT

_PAGE = 30
_BACK = dt.timedelta(days=70)
"""Calendar days that hold a page of sessions."""
_HOUSES = {"ivtr": 0.20, "pe_fund": 0.15, "bank": 0.03, "insu": 0.07, "mrbn": 0.0, "fund": 0.25, "etc": 0.05}
"""Parts of the institutions; securities houses have the rest."""
_REGISTERED = 0.97
_WIRE = {"individual": "prsn", "foreign": "frgn", "institution": "orgn", "other": "etc_corp"}
_MARKETS = {"0001": (Market.KOSPI, "KSP"), "1001": (Market.KOSDAQ, "KSQ")}
Day = tuple[dt.date, Flow, Bar]


def _days(board: Board, item: Instrument, until: dt.date) -> list[Day]:
    """Return a page of a name's days up to one, newest first."""
    flows = dict(board.library.flows(item.symbol, until - _BACK, until))
    bars = board.daily_rows(item.symbol, until - _BACK, until)
    return [(day, flows[day], bar) for day, bar in reversed(bars) if day in flows][:_PAGE]


def _typical(bar: Bar) -> Won:
    """The price that net purchases of a day are reckoned at."""
    return max((bar[1] + bar[2] + bar[3]) // 3, 1)


def _sides(flow: Flow, bar: Bar) -> dict[str, tuple[Shares, Shares]]:
    """Return what each party of the wire bought and sold, in shares."""
    sides = {_WIRE[party]: both for party, both in both_sides(flow, bar[4]).items()}
    for name, part in _HOUSES.items():
        sides[name] = (int(sides["orgn"][0] * part), int(sides["orgn"][1] * part))
    rest = [sides["orgn"][k] - sum(sides[name][k] for name in _HOUSES) for k in range(2)]
    sides["scrt"] = (rest[0], rest[1])
    sides["etc_orgt"] = (0, 0)
    return sides


def _both(name: str, bought: Shares, sold: Shares, price: Won) -> dict[str, int]:
    return {
        f"{name}_shnu_vol": bought,
        f"{name}_shnu_tr_pbmn": bought * price // WON_UNIT,
        f"{name}_seln_vol": sold,
        f"{name}_seln_tr_pbmn": sold * price // WON_UNIT,
    }


def _net_names(name: str) -> tuple[str, str]:
    """Return the names of a party's net purchases in shares and in won; the workbook writes some in other words."""
    shares = "ntby_vol" if name in ("pe_fund", "etc_orgt", "etc_corp") else "ntby_qty"
    return f"{name}_{shares}", f"{name}_ntby_tr_pbmn"


def _change(day: dt.date, bar: Bar) -> dict[str, Any]:
    close, base = bar[3], bar[6]
    return {
        "stck_bsop_date": day,
        "stck_clpr": close,
        "prdy_vrss": close - base,
        "prdy_vrss_sign": direction(close - base),
    }


def recent(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Net purchases of a name over the last thirty sessions, with both sides."""
    given = lowered(asked)
    refused = strange(given, fid_cond_mrkt_div_code="J NX UN")
    item = listed(board, asked)
    if refused is not None or item is None:
        return refused or UNKNOWN_SYMBOL
    if given["fid_cond_mrkt_div_code"].upper() == "NX":
        return Answer({"output": []})  # nothing trades on the alternative exchange here
    rows = []
    for day, flow, bar in _days(board, item, board.session.day):
        row, sides = _change(day, bar), _sides(flow, bar)
        for name in ("prsn", "frgn", "orgn"):
            both = _both(name, *sides[name], _typical(bar))
            row |= both
            row[f"{name}_ntby_qty"] = sides[name][0] - sides[name][1]
            row[f"{name}_ntby_tr_pbmn"] = both[f"{name}_shnu_tr_pbmn"] - both[f"{name}_seln_tr_pbmn"]
        rows.append(row)
    return Answer({"output": rows})


def of_name(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Net purchases and both sides of all parties, thirty sessions back from a day."""
    given = lowered(asked)
    refused = strange(given, fid_cond_mrkt_div_code="J NX UN", fid_org_adj_prc="-", fid_etc_cls_code="1")
    item, until = listed(board, asked), read_day(asked["FID_INPUT_DATE_1"])
    if refused is not None or item is None:
        return refused or UNKNOWN_SYMBOL
    if until is None:
        return Refusal("OPSQ2002")
    sight = board.sight(item.symbol)
    head = {
        **moved(sight),
        "stck_prpr": sight.last,
        "acml_vol": sight.volume,
        "prdy_vol": _volume_before(board, item.symbol),
        "rprs_mrkt_kor_name": item.market.value,
    }
    here = given["fid_cond_mrkt_div_code"].upper() != "NX" and until >= board.world.days[0]
    days = _days(board, item, until) if here else []
    return Answer({"output1": head, "output2": [_flow_row(*each) for each in days]})


def _volume_before(board: Board, symbol: str) -> Shares:
    row = board.session.row
    return int(board.world.daily.volume[row - 1, board.world.column[symbol]]) if row else 0


def _flow_row(day: dt.date, flow: Flow, bar: Bar) -> dict[str, Any]:
    opened, high, low, close, volume, turnover, base = bar
    row = _change(day, bar) | {
        "prdy_ctrt": percent(close - base, base),
        "acml_vol": volume,
        "acml_tr_pbmn": turnover // WON_UNIT,
        "stck_oprc": opened if volume else 0,
        "stck_hgpr": high if volume else 0,
        "stck_lwpr": low if volume else 0,
        "bold_yn": False,
    }
    price = _typical(bar)
    for name, (bought, sold) in _sides(flow, bar).items():
        both = _both(name, bought, sold, price)
        row |= both
        shares, won = _net_names(name)
        row[shares] = bought - sold
        row[won] = both[f"{name}_shnu_tr_pbmn"] - both[f"{name}_seln_tr_pbmn"]
    return row | _foreigners(row)


def _foreigners(row: Mapping[str, Any]) -> dict[str, int]:
    """Foreigners that are registered with the supervisor, and the few that are not."""
    found = {}
    for word, side in (("askp", "seln"), ("bidp", "shnu")):
        for unit, figure in (("qty", "vol"), ("pbmn", "tr_pbmn")):
            whole = row[f"frgn_{side}_{figure}"]
            found[f"frgn_reg_{word}_{unit}"] = int(whole * _REGISTERED)
            found[f"frgn_nreg_{word}_{unit}"] = whole - int(whole * _REGISTERED)
    for kind in ("reg", "nreg"):
        for unit in ("qty", "pbmn"):
            bought, sold = found[f"frgn_{kind}_bidp_{unit}"], found[f"frgn_{kind}_askp_{unit}"]
            found[f"frgn_{kind}_ntby_{unit}"] = bought - sold
    return found


def of_market(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Net purchases of a market on one day; all 0 where the market's own code is not given, as users measured."""
    given = lowered(asked)
    refused = strange(given, fid_cond_mrkt_div_code="U", fid_input_iscd=" ".join(_MARKETS))
    day = read_day(asked["FID_INPUT_DATE_1"])
    if refused is not None or day is None or read_day(asked["FID_INPUT_DATE_2"]) != day:
        return refused or Refusal("OPSQ2002")
    code = given["fid_input_iscd"]
    market, sub = _MARKETS[code]
    flows = board.library.market_flows(market, day, day)
    if not flows:
        return Answer({"output": []})
    flow = flows[0][1] if given["fid_input_iscd_1"].upper() == sub else Flow()
    return Answer({"output": [_index_of(board, code, day) | _market_row(flow)]})


def _index_of(board: Board, code: str, day: dt.date) -> dict[str, Any]:
    (_, (opened, high, low, close, _)), *before = reversed(board.index_rows(code, day - dt.timedelta(days=20), day))
    previous = before[0][1][3] if before else opened
    return {
        "stck_bsop_date": day,
        "bstp_nmix_prpr": close,
        "bstp_nmix_prdy_vrss": close - previous,
        "prdy_vrss_sign": direction(close - previous),
        "bstp_nmix_prdy_ctrt": percent(close - previous, previous),
        "bstp_nmix_oprc": opened,
        "bstp_nmix_hgpr": high,
        "bstp_nmix_lwpr": low,
        "stck_prdy_clpr": previous,
    }


def _market_row(flow: Flow) -> dict[str, int]:
    shares = {"prsn": flow.individual_sh, "frgn": flow.foreign_sh, "orgn": flow.institution_sh}
    won = {"prsn": flow.individual_won, "frgn": flow.foreign_won, "orgn": flow.institution_won}
    for figures in (shares, won):
        figures["etc_corp"], figures["etc_orgt"] = -sum(figures.values()), 0
        figures |= {name: int(figures["orgn"] * part) for name, part in _HOUSES.items()}
        figures["scrt"] = figures["orgn"] - sum(figures[name] for name in _HOUSES)
    row = {}
    for name in shares:
        names = _net_names(name)
        row[names[0]], row[names[1]] = _in(shares[name], MARKET_SHARE_UNIT), _in(won[name], WON_UNIT)
    for unit, whole in (("qty", row["frgn_ntby_qty"]), ("pbmn", row["frgn_ntby_tr_pbmn"])):
        row[f"frgn_reg_ntby_{unit}"] = int(whole * _REGISTERED)
        row[f"frgn_nreg_ntby_{unit}"] = whole - int(whole * _REGISTERED)
    return row


def _in(value: int, unit: int) -> int:
    """Return a figure in a unit, to the nearest whole one."""
    return (value + unit // 2) // unit


ANSWERS: Mapping[str, Callable[[Board, Mapping[str, str]], Answer | Refusal]] = {
    "inquire-investor": recent,
    "investor-trade-by-stock-daily": of_name,
    "inquire-investor-daily-by-market": of_market,
}
"""The function that answers each call about investors."""
