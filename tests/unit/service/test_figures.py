"""What the service tells is what the desk knows: to the won, while the journal grows, and in trouble."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from haetae.desk import DeskSettings, open_desk
from haetae.domain.events import Note
from haetae.guards import Limits
from haetae.journal import JournalDb
from haetae.ledger import open_book
from haetae.live.handover import RUN, handover_of
from haetae.live.recovery import opening_note
from haetae.service import schemas
from haetae.service.tokens import Role
from haetae.wiring.desks import DayPlan, Plan, plan_record
from haetae.wiring.records import write_json
from haetae.wiring.views import chronicle, days
from haetae.wiring.views.views import Absent, Views
from rigs.desk_day import DAY
from rigs.desk_folder import LATEST, SYMBOLS, Folder, journal_of, told

Bearer = Callable[[Role], dict[str, str]]


def asked(client: TestClient, bearer: Bearer, path: str) -> object:
    answer = client.get(path, headers=bearer(Role.VIEWER))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_days_figures_are_the_desks_own(client: TestClient, bearer: Bearer, made: Folder) -> None:
    today = schemas.Today.model_validate(asked(client, bearer, "/v1/today"))
    desk = made.day.desk
    assert (today.day, today.days, today.closed) == (DAY, [DAY], True)
    assert today.cash == desk.book.cash
    assert today.equity == desk.equity
    assert today.equity == today.cash + today.market_value
    assert (today.fees, today.taxes, today.realized) == (desk.book.fees, desk.book.taxes, desk.book.realized)
    assert today.profit == desk.equity - desk.day.opening_equity
    assert today.escape_level == desk.escape.level.name
    assert today.operator == "active"
    assert today.fear_greed is not None
    assert today.fear_greed.value == 55.0


def test_orders_and_executions_are_the_desks_own(client: TestClient, bearer: Bearer, made: Folder) -> None:
    orders = schemas.Orders.model_validate(asked(client, bearer, "/v1/orders")).rows
    fills = schemas.Fills.model_validate(asked(client, bearer, "/v1/fills")).rows
    sent = {name: o for name, o in made.day.desk.blotter.orders.items() if o.status.value != "denied"}
    assert {row.intent_id: (row.filled, row.status) for row in orders} == {
        name: (order.filled, order.status.value) for name, order in sent.items()
    }
    assert sum(row.fee for row in fills) == made.book.fees
    assert sum(row.tax for row in fills) == made.book.taxes
    assert sum(row.realized for row in fills) == made.book.realized
    assert any(row.escape for row in orders)


def test_holdings_add_up_to_equity(client: TestClient, bearer: Bearer, made: Folder) -> None:
    held = schemas.Positions.model_validate(asked(client, bearer, "/v1/positions"))
    assert held.cash + sum(row.value for row in held.rows) == held.equity
    assert {row.symbol: row.quantity for row in held.rows} == {
        symbol: p.quantity for symbol, p in made.book.positions.items() if p.quantity
    }


def test_a_decision_is_told_from_wish_to_outcome(client: TestClient, bearer: Bearer) -> None:
    decisions = schemas.Decisions.model_validate(asked(client, bearer, "/v1/decisions")).rows
    reviewed = schemas.Retrospect.model_validate(asked(client, bearer, "/v1/review")).reviews[0]
    chain = schemas.DecisionChain.model_validate(asked(client, bearer, f"/v1/decisions/{reviewed.decision_id}"))
    assert chain.review == reviewed
    assert chain.proposal is not None
    assert chain.proposal.proposal_id == chain.decision.proposal_id
    assert chain.reply is not None
    assert chain.reply.decider == chain.decision.decider
    assert not chain.decision.ai
    assert len(chain.evidence) >= 2
    assert chain.guards.verdict in ("allow", "reduce")
    assert "G01" in chain.guards.passed
    assert chain.order is not None
    assert [step.what for step in chain.steps][:2] == ["Submit", "Accepted"]
    denied = [row for row in decisions if row.denied_by]
    if denied:
        refused = schemas.DecisionChain.model_validate(asked(client, bearer, f"/v1/decisions/{denied[0].decision_id}"))
        assert refused.guards.verdict == "deny"
        assert refused.guards.reasons


def test_the_safety_page_tells_of_escape_and_operator(client: TestClient, bearer: Bearer, made: Folder) -> None:
    safety = schemas.Safety.model_validate(asked(client, bearer, "/v1/safety"))
    assert [row.state for row in safety.operator_log] == ["reduce_only", "active"]
    assert safety.escape_log[0].kind == "escape.raised"
    assert {row.code for row in safety.guards} >= {"G01", "G26", "G30"}
    today = schemas.Today.model_validate(asked(client, bearer, "/v1/today"))
    assert sum(row.denied for row in safety.guards) == sum(today.denied.values())


def test_a_difference_to_the_broker_is_open_until_it_is_told_of_again_or_settles() -> None:
    day = chronicle.DayStory(DAY, open_book(1), open_book(1))
    apart = {"what": "position", "symbol": SYMBOLS[0], "ours": 10, "theirs": 9}
    story = [
        ("reconcile.lagged", "lagging"),
        ("reconcile.differed", "unexplained"),
        ("reconcile.agreed", "unexplained"),
    ]
    seen = []
    for at, (kind, difference) in enumerate(story):
        chronicle._note(day, Note(at, kind, {**apart, "difference": difference}))
        row = days.safety_row(day, Limits(), lambda symbol: "name")
        told = [schemas.Difference.model_validate(each) for each in row["differences"]]
        seen.append(([each.state for each in told], len(day.differing)))
    assert seen == [(["open"], 0), (["passed", "open"], 1), (["passed", "passed", "settled"], 0)]
    assert (told[1].difference, told[1].ours, told[1].theirs, told[1].name) == ("unexplained", 10, 9, "name")


def test_the_market_pages_fit_their_schemas(client: TestClient, bearer: Bearer) -> None:
    universe = schemas.Universe.model_validate(asked(client, bearer, "/v1/universe"))
    assert [row.symbol for row in universe.members] == list(SYMBOLS)
    assert all(row.close > 0 for row in universe.members)
    fills = schemas.Fills.model_validate(asked(client, bearer, "/v1/fills")).rows
    candles = schemas.Candles.model_validate(asked(client, bearer, f"/v1/candles/{fills[0].symbol}"))
    assert candles.day == DAY
    assert len(candles.rows) == 60
    assert fills[0] in candles.fills
    daily = schemas.Candles.model_validate(asked(client, bearer, f"/v1/candles/{SYMBOLS[0]}?table=daily&limit=20"))
    assert len(daily.rows) == 20
    mood = schemas.MoodHistory.model_validate(asked(client, bearer, "/v1/fear-greed"))
    assert mood.rows == [] or all(0 <= row.value <= 100 for row in mood.rows)
    equity = schemas.Equity.model_validate(asked(client, bearer, "/v1/equity?every=1"))
    assert len(equity.points) == 60
    assert equity.points[-1].equity == equity.sessions[-1].closing_equity


def test_learning_and_models_fit_their_schemas(client: TestClient, bearer: Bearer) -> None:
    backtest = schemas.Backtest.model_validate(asked(client, bearer, "/v1/backtest"))
    assert backtest.report
    assert {row.name: row.baseline for row in backtest.rankers} == {"lightgbm": False, "momentum_20": True}
    models = schemas.Models.model_validate(asked(client, bearer, "/v1/models"))
    assert {row.model_id for row in models.rows if row.state == "champion"} == {LATEST}
    review = schemas.Retrospect.model_validate(asked(client, bearer, "/v1/review"))
    assert [lesson.state for lesson in review.lessons] == ["candidate"]
    report = client.get("/v1/report", headers=bearer(Role.VIEWER))
    assert report.headers["content-security-policy"] == "sandbox allow-scripts"


def test_a_growing_journal_is_folded_to_the_same_figures(made: Folder, tmp_path: Path) -> None:
    whole = journal_of(tmp_path / "whole.db", made.events, closed=False)
    assert whole.equity == made.day.desk.equity
    views, at = Views(tmp_path), made.events[0].at  # type: ignore[union-attr]
    desk = open_desk(whole.settings, open_book(100_000_000))
    with JournalDb(tmp_path / "journal.db") as journal:
        journal.append(RUN, [(at, opening_note(DAY, handover_of(desk), at))], durable=True)
        for number, event in enumerate(made.events):
            desk = told(journal, desk, event)
            if number % 40 == 0:
                journal.flush()
                assert views.today(None)["equity"] == desk.equity or desk.session is None
        journal.flush()
        assert views.today(None)["equity"] == whole.equity
        assert len(views.fills(None)["rows"]) == len(Views(made.path).fills(None)["rows"])


def test_a_journal_set_aside_is_not_shown_any_more(made: Folder, tmp_path: Path) -> None:
    journal_of(tmp_path / "journal.db", made.events)
    views = Views(tmp_path)
    assert views.today(None)["closed"]
    for part in tmp_path.glob("journal.db*"):
        part.rename(part.with_name(f"old-{part.name}"))
    journal_of(tmp_path / "journal.db", made.events[:5], closed=False)
    today = views.today(None)
    assert (today["closed"], today["orders"]) == (False, 0)


def test_the_limits_shown_are_those_of_the_days_plan(made: Folder, tmp_path: Path) -> None:
    journal_of(tmp_path / "journal.db", made.events)
    settings = DeskSettings(limits=Limits(new_names_per_day=3))
    plan = Plan(tmp_path / "lake", 1, 10, 5, (DayPlan(DAY, SYMBOLS, 1, settings),))
    assert Views(tmp_path).safety(None)["limits"]["new_names_per_day"] == Limits().new_names_per_day
    write_json(tmp_path / "journal.plan.json", plan_record(plan, tmp_path / "journal.db"))
    assert Views(tmp_path).safety(None)["limits"]["new_names_per_day"] == 3


def test_an_unknown_day_decision_or_symbol_is_not_found(client: TestClient, bearer: Bearer) -> None:
    for path in ("/v1/today?day=2020-01-02", "/v1/decisions/D-none", "/v1/candles/ZZZZZZ", "/v1/rollback/ranker"):
        answer = client.get(path, headers=bearer(Role.VIEWER))
        assert answer.status_code in (404, 409), path
        problem = schemas.Problem.model_validate(answer.json())
        assert problem.ko and problem.en


def test_an_empty_folder_is_degraded_and_says_so(tmp_path: Path) -> None:
    views = Views(tmp_path)
    assert views.health()["problems"]
    with pytest.raises(Absent):
        views.universe()
    assert views.mood(10) == {"now": None, "rows": []}
    assert views.backtest()["baselines"] == []


def test_a_damaged_journal_is_one_problem_and_the_rest_goes_on(
    client: TestClient, bearer: Bearer, folder: Path
) -> None:
    raw = bytearray((folder / "journal.db").read_bytes())
    raw[:4096] = b"\0" * 4096
    (folder / "journal.db").write_bytes(raw)
    for stray in folder.glob("journal.db-*"):
        stray.unlink()
    answer = client.get("/v1/today", headers=bearer(Role.VIEWER))
    assert answer.status_code == 503
    assert schemas.Problem.model_validate(answer.json()).code == "journal.unreadable"
    assert client.get("/v1/health").json()["status"] == "degraded"
    assert client.get("/v1/models", headers=bearer(Role.VIEWER)).status_code == 200


def test_torn_facts_are_one_problem(client: TestClient, bearer: Bearer, folder: Path) -> None:
    (folder / "facts.json").write_text('{"synth')
    answer = client.get("/v1/backtest", headers=bearer(Role.VIEWER))
    assert answer.status_code == 503
    assert schemas.Problem.model_validate(answer.json()).ko == "facts.json 를 읽을 수 없습니다"


def test_a_client_may_take_the_schemas_without_the_service() -> None:
    code = "import sys, haetae.service.schemas; print([m for m in ('fastapi', 'haetae.wiring') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_days_are_days_of_korea() -> None:
    row = schemas.Candle(
        at=dt.datetime.fromisoformat("2026-11-23T09:00:00+09:00"), open=1, high=1, low=1, close=1, volume=0
    )
    assert row.model_dump(mode="json")["at"] == "2026-11-23T09:00:00+09:00"
