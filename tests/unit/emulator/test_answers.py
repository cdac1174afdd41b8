"""What all answers of quotations have in common: the shape of the table, refusals, the two domains."""

import pytest

from haetae.emulator.core import SERVED
from haetae.emulator.quotations import ANSWERS
from haetae.kis.wire.operations import OPERATIONS, Mode
from unit.emulator.asking import SAMPLES, ask
from unit.emulator.service_rig import Desk

REAL_ONLY = [name for name in SAMPLES if not OPERATIONS[name].mock]


def test_every_call_of_the_table_that_has_a_tr_is_answered() -> None:
    assert {name for name, operation in OPERATIONS.items() if operation.real} <= SERVED
    assert set(ANSWERS) <= set(OPERATIONS)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("clock", [70_000, 90_000, 152_500, 200_500])
def test_an_answer_is_complete_and_parses_field_by_field_at_every_hour(name: str, clock: int) -> None:
    reply = ask(Desk(clock).log_in(), SAMPLES[name])
    assert (reply.status, reply.rt_cd, reply.code) == (200, "0", "MCA00000"), reply.text
    for output in OPERATIONS[name].outputs:
        rows = reply.rows(output.key) if output.many else [reply.row(output.key)]
        assert len(rows) <= (OPERATIONS[name].page_rows or 10**6)
        for row in rows:
            assert list(row) == list(output.row.forms)
            for field in row:
                output.row.value(row, field, tr=reply.tr)


@pytest.mark.parametrize("name", REAL_ONLY)
def test_mock_refuses_what_it_does_not_serve(name: str) -> None:
    real, mock = Desk().log_in(), Desk(mode=Mode.MOCK).log_in()
    mock.mode, tr = Mode.MOCK, OPERATIONS[name].real
    path = OPERATIONS[name].path.removeprefix("/uapi/domestic-stock/v1/")
    if not path.startswith("/"):
        assert mock.get(path, tr)["msg_cd"] == "EGW02004"
    assert ask(real, SAMPLES[name]).rt_cd == "0"


WRONG = [
    ("financial-ratio", {"fid_div_cls_code": "2"}, "OPSQ2001"),
    ("income-statement", {"fid_input_iscd": "999999"}, "APBK0656"),
    ("balance-sheet", {"fid_cond_mrkt_div_code": "U"}, "OPSQ2001"),
    ("etfetn-inquire-price", {"fid_input_iscd": "005930"}, "APBK0656"),
    ("nav-comparison-daily-trend", {"fid_input_date_1": "2026"}, "OPSQ2002"),
    ("nav-comparison-daily-trend", {"fid_cond_mrkt_div_code": "E"}, "OPSQ2001"),
    ("nav-comparison-time-trend", {"fid_cond_mrkt_div_code": "J"}, "OPSQ2001"),
    ("nav-comparison-time-trend", {"fid_hour_cls_code": "59"}, "OPSQ2001"),
    ("inquire-index-price", {"fid_input_iscd": "9999"}, "OPSQ2001"),
    ("inquire-time-indexchartprice", {"fid_input_hour_1": "100000"}, "OPSQ2001"),
    ("inquire-time-indexchartprice", {"fid_pw_data_incu_yn": ""}, "OPSQ2001"),
    ("volume-rank", {"fid_cond_scr_div_code": "20170"}, "OPSQ2001"),
    ("volume-rank", {"fid_input_iscd": "7777"}, "OPSQ2001"),
    ("volume-rank", {"fid_vol_cnt": "many"}, "OPSQ2001"),
    ("fluctuation", {"fid_rsfl_rate1": "nan"}, "OPSQ2001"),
    ("fluctuation", {"fid_rank_sort_cls_code": "9"}, "OPSQ2001"),
    ("fluctuation", {"fid_input_cnt_1": "x"}, "OPSQ2001"),
    ("market-cap", {"fid_div_cls_code": "3"}, "OPSQ2001"),
    ("inquire-investor", {"fid_input_iscd": ""}, "APBK0656"),
    ("investor-trade-by-stock-daily", {"fid_etc_cls_code": ""}, "OPSQ2001"),
    ("investor-trade-by-stock-daily", {"fid_input_date_1": "yesterday"}, "OPSQ2002"),
    ("inquire-investor-daily-by-market", {"fid_input_date_2": "20261120"}, "OPSQ2002"),
    ("inquire-investor-daily-by-market", {"fid_input_iscd": "2001"}, "OPSQ2001"),
    ("inquire-vi-status", {"fid_input_date_1": ""}, "OPSQ2002"),
    ("inquire-vi-status", {"fid_mrkt_cls_code": "X"}, "OPSQ2001"),
    ("inquire-vi-status", {"fid_input_iscd": "999999"}, "APBK0656"),
    ("news-title", {"fid_input_hour_1": "0000996100"}, "OPSQ2001"),
    ("news-title", {"fid_titl_cntt": "실적"}, "OPSQ2001"),
    ("ksdinfo-dividend", {"f_dt": ""}, "OPSQ2002"),
    ("ksdinfo-dividend", {"gb1": "7"}, "OPSQ2001"),
    ("ksdinfo-paidin-capin", {"gb1": "1"}, "OPSQ2001"),
    ("ksdinfo-rev-split", {"sht_cd": "999999"}, "APBK0656"),
]


@pytest.mark.parametrize(("name", "other", "code"), WRONG, ids=[f"{name}-{code}" for name, _, code in WRONG])
def test_a_wrong_word_is_refused_and_never_answered(name: str, other: dict[str, str], code: str) -> None:
    reply = ask(Desk().log_in(), SAMPLES[name], **other)
    assert (reply.rt_cd != "0", reply.code) == (True, code)
    assert "output" not in reply.text
