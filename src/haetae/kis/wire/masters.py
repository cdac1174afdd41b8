"""Instrument master files (``kospi_code.mst``, ``kosdaq_code.mst``): parse and build, zipped or plain.

A line is bytes in cp949: short code 9, ISIN 12, name 40, then a tail of fixed ASCII widths (KOSPI 227, KOSDAQ
221) without separators. Lines are cut as bytes, from the end, before decoding; they may end in blanks.
Here: the two layouts, records, and their translation to and from ``Instrument``. Not here: download (`source`).
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from haetae.domain.errors import WireError
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.units import day_from, yyyymmdd

_ENCODING = "cp949"
_CODE, _ISIN, _NAME = 9, 12, 40
_FRONT = _CODE + _ISIN + _NAME

_HEAD = "group:2 size:1 sector_large:4 sector_medium:4 sector_small:4 "
_KOSPI_FLAGS = (
    "manufacturing:1 low_liquidity:1 governance:1 kospi200:1 kospi100:1 kospi50:1 krx:1 etp:1 elw:1 krx100:1 car:1 "
    "semiconductor:1 bio:1 bank:1 spac:1 energy:1 steel:1 overheated:1 media:1 construction:1 deleted:1 securities:1 "
    "ship:1 insurance:1 transport:1 sri:1 "
)
_KOSDAQ_FLAGS = (
    "venture:1 low_liquidity:1 krx:1 etp:1 krx100:1 car:1 semiconductor:1 bio:1 bank:1 spac:1 energy:1 steel:1 "
    "overheated:1 media:1 construction:1 attention:1 securities:1 ship:1 insurance:1 transport:1 kosdaq150:1 "
)
_MIDDLE = (
    "base_price:9 lot:5 after_hours_lot:5 halted:1 liquidation:1 administrative:1 alarm:2 alarm_notice:1 unfaithful:1 "
    "back_door:1 ex_code:2 par_change:2 capital_increase:2 margin_rate:3 credit:1 credit_days:3 previous_volume:12 "
    "par:12 listed_on:8 shares_thousand:15 capital:21 settlement_month:2 offer_price:7 preferred:1 short_overheated:1 "
    "surge:1 krx300:1 "
)
_END = (
    "sales:9 operating_profit:9 ordinary_profit:9 net_income:5 roe:9 base_month:8 market_cap:9 group_code:3 "
    "credit_limit:1 collateral:1 lending:1"
)


def _layout(text: str) -> dict[str, tuple[int, int]]:
    names, widths = zip(*(word.split(":") for word in text.split()), strict=True)
    ends = list(accumulate(int(width) for width in widths))
    return {name: (end - int(width), end) for name, width, end in zip(names, widths, ends, strict=True)}


LAYOUTS: Mapping[Market, Mapping[str, tuple[int, int]]] = {
    Market.KOSPI: _layout(_HEAD + _KOSPI_FLAGS + _MIDDLE + "kospi:1 " + _END),
    Market.KOSDAQ: _layout(_HEAD + _KOSDAQ_FLAGS + _MIDDLE + _END),
}
"""Start and end of every tail field per market."""

FILES: Mapping[Market, str] = {Market.KOSPI: "kospi_code.mst", Market.KOSDAQ: "kosdaq_code.mst"}
"""File names under ``/common/master/``; served as ``<name>.zip`` with one member of that name."""

_NUMBER_NAMES = (
    "base_price lot after_hours_lot margin_rate credit_days previous_volume par shares_thousand capital offer_price "
    "sales operating_profit ordinary_profit net_income market_cap"
)
_NUMBERS = frozenset(_NUMBER_NAMES.split())
_GROUPS: Mapping[str, Kind] = {
    "ST": Kind.COMMON,
    "FS": Kind.COMMON,
    "DR": Kind.COMMON,
    "RT": Kind.REIT,
    "EF": Kind.ETF,
    "FE": Kind.ETF,
    "EN": Kind.ETN,
}
_ALARMS: Mapping[str, str] = {"01": "caution", "02": "warning", "03": "danger"}
_SYMBOL_LENGTH = 6


@dataclass(frozen=True, slots=True)
class MasterLine:
    """One line: short code, ISIN, name, and the tail fields as stripped text."""

    code: str
    isin: str
    name: str
    tail: Mapping[str, str]


def parse_lines(market: Market, blob: bytes) -> tuple[MasterLine, ...]:
    """Return the lines of a plain master file; raises ``WireError`` naming the line of a wrong length."""
    layout = LAYOUTS[market]
    width = max(end for _, end in layout.values())
    lines = []
    for number, line in enumerate(blob.split(b"\n"), start=1):
        raw = line.removesuffix(b"\r")
        if not raw:
            continue
        if len(raw) != _FRONT + width:
            raise WireError(
                f"{FILES[market]}: line {number} has {len(raw)} bytes",
                expected=f"{_FRONT + width} bytes",
                found=raw[:40].decode(_ENCODING, "replace"),
                next_step="download the master file again; its layout may have changed",
            )
        tail = raw[_FRONT:].decode(_ENCODING, "replace")
        lines.append(
            MasterLine(
                raw[:_CODE].decode(_ENCODING).strip(),
                raw[_CODE : _CODE + _ISIN].decode(_ENCODING).strip(),
                raw[_CODE + _ISIN : _FRONT].decode(_ENCODING, "replace").strip(),
                {name: tail[start:end].strip() for name, (start, end) in layout.items()},
            )
        )
    return tuple(lines)


def build_lines(market: Market, lines: Iterable[MasterLine]) -> bytes:
    """Return a plain master file; a tail field that is not given is zeros (numbers) or blanks.

    Raises ``ValueError`` where a value is wider than its field. A long name is cut at a whole character.
    """
    layout = LAYOUTS[market]
    out = io.BytesIO()
    for line in lines:
        cells = []
        for name, (start, end) in layout.items():
            text = line.tail.get(name, "0" if name in _NUMBERS else "")
            if len(text) > end - start:
                raise ValueError(f"{line.code}: {name} {text!r} is wider than {end - start}")
            cells.append(text.rjust(end - start, "0") if name in _NUMBERS else text.ljust(end - start))
        name_bytes = line.name.encode(_ENCODING, "replace")[:_NAME]
        whole = name_bytes.decode(_ENCODING, "ignore").encode(_ENCODING)
        front = line.code.encode().ljust(_CODE) + line.isin.encode().ljust(_ISIN) + whole.ljust(_NAME)
        out.write(front + "".join(cells).encode(_ENCODING) + b"\n")
    return out.getvalue()


def unpack(blob: bytes, market: Market) -> bytes:
    """Return the member of a zipped master file; raises ``WireError`` where it is no such zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(blob)) as archive:
            return archive.read(FILES[market])
    except (zipfile.BadZipFile, KeyError) as fault:
        raise WireError(
            f"{FILES[market]}.zip cannot be read: {fault}",
            expected=f"a zip with the member {FILES[market]}",
            found=repr(blob[:20]),
            next_step="download the master file again",
        ) from fault


def pack(blob: bytes, market: Market) -> bytes:
    """Return the zip of a plain master file; equal content gives equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(FILES[market], (1980, 1, 1, 0, 0, 0)), blob)
    return out.getvalue()


def _kind(tail: Mapping[str, str]) -> Kind:
    kind = _GROUPS.get(tail["group"], Kind.OTHER)
    if kind is Kind.COMMON:
        if tail["spac"] == "Y":
            return Kind.SPAC
        if tail["preferred"] in {"1", "2"}:
            return Kind.PREFERRED
    return kind


def _flags(tail: Mapping[str, str]) -> frozenset[str]:
    flags = {name for name in ("halted", "liquidation", "administrative") if tail[name] == "Y"}
    if tail["alarm"] in _ALARMS:
        flags.add(_ALARMS[tail["alarm"]])
    if tail["unfaithful"] == "Y":
        flags.add("unfaithful_disclosure")
    if tail["short_overheated"] == "Y" or tail["overheated"] in {"2", "3"}:
        flags.add("short_overheated")
    return frozenset(flags)


def to_instrument(line: MasterLine, market: Market, as_of: dt.date) -> Instrument | None:
    """Return the instrument of a line, None for what has no six-character symbol (funds, rights, ELW).

    The leading ``Q`` of an ETN code is dropped: symbols have six characters. Shares outstanding come in thousands.
    """
    tail = line.tail
    symbol = line.code[1:] if len(line.code) == _SYMBOL_LENGTH + 1 and line.code.startswith("Q") else line.code
    if len(symbol) != _SYMBOL_LENGTH or tail["group"] in {"EW", "SW", "SR", "BC"}:
        return None
    try:
        return Instrument(
            symbol=symbol,
            name=line.name,
            market=market,
            kind=_kind(tail),
            listed_on=day_from(tail["listed_on"]),
            base_price=int(tail["base_price"]),
            shares_outstanding=int(tail["shares_thousand"]) * 1_000,
            sector=next((c for c in (tail["sector_medium"], tail["sector_large"]) if c.strip("0")), ""),
            lot=max(1, int(tail["lot"])),
            flags=_flags(tail),
            as_of=as_of,
        )
    except ValueError as fault:
        raise WireError(
            f"{FILES[market]}: {symbol} does not parse: {fault}",
            expected="digits in listing date, base price, shares and lot",
            found=str({k: tail[k] for k in ("listed_on", "base_price", "shares_thousand", "lot")}),
            next_step="download the master file again",
        ) from fault


def from_instrument(instrument: Instrument) -> MasterLine:
    """Return the master line of an instrument; shares outstanding are floored to thousands."""
    groups = {Kind.ETF: "EF", Kind.ETN: "EN", Kind.REIT: "RT", Kind.OTHER: "MF"}
    flags = instrument.flags
    alarm = next((code for code, word in _ALARMS.items() if word in flags), "00")
    yes_no = {name: "Y" if name in flags else "N" for name in ("halted", "liquidation", "administrative")}
    tail = {
        "group": groups.get(instrument.kind, "ST"),
        "sector_large": "0000",
        "sector_medium": instrument.sector or "0000",
        "sector_small": "0000",
        "spac": "Y" if instrument.kind is Kind.SPAC else "N",
        "preferred": "1" if instrument.kind is Kind.PREFERRED else "0",
        "base_price": str(instrument.base_price),
        "lot": str(instrument.lot),
        "alarm": alarm,
        "unfaithful": "Y" if "unfaithful_disclosure" in flags else "N",
        "short_overheated": "Y" if "short_overheated" in flags else "N",
        "overheated": "0",
        "listed_on": str(yyyymmdd(instrument.listed_on)),
        "shares_thousand": str(instrument.shares_outstanding // 1_000),
        "market_cap": str(instrument.base_price * instrument.shares_outstanding // 100_000_000),
        **yes_no,
    }
    code = f"Q{instrument.symbol}" if instrument.kind is Kind.ETN else instrument.symbol
    return MasterLine(code, f"KR7{instrument.symbol}000"[:_ISIN], instrument.name, tail)


def parse_master(market: Market, zipped: bytes, as_of: dt.date) -> tuple[Instrument, ...]:
    """Return the instruments of a downloaded ``.mst.zip``, sorted by symbol."""
    found = (to_instrument(line, market, as_of) for line in parse_lines(market, unpack(zipped, market)))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.symbol))


def build_master(market: Market, instruments: Iterable[Instrument]) -> bytes:
    """Return the ``.mst.zip`` a server offers for the instruments of one market."""
    return pack(build_lines(market, (from_instrument(one) for one in instruments if one.market is market)), market)
