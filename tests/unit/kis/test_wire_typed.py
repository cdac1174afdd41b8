"""Typed requests and readings: one table makes them, and what they use is read strictly."""

import dataclasses
import datetime as dt
import importlib
import json
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import WireError
from haetae.kis.wire import calls, envelope, rows
from haetae.kis.wire.calls import charts, orders, prices, studies
from haetae.kis.wire.fields import Form
from haetae.kis.wire.operations import OPERATIONS, Mode
from haetae.kis.wire.typed import Ask, Reading, ask, reads

MODULES = [importlib.import_module(f"{calls.__name__}.{found.name}") for found in pkgutil.iter_modules(calls.__path__)]
MADE = [made for module in MODULES for made in vars(module).values() if isinstance(made, type)]
ASKS = sorted({made for made in MADE if issubclass(made, Ask) and made is not Ask}, key=lambda made: made.__name__)
READINGS = sorted(
    {made for made in MADE if issubclass(made, Reading) and made is not Reading}, key=lambda made: made.__name__
)
UNTYPED = {"tokenP", "revokeP", "Approval", "hashkey", "inquire-ccnl", "inquire-daily-price"}
UNTYPED |= {"search-info"}
"""Calls whose requests are made by the client's own hands (keys) or that only others make."""


def blank(request: type[Ask]) -> Ask:
    named = {field.name: "1" for field in dataclasses.fields(request) if field.default is dataclasses.MISSING}
    return request(**named)


def test_every_call_the_platform_makes_has_a_typed_request() -> None:
    typed = {request.operation.name for request in ASKS}
    assert typed == set(OPERATIONS) - UNTYPED


@pytest.mark.parametrize("request_type", ASKS, ids=lambda made: made.__name__)
def test_a_request_fills_the_names_of_its_operation(request_type: type[Ask]) -> None:
    made = blank(request_type)
    body = made.operation.body(made.values())
    assert list(body) == list(made.operation.request)
    assert {name.upper() for name, value in body.items() if value} == set(made.values())


@pytest.mark.parametrize("reading", READINGS, ids=lambda made: made.__name__)
def test_a_reading_gives_back_what_a_server_encodes(reading: type[Reading]) -> None:
    samples = {
        Form.TEXT: "x", Form.COUNT: 7, Form.LOOSE: 8, Form.POINTS: 261_081, Form.RATE: 1.25, Form.MAYBE: -3.5,
        Form.DAY: dt.date(2026, 11, 27), Form.CLOCK: 93_005, Form.FLAG: True, Form.NUMBER: 42,
    }  # fmt: skip
    wanted = {field.name: samples[reading.table.forms[field.name]] for field in dataclasses.fields(reading)}
    row = reading.table.encode(wanted)
    assert all(isinstance(text, str) for text in row.values())
    assert reading.of(row, tr="T") == reading(**wanted)
    assert reading.columns([row, row], tr="T") == {name: [value] * 2 for name, value in wanted.items()}
    assert reading.of({**row, "brand_new_field": "?"}, tr="T") == reading(**wanted)


@pytest.mark.parametrize("reading", READINGS, ids=lambda made: made.__name__)
def test_a_field_that_is_used_may_not_be_missing(reading: type[Reading]) -> None:
    row = reading.table.encode({})
    first = dataclasses.fields(reading)[0].name
    del row[first]
    with pytest.raises(WireError, match=first):
        reading.of(row, tr="FHKST01010100", about="005930")


@pytest.mark.parametrize("text", ["", "-", "1e5", "NaN", "1_000", "\uff11\uff12", "12.5", "0x1f", "--3"])
def test_a_number_that_does_not_parse_names_field_symbol_and_tr(text: str) -> None:
    row = {**rows.PRICE.encode({}), "stck_prpr": text}
    with pytest.raises(WireError, match="FHKST01010100: field stck_prpr of 005930"):
        prices.Price.of(row, tr="FHKST01010100", about="005930")


@pytest.mark.parametrize(("text", "value"), [("0012", 12), (" 12 ", 12), ("-7", -7), ("+7", 7)])
def test_padding_and_signs_of_the_broker_are_read(text: str, value: int) -> None:
    assert prices.Price.of({**rows.PRICE.encode({}), "stck_prpr": text}, tr="T").stck_prpr == value


@pytest.mark.parametrize("text", ["1e5", "inf", "nan", "1_0.5", "1,000.5", "1.2.3"])
def test_a_rate_is_a_plain_decimal(text: str) -> None:
    row = {**studies.FluctuationRank.table.encode({}), "prdy_ctrt": text}
    with pytest.raises(WireError, match="prdy_ctrt"):
        studies.FluctuationRank.of(row, tr="T")


@given(st.integers(-(10**9), 10**9))
def test_index_points_keep_both_decimals_and_their_sign(value: int) -> None:
    row = charts.IndexBar.table.encode({"bstp_nmix_prpr": value})
    assert charts.IndexBar.of({**row, "stck_bsop_date": "20261127"}, tr="T").bstp_nmix_prpr == value


def test_a_ratio_nobody_published_is_not_zero() -> None:
    ratio = studies.Ratio.of(studies.Ratio.table.encode({"stac_yymm": "202609", "roe_val": 0.0}), tr="T")
    assert ratio.roe_val == 0.0
    assert ratio.eps is None


def test_a_misspelt_or_mistyped_field_fails_when_the_module_is_made() -> None:
    class Misspelt(Ask):
        fid_input_isdc: str

    class Mistyped(Reading):
        stck_prpr: float

    with pytest.raises(TypeError, match="fid_input_isdc"):
        ask("inquire-price")(Misspelt)
    with pytest.raises(TypeError, match="stck_prpr"):
        reads(rows.PRICE)(Mistyped)


def test_a_reply_knows_which_output_a_reading_is_of() -> None:
    operation = OPERATIONS["inquire-balance"]
    held = [{"pdno": "005930", "hldg_qty": 3, "ord_psbl_qty": 2}]
    payload = envelope.build_reply(operation, {"output1": held, "output2": [{"prvs_rcdl_excc_amt": 5}]})
    reply = envelope.read_reply(operation, operation.tr_id(Mode.REAL), 200, "D", payload)
    assert reply.many(orders.Holding) == [orders.Holding(pdno="005930", hldg_qty=3, ord_psbl_qty=2)]
    assert reply.one(orders.AccountCash).prvs_rcdl_excc_amt == 5
    broken = json.loads(payload)
    broken["output1"][0]["hldg_qty"] = ""
    reply = envelope.read_reply(operation, "TTTC8434R", 200, "D", json.dumps(broken).encode())
    with pytest.raises(WireError, match="TTTC8434R: field hldg_qty of balance row 0"):
        reply.many(orders.Holding, about="balance")
