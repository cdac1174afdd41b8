"""The account at the broker: made from an existing key file, kept in two files, read for one purpose.

``<folder>/haetae.toml`` holds addresses and the mode; ``<folder>/secrets.env`` (0600) holds keys and
account. The environment stands above both. Hosts outside this machine are reached for one of two
reasons only: they are the mock-investment hosts, or ``livegate`` allowed the day.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from haetae.config import Settings, load
from haetae.domain.errors import ConfigError, Text
from haetae.kis.deployment import account_faults, key_faults
from haetae.kis.settings import MASTERS, MOCK_REST, MOCK_STREAM, REAL_REST, REAL_STREAM, KisSettings, is_loopback
from haetae.kis.wire.operations import Mode

FOLDER = Path(".haetae")
SETTINGS, SECRETS = "haetae.toml", "secrets.env"
KNOWN_KEY_FILE = Path("~/KIS/config/kis_devlp.yaml")
"""Where the broker's own samples keep their keys."""
_SWITCH = "HAETAE_KIS__LIVE_ALLOWED"
_LINE = re.compile(r"""^\s*([A-Za-z_]+)\s*:\s*(?:"([^"]*)"|'([^']*)'|([^#]*?))\s*(?:#.*)?$""")
_KEYS = {
    Mode.MOCK: ("paper_app", "paper_sec", "my_paper_stock", "vps", "vops"),
    Mode.REAL: ("my_app", "my_sec", "my_acct_stock", "prod", "ops"),
}
_HOSTS = {Mode.MOCK: (MOCK_REST, MOCK_STREAM), Mode.REAL: (REAL_REST, REAL_STREAM)}


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a ``kis_devlp.yaml`` says of one mode."""

    mode: Mode
    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    account: str = field(repr=False)
    product: str
    hts_id: str
    rest_url: str
    ws_url: str


def read_key_file(path: Path, mode: Mode) -> KeyFile:
    """Return the keys of one mode; raises ``ConfigError`` with every fault, never with a value."""
    try:
        text = path.expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise _unusable(path, f"{type(fault).__name__}") from fault
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and not line.lstrip().startswith("#"):
            found[match[1]] = (match[2] or match[3] or match[4] or "").strip()
    app_key, secret, account, rest, ws = (found.get(name, "") for name in _KEYS[mode])
    number, _, product = account.partition("-")
    read = KeyFile(
        mode=mode,
        app_key=app_key,
        app_secret=secret,
        account=number,
        product=product or found.get("my_prod", "") or "01",
        hts_id=found.get("my_htsid", ""),
        rest_url=rest or _HOSTS[mode][0],
        ws_url=(ws or _HOSTS[mode][1]).removesuffix("/tryitout"),
    )
    faults = _faults(read, _KEYS[mode])
    if faults:
        raise _unusable(path, "; ".join(faults))
    return read


def _faults(read: KeyFile, names: tuple[str, ...]) -> list[str]:
    theirs = {"app_key": names[0], "app_secret": names[1], "account": names[2], "product": "my_prod"}
    found = [*key_faults(read.app_key, read.app_secret), *account_faults(read.account, read.product)]
    # The samples' file calls them otherwise; their placeholders are Korean, which no header can carry.
    faults = [f"{theirs[fault.split()[0]]} {fault.split(' ', 1)[1]}" for fault in found]
    if not read.hts_id.isascii():
        faults.append("my_htsid is still the placeholder")
    return faults


def _unusable(path: Path, found: str) -> ConfigError:
    return ConfigError(
        Text(ko=f"키 파일을 쓸 수 없습니다: {path}", en=f"the key file cannot be used: {path}"),
        expected=Text(
            ko="발급받은 키, 계좌 앞 8자리, HTS ID 가 적힌 kis_devlp.yaml",
            en="a kis_devlp.yaml with the issued keys, the account's eight digits and the HTS id",
        ),
        found=found,
        next_step=Text(ko="파일을 고치고 다시 `haetae init --from 파일`", en="mend it, then `haetae init --from FILE`"),
    )


def write_account(folder: Path, read: KeyFile, *, again: bool = False) -> tuple[Path, Path]:
    """Write settings and secrets (0600); refuses to overwrite unless told to. Returns both paths."""
    settings, secrets = folder / SETTINGS, folder / SECRETS
    present = [path.name for path in (settings, secrets) if path.exists()]
    if present and not again:
        raise ConfigError(
            Text(ko=f"{folder} 에 이미 설정이 있습니다", en=f"{folder} holds settings already"),
            expected=Text(ko="새 폴더", en="a new folder"),
            found=", ".join(present),
            next_step=Text(ko="덮어쓰려면 --force", en="--force overwrites them"),
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(settings, _toml(read, folder), 0o644)
    lines = [
        f"HAETAE_KIS__APP_KEY={read.app_key}",
        f"HAETAE_KIS__APP_SECRET={read.app_secret}",
        f"HAETAE_KIS__ACCOUNT={read.account}",
        f"HAETAE_KIS__PRODUCT={read.product}",
        f"HAETAE_KIS__HTS_ID={read.hts_id}",
    ]
    _write(secrets, "\n".join(lines) + "\n", 0o600)
    return settings, secrets


def _toml(read: KeyFile, folder: Path) -> str:
    master = "" if is_loopback(read.rest_url) else f'master_url = "{MASTERS}"\n'
    return (
        "# Written by `haetae init`. Keys and account are in secrets.env, never here.\n"
        "[kis]\n"
        f'mode = "{read.mode.value}"\n'
        f'rest_url = "{read.rest_url}"\n'
        f'ws_url = "{read.ws_url}"\n'
        f"{master}"
        f'token_file = "{(folder / "token.json").as_posix()}"\n'
    )


def _write(path: Path, text: str, mode: int) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_secrets(folder: Path) -> dict[str, str]:
    """Return the variables of ``secrets.env``; empty if there is none, refused if others may read it."""
    path = folder / SECRETS
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(
                Text(ko="비밀 파일을 남이 읽을 수 있습니다", en="others can read the file of secrets"),
                expected="0600",
                found=f"{path}: {path.stat().st_mode & 0o777:04o}",
                next_step=f"chmod 600 {path}",
            )
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines if line.strip() and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def read_account(
    folder: Path,
    env: Mapping[str, str],
    *,
    files: tuple[Path, ...] = (),
    live: bool = False,
    reading: bool = False,
) -> tuple[Settings, KisSettings]:
    """Return all settings and the account among them.

    Parameters
    ----------
    files : settings files below the folder's own, the general ones first.
    live : whether ``livegate`` allowed this day; without it only loopback and the mock hosts are reached.
    reading : the connection will read market data only: the real hosts may be reached, orders are refused before
        they are made.
    """
    given = {**read_secrets(folder), **env, _SWITCH: "true"}
    own = folder / SETTINGS
    if not own.is_file() and "HAETAE_KIS__REST_URL" not in given:
        raise ConfigError(
            Text(ko="계좌 설정이 없습니다", en="no account is configured"),
            expected=f"{own}, {SECRETS}",
            found=Text(ko="키 없음", en="no keys").en,
            next_step=Text(ko="`haetae init --from kis_devlp.yaml`", en="`haetae init --from kis_devlp.yaml`"),
        )
    settings = load([*files, *([own] if own.is_file() else [])], given)
    assert settings.kis is not None
    kis = replace(settings.kis, read_only=True) if reading else settings.kis
    if not live and not reading and not _harmless(kis):
        raise ConfigError(
            Text(ko="실전 주소로는 모의 거래를 하지 않습니다", en="paper trading does not call the real hosts"),
            expected=Text(ko="루프백 또는 모의투자 주소", en="loopback or the mock-investment hosts"),
            found=kis.rest_url,
            next_step=Text(ko="`haetae init --mode mock`", en="`haetae init --mode mock`"),
        )
    if all(is_loopback(url) for url in _addresses(kis)):
        kis = replace(kis, live_allowed=False)
    return replace(settings, kis=kis), kis


def _addresses(kis: KisSettings) -> tuple[str, ...]:
    return tuple(url for url in (kis.rest_url, kis.ws_url, kis.master_url) if url)


def _harmless(kis: KisSettings) -> bool:
    """Whether every address is on this machine, or is the mock domain's and the mode is mock."""
    mock = {MOCK_REST, MOCK_STREAM, MASTERS} if kis.mode is Mode.MOCK else set[str]()
    return all(is_loopback(url) or url in mock for url in _addresses(kis))


def make_account(folder: Path, key_file: Path, mode: str, *, again: bool = False) -> KeyFile:
    """Read a key file and write the account's two files; returns what was read."""
    known = {each.value: each for each in Mode}
    if mode not in known:
        raise ConfigError(
            Text(ko="모르는 모드입니다", en="unknown mode"), expected="mock, real", found=mode, next_step="--mode mock"
        )
    read = read_key_file(key_file, known[mode])
    write_account(folder, read, again=again)
    return read
