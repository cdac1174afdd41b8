"""What tokens cost, as data with dates; integers throughout.

Money is in milliwon (1/1000 won), rounded up: a short call costs under a won and must not count as
nothing. A model without a row costs as much as the dearest one: cheap by default would be the wrong way.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from haetae.domain.errors import ConfigError, Text
from haetae.llm.names import is_snapshot_of

MILLIWON = 1_000
_SCALE = 10**12
"""Micro-dollars a million tokens, to dollars a token."""


@dataclass(frozen=True, slots=True)
class Price:
    """Micro-dollars per million tokens of one model from a day on."""

    model: str
    effective_from: dt.date
    input: int
    output: int

    def milliwon(self, tokens_in: int, tokens_out: int, krw_per_usd: int) -> int:
        """Return the cost of a call, rounded up."""
        micro = tokens_in * self.input + tokens_out * self.output
        return -(-micro * krw_per_usd * MILLIWON // _SCALE)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All known prices; ``version`` is kept with every call that was booked by it."""

    version: str
    rows: tuple[Price, ...]

    def price(self, model: str, day: dt.date) -> Price:
        """Return the price of a model in force on a day: the newest row, else the dearest of all."""
        fits = [row for row in self.rows if is_snapshot_of(model, row.model) and row.effective_from <= day]
        if fits:
            return max(fits, key=lambda row: row.effective_from)
        return Price("unknown", dt.date.min, max(row.input for row in self.rows), max(row.output for row in self.rows))


def read_prices(own: Path | None) -> PriceTable:
    """Return the built-in table, with the rows of a file of one's own in place of those of the same model."""
    table = _read(resources.files("haetae.llm").joinpath("prices.toml").read_text(encoding="utf-8"), "prices.toml")
    if own is None:
        return table
    try:
        text = own.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise _refused(str(own), str(fault)) from fault
    mine = _read(text, str(own))
    named = {row.model for row in mine.rows}
    kept = tuple(row for row in table.rows if row.model not in named)
    return PriceTable(f"{mine.version}+{table.version}", mine.rows + kept)


def _read(text: str, place: str) -> PriceTable:
    try:
        record = tomllib.loads(text)
        rows = tuple(
            Price(str(row["model"]), row["effective_from"], row["input"], row["output"]) for row in record["price"]
        )
        version = str(record["version"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as fault:
        raise _refused(place, f"{type(fault).__name__}: {fault}") from fault
    for row in rows:
        figures = (row.input, row.output)
        if type(row.effective_from) is not dt.date or any(type(f) is not int or f < 0 for f in figures):
            raise _refused(place, f"model {row.model}")
    if not rows:
        raise _refused(place, "no rows")
    return PriceTable(version, rows)


def _refused(place: str, found: str) -> ConfigError:
    return ConfigError(
        Text(ko=f"가격표 {place} 를 읽을 수 없습니다", en=f"the price table {place} cannot be read"),
        expected="version = TEXT, [[price]] model, effective_from (day), input, output (whole micro-dollars)",
        found=found[:200],
        next_step=Text(ko="HAETAE_LLM_PRICES 의 파일을 고치세요", en="mend the file of HAETAE_LLM_PRICES"),
    )
