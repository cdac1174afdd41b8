"""The guards as a person reads them: every one with its limits, and one order explained guard by guard.

Here: what ``haetae guards`` shows; an order of a journal is explained by folding the day to the moment the guards
looked at it, a hypothetical one by the state the journal ends with. Not here: the guards (``guards``), words on a
screen (``cli``).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from haetae.desk import DeskState, event_at, reviewed, step, what_if
from haetae.domain.decisions import Allow, Deny, Reduce, Verdict
from haetae.domain.errors import ConfigError, DataError, Text
from haetae.domain.events import DeskEvent
from haetae.domain.orders import OrderIntent, OrderKind, Side
from haetae.domain.units import Instant, day_of, kst_text
from haetae.execution import intent_name
from haetae.guards import CEILINGS, FLOORS, GUARDS, Limits, Situation, Step, explain, review
from haetae.guards.finding import Cap
from haetae.journal import ChainedJournal
from haetae.krx import Rulebook
from haetae.live.recovery import COMMAND, EVENT, day_entries, opening_desk
from haetae.store.lake import Lake
from haetae.wiring.desks import DayPlan, Plan, desk_settings, initial_desk, opening_book, read_plan
from haetae.wiring.journal_places import begun, open_journal
from haetae.wiring.lessons import lessons_of

JOURNAL = "journal.db"
_FIELDS = frozenset({"symbol", "side", "quantity", "price", "escape"})


@dataclass(frozen=True, slots=True)
class Explained:
    """An order, the moment the guards looked at it, what each found, and the verdict."""

    intent: OrderIntent
    at: Instant
    steps: tuple[Step, ...]
    verdict: Verdict


def shown(limits: Limits) -> list[dict[str, Any]]:
    """Return every guard as JSON values, with the limits it compares with."""
    defaults = {item.name: item.default for item in fields(Limits)}

    def limit(name: str) -> dict[str, Any]:
        return {
            "name": name,
            "value": _plain(getattr(limits, name)),
            "default": _plain(defaults[name]),
            "ceiling": CEILINGS.get(name),
            "floor": FLOORS.get(name),
        }

    return [
        {
            "code": guard.code,
            "name": guard.name.ko,
            "name_en": guard.name.en,
            "protects": guard.protects.ko,
            "protects_en": guard.protects.en,
            "limits": [limit(name) for name in guard.limits],
            "inputs": list(guard.inputs),
            "escapes_pass_it_too": guard.escape,
            "source": guard.source,
            "remedy": guard.remedy.ko,
            "remedy_en": guard.remedy.en,
        }
        for guard in GUARDS
    ]


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


def record_of(found: Explained) -> dict[str, Any]:
    """Return an explanation as JSON values."""
    intent, verdict = found.intent, found.verdict
    word = {Allow: "allow", Reduce: "reduce", Deny: "deny"}[type(verdict)]
    return {
        "intent_id": intent.intent_id,
        "symbol": intent.symbol,
        "side": intent.side.value,
        "quantity": intent.quantity,
        "limit_price": intent.limit_price,
        "escape": intent.escape,
        "at": kst_text(found.at),
        "verdict": word,
        "left": left_of(found),
        "guards": [
            {
                "code": each.guard.code,
                "name": each.guard.name.ko,
                "name_en": each.guard.name.en,
                "result": result_of(each),
                "left": each.left,
                "message": each.finding.message if isinstance(each.finding, Cap) else each.finding,
                "compared": each.compared,
            }
            for each in found.steps
        ],
    }


def result_of(each: Step) -> str:
    """Return ``PASS``, ``CAP`` or ``REFUSE``."""
    if each.finding is None:
        return "PASS"
    return "CAP" if each.left > 0 else "REFUSE"


def left_of(found: Explained) -> int:
    """Return how many shares the guards leave."""
    match found.verdict:
        case Allow():
            return found.intent.quantity
        case Reduce(quantity=quantity):
            return quantity
        case _:
            return 0


def explain_past(folder: Path, intent_id: str) -> Explained:
    """Explain an order of a journal as the guards saw it; raises ``ConfigError`` where the journal has none."""
    plan = _plan_of(folder)
    with open_journal(folder / JOURNAL, read_only=True) as journal:
        quoted = f'"{intent_id}"'
        told = [at for _, at, _, text, _ in journal.raw(kind=COMMAND) if quoted in text]
        day = next((each for each in plan.days if told and each.day == day_of(told[0])), None)
        seen: tuple[OrderIntent, Situation, Limits] | None = None
        for state, event, rules in _folded(journal, plan, folder, day) if day is not None else ():
            for intent, now in reviewed(state, event, rules):
                if intent.intent_id == intent_id:  # a leg is looked at before the agent is asked, and again after
                    seen = intent, now, state.settings.limits
    if seen is None:
        raise ConfigError(
            Text(ko="그런 주문이 저널에 없습니다", en="the journal has no such order"),
            expected=Text(
                ko="저널의 의도 번호 또는 주문 파일", en="an intent id of the journal, or a file of an order"
            ),
            found=intent_id,
            next_step=Text(
                ko=f"haetae journal export {folder / JOURNAL} FILE 로 intent_id 를 찾으세요",
                en=f"find intent_id with haetae journal export {folder / JOURNAL} FILE",
            ),
        )
    return _explained(*seen)


def explain_if(folder: Path, order: Mapping[str, Any], at: str | None) -> Explained:
    """Explain an order nobody made, in the state the journal ends with or had at a time of its last day (``HH:MM``)."""
    plan = _plan_of(folder)
    until = _time_of(at) if at is not None else None
    with open_journal(folder / JOURNAL, read_only=True) as journal:
        begun = [day for day in plan.days if next(day_entries(journal, day.day), None) is not None]
        last: tuple[DeskState, Instant, Rulebook] | None = None
        for state, event, rules in _folded(journal, plan, folder, begun[-1]) if begun else ():
            moment = event_at(event)
            if until is not None and kst_text(moment)[11:16] > until:
                break
            last = step(state, event, rules)[0], moment, rules
    if last is None or last[0].session is None:
        raise DataError(
            Text(ko="저널에 그때까지의 하루가 없습니다", en="the journal holds no day up to then"),
            expected=Text(ko="시작된 거래일", en="a session that began"),
            found=at or "-",
            next_step="haetae trade paper",
        )
    state, moment, rules = last
    intent = _intent_of(order, rules, moment)
    return _explained(intent, what_if(state, intent, moment, rules), state.settings.limits)


def read_order(path: Path) -> dict[str, Any]:
    """Return the order a TOML or JSON file describes; raises ``ConfigError`` where it does not."""
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as fault:
        raise _no_order(str(fault)[:120]) from fault
    if not isinstance(found, dict) or found.keys() - _FIELDS:
        raise _no_order(", ".join(sorted(map(str, found))) if isinstance(found, dict) else type(found).__name__)
    return found


def _intent_of(order: Mapping[str, Any], rules: Rulebook, at: Instant) -> OrderIntent:
    try:
        side, quantity, price = Side(order["side"]), order["quantity"], order["price"]
        if type(quantity) is not int or type(price) is not int:
            raise TypeError(f"quantity {quantity!r}, price {price!r}")
        return OrderIntent(
            intent_id=intent_name("", rules.day, "WHAT-IF", str(order["symbol"]), side, str(at)),
            decision_id="WHAT-IF",
            symbol=str(order["symbol"]),
            side=side,
            quantity=quantity,
            kind=OrderKind.LIMIT,
            limit_price=price,
            at=at,
            escape=bool(order.get("escape", False)),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise _no_order(f"{type(fault).__name__}: {fault}") from fault


def _no_order(found: str) -> ConfigError:
    return ConfigError(
        Text(ko="주문으로 읽을 수 없습니다", en="this is no order"),
        expected='symbol = "005930", side = "buy" | "sell", quantity = 10, price = 71000, escape = false',
        found=found,
        next_step="haetae guards explain --symbol 005930 --side buy --quantity 10 --price 71000",
    )


def _explained(intent: OrderIntent, now: Situation, limits: Limits) -> Explained:
    return Explained(intent, now.at, explain(intent, now, limits), review(intent, now, limits))


def _time_of(text: str) -> str:
    hours, _, minutes = text.partition(":")
    if len(text) != 5 or not (hours + minutes).isdigit():
        raise ConfigError(
            Text(ko="시각이 아닙니다", en="not a time"), expected="HH:MM", found=text, next_step="--at 10:30"
        )
    return text


def _plan_of(folder: Path) -> Plan:
    if not begun(folder / JOURNAL):
        raise ConfigError(
            Text(ko="데스크의 저널이 없습니다", en="the desk has no journal"),
            expected=Text(ko=f"{JOURNAL} 이 있는 폴더", en=f"a folder with {JOURNAL}"),
            found=str(folder),
            next_step="--out data/demo",
        )
    return read_plan(folder / JOURNAL)


def _folded(
    journal: ChainedJournal, plan: Plan, folder: Path, day: DayPlan
) -> Iterator[tuple[DeskState, DeskEvent, Rulebook]]:
    """Yield a day's events, each with the state before it."""
    rules = Rulebook.on(day.day)
    settings = day.settings or desk_settings(plan.decision_minutes, plan.first_decision_minute)
    state = initial_desk(Lake(plan.lake), day, opening_book(plan), settings, lessons_of(journal, day.day))
    for number, (_, _, kind, record) in enumerate(day_entries(journal, day.day)):
        if number == 0:
            state = opening_desk(state, record)
        elif kind == EVENT:
            yield state, record, rules
            state, _ = step(state, record, rules)
