"""Real money: each lock holds by itself."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

import pytest

from haetae.domain.errors import ConfigError
from haetae.wiring import accounts, livegate

DAY = dt.date(2026, 11, 23)
ROOT = Path(__file__).resolve().parents[3]
LIVE = (ROOT / "configs" / "base.toml", ROOT / "configs" / "live.toml")
KEYS = f'my_app: "{"R" * 36}"\nmy_sec: "{"s" * 180}"\nmy_acct_stock: "87654321"\nmy_prod: "01"\nmy_htsid: "u"\n'


@pytest.fixture
def account(tmp_path: Path) -> Path:
    keys = tmp_path / "keys.yaml"
    keys.write_text(KEYS)
    accounts.make_account(tmp_path / "account", keys, "real")
    return tmp_path / "account"


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on the trading machine: the build flag is there and no test library is loaded."""
    flag = tmp_path / "LIVE_BUILD"
    flag.touch()
    monkeypatch.setattr(livegate, "BUILD_FLAG", flag)
    monkeypatch.setattr(livegate, "under_test", lambda: False)


def found(account: Path, day: dt.date = DAY, files: tuple[Path, ...] = LIVE) -> str:
    with pytest.raises(ConfigError, match="gate to real trading") as fault:
        livegate.pass_gate(account, {}, day, files)
    return fault.value.found


def test_no_build_of_this_repository_is_live(account: Path) -> None:
    assert not livegate.BUILD_FLAG.exists()
    livegate.arm(account, {}, DAY, "87654321", LIVE)
    assert livegate.under_test()
    said = found(account)
    assert "not a live build" in said
    assert "a test is running" in said
    assert "pytest" in sys.modules


@pytest.mark.usefixtures("outside")
def test_a_test_alone_keeps_the_gate_shut(account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    livegate.arm(account, {}, DAY, "87654321", LIVE)
    monkeypatch.setattr(livegate, "under_test", lambda: True)
    assert found(account) == "a test is running"


@pytest.mark.usefixtures("outside")
def test_only_todays_token_of_this_account_fits(account: Path) -> None:
    assert found(account) == "token: none for today"
    path = livegate.arm(account, {}, DAY, "87654321", LIVE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "not of today" in found(account, DAY + dt.timedelta(days=1))
    given = json.loads(path.read_text())
    path.write_text(json.dumps({**given, "day": "2026-11-24"}))
    assert "signature" in found(account, dt.date(2026, 11, 24))
    path.write_text("{")
    assert "unreadable" in found(account)
    livegate.arm(account, {}, DAY, "87654321", LIVE)
    path.chmod(0o644)
    assert "others can read" in found(account)


@pytest.mark.usefixtures("outside")
def test_another_number_host_or_paper_settings_keep_it_shut(account: Path) -> None:
    with pytest.raises(ConfigError, match="number differs"):
        livegate.arm(account, {}, DAY, "12345678", LIVE)
    livegate.arm(account, {}, DAY, "87654321", LIVE)
    assert "live.toml" in found(account, files=LIVE[:1])
    with pytest.raises(ConfigError, match="gate") as fault:
        livegate.pass_gate(
            account, {"HAETAE_KIS__REST_URL": "http://127.0.0.1:1", "HAETAE_KIS__WS_URL": "ws://127.0.0.1:2"}, DAY, LIVE
        )
    assert "not the real one" in fault.value.found


@pytest.mark.usefixtures("outside")
def test_with_every_lock_open_the_desk_starts_halted(account: Path) -> None:
    livegate.arm(account, {}, DAY, "87654321", LIVE)
    settings, kis = livegate.pass_gate(account, {}, DAY, LIVE)
    assert kis.live_allowed
    assert settings.desk.start_state.value == "halt"
