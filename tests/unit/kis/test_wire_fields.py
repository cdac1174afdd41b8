"""Single values and rows: what reads back as it was written, and what is refused."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import WireError
from haetae.kis.wire import rows
from haetae.kis.wire.fields import Form, points_text, read_value, row
from haetae.kis.wire.operations import OPERATIONS


def read(form: Form, text: str):
    return read_value(form, text, name="field", tr="TR", about="005930")


@given(st.integers(-(10**9), 10**9))
def test_index_points_survive_the_text_with_two_decimals(points):
    assert read(Form.POINTS, points_text(points)) == points


@pytest.mark.parametrize(("text", "points"), [("2610.81", 261081), ("-0.05", -5), ("880", 88000), ("880.5", 88050)])
def test_index_points_are_read_as_integers_times_hundred(text, points):
    assert read(Form.POINTS, text) == points


@pytest.mark.parametrize("text", ["", " ", "71,000", "71000.5", "abc"])
def test_a_price_that_is_no_number_is_refused_with_field_and_tr(text):
    with pytest.raises(WireError, match=r"TR: field field of 005930"):
        read(Form.COUNT, text)


def test_a_loose_figure_may_be_blank_and_then_is_zero():
    assert read(Form.LOOSE, "   ") == 0


@pytest.mark.parametrize("text", ["246000", "126100", "09:01"])
def test_a_wall_clock_that_does_not_exist_is_refused(text):
    with pytest.raises(WireError):
        read(Form.CLOCK, text)


def test_order_numbers_are_compared_as_integers():
    assert read(Form.NUMBER, "0000117057") == read(Form.NUMBER, "    117057") == 117057


def test_a_row_is_complete_and_keeps_wire_order():
    row = rows.DAILY_BAR.encode({"stck_bsop_date": dt.date(2026, 1, 2), "stck_clpr": 71_000, "mod_yn": False})
    assert list(row) == list(rows.DAILY_BAR.forms)
    assert row["stck_bsop_date"] == "20260102"
    assert row["stck_clpr"] == "71000"
    assert row["acml_vol"] == "0"
    assert row["mod_yn"] == "N"


def test_a_row_takes_no_unknown_field():
    with pytest.raises(KeyError):
        rows.DAILY_BAR.encode({"stck_close": 1})


def test_every_row_reads_back_its_own_blank_form():
    for operation in OPERATIONS.values():
        for output in operation.outputs:
            blank = output.row.encode({})
            for name in output.row.forms:
                output.row.value(blank, name, tr=operation.name)


def test_a_column_names_the_row_that_does_not_parse():
    good = rows.DAILY_BAR.encode({"stck_clpr": 71_000})
    bad = {**good, "stck_clpr": ""}
    with pytest.raises(WireError, match="005930 row 1"):
        rows.DAILY_BAR.column([good, bad], "stck_clpr", tr="FHKST03010100", about="005930")


def test_a_missing_field_is_named():
    with pytest.raises(WireError, match="stck_clpr"):
        rows.DAILY_BAR.column([{"stck_bsop_date": "20260102"}], "stck_clpr", tr="FHKST03010100")


_TABLE = row("twin", "a b:text c:rate d:day e:clock f:flag g:number h:points i:loose j:text")
_VALUES = {
    "a": st.integers(-(10**15), 10**15),
    "b": st.text(max_size=12),
    "c": st.floats(-1e9, 1e9),
    "d": st.dates(dt.date(1990, 1, 1), dt.date(2099, 12, 31)),
    "e": st.integers(0, 235_959),
    "f": st.booleans(),
    "g": st.integers(0, 10**10 - 1),
    "h": st.integers(-(10**9), 10**9),
    "i": st.one_of(st.integers(0, 10**12), st.text(max_size=5)),
    "j": st.text(alphabet='"\\\n\t%s{}가', max_size=6),
}


@given(st.dictionaries(st.sampled_from("abcdefghij"), st.none(), max_size=10).flatmap(
    lambda names: st.fixed_dictionaries({name: _VALUES[name] for name in names})
))  # fmt: skip
def test_json_of_a_row_is_that_of_its_encoding(values: dict) -> None:
    assert _TABLE.json(values) == json.dumps(_TABLE.encode(values), ensure_ascii=False)


def test_json_of_an_unknown_field_is_an_error() -> None:
    with pytest.raises(KeyError):
        _TABLE.json({"z": "1"})
