"""What the settings refuse, and what they never show."""

import pytest

from haetae.domain.errors import ConfigError
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
from haetae.kis.wire.operations import Mode


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
