"""What must hold whatever goes wrong: I1 to I14, each a function over what was seen of a drill.

Here: ``INVARIANTS`` and ``judge``. A function returns how many things it looked at and what is wrong with them. Not
here: what was seen (``drill``), the fold of the journal (``folding``).
"""
# long: fourteen laws side by side, each a few lines; apart they could not be compared.

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from haetae.domain.errors import HaetaeError, Text
from haetae.domain.events import Note, OperatorState
from haetae.domain.market import Phase
from haetae.domain.orders import OrderStatus, Side
from haetae.domain.units import NS_PER_SECOND, Instant, kst_text
from haetae.kis.limits import TOKEN_INTERVAL_S, calls_per_second
from haetae.wiring.drills.folding import Folded, Sending, fold
from haetae.wiring.drills.owner import own_rows

if TYPE_CHECKING:
    from haetae.wiring.drills.drill import Evidence

_PPM = 1_000_000
_CHANGES = 150
"""Changes of orders in a minute: fifty orders taken back, asked for again and once more."""
_LEAVING_NS = NS_PER_SECOND // 10
"""The last order message leaves this long after a person's word at most: one whose connection was being opened."""
_MINUTE = 60 * NS_PER_SECOND
_ESCAPE_S, _ESCAPE_FAULT_S, _ESCAPE_TOKEN_S = 2.0, 5.0, 30.0
"""An escape is answered so soon: as a rule, behind one fault of the line, through the loss of a token."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one invariant looked at, and what is wrong."""

    looked: int
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Invariant:
    """One law: its name, its words, how it is judged."""

    id: str
    words: Text
    judge: Callable[[Evidence, Folded], Finding]


@dataclass(frozen=True, slots=True)
class Violation:
    """A law that did not hold."""

    invariant: str
    what: str


def judge(evidence: Evidence) -> tuple[dict[str, int], list[Violation]]:
    """Return how many things each invariant looked at, and every violation."""
    texts = {entry.seq: entry.text for entry in evidence.journal.raw()}
    folded = fold(evidence.entries, texts, evidence.initial, evidence.rules)
    counts: dict[str, int] = {}
    violations: list[Violation] = []
    for one in INVARIANTS:
        found = one.judge(evidence, folded)
        counts[one.id] = found.looked
        violations += [Violation(one.id, what) for what in found.wrong]
    return counts, violations


# ------------------------------------------------------------------ what belongs to whom


def _is_settled(evidence: Evidence) -> bool:
    """Whether the desk ended its day in order: what it knows then is what it will ever know."""
    return bool(evidence.reports) and not evidence.latched


# ------------------------------------------------------------------ the laws


def fills_are_the_brokers(evidence: Evidence, folded: Folded) -> Finding:
    """I1: the fills we booked are those of the broker's ledger, per order and in total.

    That holds of orders that were a person's matter too: the owner says within minutes which row was ours. Of an order
    that only the session's end gave up nobody is asked any more, and it is looked at like every other: nothing is
    booked of it, so the broker must have executed nothing of it, or the law is broken.
    """
    if not _is_settled(evidence):
        return Finding(0)
    wrong = []
    rows = own_rows(evidence.account, evidence.seen.orders, evidence.drill.ground.day)
    orders = folded.desk.blotter.orders
    for intent_id, own in rows.items():
        order = orders.get(intent_id)
        theirs = (sum(row.filled for row in own), sum(row.amount for row in own))
        ours = (order.filled, order.amount) if order is not None else (0, 0)
        if ours != theirs and not _is_told(evidence, intent_id, order):
            wrong.append(
                f"{intent_id}: booked {ours[0]} sh for {ours[1]} won, the broker has {theirs[0]} for {theirs[1]}"
            )
    known = set(rows)
    for intent_id, order in orders.items():
        if order.filled and intent_id not in known:
            wrong.append(f"{intent_id}: booked {order.filled} sh of an order that the broker never had")
    return Finding(len(rows) + 1, tuple(wrong))


def _is_told(evidence: Evidence, intent_id: str, order: object) -> bool:
    """Whether a person knows that this order's end is open."""
    status = getattr(order, "status", None)
    return status is OrderStatus.UNKNOWN and intent_id in _notes_of(evidence, "order.became_unknown")


def _notes_of(evidence: Evidence, kind: str) -> set[str]:
    return {
        str(record.data.get("intent_id"))
        for _, _, _, record in evidence.entries
        if isinstance(record, Note) and record.kind == kind
    }


def one_order_an_intent(evidence: Evidence, folded: Folded) -> Finding:
    """I2: at most one order at the broker for an intent, sent by one process, and none without an intent.

    Who was replaced sends nothing from that moment on, and ends.
    """
    sent = [one for one in evidence.seen.orders if not one.change]
    wrong = [f"an order of {one.symbol} at {kst_text(one.at)} without an intent" for one in sent if not one.intent_id]
    taken = Counter(one.intent_id for one in sent if one.number)
    wrong += [f"{name}: {count} orders at the broker" for name, count in taken.items() if count > 1 and name]
    epochs: dict[str, set[int]] = defaultdict(set)
    for one in sent:
        epochs[one.intent_id].add(one.epoch)
    wrong += [f"{name}: sent by processes {sorted(of)}" for name, of in epochs.items() if len(of) > 1]
    for old in evidence.replaced:
        late = [one for one in sent if one.epoch == old.epoch and one.left > old.at]
        wrong += [f"{one.intent_id}: sent by process {old.epoch} after another had taken over" for one in late]
        if not old.ended:
            wrong.append(f"process {old.epoch} went on after another had taken over")
    cleared = {one.order.intent.intent_id: one.order for one in folded.sendings}
    for one in sent:
        order = cleared.get(one.intent_id)
        if one.intent_id and order is None:
            wrong.append(f"{one.intent_id}: sent, and not in the journal")
        elif order is not None and (one.symbol, one.quantity, one.side) != (
            order.intent.symbol, order.quantity, order.intent.side.value,
        ):  # fmt: skip
            wrong.append(f"{one.intent_id}: sent {one.side} {one.quantity} {one.symbol}, cleared {order.quantity}")
    return Finding(len(sent), tuple(wrong))


def nothing_below_zero(evidence: Evidence, folded: Folded) -> Finding:
    """I3: cash and holdings are never negative, and both books balance to the won."""
    account = evidence.account
    wrong = [f"the broker's cash fell to {line.cash_after}" for line in account.executions if line.cash_after < 0]
    wrong += [f"the broker holds {line.held} {line.symbol}" for line in account.executions if line.held < 0]
    if not account.balanced:
        wrong.append("the broker's ledger does not balance")
    if folded.lowest_cash < 0:
        wrong.append(f"our cash fell to {folded.lowest_cash}")
    wrong += folded.unbalanced
    return Finding(len(account.executions) + folded.steps, tuple(wrong))


_TRADING = frozenset({Phase.OPENING_AUCTION, Phase.CONTINUOUS, Phase.CLOSING_AUCTION})


def only_in_session(evidence: Evidence, folded: Folded) -> Finding:
    """I4: no order reaches the ledger outside its session, none is sent for a name known to be halted."""
    rules = evidence.rules
    taken = [one for one in evidence.seen.orders if not one.change and one.number]
    wrong = [
        f"{one.intent_id}: {one.side} {one.symbol} taken at {kst_text(one.at)}, {rules.phase_at(one.at).value}"
        for one in taken
        if rules.phase_at(one.at) not in _TRADING
    ]
    for sending in folded.sendings:
        intent = sending.order.intent
        if intent.symbol in sending.before.halted:
            wrong.append(f"{intent.intent_id}: {intent.symbol} is halted")
    return Finding(len(taken) + len(folded.sendings), tuple(wrong))


def within_limits(evidence: Evidence, folded: Folded) -> Finding:
    """I5: order, position, gross and rate stay within the limits, open and unknown orders counted as filled."""
    wrong: list[str] = []
    limits = evidence.drill.desk.limits
    times: list[Instant] = []
    steps: dict[int, list[Sending]] = defaultdict(list)
    for sending in folded.sendings:
        if not sending.order.intent.escape:
            times.append(sending.at)
        steps[sending.seq].append(sending)
    for at in times:
        recent = bisect_right(times, at) - bisect_right(times, at - _MINUTE)
        if recent > limits.orders_per_minute:
            wrong.append(f"{recent} orders in the minute before {kst_text(at)}")
    if len(times) > limits.orders_per_day:
        wrong.append(f"{len(times)} orders in the day")
    for group in steps.values():
        wrong += _too_much(group, limits)
    return Finding(len(folded.sendings), tuple(dict.fromkeys(wrong)))


def _too_much(group: list[Sending], limits: object) -> list[str]:
    """Judge the buys that one step cleared, beside everything that was open before it."""
    before = group[0].before
    equity, wrong = before.equity, []
    exposure: dict[str, int] = defaultdict(int)
    for symbol, shares in before.held.items():
        exposure[symbol] += shares * before.price(symbol)
    for order in before.blotter.open_orders():
        if order.intent.side is Side.BUY:
            exposure[order.intent.symbol] += order.open_quantity * order.intent.limit_price
    for sending in group:
        intent, quantity = sending.order.intent, sending.order.quantity
        if intent.side is not Side.BUY:
            continue
        value = quantity * intent.limit_price
        exposure[intent.symbol] += value
        for what, amount, most in (
            ("order", value, getattr(limits, "max_order_ppm", _PPM)),
            ("position", exposure[intent.symbol], getattr(limits, "max_position_ppm", _PPM)),
            ("gross", sum(exposure.values()), getattr(limits, "max_gross_ppm", _PPM)),
        ):
            if amount * _PPM > most * equity + _PPM * intent.limit_price:
                wrong.append(f"{intent.intent_id}: {what} of {amount} won is more than {most} ppm of {equity}")
    return wrong


def escapes_are_answered(evidence: Evidence, folded: Folded) -> Finding:
    """I6: an escape order has an answer soon, or it was told why not."""
    escapes, answers = evidence.seen.escapes, evidence.seen.answers
    bound, wrong = _escape_bound(evidence), []
    for name, at in escapes.items():
        ahead = sum(1 for other in escapes.values() if at - NS_PER_SECOND < other < at)
        if name not in answers:
            if _is_settled(evidence):
                wrong.append(f"{name}: no answer at all")
            continue
        late = (answers[name] - at) / NS_PER_SECOND
        if late > bound * (1 + ahead):
            wrong.append(f"{name}: answered after {late:.1f} s, {ahead} ahead of it")
    return Finding(len(escapes), tuple(wrong))


def _escape_bound(evidence: Evidence) -> float:
    ids = set(evidence.drill.plan.ids)
    if ids & {"B16", "B17", "B18", "B19"}:
        return _ESCAPE_TOKEN_S
    if any(one.startswith(("P", "C", "S")) for one in ids):
        return _ESCAPE_TOKEN_S + 60.0
    return _ESCAPE_FAULT_S * 2 if ids else _ESCAPE_S


def nothing_is_torn(evidence: Evidence, folded: Folded) -> Finding:
    """I7: what was acknowledged is there, whole, in an unbroken chain."""
    try:
        count = evidence.journal.verify()
    except HaetaeError as fault:
        return Finding(len(evidence.entries), (f"{fault} ({fault.found})",))
    if count != len(evidence.entries):
        return Finding(count, (f"{count} entries in the chain, {len(evidence.entries)} read",))
    return Finding(count)


def no_secret_is_told(evidence: Evidence, folded: Folded) -> Finding:
    """I8: no key, secret, token or account number in logs, journal, failures or trace."""
    texts = [*evidence.logs, *evidence.failures, *evidence.trace.lines()]
    texts += [entry.text for entry in evidence.journal.raw()]
    whole = "\n".join(texts)
    wrong = [f"…{secret[-4:]} is told" for secret in evidence.secrets if secret and secret in whole]
    return Finding(len(texts), tuple(wrong))


_FROM: dict[OrderStatus, frozenset[str]] = {
    OrderStatus.NEW: frozenset({"sending", "denied"}),
    OrderStatus.SENDING: frozenset(
        {"working", "unknown", "refused", "rejected", "filled", "canceled", "expired", "cancel_pending"}
    ),
    OrderStatus.UNKNOWN: frozenset(  # one step may find an order and take it back at once
        {"working", "refused", "rejected", "filled", "canceled", "expired", "absent", "stuck", "cancel_pending"}
    ),
    OrderStatus.WORKING: frozenset({"cancel_pending", "filled", "canceled", "expired", "rejected"}),
    OrderStatus.CANCEL_PENDING: frozenset({"working", "filled", "canceled", "expired", "rejected"}),
}
_LATE = frozenset({"late_fill"})


def orders_move_legally(evidence: Evidence, folded: Folded) -> Finding:
    """I9: an order's states follow the table, an end is final, what has filled never becomes less."""
    wrong = []
    for move in folded.moves:
        before, after = move.before, move.after
        if before is None:
            continue
        name = after.intent.intent_id
        if after.filled < before.filled:
            wrong.append(f"{name}: {before.filled} sh had filled, then {after.filled}")
        if before.status is after.status:
            continue
        if before.status.terminal and after.status.value not in _LATE:
            wrong.append(f"{name}: {before.status.value} is final, then {after.status.value}")
        elif before.status in _FROM and after.status.value not in _FROM[before.status] | _KNOWN_LATER:
            wrong.append(f"{name}: from {before.status.value} to {after.status.value}")
    return Finding(len(folded.moves), tuple(wrong))


_KNOWN_LATER = frozenset({"partial", "guarded", "late_fill", "stuck"})


def replay_is_the_same(evidence: Evidence, folded: Folded) -> Finding:
    """I10: folding the journal gives the same commands and the same desk."""
    wrong = folded.differing[:5]
    live = evidence.desk
    if live is not None and folded.opened:
        for name in ("book", "blotter", "operator", "leave", "halted", "excess"):
            if getattr(live, name) != getattr(folded.desk, name):
                wrong.append(f"the desk's {name} is not what its journal folds to")
    return Finding(folded.steps, tuple(wrong))


def every_order_ends(evidence: Evidence, folded: Folded) -> Finding:
    """I11: every order has ended, or a person was told that its end is open."""
    orders = folded.desk.blotter.orders
    if not _is_settled(evidence):
        return Finding(0)
    told = _notes_of(evidence, "order.became_unknown") | _notes_of(evidence, "order.became_stuck")
    wrong = [
        f"{name}: still {order.status.value}"
        for name, order in orders.items()
        if not order.status.terminal and not (order.status.value in ("unknown", "stuck") and name in told)
    ]
    return Finding(len(orders), tuple(wrong))


def a_halt_holds(evidence: Evidence, folded: Folded) -> Finding:
    """I12: after a person's word no order leaves that it forbids: none at all, or none that buys.

    The word counts from the moment it was given, for the process that lives and for every later one.
    """
    words = [(at, OperatorState(act.text)) for at, act in evidence.acts if act.kind == "operator"]
    wrong = []
    looked = 0
    for one in evidence.seen.orders:
        if one.change or not words:
            continue
        said = [state for at, state in words if at + _LEAVING_NS < one.left]
        if not said:
            continue
        looked += 1
        forbidden = said[-1] is OperatorState.HALT or (said[-1] is OperatorState.REDUCE_ONLY and one.side == "buy")
        if forbidden:
            wrong.append(
                f"{one.intent_id}: {one.side} {one.symbol} left at {kst_text(one.left)} under {said[-1].value}"
            )
    return Finding(looked, tuple(wrong))


def _most_within(times: list[Instant], span: int) -> int:
    """Return how many of some ascending instants lie within one span at most."""
    first = most = 0
    for place, at in enumerate(times):
        while at - times[first] >= span:
            first += 1
        most = max(most, place - first + 1)
    return most


def the_pace_is_kept(evidence: Evidence, folded: Folded) -> Finding:
    """I13: never more calls in a second than the broker allows, never two token calls within a minute, no storms."""
    calls = sorted(evidence.seen.calls)
    allowed = calls_per_second(evidence.settings.mode, evidence.drill.ground.day)
    wrong = []
    most = _most_within(calls, NS_PER_SECOND)
    if most > allowed:
        wrong.append(f"{most} calls in a second, {allowed} are allowed")
    changes = _most_within([one.at for one in evidence.seen.orders if one.change], _MINUTE)
    if changes > _CHANGES:
        wrong.append(f"{changes} changes of orders in a minute: a storm")
    tokens = sorted(evidence.seen.tokens)
    for one, other in pairwise(tokens):
        if other - one < TOKEN_INTERVAL_S * NS_PER_SECOND:
            wrong.append(f"two token calls within {(other - one) / NS_PER_SECOND:.1f} s")
    return Finding(len(calls) + len(tokens), tuple(wrong))


def decisions_are_explained(evidence: Evidence, folded: Folded) -> Finding:
    """I14: every order follows from a decision in the journal, or from a person, or from the escape."""
    known: dict[str, int] = {}
    for seq, _, _, record in evidence.entries:
        if isinstance(record, Note):
            name = str(record.data.get("decision_id", ""))
            if record.kind == "decision.made":
                known.setdefault(name, seq)
        elif hasattr(record, "request_id"):
            known.setdefault(str(record.request_id), seq)
    wrong = []
    for one in folded.sendings:
        intent = one.order.intent
        if (
            intent.escape
            or intent.decision_id in known
            or any(intent.decision_id.endswith(name) for name in known if name)
        ):
            continue
        wrong.append(f"{intent.intent_id}: no decision {intent.decision_id}")
    wrong += [
        f"{one.order.intent.intent_id}: no guard looked at it" for one in folded.sendings if not one.order.guard_codes
    ]
    return Finding(len(folded.sendings), tuple(wrong))


def _law(id: str, ko: str, en: str, judged: Callable[[Evidence, Folded], Finding]) -> Invariant:  # noqa: A002
    return Invariant(id, Text(ko=ko, en=en), judged)


INVARIANTS = (
    _law(
        "I1", "기록한 체결 = 증권사 원장의 체결 (주문별·전체)",
        "fills booked = fills of the broker's ledger, per order and in total", fills_are_the_brokers,
    ),
    _law(
        "I2", "의도 하나에 증권사 주문은 많아야 하나, 기록 없는 주문은 없음",
        "at most one broker order an intent, none that is not journalled", one_order_an_intent,
    ),
    _law(
        "I3", "현금·잔고는 음수가 되지 않고 두 장부가 원 단위로 맞음",
        "cash and holdings never negative, both books balance to the won", nothing_below_zero,
    ),
    _law(
        "I4", "장 밖의 주문, 정지 종목의 주문은 없음",
        "no order outside its session, none for a halted name", only_in_session,
    ),
    _law(
        "I5", "미체결·미확인을 체결로 보아도 한도 안",
        "within every limit, open and unknown orders counted as filled", within_limits,
    ),
    _law(
        "I6", "탈출 주문은 제때 답을 받거나 이유를 알림",
        "an escape is answered in time, or it is told why not", escapes_are_answered,
    ),
    _law(
        "I7", "찢긴 기록은 없음: 확인된 것은 온전한 사슬로 있음",
        "nothing torn: what was acknowledged stands in a whole chain", nothing_is_torn,
    ),
    _law(
        "I8", "비밀 값은 로그·일지·오류 어디에도 없음",
        "no secret in logs, journal or errors", no_secret_is_told,
    ),
    _law(
        "I9", "주문 상태는 표대로만, 끝은 끝, 누적 체결은 줄지 않음",
        "states follow the table, an end is final, fills never shrink", orders_move_legally,
    ),
    _law(
        "I10", "일지를 되살리면 같은 명령, 같은 데스크",
        "the journal folds to the same commands and the same desk", replay_is_the_same,
    ),
    _law(
        "I11", "모든 주문은 끝나거나 사람에게 알려짐",
        "every order ends, or a person was told", every_order_ends,
    ),
    _law(
        "I12", "정지 뒤에는 금지된 주문이 하나도 나가지 않음",
        "after a halt not one forbidden order leaves", a_halt_holds,
    ),
    _law(
        "I13", "호출 속도와 토큰 간격을 넘지 않음",
        "the broker's pace and token interval are kept", the_pace_is_kept,
    ),
    _law(
        "I14", "모든 주문은 일지의 결정으로 설명됨",
        "every order is explained by a decision in the journal", decisions_are_explained,
    ),
)  # fmt: skip
"""Every law, in the order of the table."""
