"""Keys, tokens and rates answer with the codes of the service."""

import json

import pytest

from haetae.domain.errors import ConfigError
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.emulator.gate import Gate
from haetae.emulator.settings import LimitSettings
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


def test_accelerated_time_forgives_bursts_but_holds_the_average_rate() -> None:
    desk = Desk(limits=LimitSettings()).log_in()
    desk.core.gate.set_speed(101.0)
    burst = [desk.reply(*PRICE, FID_INPUT_ISCD="005930").status for _ in range(400)]
    assert (burst.count(200), burst.count(500)) == (18 * 21, 400 - 18 * 21)
    desk.at(desk.core.now + 10 * NS_PER_SECOND)
    assert desk.reply(*PRICE, FID_INPUT_ISCD="005930").status == 500


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
