"""``Views``: one door to everything a face may see of a folder; safe to call from several threads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from threading import RLock
from typing import Any

from haetae.domain.account import Book
from haetae.domain.errors import DataError, HaetaeError, JournalError, MarketRuleError, Text
from haetae.domain.events import CancelRequest, ManualOrder, OperatorState
from haetae.domain.learning import ModelState, TradeReview
from haetae.domain.orders import Side
from haetae.domain.units import Symbol
from haetae.guards import Limits
from haetae.ports import Clock
from haetae.registry.registry import Registry
from haetae.wiring import models, operators
from haetae.wiring.clocks import SystemClock
from haetae.wiring.desks import plan_path, read_plan
from haetae.wiring.views import days, files
from haetae.wiring.views.bars import Bars
from haetae.wiring.views.chronicle import Chronicle, DayStory
from haetae.wiring.views.days import Row, moment
from haetae.wiring.views.wishes import order_name, request_name, wishes_rows

JOURNAL = "journal.db"


class Absent(DataError):
    """What was asked for is not in the folder."""

    exit_code = 3


def _absent(ko: str, en: str, found: str) -> Absent:
    return Absent(
        Text(ko=ko, en=en),
        found=found[:120],
        next_step=Text(ko="목록에서 다시 고르세요", en="choose from the list again"),
    )


class Views:
    """The views of one folder: a demo's output, or a paper desk's state."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        """Take the folder, whose journal may appear later; the wall's clock stamps a person's wishes."""
        self.folder = folder
        self._clock = clock or SystemClock()
        self._lock = RLock()
        self._chronicle: Chronicle | None = None
        self._bars = Bars(folder / "lake")

    # -- what the journal tells --------------------------------------------------------------

    def _story(self) -> Chronicle:
        with self._lock:
            if self._chronicle is not None and self._chronicle.replaced:
                self._forget()
            if self._chronicle is None:
                self._chronicle = Chronicle(self.folder / JOURNAL)
            try:
                self._chronicle.refresh()
            except JournalError:
                self._forget()
                raise
            return self._chronicle

    def _forget(self) -> None:
        if self._chronicle is not None:
            self._chronicle.close()
        self._chronicle = None

    def _day(self, day: dt.date | None) -> DayStory:
        known = self._story().days
        if not known:
            raise _absent("아직 거래일이 없습니다", "there is no trading day yet", str(self.folder.name))
        chosen = max(known) if day is None else day
        if chosen not in known:
            raise _absent("일지에 없는 날입니다", "the journal has no such day", str(day))
        return known[chosen]

    def health(self) -> Row:
        """Return how far the journal is; problems instead of an exception."""
        try:
            story = self._story()
        except HaetaeError as fault:
            return {"journal_entries": 0, "last_at": None, "problems": [str(fault)]}
        return {
            "journal_entries": story.seq,
            "last_at": moment(story.last_at) if story.last_at else None,
            "problems": [],
        }

    def today(self, day: dt.date | None) -> Row:
        """Return a day's figures, the newest day's by default."""
        with self._lock:
            found = self._day(day)
            row = days.today_row(found, self._story().days)
            facts = self._facts()
            mood = {"value": found.session.fear_greed, "missing": []} if found.session is not None else None
            told = facts.get("fear_greed")
            if mood is not None and isinstance(told, dict):
                mood["missing"] = told.get("missing", [])
            return {**row, "fear_greed": files.mood_row(mood), "synthetic": facts.get("synthetic")}

    def positions(self, day: dt.date | None) -> Row:
        """Return what is held."""
        with self._lock:
            name = self._bars.naming()
            return days.positions_row(self._day(day), name)

    def orders(self, day: dt.date | None) -> Row:
        """Return a day's orders."""
        with self._lock:
            name = self._bars.naming()
            found = self._day(day)
            rows = [days.order_row(order, name) for order in found.orders.values()]
            return {"day": found.day.isoformat(), "rows": rows}

    def fills(self, day: dt.date | None) -> Row:
        """Return a day's executions."""
        with self._lock:
            name = self._bars.naming()
            found = self._day(day)
            rows = [days.fill_row(done, name) for done in found.executions]
            return {"day": found.day.isoformat(), "rows": rows}

    def signals(self, day: dt.date | None) -> Row:
        """Return a day's proposals."""
        with self._lock:
            name = self._bars.naming()
            found = self._day(day)
            rows = [days.proposal_row(found, proposal_id, name) for proposal_id in found.proposals]
            return {"day": found.day.isoformat(), "rows": rows}

    def decisions(self, day: dt.date | None, *, status: str | None, offset: int, limit: int) -> Row:
        """Return a day's decisions, of one status if given."""
        with self._lock:
            name = self._bars.naming()
            found = self._day(day)
            made = [n for n in found.decisions.values() if status is None or n.data["status"] == status]
            rows = [days.decision_row(found, note, name) for note in made[offset : offset + limit]]
            return {"day": found.day.isoformat(), "total": len(made), "rows": rows}

    def decision(self, decision_id: str) -> Row:
        """Return one decision with everything that led to it and followed."""
        with self._lock:
            name = self._bars.naming()
            story = self._story()
            for day in story.days.values():
                note = day.decisions.get(decision_id)
                if note is not None:
                    return days.chain_row(day, note, story.reviews.get(decision_id), name)
        raise _absent("그런 결정이 없습니다", "there is no such decision", decision_id)

    def safety(self, day: dt.date | None) -> Row:
        """Return guards, escape, differences, kill switch, and what waits in the inbox."""
        with self._lock:
            found = self._day(day)
            told = days.safety_row(found, self._limits(found.day), self._bars.naming())
            return {**told, "pending": wishes_rows(found, self.folder)}

    def _limits(self, day: dt.date) -> Limits:
        """Return the limits of a day as its plan tells them, the defaults where it tells none."""
        journal = self.folder / JOURNAL
        planned = read_plan(journal).days if plan_path(journal).exists() else ()
        settings = next((plan.settings for plan in planned if plan.day == day), None)
        return settings.limits if settings is not None else Limits()

    def retrospect(self, day: dt.date | None) -> Row:
        """Return reviews, outcomes, attribution and lessons; of all days by default."""
        with self._lock:
            name = self._bars.naming()
            story = self._story()
            chosen = self._day(day) if day is not None else None
            reviews = [r for r in story.reviews.values() if chosen is None or r.decision_id in chosen.decisions]
            told = self._facts().get("attribution", [])
            return {
                "day": day.isoformat() if day is not None else None,
                "reviews": [days.review_row(review, name) for review in reviews],
                "outcomes": _outcomes(reviews),
                "attribution": [row for row in told if day is None or row["day"] == day.isoformat()],
                "lessons": [
                    {
                        **{k: v for k, v in asdict(lesson).items() if k not in ("created_at", "evidence")},
                        "evidence": list(lesson.evidence),
                        "created_at": moment(lesson.created_at),
                    }
                    for lesson in story.lessons.values()
                ],
            }

    def equity(self, every: int) -> Row:
        """Return equity beside the benchmark, one point every so many minutes and the last of each day."""
        with self._lock:
            known = [day for _, day in sorted(self._story().days.items())]
            start = known[0].opening_equity if known else 0
            points = []
            for day in known:
                last = len(day.points) - 1
                points += [
                    {"at": moment(at), "equity": equity, "benchmark": round(start * gain)}
                    for k, (at, equity, gain) in enumerate(day.points)
                    if k % every == 0 or k == last
                ]
            return {"sessions": [days.session_row(day) for day in known], "points": points}

    # -- what lies beside it -----------------------------------------------------------------

    def _facts(self) -> dict[str, Any]:
        return files.read_json(self.folder / "facts.json")

    def universe(self) -> Row:
        """Return the names that may be traded, with the newest close, and why others may not."""
        record = files.read_json(self.folder / "universe.json")
        if not record:
            raise _absent("종목 선정 결과가 없습니다", "there is no universe yet", "universe.json")
        with self._lock:
            name = self._bars.naming()
            day = dt.date.fromisoformat(record["day"])
            listed, symbols = self._bars.instruments(), [str(each) for each in record["universe"]]
            closes = self._bars.closes(symbols, day)
            held = self._held()
            members = [self._member(symbol, listed, closes, held) for symbol in symbols]
            return {"day": record["day"], "members": members, **files.exclusions_row(record, name)}

    def _held(self) -> Book | None:
        try:
            return self._day(None).book
        except HaetaeError:
            return None

    def _member(
        self, symbol: Symbol, listed: Mapping[Symbol, Any], closes: Mapping[Symbol, tuple[int, int]], book: Book | None
    ) -> Row:
        item = listed.get(symbol)
        close, before = closes.get(symbol, (0, 0))
        return {
            "symbol": symbol,
            "name": item.name if item is not None else symbol,
            "market": item.market.value if item is not None else "",
            "sector": item.sector if item is not None else "",
            "close": close,
            "change_rate": close / before - 1.0 if before else None,
            "held": book.quantity(symbol) if book is not None else 0,
        }

    def candles(self, symbol: Symbol, table: str, day: dt.date | None, limit: int) -> Row:
        """Return bars of a symbol with our executions on them; minutes default to the newest traded day."""
        with self._lock:
            name = self._bars.naming()
            listed = self._bars.instruments()
            if symbol not in listed:
                raise _absent("레이크에 없는 종목입니다", "the lake does not know this symbol", symbol)
            story = self._story_or_none()
            known = story.days if story is not None else {}
            if table == "minute" and day is None:
                traded = [d for d, s in known.items() if any(e.fill.symbol == symbol for e in s.executions)]
                stored = self._bars.minute_days(symbol)
                day = max((d for d in traded if d in stored), default=stored[-1] if stored else None)
            rows = self._bars.candles(symbol, table, day, limit) if table == "daily" or day is not None else []
            fills = [
                days.fill_row(done, name)
                for each, told in sorted(known.items())
                for done in told.executions
                if done.fill.symbol == symbol and (table == "daily" or each == day)
            ]
            return {
                "symbol": symbol,
                "name": listed[symbol].name,
                "table": table,
                "day": day.isoformat() if day is not None else None,
                "rows": rows,
                "fills": fills,
            }

    def _story_or_none(self) -> Chronicle | None:
        try:
            return self._story()
        except HaetaeError:
            return None

    def mood(self, limit: int) -> Row:
        """Return fear and greed over time."""
        with self._lock:
            return {"now": files.mood_row(self._bars.mood_now()), "rows": self._bars.mood(limit)}

    def backtest(self) -> Row:
        """Return the simulated runs a demo or study left here."""
        return files.backtest_row(self._facts(), report=self.report() is not None)

    def report(self) -> Path | None:
        """Return the HTML report, None if there is none."""
        path = self.folder / "report.html"
        return path if path.is_file() else None

    def _registry(self) -> Registry:
        return Registry(self.folder / "models", self._clock)

    def registry(self) -> Row:
        """Return the registry."""
        return files.models_row(self._registry())

    def evidence(self, model_id: str, state: str) -> Row:
        """Return what speaks for moving a model, with the code that confirms it."""
        self._known_model(model_id)
        return files.evidence_row(models.weigh(self.folder / "models", model_id, ModelState(state)))

    def rollback_evidence(self, kind: str) -> Row:
        """Return what speaks for calling back the champion before the present one."""
        return self.evidence(models.before(self.folder / "models", kind), ModelState.CHAMPION.value)

    def promote(self, model_id: str, state: str, *, why: str, code: str) -> Row:
        """Move a model to a state and return it; the registry decides what is allowed."""
        self._known_model(model_id)
        rested = models.promote(self.folder / "models", model_id, ModelState(state), why=why, code=code)
        now = next((card, at) for card, at in self._registry().models() if card.model_id == model_id)
        retired = rested.champion if state == ModelState.CHAMPION.value and rested.champion != model_id else ""
        return {"model": files.model_row(*now), "retired": retired}

    def rollback(self, kind: str, *, why: str, code: str) -> Row:
        """Call back the champion before the present one of a kind."""
        return self.promote(models.before(self.folder / "models", kind), ModelState.CHAMPION.value, why=why, code=code)

    def _known_model(self, model_id: str) -> None:
        if model_id not in {card.model_id for card, _ in self._registry().models()}:
            raise _absent("등록되지 않은 모델입니다", "the registry has no such model", model_id)

    # -- what a person may ask of the desk ---------------------------------------------------

    def move_operator(self, state: str, *, who: str, why: str) -> str:
        """Write the kill switch's state into the desk's file; return the name of the wish."""
        order = operators.give(self.folder, OperatorState(state), who=who, why=why, clock=self._clock)
        return order_name(order)

    def request_cancel(self, intent_id: str, *, who: str, why: str) -> str:
        """Ask the desk to cancel an order that the journal shows open; return the request's name."""
        with self._lock:
            orders = [day.orders[intent_id] for day in self._story().days.values() if intent_id in day.orders]
        if not orders:
            raise _absent("그런 주문이 없습니다", "there is no such order", intent_id)
        if orders[-1].status.terminal:
            raise MarketRuleError(
                Text(ko="이미 끝난 주문입니다", en="the order has ended already"),
                expected=Text(ko="미체결 주문", en="an open order"),
                found=orders[-1].status.value,
                next_step=Text(ko="주문 목록을 새로 고치세요", en="refresh the list of orders"),
            )
        at = self._clock.now()
        wish = CancelRequest(at, request_name(at), intent_id, who, why)
        operators.ask(self.folder, wish)
        return wish.request_id

    def request_order(self, symbol: Symbol, side: str, *, quantity: int, limit_price: int, who: str, why: str) -> str:
        """Ask the desk to place a person's order, which its guards will review; return the request's name."""
        with self._lock:
            session = self._day(None).session
        if session is None or symbol not in session.symbols:
            raise MarketRuleError(
                Text(ko="데스크가 다루지 않는 종목입니다", en="the desk does not handle this symbol"),
                expected=Text(ko="오늘의 종목 50 또는 보유 종목", en="one of today's names, or one that is held"),
                found=symbol,
                next_step=Text(ko="종목 50 화면에서 고르세요", en="choose from the universe"),
            )
        at = self._clock.now()
        wish = ManualOrder(at, request_name(at), symbol, Side(side), quantity, limit_price, who, why)
        operators.ask(self.folder, wish)
        return wish.request_id


def _outcomes(reviews: list[TradeReview]) -> list[Row]:
    groups: dict[tuple[str, bool], list[float]] = {}
    for item in reviews:
        groups.setdefault((item.status, item.executed), []).append(item.outcome_bp)
    return [
        {"status": status, "executed": executed, "count": len(values), "mean_bp": sum(values) / len(values)}
        for (status, executed), values in sorted(groups.items())
    ]
