"""Each invariant fires: a clean session holds, and one thing spoilt in what was seen of it is found by its law."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from haetae.domain.events import Note, OperatorState
from haetae.domain.orders import Filled, OrderStatus, Side
from haetae.domain.units import NS_PER_SECOND
from haetae.wiring.drills.drill import Evidence, Replaced
from haetae.wiring.drills.folding import fold
from haetae.wiring.drills.invariants import INVARIANTS, judge
from haetae.wiring.drills.matrix import run_quiet, short_drill
from haetae.wiring.drills.plan import Act, Plan
from haetae.wiring.drills.rig import Rig


@pytest.fixture(scope="module")
def clean() -> Evidence:
    for seed in range(8):
        evidence = run_quiet(seed)
        bought = [one for one in evidence.seen.orders if one.number and one.side == "buy"]
        if bought and any(isinstance(entry[3], Filled) for entry in evidence.entries):
            return evidence
    raise AssertionError("no quiet session of eight buys anything")


def test_a_quiet_session_violates_nothing_and_every_law_looked(clean: Evidence) -> None:
    looked, violations = judge(clean)
    assert violations == []
    assert {name for name, count in looked.items() if not count} <= {"I6", "I12"}  # nothing escaped, nobody spoke


def spoil_fill(e: Evidence) -> Evidence:
    place = next(n for n, entry in enumerate(e.entries) if isinstance(entry[3], Filled))
    seq, at, kind, told = e.entries[place]
    less = replace(told, fill=replace(told.fill, amount=told.fill.amount - 1))
    return replace(e, entries=[*e.entries[:place], (seq, at, kind, less), *e.entries[place + 1 :]])


def double_order(e: Evidence) -> Evidence:
    one = next(one for one in e.seen.orders if one.number)
    return replace(e, seen=replace(e.seen, orders=[*e.seen.orders, replace(one, number=one.number)]))


def negative_cash(e: Evidence) -> Evidence:
    account = copy.copy(e.account)
    account.executions = [*account.executions, replace(account.executions[-1], cash_after=-1)]
    return replace(e, account=account)


def after_hours(e: Evidence) -> Evidence:
    at = e.rules.session.close_at + 3_600 * NS_PER_SECOND
    late = [replace(one, at=at) if one.number else one for one in e.seen.orders]
    return replace(e, seen=replace(e.seen, orders=late))


def tighter_limits(e: Evidence) -> Evidence:
    desk = e.drill.desk
    return replace(e, drill=replace(e.drill, desk=replace(desk, limits=replace(desk.limits, max_order_ppm=10))))


def slow_escape(e: Evidence) -> Evidence:
    at = e.entries[-1][1]
    return replace(e, seen=replace(e.seen, escapes={"X": at}, answers={"X": at + 11 * NS_PER_SECOND}))


def torn_journal(e: Evidence) -> Evidence:
    journal = copy.deepcopy(e.journal)
    del journal.disk.entries[3]
    return replace(e, journal=journal)


def told_secret(e: Evidence) -> Evidence:
    return replace(e, logs=[*e.logs, f"info {e.settings.app_secret.reveal()}"])


def other_desk(e: Evidence) -> Evidence:
    assert e.desk is not None
    return replace(e, desk=replace(e.desk, book=replace(e.desk.book, cash=e.desk.book.cash + 1)))


def open_order(e: Evidence) -> Evidence:
    """The journal ends before the last order's answer came."""
    last = max(n for n, entry in enumerate(e.entries) if type(entry[3]).__name__ == "Submit")
    return replace(e, entries=e.entries[: last + 1], desk=None)


def bought_in_a_halt(e: Evidence) -> Evidence:
    one = next(one for one in e.seen.orders if one.side == "buy")
    act = Act(one.left - NS_PER_SECOND, "O03", "operator", text=OperatorState.HALT.value)
    return replace(e, acts=[(act.at, act)])


def sent_after_a_takeover(e: Evidence) -> Evidence:
    one = next(one for one in e.seen.orders if one.number)
    return replace(e, replaced=[Replaced(one.epoch, one.left - 1, ended=True)])


def went_on_after_a_takeover(e: Evidence) -> Evidence:
    return replace(e, replaced=[Replaced(9, e.entries[-1][1], ended=False)])


def burst(e: Evidence) -> Evidence:
    at = e.seen.calls[-1]
    return replace(e, seen=replace(e.seen, calls=[*e.seen.calls, *[at + n for n in range(40)]]))


def storm(e: Evidence) -> Evidence:
    one = next(one for one in e.seen.orders if one.number)
    changes = [replace(one, change="02", at=one.at + n * NS_PER_SECOND // 4) for n in range(240)]
    return replace(e, seen=replace(e.seen, orders=[*e.seen.orders, *changes]))


def tokens(e: Evidence) -> Evidence:
    at = e.seen.tokens[-1]
    return replace(e, seen=replace(e.seen, tokens=[*e.seen.tokens, at + 30 * NS_PER_SECOND]))


def no_decision(e: Evidence) -> Evidence:
    kept = [x for x in e.entries if not (isinstance(x[3], Note) and x[3].kind == "decision.made")]
    return replace(e, entries=kept)


@pytest.mark.parametrize(
    ("law", "spoil"),
    [
        ("I1", spoil_fill), ("I2", double_order), ("I2", sent_after_a_takeover), ("I2", went_on_after_a_takeover),
        ("I3", negative_cash), ("I4", after_hours), ("I5", tighter_limits), ("I6", slow_escape), ("I7", torn_journal),
        ("I8", told_secret), ("I10", other_desk), ("I11", open_order), ("I12", bought_in_a_halt), ("I13", burst),
        ("I13", tokens), ("I13", storm), ("I14", no_decision),
    ],
)  # fmt: skip
def test_what_is_spoilt_is_found(clean: Evidence, law: str, spoil: Callable[[Evidence], Evidence]) -> None:
    found = {violation.invariant for violation in judge(spoil(clean))[1]}
    assert law in found


def test_an_end_that_is_not_final_is_found(clean: Evidence) -> None:
    law = next(one for one in INVARIANTS if one.id == "I9")
    texts = {entry.seq: entry.text for entry in clean.journal.raw()}
    folded = fold(clean.entries, texts, clean.initial, clean.rules)
    ended = next(move for move in folded.moves if move.before is not None and move.after.status.terminal)
    assert not law.judge(clean, folded).wrong
    folded.moves.append(replace(ended, before=ended.after, after=ended.before))
    assert any("is final" in what for what in law.judge(clean, folded).wrong)
    folded.moves[-1] = replace(ended, before=ended.after, after=replace(ended.after, filled=ended.after.filled - 1))
    assert any("had filled" in what for what in law.judge(clean, folded).wrong)


def test_an_order_may_be_found_and_taken_back_in_one_step_but_not_before_it_was_sent(clean: Evidence) -> None:
    law = next(one for one in INVARIANTS if one.id == "I9")
    texts = {entry.seq: entry.text for entry in clean.journal.raw()}
    folded = fold(clean.entries, texts, clean.initial, clean.rules)
    move = next(move for move in folded.moves if move.before is not None)
    after = replace(move.after, status=OrderStatus.CANCEL_PENDING)
    for status, wrong in ((OrderStatus.UNKNOWN, False), (OrderStatus.NEW, True)):
        folded.moves[:] = [replace(move, before=replace(after, status=status), after=after)]
        assert bool(law.judge(clean, folded).wrong) is wrong


def test_a_fill_that_the_broker_never_made_is_found(clean: Evidence) -> None:
    account = copy.copy(clean.account)
    account.rows = [copy.copy(row) for row in account.rows]
    for row in account.rows:
        if row.filled and row.side is Side.BUY:
            row.filled -= 1
            break
    account._known = {(row.day, row.number): row for row in account.rows}
    assert "I1" in {violation.invariant for violation in judge(replace(clean, account=account))[1]}


def test_the_same_seed_gives_the_same_trace_and_another_seed_another() -> None:
    first, again, other = (Rig(short_drill("T12", seed)).run().trace.digest() for seed in (3, 3, 4))
    assert first == again != other


def test_another_process_with_other_hashes_and_another_time_zone_gives_the_same_trace() -> None:
    program = (
        "from haetae.wiring.drills.matrix import short_drill; from haetae.wiring.drills.rig import Rig; "
        "print(Rig(short_drill('T15', 2)).run().trace.digest())"
    )
    env = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "America/New_York", "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == Rig(short_drill("T15", 2)).run().trace.digest()


def test_a_desk_that_slept_over_its_lease_ends_and_the_next_one_trades() -> None:
    quiet = short_drill("", 1)
    act = Act(quiet.start + 7 * 60 * NS_PER_SECOND, "P05", "takeover", 60)
    evidence = Rig(replace(quiet, plan=Plan(("P05",), acts=(act,)))).run()
    (old,) = evidence.replaced
    assert (old.epoch, old.ended) == (1, True)
    assert {one.epoch for one in evidence.seen.orders if one.left > old.at} == {2}
    assert judge(evidence)[1] == []


def test_a_word_that_nobody_heard_is_followed_by_the_next_desk() -> None:
    quiet = short_drill("", 1)
    at = quiet.start + 7 * 60 * NS_PER_SECOND
    acts = (Act(at, "P01", "kill"), Act(at + NS_PER_SECOND, "O03", "operator", text=OperatorState.HALT.value))
    evidence = Rig(replace(quiet, plan=Plan(("P01", "O03"), acts=acts))).run()
    assert len(evidence.lives) == 2
    assert [one for one in evidence.seen.orders if one.left < at]
    assert not [one for one in evidence.seen.orders if one.left > at and not one.change]
    assert evidence.desk is not None and evidence.desk.operator is OperatorState.HALT
