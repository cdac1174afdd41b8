"""From a key file to an account, the doctor's lines, and the operator's file."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
from pathlib import Path

import pytest

from haetae.cli.main import main
from haetae.domain.errors import ConfigError
from haetae.domain.events import CancelRequest, CostCorrection, ManualAdoption, ManualOrder, OperatorState, OrderClaim
from haetae.domain.orders import BrokerOrderId, Side
from haetae.domain.secret import Secret
from haetae.domain.units import day_of, instant_at
from haetae.kis.settings import MOCK_REST, REAL_REST, REAL_STREAM
from haetae.wiring import accounts, doctor
from haetae.wiring.clocks import SystemClock
from haetae.wiring.operators import FILE, OperatorFile, Order, Request, ask, give
from haetae.wiring.signing import is_signed, signed

SECRET = "canary-of-the-secret/+==" + "x" * 156
KEY = "PSKEY" + "0" * 31
KEYS = f"""# a key file as the broker's samples keep it
my_app: "{KEY}"
my_sec: "{SECRET}"
paper_app: '{KEY}'   # issued today
paper_sec: {SECRET}
my_htsid: "user1"
my_acct_stock: "87654321"
my_paper_stock: "50012345-01"
my_prod: "01"
"""


def key_file(folder: Path, text: str = KEYS) -> Path:
    path = folder / "kis_devlp.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_key_file_becomes_settings_and_secrets_only_the_owner_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "account"
    assert main(["init", "--from", str(key_file(tmp_path)), "--account", str(home)]) == 0
    told = capsys.readouterr().out
    assert (home / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert SECRET not in (home / "haetae.toml").read_text()
    assert SECRET not in told
    assert "50012345" not in told
    _, kis = accounts.read_account(home, {})
    assert (kis.account, kis.app_key, kis.app_secret.reveal(), kis.hts_id) == ("50012345", KEY, SECRET, "user1")
    assert kis.rest_url == MOCK_REST


def test_what_is_there_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    home, keys = tmp_path / "account", str(key_file(tmp_path))
    verb = ["init", "--from", keys, "--account", str(home)]
    assert main(verb) == 0
    assert main(verb) == 2
    assert main([*verb, "--force"]) == 0


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ((f"paper_app: '{KEY}'", "paper_app: '모의투자 앱키'"), "paper_app has characters"),
        ((f"paper_app: '{KEY}'", "paper_app: 'PSKEY'"), "paper_app has 5 characters instead of 36"),
        (("50012345-01", "5001"), "my_paper_stock"),
        (("my_htsid: \"user1\"", "my_htsid: \"사용자 HTS ID\""), "my_htsid"),
        ((f"paper_sec: {SECRET}", ""), "paper_sec is missing"),
        ((f"paper_sec: {SECRET}", f"paper_sec: {SECRET[:-1]}"), "paper_sec has 179 characters instead of 180"),
    ],
)  # fmt: skip
def test_faults_are_named_without_their_values(tmp_path: Path, change: tuple[str, str], found: str) -> None:
    path = key_file(tmp_path, KEYS.replace(*change))
    with pytest.raises(ConfigError) as fault:
        accounts.make_account(tmp_path / "account", path, "mock")
    assert found in fault.value.found
    assert SECRET not in fault.value.found
    assert not (tmp_path / "account").exists()


def test_paper_money_never_meets_the_real_hosts(tmp_path: Path) -> None:
    home = tmp_path / "account"
    accounts.make_account(home, key_file(tmp_path), "real")
    with pytest.raises(ConfigError, match="real hosts"):
        accounts.read_account(home, {})
    mock = tmp_path / "mock"
    accounts.make_account(mock, key_file(tmp_path), "mock")
    sneaky = {"HAETAE_KIS__REST_URL": REAL_REST, "HAETAE_KIS__LIVE_ALLOWED": "true"}
    for changed in (sneaky, {"HAETAE_KIS__WS_URL": REAL_STREAM}):
        with pytest.raises(ConfigError) as fault:
            accounts.read_account(mock, changed)
        assert "is not the mock domain's" in fault.value.found


def test_secrets_that_others_can_read_are_refused(tmp_path: Path) -> None:
    home = tmp_path / "account"
    accounts.make_account(home, key_file(tmp_path), "mock")
    (home / "secrets.env").chmod(0o644)
    with pytest.raises(ConfigError, match="others can read"):
        accounts.read_account(home, {})


def test_the_doctor_names_what_is_missing_and_the_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = tmp_path / "facts.json"
    verb = ["doctor", "--account", str(tmp_path / "none"), "--out", str(tmp_path), "--json", str(facts)]
    assert main(verb) == 1
    told = capsys.readouterr().out
    assert "fail" in told
    assert "haetae init" in told
    found = json.loads(facts.read_text())
    assert found["account and keys"]["level"] == found["lake"]["level"] == "fail"
    assert found["journal"]["level"] == "ok"


def test_the_doctor_sees_a_host_that_is_down(tmp_path: Path) -> None:
    home = tmp_path / "account"
    text = KEYS + 'vps: "http://127.0.0.1:9"\nvops: "ws://127.0.0.1:9"\n'
    accounts.make_account(home, key_file(tmp_path, text), "mock")
    lines = {line.name.en: line.level for line in doctor.examine(home, tmp_path, {}, SystemClock().now())}
    assert lines["REST"] is lines["WebSocket"] is doctor.Level.FAIL
    assert lines["clock"] is doctor.Level.OK


def test_an_order_of_the_operator_is_read_once_and_in_order(tmp_path: Path) -> None:
    watch = OperatorFile(tmp_path)
    assert watch.fresh() == ()
    for state in (OperatorState.HALT, OperatorState.ACTIVE):
        give(tmp_path, state, who="me", why="drill", clock=SystemClock())
    assert [order.state for order in watch.fresh()] == [OperatorState.HALT, OperatorState.ACTIVE]
    assert watch.fresh() == ()


def test_a_desk_that_starts_takes_over_only_what_is_stricter(tmp_path: Path) -> None:
    give(tmp_path, OperatorState.REDUCE_ONLY, who="me", why="evening", clock=SystemClock())
    watch = OperatorFile(tmp_path)
    assert watch.at_start(OperatorState.HALT) is None
    taken = watch.at_start(OperatorState.ACTIVE)
    assert taken is not None
    assert taken.command(instant_at_open()).state is OperatorState.REDUCE_ONLY
    give(tmp_path, OperatorState.ACTIVE, who="me", why="morning", clock=SystemClock())
    assert OperatorFile(tmp_path).at_start(OperatorState.HALT) is None


def instant_at_open() -> int:
    return instant_at(dt.date(2026, 11, 23), 90_000)


def test_a_torn_line_waits_and_an_unreadable_one_halts(tmp_path: Path) -> None:
    watch = OperatorFile(tmp_path)
    whole = '{"at": 1, "state": "reduce_only", "who": "me", "why": "x"}\n'
    (tmp_path / FILE).write_text(whole[:20])
    assert watch.fresh() == ()
    (tmp_path / FILE).write_text(whole + "{broken\n")
    assert [order.state for order in watch.fresh()] == [OperatorState.REDUCE_ONLY, OperatorState.HALT]


def test_requests_are_read_in_their_place_and_are_void_for_a_desk_that_starts_later(tmp_path: Path) -> None:
    watch = OperatorFile(tmp_path)
    bought = ManualOrder(5, "r1", "005930", Side.BUY, 3, 71_200, "me", "수동")
    dropped = CancelRequest(6, "c1", "INTENT", "me", "늦음")
    ask(tmp_path, bought)
    ask(tmp_path, dropped)
    give(tmp_path, OperatorState.HALT, who="me", why="drill", clock=SystemClock())
    first, second, third = watch.fresh()
    assert (first, second) == (Request(bought), Request(dropped))
    assert first.command(9) == dataclasses.replace(bought, at=9)
    later = OperatorFile(tmp_path)
    assert later.fresh() == ()
    assert later.at_start(OperatorState.ACTIVE) == third


def test_an_adoption_is_passed_on_only_with_the_accounts_signature_of_exactly_its_figures(tmp_path: Path) -> None:
    home, desk = tmp_path / "account", tmp_path / "desk"
    desk.mkdir()
    accounts.make_account(home, key_file(tmp_path, KEYS), "mock")
    _, kis = accounts.read_account(home, {}, reading=True)
    watch = OperatorFile(desk, genuine=functools.partial(is_signed, kis=kis))
    blind = OperatorFile(desk)
    argv = ["trade", "adopt", "005930", "--shares", "7", "--paid", "497000", "--out", str(desk), "--account", str(home)]
    assert main(argv) == 0
    (made,) = watch.fresh()
    assert isinstance(made, Request) and isinstance(made.wish, ManualAdoption)
    assert (made.wish.shares, made.wish.paid) == (7, 497_000)
    assert blind.fresh() == ()
    ask(desk, dataclasses.replace(made.wish, shares=700))
    assert watch.fresh() == ()
    other = dataclasses.replace(kis, app_secret=Secret("z" * 180))
    assert not is_signed(made.wish, other)
    ask(desk, CostCorrection(7, "c1", -3, "me", "statement"))
    assert [wish.wish for wish in watch.fresh() if isinstance(wish, Request)] == [
        CostCorrection(7, "c1", -3, "me", "statement")
    ]
    assert main([*argv[:4], "0", *argv[5:]]) != 0


def test_a_claim_is_passed_on_only_with_the_accounts_signature_of_exactly_its_words(tmp_path: Path) -> None:
    home, desk = tmp_path / "account", tmp_path / "desk"
    desk.mkdir()
    accounts.make_account(home, key_file(tmp_path, KEYS), "mock")
    _, kis = accounts.read_account(home, {}, reading=True)
    watch = OperatorFile(desk, genuine=functools.partial(is_signed, kis=kis))
    blind = OperatorFile(desk)
    argv = ["trade", "claim", "AAAABBBBCCCCDDDDEEEE", "--out", str(desk), "--account", str(home)]
    assert main([*argv, "--order", "0000117057", "--branch", "06010", "--day", "2026-11-23"]) == 0
    assert main([*argv, "--order", "117058"]) == 0
    assert main([*argv, "--absent", "--why", "the app shows none"]) == 0
    named, of_today, absent = (one.wish for one in watch.fresh() if isinstance(one, Request))
    assert isinstance(named, OrderClaim) and isinstance(of_today, OrderClaim) and isinstance(absent, OrderClaim)
    assert named.order_id == BrokerOrderId(dt.date(2026, 11, 23), "06010", "117057")
    assert of_today.order_id == BrokerOrderId(day_of(of_today.at), "", "117058")
    assert (absent.order_id, absent.why, absent.intent_id) == (None, "the app shows none", "AAAABBBBCCCCDDDDEEEE")
    assert blind.fresh() == ()
    for changed in (
        dataclasses.replace(named, order_id=BrokerOrderId(dt.date(2026, 11, 23), "06010", "117056")),
        dataclasses.replace(named, order_id=None, why="none"),
        dataclasses.replace(absent, intent_id="EEEEDDDDCCCCBBBBAAAA"),
    ):
        ask(desk, changed)
        assert watch.fresh() == ()
    assert not is_signed(named, dataclasses.replace(kis, app_secret=Secret("z" * 180)))
    assert named.signature != signed(dataclasses.replace(named, why="another"), kis).signature


def test_a_claim_says_one_thing_and_an_absence_why(tmp_path: Path) -> None:
    home, desk = tmp_path / "account", tmp_path / "desk"
    desk.mkdir()
    accounts.make_account(home, key_file(tmp_path, KEYS), "mock")
    argv = ["trade", "claim", "AAAABBBBCCCCDDDDEEEE", "--out", str(desk), "--account", str(home)]
    for wrong in (
        [],
        ["--order", "7", "--absent", "--why", "x"],
        ["--absent"],
        ["--order", "ABC"],
        ["--order", "7", "--day", "yesterday"],
    ):
        assert main([*argv, *wrong]) == 2
    assert not (desk / FILE).exists()


@pytest.mark.parametrize("number", ["117057", ["2026-11-23", "1"], ["yesterday", "", "1"]])
def test_a_claim_that_cannot_be_read_halts(tmp_path: Path, number: object) -> None:
    watch = OperatorFile(tmp_path)
    line = {
        "what": "claim", "at": 1, "request_id": "o-1", "intent_id": "I1", "order_id": number, "who": "me", "why": "",
        "signature": "s",
    }  # fmt: skip
    (tmp_path / FILE).write_text(json.dumps(line) + "\n")
    (made,) = watch.fresh()
    assert isinstance(made, Order) and made.state is OperatorState.HALT


def test_the_verb_writes_one_order_and_refuses_two_wishes(tmp_path: Path) -> None:
    assert main(["kill", "--out", str(tmp_path)]) == 0
    assert main(["kill", "--release", "--yes-release", "kim", "--why", "drill over", "--out", str(tmp_path)]) == 0
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert [line["state"] for line in lines] == ["halt", "active"]
    assert main(["kill", "--halt", "--release", "--out", str(tmp_path)]) == 2
    assert main(["kill", "--halt", "--out", str(tmp_path / "nowhere")]) == 2
