"""What the desk tells its guards: vitals, losses of week and peak, flags of the day, shortfalls of a reading."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest

from haetae import agent
from haetae.desk import open_desk, step
from haetae.domain import codec
from haetae.domain.decisions import AgentReply
from haetae.domain.events import (
    AccountSnapshot,
    Cancel,
    Mandate,
    ManualOrder,
    Note,
    SessionStart,
    SetTimer,
    Submit,
    TrackRecord,
    Vitals,
)  # fmt: skip
from haetae.domain.market import HaltChange
from haetae.domain.orders import Side
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.krx import Rulebook
from haetae.ledger import open_book
from rigs.desk_day import CASH, DAY, DeskDay, codes, loose, minutes, open_day, session_start

SYMBOLS = codes(12)
START = replace(
    session_start(SYMBOLS),
    universe=frozenset(SYMBOLS),
    previous_closes=dict.fromkeys(SYMBOLS, 50_000),
    decider=agent.DECIDER,
)
PLAY = Mandate(live=False, build=False, account="a", host="127.0.0.1", tr_prefix="V")


def vitals(at: int, **changes) -> Vitals:
    values = {
        "at": at, "mandate": PLAY, "skew_ms": 10, "lease_epoch": 1, "journal_ok": True, "budget_used_ppm": 0,
        "error_ppm": 0, "token_left_s": 50_000,
    }  # fmt: skip
    return Vitals(**{**values, **changes})


def begun(**limits) -> DeskDay:
    """A desk on the morning of a trading day, the account read."""
    day = open_day(SYMBOLS, settings=loose(**limits))
    day.feed(START, day.snapshot(START.at))
    return day


def notes(commands, kind: str) -> list[Note]:
    return [c for c in commands if isinstance(c, Note) and c.kind == kind]


def lived(day: DeskDay, count: int, *, healthy: bool = True, seed: int = 3, **shock) -> DeskDay:
    for piece in minutes(SYMBOLS, np.random.default_rng(seed), count=count, **shock):
        if healthy:
            day.feed(vitals(piece.end - NS_PER_SECOND))
        day.minute(piece)
    return day


def wish(at: int, side: Side = Side.BUY, symbol: str = SYMBOLS[0], price: int = 50_000) -> ManualOrder:
    return ManualOrder(at, f"R{at}-{side.value}", symbol, side, 10, price, "owner", "test")


def code_of(day: DeskDay, made: ManualOrder) -> str:
    """The guard that refused a person's order, empty where it went out."""
    _, commands = step(day.desk, made, day.rules)
    denied = notes(commands, "intent.denied")
    return denied[0].data["codes"][0] if denied else ""


def test_a_trading_day_sends_nothing_before_its_machinery_is_measured() -> None:
    blind = lived(begun(require_vitals=True), 8, healthy=False)
    assert not [c for c in blind.commands if isinstance(c, Submit)]
    assert {note.data["codes"][0] for note in notes(blind.commands, "intent.denied")} == {"G02"}
    seeing = lived(begun(require_vitals=True), 8)
    sent = [c.order for c in seeing.commands if isinstance(c, Submit)]
    assert sent
    told = {note.data["intent_id"]: note.data["inputs"] for note in notes(seeing.commands, "intent.cleared")}
    assert set(told) == {order.intent.intent_id for order in sent}
    inputs = told[sent[0].intent.intent_id]
    assert inputs["lease_epoch"] == 1 and inputs["pinned"] == agent.DECIDER and inputs["equity"] == CASH
    assert not notes(lived(begun(), 8, healthy=False).commands, "intent.cleared")


def test_vitals_that_are_old_or_ill_stop_entries_at_once() -> None:
    day = lived(begun(require_vitals=True), 6)
    at = day.desk.tape.price_at + 20 * NS_PER_SECOND
    symbol = next(s for s in SYMBOLS if s not in {o.intent.symbol for o in day.desk.blotter.orders.values()})
    made = wish(at, symbol=symbol, price=day.desk.tape.prices[symbol])
    assert code_of(day, made) == "G04"
    day.feed(vitals(at))
    assert code_of(day, made) == ""
    for changes, code in (({"error_ppm": 60_000}, "G28"), ({"journal_ok": False}, "G04"), ({"promoted": "x"}, "G03")):
        day.feed(vitals(at, **changes))
        assert code_of(day, made) == code


def test_the_account_is_read_twice_within_the_age_that_guards_allow() -> None:
    def apart(day: DeskDay) -> int:
        """Seconds from the newest reading to the planned one."""
        day.snapshots = False
        day.feed(day.snapshot(day.desk.tape.price_at + 300 * NS_PER_SECOND))
        (planned,) = [c for c in day.commands[-3:] if isinstance(c, SetTimer) and c.name == "reconcile"]
        return (planned.at - day.desk.account.snapshot_at) // NS_PER_SECOND

    age_s = begun().desk.settings.limits.reconcile_age_s
    assert apart(lived(begun(require_vitals=True), 6)) == age_s // 2
    assert apart(lived(begun(), 6)) == begun().desk.settings.reconcile_every_s


def test_a_denied_order_is_journalled_with_what_was_compared() -> None:
    day = lived(begun(), 6)
    _, commands = step(day.desk, wish(day.desk.tape.price_at, price=40_000), day.rules)
    (note,) = notes(commands, "intent.denied")
    (code,) = note.data["codes"]
    assert note.data["inputs"][code] and codec.encode(codec.decode(codec.encode(note))) == codec.encode(note)


def test_a_reduced_order_says_which_guard_took_shares_and_from_what_numbers() -> None:
    day = lived(begun(), 6)
    symbol = next(s for s in SYMBOLS if s not in {o.intent.symbol for o in day.desk.blotter.orders.values()})
    price = day.desk.tape.prices[symbol]
    made = replace(wish(day.desk.tape.price_at, symbol=symbol, price=price), quantity=500)
    _, commands = step(day.desk, made, day.rules)
    (note,) = notes(commands, "intent.reduced")
    assert set(note.data["inputs"]) >= {"G12"} and note.data["inputs"]["G12"]["equity"] == day.desk.equity
    assert [text[:3] for text in note.data["reasons"]] == list(note.data["inputs"])
    assert note.data["quantity"] == next(c.order.quantity for c in commands if isinstance(c, Submit))


def test_a_name_whose_text_tried_to_steer_is_not_bought_again_that_day() -> None:
    day = begun()

    def steered(brief, at):
        reply = json.loads(agent.answer(brief))
        if brief.leg.symbol == target[0]:
            reply |= {"action": "reject", "target_fraction": 0.0, "p_up": 0.1, "p_down": 0.9, "expected_return_bp": 0,
                      "stop_bp": 0, "risk_flags": ["injection_suspected"]}  # fmt: skip
        return AgentReply(brief.leg.leg_id, at, "model-x", json.dumps(reply))

    target = [SYMBOLS[11]]
    day.decider = steered
    lived(day, 6)
    assert [note.data["symbol"] for note in notes(day.commands, "symbol.tainted")] == target
    at = day.desk.tape.price_at
    assert code_of(day, wish(at, symbol=target[0], price=day.desk.tape.prices[target[0]])) == "G25"
    tomorrow = dt.date(2026, 11, 24)
    again, _ = step(day.desk, session_start(SYMBOLS, tomorrow), Rulebook.on(tomorrow))
    assert not again.day.tainted


def test_a_model_against_which_the_fixed_rules_are_sure_buys_nothing() -> None:
    def approving(brief, at):
        reply = json.loads(agent.answer(brief))
        reply |= {"action": "approve", "target_fraction": 1.0, "confidence": 0.9, "p_up": 0.9, "p_down": 0.1,
                  "expected_return_bp": 80, "stop_bp": -150, "rationale": "ok",
                  "evidence_ids": ["px:last", "policy:score"], "counter_evidence_ids": [],
                  "risk_flags": []}  # fmt: skip
        return AgentReply(brief.leg.leg_id, at, "model-x", json.dumps(reply))

    def fallen(decider) -> DeskDay:
        thin = replace(START, average_turnover=dict.fromkeys(SYMBOLS, 250_000_000))  # the rules find them illiquid
        day = open_day(SYMBOLS, settings=loose(turnover_share_ppm=10_000))
        day.decider = decider
        day.feed(thin, day.snapshot(START.at))
        return lived(day, 6)

    sure = fallen(approving)
    made = notes(sure.commands, "decision.made")
    assert any(note.data["status"] == "MODEL_APPROVE" and note.data["baseline"] == -0.9 for note in made)
    assert not [c for c in sure.commands if isinstance(c, Submit) and c.order.intent.side is Side.BUY]
    assert "G23" in {n.data["codes"][0] for n in notes(sure.commands, "intent.denied")}  # another model than the pinned
    assert agent.stance(next(iter(briefs(sure)))) == -0.9


def briefs(day: DeskDay):
    return [c.brief for c in day.commands if hasattr(c, "brief")]


def test_the_peak_and_the_week_are_folded_and_what_a_morning_brings_counts() -> None:
    monday, friday, next_monday = dt.date(2026, 11, 23), dt.date(2026, 11, 27), dt.date(2026, 11, 30)
    desk, _ = step(open_desk(loose(), open_book(CASH)), session_start(SYMBOLS, monday), Rulebook.on(monday))
    assert (desk.week_equity, desk.peak_equity) == (CASH, CASH)
    poorer = replace(desk, book=replace(desk.book, cash=CASH - 5_000_000))
    later, _ = step(poorer, session_start(SYMBOLS, friday), Rulebook.on(friday))
    assert (later.week_equity, later.peak_equity, later.day.opening_equity) == (CASH, CASH, CASH - 5_000_000)
    again, _ = step(poorer, session_start(SYMBOLS, next_monday), Rulebook.on(next_monday))
    assert (again.week_equity, again.peak_equity) == (CASH - 5_000_000, CASH)
    told = replace(session_start(SYMBOLS, friday), week_equity=CASH + 7, peak_equity=CASH + 9)
    known, _ = step(poorer, told, Rulebook.on(friday))
    assert (known.week_equity, known.peak_equity) == (CASH + 7, CASH + 9)


def test_the_permit_is_revoked_once_at_the_drawdown_limit() -> None:
    day = open_day(SYMBOLS, settings=loose())
    start = replace(START, peak_equity=CASH * 10 // 9)
    day.feed(start, day.snapshot(start.at))
    lived(day, 4)
    assert not notes(day.commands, "permit.revoked")
    day = open_day(SYMBOLS, settings=loose())
    start = replace(START, peak_equity=-(-CASH * 10 // 9) + 1)
    day.feed(start, day.snapshot(start.at))
    lived(day, 4)
    (note,) = notes(day.commands, "permit.revoked")
    assert note.data["peak_equity"] == start.peak_equity and not [c for c in day.commands if isinstance(c, Submit)]


def test_a_name_that_was_interrupted_rests_three_minutes_after_its_release() -> None:
    day = lived(begun(), 6)
    symbol = next(s for s in SYMBOLS if s not in {o.intent.symbol for o in day.desk.blotter.orders.values()})
    at, price = day.desk.tape.price_at, day.desk.tape.prices[symbol]
    day.feed(HaltChange(at, symbol, True, "vi"))
    assert code_of(day, wish(at, symbol=symbol, price=price)) == "G06"
    day.feed(HaltChange(at + 1, symbol, False, ""))
    assert code_of(day, wish(at + 60 * NS_PER_SECOND, symbol=symbol, price=price)) == "G06"
    assert dict(day.desk.day.resumed) == {symbol: at + 1}


def test_what_the_broker_shows_less_is_not_spent_and_not_sold() -> None:
    day = lived(begun(), 12)
    held = dict(day.desk.held)
    assert held
    symbol, count = next(iter(held.items()))
    honest = day.snapshot(day.desk.tape.price_at + 1)
    after, _ = step(day.desk, honest, day.rules)
    assert after.account.short_cash == 0 and not after.account.short_shares
    fewer = replace(honest, orderable=honest.orderable - 1_000_000, positions={**honest.positions, symbol: count - 1})
    after, _ = step(day.desk, fewer, day.rules)
    assert 0 < after.account.short_cash <= 1_000_000
    assert dict(after.account.short_shares) == {symbol: 1}
    none: AccountSnapshot = replace(honest, positions={})
    after, _ = step(day.desk, none, day.rules)
    assert dict(after.account.short_shares) == held


def test_cancels_are_counted_by_name_and_those_of_escapes_are_not() -> None:
    day = begun()
    lived(day, 45, shock=(40, 5, -0.06))
    escapes = {c.order.intent.intent_id for c in day.commands if isinstance(c, Submit) and c.order.intent.escape}
    cancels = [c.intent_id for c in day.commands if isinstance(c, Cancel)]
    entries = [name for name in cancels if name not in escapes]
    assert sum(day.desk.day.sent.changes.values()) == len(entries)
    assert escapes


def test_a_mornings_new_facts_survive_the_journal() -> None:
    told = replace(
        START,
        flags={SYMBOLS[0]: frozenset({"caution"})},
        unadjusted=frozenset({SYMBOLS[1]}),
        record=(TrackRecord(0.5, 3, 9), TrackRecord(0.65, 1, 2)),
    )
    again = codec.decode(codec.encode(told))
    assert isinstance(again, SessionStart) and again == told
    measured = vitals(1, price_gaps_bp={SYMBOLS[0]: 12})
    assert codec.decode(codec.encode(measured)) == measured


@pytest.mark.parametrize("at", [instant_at(DAY, 100_000)])
def test_the_fixed_rules_take_a_side_or_none(at: int) -> None:
    day = lived(begun(), 6)
    stances = [agent.stance(brief) for brief in briefs(day)]
    assert stances and all(-1.0 <= stance <= 1.0 for stance in stances)
    assert max(stances) > 0.5 and at > 0
