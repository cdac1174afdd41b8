"""Commands of a person: from the request to the desk's file, through the guards, and back to the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from haetae.desk import open_desk
from haetae.domain.events import OperatorState, Submit
from haetae.domain.orders import OrderStatus
from haetae.journal import JournalDb
from haetae.ledger import open_book
from haetae.live.handover import RUN, handover_of
from haetae.live.recovery import opening_note
from haetae.service import schemas
from haetae.service.app import create_app
from haetae.service.tokens import FILE, Role, TokenBook
from haetae.sim import FillModel
from haetae.wiring.clocks import SystemClock
from haetae.wiring.operators import OperatorFile
from haetae.wiring.views.views import Views
from rigs.desk_day import CASH, DAY, DeskDay, loose, minutes, open_day, session_start
from rigs.desk_folder import EARLIER, LATEST, SYMBOLS, told

Bearer = Callable[[Role], dict[str, str]]
HALT = {"state": "halt", "confirm": "halt", "why": "시장 급변"}


def test_the_kill_switch_lands_in_the_desks_file_with_the_holders_name(
    client: TestClient, bearer: Bearer, folder: Path
) -> None:
    watch = OperatorFile(folder)
    answer = client.post("/v1/operator", json=HALT, headers=bearer(Role.TRADER))
    assert answer.status_code == 202
    queued = schemas.Queued.model_validate(answer.json())
    (order,) = watch.fresh()
    assert (order.command(1).state, order.command(1).why) == (OperatorState.HALT, "시장 급변")
    assert order.command(1).who.startswith("trader (t-")
    safety = client.get("/v1/safety", headers=bearer(Role.VIEWER)).json()
    assert [(row["command_id"], row["state"]) for row in safety["pending"]] == [(queued.command_id, "waiting")]
    assert safety["operator"] == "active"


@pytest.mark.parametrize(
    "body",
    [
        {**HALT, "confirm": "active"},
        {**HALT, "why": "  "},
        {**HALT, "why": "줄\n바꿈"},
        {**HALT, "state": "explode"},
        {**HALT, "who": "somebody else"},
        {"state": "halt", "why": "no confirmation"},
        [],
        "halt",
    ],
)
def test_a_command_that_is_not_confirmed_or_not_well_formed_changes_nothing(
    client: TestClient, bearer: Bearer, folder: Path, body: object
) -> None:
    answer = client.post("/v1/operator", json=body, headers=bearer(Role.TRADER))
    assert answer.status_code in (409, 422)
    assert schemas.Problem.model_validate(answer.json()).ko
    assert not (folder / "operator.jsonl").exists()


def manual(name: str, **changed: object) -> dict[str, object]:
    body = {"symbol": name, "side": "buy", "quantity": 3, "limit_price": 50_000, "why": "수동 매수", "confirm": name}
    return {**body, **changed}


@pytest.mark.parametrize(
    "changed",
    [
        {"quantity": 0},
        {"quantity": 1.5},
        {"limit_price": -1},
        {"confirm": "000000"},
        {"symbol": "ABCDEF", "confirm": "ABCDEF"},
        {"side": "hold"},
    ],
)
def test_an_order_that_is_none_is_refused_at_the_door(
    client: TestClient, bearer: Bearer, folder: Path, changed: dict[str, object]
) -> None:
    answer = client.post("/v1/orders", json=manual(SYMBOLS[0], **changed), headers=bearer(Role.TRADER))
    assert answer.status_code in (409, 422)
    assert not (folder / "operator.jsonl").exists()


class Running:
    """A desk at work on a folder: minutes into the morning, its journal open, its operator's file watched."""

    def __init__(self, path: Path) -> None:
        self.day: DeskDay = open_day(SYMBOLS, settings=loose(), model=FillModel(volume_share_ppm=1))
        start = session_start(SYMBOLS)
        self.day.feed(start, self.day.snapshot(start.at))
        for piece in minutes(SYMBOLS, np.random.default_rng(3), count=6):
            self.day.minute(piece)
        self.journal = JournalDb(path / "journal.db")
        self.desk = open_desk(loose(), open_book(CASH))
        self.journal.append(RUN, [(start.at, opening_note(DAY, handover_of(self.desk), start.at))], durable=True)
        self.watch = OperatorFile(path)
        self._written = 0
        self.write()

    def write(self) -> None:
        for event in self.day.events[self._written :]:
            self.desk = told(self.journal, self.desk, event)
        self._written = len(self.day.events)
        self.journal.flush()

    def look(self) -> None:
        """What a runner does each second."""
        for wish in self.watch.fresh():
            self.day.feed(wish.command(self.day.desk.tape.price_at + 1))
        self.write()


def test_orders_and_cancels_reach_a_running_desk_through_its_guards(tmp_path: Path) -> None:
    running = Running(tmp_path)
    book = TokenBook(tmp_path / FILE, SystemClock())
    headers = {"Authorization": f"Bearer {book.new(Role.TRADER, label='me')[0]}"}
    app = create_app(Views(tmp_path), book)
    used = {order.intent.symbol for order in running.day.desk.blotter.orders.values()}
    free = [symbol for symbol in SYMBOLS if symbol not in used]
    price = running.day.rules.floor_tick(running.day.desk.price(free[0]))
    resting = next(o for o in running.day.desk.blotter.open_orders() if o.status is OrderStatus.WORKING)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        wanted = [
            client.post("/v1/orders", json=manual(free[0], limit_price=price), headers=headers),
            client.post("/v1/orders", json=manual(free[1], limit_price=price + 1), headers=headers),
            client.post(f"/v1/orders/{resting.intent.intent_id}/cancel", json={"why": "늦음"}, headers=headers),
        ]
        assert [answer.status_code for answer in wanted] == [202, 202, 202]
        names = [answer.json()["command_id"] for answer in wanted]
        assert {row["state"] for row in client.get("/v1/safety", headers=headers).json()["pending"]} == {"waiting"}
        before = sum(isinstance(c, Submit) for c in running.day.commands)
        running.look()
        rows = {row["command_id"]: row for row in client.get("/v1/safety", headers=headers).json()["pending"]}
        assert [rows[name]["state"] for name in names] == ["taken", "refused", "taken"]
        assert rows[names[1]]["detail"] == "the guards refused it"
        assert sum(isinstance(c, Submit) for c in running.day.commands) == before + 1
        orders = {row["intent_id"]: row for row in client.get("/v1/orders", headers=headers).json()["rows"]}
        assert orders[rows[names[0]]["detail"]]["symbol"] == free[0]
        assert orders[resting.intent.intent_id]["status"] == "canceled"
        client.post("/v1/operator", json=HALT, headers=headers)
        running.look()
        safety = client.get("/v1/safety", headers=headers).json()
        assert (safety["operator"], safety["pending"][-1]["state"]) == ("halt", "taken")
        again = client.post(f"/v1/orders/{resting.intent.intent_id}/cancel", json={"why": "again"}, headers=headers)
        assert (again.status_code, again.json()["code"]) == (409, "rule.refused")


def test_a_model_takes_charge_only_by_the_code_of_its_evidence(client: TestClient, bearer: Bearer) -> None:
    admin = bearer(Role.ADMIN)
    evidence = schemas.ModelEvidence.model_validate(client.get(f"/v1/models/{EARLIER}/evidence", headers=admin).json())
    assert (evidence.champion, evidence.champion_metrics) == (LATEST, {"score": 0.1})
    body = {"state": "champion", "code": "00000000", "why": "근거 확인"}
    refused = client.post(f"/v1/models/{EARLIER}/state", json=body, headers=admin)
    assert (refused.status_code, refused.json()["code"]) == (409, "model.refused")
    answer = client.post(f"/v1/models/{EARLIER}/state", json={**body, "code": evidence.code}, headers=admin)
    promoted = schemas.Promoted.model_validate(answer.json())
    assert (promoted.model.state, promoted.retired) == ("champion", LATEST)
    stale = client.post(f"/v1/models/{EARLIER}/state", json={**body, "code": evidence.code}, headers=admin)
    assert stale.status_code == 409
    history = client.get("/v1/models", headers=admin).json()["history"]
    assert history[-1]["why"].startswith("근거 확인 (admin (t-")


def test_a_rollback_brings_back_the_one_before(client: TestClient, bearer: Bearer) -> None:
    admin = bearer(Role.ADMIN)
    evidence = client.get("/v1/rollback/policy", headers=admin).json()
    assert evidence["model_id"] == EARLIER
    body = {"kind": "policy", "code": evidence["code"], "why": "성과 저하"}
    answer = client.post("/v1/rollback", json=body, headers=admin)
    assert (answer.json()["model"]["model_id"], answer.json()["retired"]) == (EARLIER, LATEST)


def test_wishes_are_one_json_line_each(client: TestClient, bearer: Bearer, folder: Path) -> None:
    for _ in range(2):
        client.post("/v1/operator", json=HALT, headers=bearer(Role.ADMIN))
    lines = (folder / "operator.jsonl").read_text().splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["halt", "halt"]
