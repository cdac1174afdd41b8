"""What the settings refuse, and what they never show."""

import pytest

from haetae.domain.errors import ConfigError
from haetae.kis.deployment import answers_other_domain, is_trading, tr_fault
from haetae.kis.settings import (
    MASTERS,
    MOCK_REST,
    MOCK_STREAM,
    REAL_REST,
    REAL_STREAM,
    KisSettings,
    Secret,
    is_loopback,
)
from haetae.kis.wire.operations import OPERATIONS, Mode


def settings(**changed) -> KisSettings:
    values = {
        "rest_url": "http://127.0.0.1:9443",
        "ws_url": "ws://127.0.0.1:21000",
        "app_key": "PSkey" + "0" * 31,
        "app_secret": Secret("very-secret" + "0" * 169),
        "account": "50123456",
    }
    return KisSettings(**{**values, **changed})


@pytest.mark.parametrize("url", [REAL_REST, MOCK_REST, "http://10.0.0.1:9443", "https://127.0.0.1.example.com"])
def test_a_rest_host_outside_this_machine_is_refused_by_default(url):
    with pytest.raises(ConfigError, match="live_allowed"):
        settings(rest_url=url)


@pytest.mark.parametrize("changed", [{"ws_url": REAL_STREAM}, {"ws_url": MOCK_STREAM}, {"master_url": MASTERS}])
def test_every_other_address_is_guarded_too(changed):
    with pytest.raises(ConfigError, match="live_allowed"):
        settings(**changed)


def test_the_live_hosts_need_the_explicit_word():
    live = settings(rest_url=REAL_REST, ws_url=REAL_STREAM, master_url=MASTERS, mode=Mode.REAL, live_allowed=True)
    assert live.rest_url == REAL_REST


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"rest_url": MOCK_REST, "ws_url": REAL_STREAM, "mode": Mode.REAL}, "rest_url"),
        ({"rest_url": REAL_REST, "ws_url": MOCK_STREAM, "mode": Mode.REAL}, "ws_url"),
        ({"rest_url": REAL_REST, "ws_url": REAL_STREAM, "mode": Mode.MOCK}, "rest_url"),
        ({"rest_url": REAL_REST.replace("https", "http"), "ws_url": REAL_STREAM, "mode": Mode.REAL}, "rest_url"),
        ({"rest_url": "https://10.1.2.3:9443", "ws_url": REAL_STREAM, "mode": Mode.REAL}, "rest_url"),
        ({"rest_url": REAL_REST, "mode": Mode.REAL}, "one is on this machine"),
        ({"ws_url": REAL_STREAM, "mode": Mode.REAL}, "one is on this machine"),
        ({"master_url": "https://example.com", "mode": Mode.REAL}, "master_url"),
    ],
)
def test_addresses_that_are_not_of_one_domain_are_refused_even_where_the_world_is_allowed(changed, fault):
    with pytest.raises(ConfigError, match=fault):
        settings(live_allowed=True, **changed)


@pytest.mark.parametrize("mode", Mode)
def test_loopback_serves_both_domains(mode):
    assert settings(mode=mode).is_local


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"app_key": ""}, "app_key is missing"),
        ({"app_key": "k" * 35}, "app_key has 35 characters instead of 36"),
        ({"app_key": "키" * 36}, "app_key has characters"),
        ({"app_key": "k" * 35 + "\n"}, "app_key has characters"),
        ({"app_secret": Secret("")}, "app_secret is missing"),
        ({"app_secret": Secret("s" * 181)}, "app_secret has 181 characters instead of 180"),
        ({"account": "5012345a"}, "account"),
        ({"account": "٥٠١٢٣٤٥٦"}, "account"),
        ({"product": "1"}, "product"),
        ({"hts_id": "사용자"}, "hts_id"),
        ({"calls_per_second": float("nan")}, "calls_per_second"),
        ({"burst": 0}, "burst"),
        ({"share_pace": True}, "token_file"),
    ],
)
def test_what_is_missing_or_malformed_is_named_without_its_value(changed, fault):
    with pytest.raises(ConfigError, match=fault) as caught:
        settings(**changed)
    assert "k" * 35 not in str(caught.value)
    assert "36" in str(caught.value.expected)


def test_what_is_shared_or_watched_by_default_depends_on_where_the_server_is(tmp_path):
    local = settings(token_file=tmp_path / "token.json")
    live = settings(
        rest_url=REAL_REST, ws_url=REAL_STREAM, mode=Mode.REAL, live_allowed=True, token_file=tmp_path / "token.json"
    )
    assert (local.shares_pace, local.watches_clock) == (False, False)
    assert (live.shares_pace, live.watches_clock) == (True, True)
    assert settings(token_file=tmp_path / "token.json", share_pace=True, watch_clock=True).shares_pace
    assert local.fingerprint != settings(mode=Mode.REAL).fingerprint
    assert "PSkey" not in local.fingerprint


def test_all_faults_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        settings(rest_url=REAL_REST, account="5012", app_key="", calls_per_second=0)
    message = str(caught.value)
    assert all(word in message for word in ("live_allowed", "account", "app_key", "calls_per_second"))


def test_secrets_and_account_never_show():
    shown = repr(settings()) + str(settings().app_secret) + f"{settings().app_secret}"
    for hidden in ("very-secret", "PSkey", "50123456"):
        assert hidden not in shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://localhost:1", True), ("ws://127.0.0.5", True), ("http://[::1]:1", True), ("http://0.0.0.0", False)],
)
def test_loopback_is_this_machine_only(url, expected):
    assert is_loopback(url) is expected


def test_mock_is_the_default_domain():
    assert settings().is_mock


@pytest.mark.parametrize("mode", Mode)
def test_every_id_of_the_table_is_of_the_domain_it_is_sent_to(mode):
    other = Mode.REAL if mode is Mode.MOCK else Mode.MOCK
    trading = [one for one in OPERATIONS.values() if is_trading(one)]
    assert len(trading) > 5
    for operation in trading:
        if operation.tr_id(mode):
            assert tr_fault(mode, operation, operation.tr_id(mode)) == ""
            assert tr_fault(other, operation, operation.tr_id(mode)) != ""
    assert all(tr_fault(mode, one, one.tr_id(mode)) == "" for one in OPERATIONS.values() if one.tr_id(mode))


@pytest.mark.parametrize(
    ("asked", "answered", "other"),
    [
        ("VTTC0012U", "TTTC0012U", True),
        ("TTTC0012U", "VTTC0012U", True),
        ("TTTC0012U", "TTTC0802U", False),
        ("CTPF1002R", "CTPF1002R", False),
        ("VTTC0012U", "", False),
        ("FHKST01010100", "FHKST01010100", False),
    ],
)
def test_an_answer_of_the_other_domain_is_told_by_its_id(asked, answered, other):
    assert answers_other_domain(asked, answered) is other
