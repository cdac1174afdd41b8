"""Keys, tokens and rates answer with the codes of the service."""

import datetime as dt
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import ConfigError
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.emulator.gate import Gate
from haetae.emulator.rates import customer_of, rate_on
from haetae.emulator.settings import LimitSettings, OutageSettings
from haetae.emulator.windows import Window
from haetae.kis.wire.operations import Mode
from unit.emulator.service_rig import DAY, KEY, SECRET, Desk

PRICE = ("quotations/inquire-price", "FHKST01010100")


def code(reply) -> tuple[int, str]:
    body = json.loads(reply.body)
    return reply.status, body.get("msg_cd") or body.get("error_code")


def test_second_token_within_a_minute_is_refused_and_later_it_is_the_same_one() -> None:
    desk = Desk().log_in()
    assert code(desk.oauth("tokenP")) == (403, "EGW00133")
    desk.to(100_101)
    assert json.loads(desk.oauth("tokenP").body)["access_token"] == desk.token


def test_token_is_a_new_one_after_six_hours_and_dies_after_a_day() -> None:
    desk = Desk(90_000).log_in()
    first = desk.token
    desk.to(150_100)
    desk.log_in()
    assert desk.token != first
    desk.token = first
    desk.at(instant_at(DAY, 90_000) + 86_400 * NS_PER_SECOND)
    assert code(desk.reply(*PRICE, FID_INPUT_ISCD="005930")) == (500, "EGW00123")


def test_revoked_and_invented_tokens_are_unknown() -> None:
    desk = Desk().log_in()
    assert json.loads(desk.oauth("revokeP", token=desk.token).body)["code"] == 200
    assert code(desk.reply(*PRICE, FID_INPUT_ISCD="005930")) == (500, "EGW00121")
    desk.token = "invented"
    assert code(desk.reply(*PRICE, FID_INPUT_ISCD="005930")) == (500, "EGW00121")


@pytest.mark.parametrize(
    ("key", "secret", "expected"),
    [("short", SECRET, "EGW00103"), (KEY, "short", "EGW00105"), ("키" * 36, SECRET, "EGW00103")],
)
def test_malformed_keys_are_refused(key: str, secret: str, expected: str) -> None:
    assert code(Desk().oauth("tokenP", key, appsecret=secret)) == (403, expected)


def test_another_secret_for_a_known_key_is_refused() -> None:
    desk = Desk().log_in()
    assert code(desk.oauth("Approval", secretkey="T" * 180)) == (403, "EGW00105")


def test_real_key_on_the_mock_domain_is_refused_but_its_approval_works() -> None:
    desk = Desk().log_in()
    desk.mode = Mode.MOCK
    assert code(desk.reply(*PRICE, FID_INPUT_ISCD="005930")) == (500, "EGW02004")
    approval = json.loads(desk.oauth("Approval").body)["approval_key"]
    assert desk.core.gate.owner(approval, desk.core.now) == KEY


def test_nineteenth_call_of_a_second_is_refused_and_the_window_slides() -> None:
    desk = Desk(limits=LimitSettings()).log_in()
    start = desk.core.now
    outcomes = [desk.reply(*PRICE, FID_INPUT_ISCD="005930").status for _ in range(19)]
    assert outcomes == [200] * 18 + [500]
    desk.at(start + NS_PER_SECOND - 1)
    assert code(desk.reply(*PRICE, FID_INPUT_ISCD="005930")) == (500, "EGW00201")
    desk.at(start + NS_PER_SECOND)
    assert desk.reply(*PRICE, FID_INPUT_ISCD="005930").status == 200
    report = desk.core.gate.report()
    assert report["violations"] == 2
    assert report["keys"][0]["peak_per_second"] == 18


def test_mock_domain_takes_one_call_a_second() -> None:
    desk = Desk(mode=Mode.MOCK, limits=LimitSettings()).log_in()
    assert [desk.reply(*PRICE, FID_INPUT_ISCD="005930").status for _ in range(2)] == [200, 500]


def test_calls_without_token_or_with_another_scheme_are_refused() -> None:
    desk = Desk().log_in()
    bare = {name: value for name, value in desk.headers(PRICE[1]).items() if name != "authorization"}
    assert code(desk.reply(*PRICE, headers=bare))[1] == "EGW00122"
    assert code(desk.reply(*PRICE, headers={**bare, "authorization": "Basic x"}))[1] == "EGW00205"


def test_keys_file_admits_its_pairs_only(tmp_path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps([{"appkey": KEY, "appsecret": SECRET}]))
    gate = Gate(1, LimitSettings(), path)
    assert gate.issue(KEY, SECRET, Mode.REAL, 0).app_key == KEY
    assert gate.issue("L" * 36, SECRET, Mode.REAL, 0).code == "EGW00103"
    path.write_text("{")
    with pytest.raises(ConfigError) as caught:
        Gate(1, LimitSettings(), path)
    assert caught.value.next_step


def quick(desk: Desk, count: int) -> list[str]:
    return [code(desk.reply(*PRICE, FID_INPUT_ISCD="005930"))[1] for _ in range(count)]


@pytest.mark.parametrize(
    ("day", "mode", "since", "limit"),
    [
        (dt.date(2026, 4, 17), Mode.REAL, None, 20),
        (dt.date(2026, 4, 20), Mode.REAL, None, 18),
        (dt.date(2026, 11, 23), Mode.REAL, None, 18),
        (dt.date(2026, 4, 17), Mode.MOCK, None, 2),
        (dt.date(2026, 4, 20), Mode.MOCK, None, 1),
        (dt.date(2026, 4, 6), Mode.REAL, dt.date(2026, 4, 3), 20),
        (dt.date(2026, 4, 5), Mode.REAL, dt.date(2026, 4, 3), 3),
        (dt.date(2026, 4, 3), Mode.REAL, dt.date(2026, 4, 2), 20),
        (dt.date(2026, 11, 25), Mode.REAL, dt.date(2026, 11, 23), 3),
        (dt.date(2026, 11, 26), Mode.REAL, dt.date(2026, 11, 23), 18),
        (dt.date(2026, 11, 22), Mode.REAL, dt.date(2026, 11, 23), 18),
        (dt.date(2026, 11, 23), Mode.MOCK, dt.date(2026, 11, 23), 1),
    ],
)
def test_limit_is_that_of_the_day_and_the_customer(day, mode, since, limit) -> None:
    assert rate_on(customer_of(mode, since, day), day).per_second == limit


@pytest.mark.parametrize(("since", "limit"), [(None, 18), (DAY, 3), (DAY - dt.timedelta(days=3), 18)])
def test_new_customers_are_held_to_three_a_second(since, limit) -> None:
    desk = Desk(limits=LimitSettings(new_customers_since=since)).log_in()
    assert quick(desk, 20) == ["MCA00000"] * limit + ["EGW00201"] * (20 - limit)
    assert desk.core.gate.report()["keys"][0]["limit_per_second"] == limit


def test_the_window_slides_to_the_nanosecond() -> None:
    desk = Desk(limits=LimitSettings()).log_in()
    begun = desk.core.now
    assert quick(desk, 18) == ["MCA00000"] * 18
    desk.at(begun + NS_PER_SECOND - 1)
    assert quick(desk, 1) == ["EGW00201"]
    desk.at(begun + NS_PER_SECOND)
    assert quick(desk, 18) == ["MCA00000"] * 18


@given(st.lists(st.integers(0, 400_000_000), min_size=1, max_size=200))
def test_no_sliding_second_ever_admits_more_than_the_limit(gaps: list[int]) -> None:
    window, now, admitted = Window(), 0, []
    for gap in gaps:
        now += gap
        if window.inside(now) < 18:
            window.add(now)
            admitted.append(now)
    most = max(sum(first <= other < first + NS_PER_SECOND for other in admitted) for first in admitted)
    assert most == window.peak <= 18
    idle = max((later - first for first, later in itertools.pairwise(admitted)), default=0)
    assert window.longest_idle_ns == idle


def test_trading_calls_have_a_limit_of_their_own() -> None:
    desk = Desk(limits=LimitSettings(real_calls_per_second=0, ledger_calls_per_second=2)).log_in()
    codes = [code(desk.daily_orders())[1] for _ in range(4)]
    assert codes == ["KIOK0510"] * 2 + ["EGW00215"] * 2
    assert quick(desk, 9) == ["MCA00000"] * 9
    report = desk.core.gate.report()
    assert (report["ledger_violations"], report["violations"]) == (2, 0)


def test_report_tells_peaks_idle_times_and_the_distance_of_tokens() -> None:
    desk = Desk(limits=LimitSettings()).log_in()
    quick(desk, 25)
    desk.at(desk.core.now + 30 * NS_PER_SECOND)
    quick(desk, 1)
    desk.oauth("tokenP")
    report = desk.core.gate.report()
    row = report["keys"][0]
    assert (row["calls"], row["seen"], row["violations"], row["peak_per_second"]) == (19, 26, 7, 18)
    assert (report["token_calls"], report["token_refusals"]) == (2, 1)
    rates = desk.core.gate.rates()
    row = rates["keys"][0]
    assert (row["peak_admitted"], row["peak_seen"], row["longest_idle_s"]) == (18, 25, 30.0)
    assert rates["shortest_between_tokens_s"] == {"KKKK…": 30.0}


def test_holiday_inquiries_beyond_one_a_day_are_counted() -> None:
    desk = Desk().log_in()
    for _ in range(3):
        desk.reply("quotations/chk-holiday", "CTCA0903R", BASS_DT=f"{DAY:%Y%m%d}")
    desk.at(instant_at(DAY, 100_000) + 86_400 * NS_PER_SECOND)
    desk.log_in()
    desk.reply("quotations/chk-holiday", "CTCA0903R", BASS_DT=f"{DAY:%Y%m%d}")
    assert desk.core.gate.report()["holiday_calls_over_one_a_day"] == 2


def test_approval_keys_live_a_day_and_may_have_a_rate() -> None:
    desk = Desk(limits=LimitSettings(approvals_per_second=1)).log_in()
    key = json.loads(desk.oauth("Approval").body)["approval_key"]
    assert code(desk.oauth("Approval"))[1] == "EGW00201"
    assert desk.core.gate.owner(key, desk.core.now + 86_399 * NS_PER_SECOND) == KEY
    assert desk.core.gate.owner(key, desk.core.now + 86_400 * NS_PER_SECOND) is None


def keys_file(tmp_path, *rows: dict) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(rows))
    return path


def test_a_keys_file_may_say_domain_age_and_registrations(tmp_path) -> None:
    other = "M" * 36
    path = keys_file(
        tmp_path,
        {"appkey": KEY, "appsecret": SECRET, "since": f"{DAY:%Y-%m-%d}", "registrations": 3},
        {"appkey": other, "appsecret": SECRET, "domain": "mock"},
    )
    desk = Desk(limits=LimitSettings(), keys_file=path)
    assert code(desk.oauth("tokenP", key=other)) == (403, "EGW02004")
    desk.log_in()
    assert quick(desk, 5).count("MCA00000") == 3
    assert (desk.core.gate.registrations(KEY), desk.core.gate.registrations(other)) == (3, 41)
    assert code(desk.oauth("tokenP", key="Z" * 36)) == (403, "EGW00103")


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"appkey": "short", "appsecret": SECRET}],
        [{"appkey": KEY, "appsecret": SECRET}, {"appkey": KEY, "appsecret": SECRET}],
        [{"appkey": KEY, "appsecret": SECRET, "domain": "paper"}],
        [{"appkey": KEY, "appsecret": SECRET, "since": "yesterday"}],
        [{"appkey": KEY, "appsecret": SECRET, "registrations": 0}],
        [{"appkey": KEY, "appsecret": SECRET, "colour": "red"}],
    ],
)
def test_a_keys_file_that_cannot_be_used_says_why_without_its_secrets(tmp_path, rows: list) -> None:
    with pytest.raises(ConfigError) as caught:
        Gate(1, LimitSettings(), keys_file(tmp_path, *rows))
    assert caught.value.found
    assert SECRET not in f"{caught.value}{caught.value.found}"


def test_maintenance_refuses_every_call_and_kills_the_tokens_of_before() -> None:
    desk = Desk(90_000, outages=OutageSettings(maintenance=True)).log_in()
    night = instant_at(DAY + dt.timedelta(days=1), 0)
    desk.at(night + (2 * 3_600 + 3_599) * NS_PER_SECOND)
    desk.log_in()
    assert quick(desk, 1) == ["MCA00000"]
    desk.at(night + 3 * 3_600 * NS_PER_SECOND)
    assert code(desk.reply(*PRICE, FID_INPUT_ISCD="005930")) == (500, "EGW00002")
    assert code(desk.oauth("tokenP")) == (403, "EGW00002")
    desk.at(night + 6 * 3_600 * NS_PER_SECOND)
    assert code(desk.reply(*PRICE, FID_INPUT_ISCD="005930")) == (500, "EGW00123")
    dead = desk.token
    assert desk.log_in().token != dead
    assert quick(desk, 1) == ["MCA00000"]
    calm = Desk(90_000).log_in()
    calm.at(night + 3 * 3_600 * NS_PER_SECOND)
    assert quick(calm, 1) == ["MCA00000"]
