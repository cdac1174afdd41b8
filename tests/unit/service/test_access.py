"""Who may do what: every route against every role, tokens, and what no request passes."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from haetae.domain.errors import ConfigError
from haetae.domain.units import NS_PER_DAY
from haetae.service.app import create_app, describe
from haetae.service.settings import ServiceSettings
from haetae.service.tokens import FILE, Role, TokenBook
from haetae.wiring.clocks import DrivenClock, SystemClock
from haetae.wiring.views.views import Views
from rigs.desk_folder import LATEST, SYMBOLS

Bearer = Callable[[Role], dict[str, str]]
OPEN, VIEWER, TRADER, ADMIN = None, Role.VIEWER, Role.TRADER, Role.ADMIN
TABLE: dict[tuple[str, str], Role | None] = {
    ("GET", "/v1/health"): OPEN,
    ("GET", "/v1/whoami"): VIEWER,
    ("GET", "/v1/today"): VIEWER,
    ("GET", "/v1/equity"): VIEWER,
    ("GET", "/v1/safety"): VIEWER,
    ("GET", "/v1/signals"): VIEWER,
    ("GET", "/v1/decisions"): VIEWER,
    ("GET", "/v1/decisions/{decision_id}"): VIEWER,
    ("GET", "/v1/positions"): VIEWER,
    ("GET", "/v1/orders"): VIEWER,
    ("GET", "/v1/fills"): VIEWER,
    ("GET", "/v1/universe"): VIEWER,
    ("GET", "/v1/candles/{symbol}"): VIEWER,
    ("GET", "/v1/fear-greed"): VIEWER,
    ("GET", "/v1/backtest"): VIEWER,
    ("GET", "/v1/report"): VIEWER,
    ("GET", "/v1/review"): VIEWER,
    ("GET", "/v1/models"): VIEWER,
    ("GET", "/v1/models/{model_id}/evidence"): VIEWER,
    ("GET", "/v1/rollback/{kind}"): VIEWER,
    ("POST", "/v1/operator"): TRADER,
    ("POST", "/v1/orders"): TRADER,
    ("POST", "/v1/orders/{intent_id}/cancel"): TRADER,
    ("POST", "/v1/models/{model_id}/state"): ADMIN,
    ("POST", "/v1/rollback"): ADMIN,
}
NAMES = {
    "{decision_id}": "D-none",
    "{symbol}": SYMBOLS[0],
    "{model_id}": LATEST,
    "{kind}": "policy",
    "{intent_id}": "X",
}


def filled(path: str) -> str:
    for name, value in NAMES.items():
        path = path.replace(name, value)
    return path


def test_the_table_names_every_route(folder: Path, book: TokenBook) -> None:
    paths: dict[str, dict[str, Any]] = describe(Views(folder), book).openapi()["paths"]
    assert {(method.upper(), path) for path, item in paths.items() for method in item} == set(TABLE)


def test_every_route_lets_in_its_role_and_nobody_below(client: TestClient, bearer: Bearer) -> None:
    headers: dict[Role | None, dict[str, str]] = {None: {}, **{role: bearer(role) for role in Role}}
    for (method, path), needed in TABLE.items():
        for role, shown in headers.items():
            status = client.request(
                method, filled(path), headers=shown, json={} if method == "POST" else None
            ).status_code
            if needed is None or (role is not None and role >= needed):
                assert status not in (401, 403), (method, path, role)
            else:
                assert status == (401 if role is None else 403), (method, path, role)


def test_a_wrong_revoked_or_expired_token_is_refused(folder: Path) -> None:
    clock = DrivenClock(1_000 * NS_PER_DAY)
    book = TokenBook(folder / FILE, clock)
    app = create_app(Views(folder), book)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        secret, made = book.new(Role.VIEWER, label="", days=1)
        good = {"Authorization": f"Bearer {secret}"}
        assert client.get("/v1/whoami", headers=good).json()["role"] == "viewer"
        for wrong in (
            {},
            {"Authorization": f"Bearer {secret}x"},
            {"Authorization": secret},
            {"Authorization": "Bearer "},
        ):
            answer = client.get("/v1/whoami", headers=wrong)
            assert (answer.status_code, answer.json()["code"]) == (401, "token.refused")
            assert answer.headers["www-authenticate"] == "Bearer"
        clock.advance(1_001 * NS_PER_DAY)
        assert client.get("/v1/whoami", headers=good).json()["code"] == "token.expired"
        secret, made = book.new(Role.VIEWER, label="", days=1)
        book.revoke(made.token_id)
        answer = client.get("/v1/whoami", headers={"Authorization": f"Bearer {secret}"})
        assert answer.json()["code"] == "token.refused"


def test_only_hashes_are_kept_in_a_file_of_the_owner(book: TokenBook) -> None:
    secret, made = book.new(Role.ADMIN, label="me")
    text = book.path.read_text()
    assert secret not in text and secret.split("_", 2)[2] not in text
    assert made.digest in text
    assert stat.S_IMODE(book.path.stat().st_mode) == 0o600
    book.path.chmod(0o640)
    with pytest.raises(ConfigError, match="others can read"):
        TokenBook(book.path, SystemClock()).tokens()


def test_two_tokens_are_never_alike(book: TokenBook) -> None:
    made = {book.new(Role.VIEWER, label="")[0] for _ in range(20)}
    assert len(made) == 20
    assert all(len(secret) > 50 for secret in made)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Host": "evil.example"}, "host.foreign"),
        ({"Host": "127.0.0.1.evil.example:8710"}, "host.foreign"),
        ({"Host": ""}, "host.foreign"),
        ({"Origin": "http://evil.example"}, "origin.foreign"),
        ({"Origin": "null"}, "origin.foreign"),
        ({"Origin": "http://127.0.0.1:8711"}, "origin.foreign"),
    ],
)
def test_rebound_names_and_foreign_pages_are_refused_before_anything(
    client: TestClient, bearer: Bearer, headers: dict[str, str], code: str
) -> None:
    answer = client.get("/v1/health", headers={**bearer(Role.ADMIN), **headers})
    assert (answer.status_code, answer.json()["code"]) == (403, code)


@pytest.mark.parametrize("host", ["127.0.0.1:8710", "localhost:1", "LOCALHOST", "[::1]:8710"])
def test_names_of_this_machine_are_let_in(client: TestClient, host: str) -> None:
    assert client.get("/v1/health", headers={"Host": host}).status_code == 200


def test_callers_from_elsewhere_are_refused(folder: Path, book: TokenBook) -> None:
    app = create_app(Views(folder), book)
    with TestClient(app, base_url="http://127.0.0.1", client=("10.0.0.9", 1)) as client:
        assert client.get("/v1/health").json()["code"] == "caller.foreign"


def test_long_bodies_are_refused_announced_or_not(client: TestClient, bearer: Bearer, folder: Path) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 1_000

    headers = {**bearer(Role.ADMIN), "Content-Type": "application/json"}
    for body in (b" " * 20_000, chunks()):
        answer = client.post("/v1/operator", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "body.too_long")
    assert not (folder / "operator.jsonl").exists()


def test_answers_may_not_be_kept_or_framed(client: TestClient) -> None:
    headers = client.get("/v1/health").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.2", "::", "localhost.example"])
def test_no_other_address_than_loopback_can_be_configured(host: str) -> None:
    with pytest.raises(ConfigError, match="loopback only"):
        ServiceSettings(host=host)
