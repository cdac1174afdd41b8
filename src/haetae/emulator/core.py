"""The emulated service without sockets: requests in, replies out; time in, frames out.

Here: ``Core``, which joins world, board, gate, accounts, hub and the scripted faults. Every method takes the
instant; the same calls at the same instants give the same bytes. Not here: HTTP and WebSocket (``service``), the
clock (``clock``), what a fault does (``faults``), tokens and files (``oauth``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import groupby

from haetae.domain.errors import MarketRuleError, Text
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, Instant, day_of, hhmmss_of, instant_at, kst_text
from haetae.emulator import overseas, profits
from haetae.emulator.accounts import Account, open_account
from haetae.emulator.agenda import Beat, BeatKind, Needs, agenda, next_beat
from haetae.emulator.board import Board, Books
from haetae.emulator.calls import Call, Reply, refuse, refuse_oauth
from haetae.emulator.faults.engine import Faults
from haetae.emulator.faults.occasions import Occasion, of_call
from haetae.emulator.faults.script import Script, read_script
from haetae.emulator.gate import MAINTENANCE, Gate, Refusal
from haetae.emulator.hub import Hub, Schema
from haetae.emulator.interrupts import LATE_ROW_S
from haetae.emulator.market import Shock, World
from haetae.emulator.oauth import MASTER_PATH, OAUTH_PATH, answer_hashkey, answer_master, answer_oauth
from haetae.emulator.quotations import ANSWERS
from haetae.emulator.served import operation_for
from haetae.emulator.session import Printed, Session
from haetae.emulator.settings import EmulatorSettings
from haetae.emulator.slices import micro_slice, singles
from haetae.emulator.stage import LATE_ROWS
from haetae.emulator.tickers import Tickers
from haetae.emulator.trading import ORDERS, QUERIES
from haetae.kis.wire import envelope
from haetae.kis.wire.operations import Mode, Operation
from haetae.krx.afterhours import OffHours
from haetae.sim import FillModel

_LEDGER_PATH = "/trading/"
_QUERIES = {**QUERIES, **profits.QUERIES, **overseas.QUERIES}
SERVED = frozenset({*ANSWERS, *ORDERS, *_QUERIES})
"""Calls with an answer; any other is refused as the service refuses what it does not know, never made up."""
_LATE_NS = LATE_ROWS * LATE_ROW_S * NS_PER_SECOND


class Core:
    """One emulated exchange, broker and market."""

    def __init__(
        self,
        world: World,
        settings: EmulatorSettings,
        now: Instant,
        *,
        beat: Callable[[], float] = lambda: 0.0,
        wall: Callable[[], Instant] | None = None,
    ) -> None:
        """Open the service at an instant of the world's calendar; ``beat`` are the machine's seconds, for faults.

        ``wall`` is the clock that clients compare the expiry of their token with, where it is not the market's.
        """
        first, last = world.days[0], world.days[-1]
        if not first <= day_of(now) <= last:
            raise MarketRuleError(
                Text(
                    ko=f"시계가 시장 밖에 있습니다: {kst_text(now)}",
                    en=f"the clock is outside the market: {kst_text(now)}",
                ),
                expected=f"{first} … {last}",
                found=kst_text(now),
                next_step=Text(
                    ko="--clock 값을 시장 기간 안으로 정하세요", en="choose --clock inside the market's days"
                ),
            )
        self.world = world
        self.settings = settings
        maintained = settings.outages.maintenance
        self.gate = Gate(settings.market.seed, settings.limits, settings.keys_file, maintained=maintained)
        self.hub = Hub(
            self.gate,
            seed=settings.market.seed,
            schemas=_schemas(settings),
            frame_records=settings.frame_records,
        )
        self.board = Board(world, now)
        self.accounts: dict[tuple[Mode, str, str], Account] = {}
        self.shocks: list[Shock] = []
        self._model = FillModel(volume_share_ppm=settings.volume_share_ppm, slippage_ticks=settings.slippage_ticks)
        self._numbers: dict[object, int] = defaultdict(int)
        self._done = now
        self._calm: tuple[Session | None, Needs | None, Instant] = (None, None, 0)
        self._day = self.board.session.row
        self.tickers = Tickers(self.hub, self.board)
        self._wall = wall
        self.faults = Faults(self, read_script(settings.faults) if settings.faults else Script(), beat)
        self.hub.on_registration, self.hub.on_frame = self.faults.answer, self.faults.frames
        self.faults.strike_due()

    @property
    def now(self) -> Instant:
        """The instant up to which everything has happened."""
        return self.board.now

    def advance(self, to: Instant) -> None:
        """Let the market go on to an instant: prints, fills, notices, the turn of days, faults when due."""
        to = max(to, self.now)
        while (due := self.faults.next_due()) is not None and due <= to:
            self._advance(max(due, self.now))
            self.faults.catch_up()
        self._advance(to)
        self.faults.accounts_changed()

    def _advance(self, to: Instant) -> None:
        while True:
            self._trade_until(to)
            following = self._day + 1
            if following >= len(self.world.days) or to < instant_at(self.world.days[following], 0):
                break
            self._turn(following)
        self.board.move(to)
        self.tickers.tell_status()
        self.flush()

    def next_stop(self, to: Instant) -> Instant:
        """Return how far one ``advance`` should go, so that frames can be sent in between.

        A minute while somebody watches an open market, else straight to when one opens or to ``to``.
        """
        if not self.hub.watches:
            return to
        session = self.board.session
        hours = session.rules.session
        spans = [(hours.orders_from, hours.close_at + _LATE_NS), *((w.start, w.end) for w in session.windows)]
        if any(start <= self.now < end for start, end in spans):
            return min(to, self.now + NS_PER_MINUTE)
        starts = [start for start, _ in spans if start > self.now]
        following = self._day + 1
        if following < len(self.world.days):
            starts.append(instant_at(self.world.days[following], 0))
        return min([to, *starts])

    def _trade_until(self, to: Instant) -> None:
        """Let everything of this session up to an instant happen, in order."""
        while self._done < to:
            session, needs = self.board.session, self._needs()
            if self._calm[0] is session and self._calm[1] == needs and to < self._calm[2]:
                self._done = to
                return
            for at, beats in groupby(agenda(session, self._done, to, **needs), key=lambda beat: beat.at):
                for beat in beats:
                    self._happen(beat)
                self._done = max(self._done, at)
                if self.board.session is not session:  # a script has changed what is still to come
                    break
            else:
                self._done = to
                self._calm = (session, needs, next_beat(session, to, **needs))

    def _needs(self) -> Needs:
        """Return which beats anybody needs: sessions that watch, accounts with open orders."""
        watched = self.hub.watches
        open_orders = [account for account in self.accounts.values() if account.busy]
        off = {hours for hours in OffHours if any(account.working(hours) for account in open_orders)}
        if watched:
            off.add(OffHours.AFTERMARKET)
        prints = watched or any(account.working() for account in open_orders)
        return {"prints": prints, "off": frozenset(off), "expected": watched}

    def _happen(self, beat: Beat) -> None:
        self.board.move(beat.at)
        self.faults.catch_up()
        session, accounts = self.board.session, self.accounts.values()
        match beat.kind:
            case BeatKind.PRINT:
                self._print(beat)
            case BeatKind.JOIN:
                for account in accounts:
                    account.join_closing(beat.at)
            case BeatKind.CLOSE | BeatKind.LATE:
                late = session.course.released
                keep = {self.world.symbols[column] for column, until in late.items() if until > beat.at}
                for account in accounts:
                    account.expire(beat.at, keep=keep)
            case BeatKind.END:
                for account in accounts:
                    account.expire(beat.at, beat.hours)
        if self.hub.watches:
            self.tickers.on_beat(beat)

    def _print(self, beat: Beat) -> None:
        """Publish a row's prints and let orders meet it."""
        view: Printed = self.board.session
        books: Books = self.board
        if beat.hours is not None:
            off = self.board.off_view(beat.hours)
            if off is None:
                return
            view, books = off, off
        working = [account for account in self.accounts.values() if account.working(beat.hours)]
        if self.hub.watches and beat.hours in (None, OffHours.AFTERMARKET):
            self.hub.publish(view, beat.row, books)
        for account in working:
            symbols = account.working(beat.hours)
            whole = micro_slice(view, beat.row, self.world, symbols)
            for piece in self.faults.pieces(account, whole):
                account.meet(piece, singles(view, beat.row, self.world, symbols), beat.hours)
        if working:
            self.flush()

    def _turn(self, row: int) -> None:
        self.flush()
        self.board.move(instant_at(self.world.days[row], 0))
        self._day, self._done = row, self.board.now
        session = self.board.session
        for account in self.accounts.values():
            account.open_day(
                session.rules,
                session.base_prices,
                instruments=session.by_symbol,
                limits=session.limits,
                actions=self.world.register.actions(session.day, session.day),
            )

    def flush(self) -> None:
        """Hand notices of accounts over to the sessions."""
        for account in self.accounts.values():
            if account.notices:
                self.hub.notify(account.notices)
                account.notices.clear()
                self.faults.accounts_changed()

    def account(self, mode: Mode, number: str, product: str) -> Account | Refusal:
        """Return an account; well-formed numbers open one on first use."""
        if not (len(number) == 8 and number.isdigit() and len(product) == 2 and product.isdigit()):
            return Refusal("OPSQ2000", rt_cd="2")
        key = (mode, number, product)
        found = self.accounts.get(key)
        if found is None:
            found = open_account(
                number,
                product,
                mode,
                rules=self.board.session.rules,
                instruments=self.board.session.by_symbol,
                base_prices=self.board.session.base_prices,
                limits=self.board.session.limits,
                cash=self.settings.initial_cash,
                model=self._model,
                next_number=lambda: self._next_number(mode),
            )
            self.accounts[key] = found
        return found

    def _next_number(self, mode: Mode) -> int:
        key = (mode, day_of(self.now))
        self._numbers[key] += 1
        return self._numbers[key]

    def number_next(self, mode: Mode, number: int) -> None:
        """Let the next order of a domain have a number."""
        self._numbers[mode, day_of(self.now)] = number - 1

    def add_shock(self, shock: Shock) -> None:
        """Script a move that lies ahead; what has been seen never changes."""
        self.board.script(shock)
        self.shocks.append(shock)

    def handle(self, call: Call) -> Reply:
        """Answer one REST request at the present instant."""
        if not self.faults.meets_calls:
            return self._handle(call, None)
        operation = operation_for(call.path, call.headers.get("tr_id", "").strip())
        asked = call.sent() or {}
        occasion = of_call(call, operation, operation.read(asked) if operation else asked)
        return self.faults.behind(occasion, self._handle(call, occasion))

    def _handle(self, call: Call, occasion: Occasion | None) -> Reply:
        if call.path.startswith(MASTER_PATH):
            return self.faults.ahead(occasion) or answer_master(call.path, self.board.session)
        if call.path.startswith(OAUTH_PATH):
            return self._oauth(call, occasion)
        if call.path == "/uapi/hashkey" and call.method == "POST":
            return self.faults.ahead(occasion) or answer_hashkey(call)
        tr_id = call.headers.get("tr_id", "").strip()
        if self._away():
            return refuse(Refusal("EGW00002", "시스템 점검 중입니다."), tr_id)
        operation = operation_for(call.path, tr_id)
        admitted = self.gate.check(call.headers, call.mode, tr_id, self.now, is_ledger=_LEDGER_PATH in call.path)
        if isinstance(admitted, Refusal):
            return refuse(admitted, tr_id)
        scripted = self.faults.ahead(occasion)
        if scripted is not None:
            return scripted
        if operation is None or operation.method != call.method or operation.name not in SERVED:
            return refuse(Refusal("MCA00124"), tr_id)
        if not operation.serves(tr_id, call.mode):
            text = "모의투자 TR 이 아닙니다." if call.mode is Mode.MOCK else "실전투자 TR 이 아닙니다."
            return refuse(Refusal("EGW02004", text), tr_id)
        sent = call.sent()
        if sent is None:
            return refuse(Refusal("OPSQ9997", "ERROR : INVALID JSON"), tr_id)
        if operation.name == "chk-holiday":
            self.gate.count_holiday(admitted, self.now)
        return self._answer(operation, operation.read(sent), call, tr_id, admitted)

    def _away(self) -> bool:
        """Whether the service is in its nightly maintenance."""
        return self.settings.outages.maintenance and MAINTENANCE[0] <= hhmmss_of(self.now) < MAINTENANCE[1]

    def _answer(self, operation: Operation, asked: Mapping[str, str], call: Call, tr_id: str, app_key: str) -> Reply:
        quote = ANSWERS.get(operation.name)
        if quote is not None:
            answer = quote(self.board, asked)
        else:
            account = self.account(call.mode, asked["CANO"].strip(), asked["ACNT_PRDT_CD"].strip())
            if isinstance(account, Refusal):
                return refuse(account, tr_id)
            order = ORDERS.get(operation.name)
            if order is not None:
                answer = order(operation, self.board, account, asked, app_key, self.now)
                self.flush()
            else:
                page = operation.rows_per_page(call.mode)
                after = envelope.asked_cursor(operation, asked, call.headers.get("tr_cont", ""))
                after = self.faults.page_after(account, after, asked) if after else after
                answer = _QUERIES[operation.name](self.board, self.faults.view(account), asked, page, after)
        if isinstance(answer, Refusal):
            return refuse(answer, tr_id)
        paged = operation.cursor is not None
        body = envelope.build_reply(
            operation,
            answer.outputs,
            code=answer.code,
            next_key=answer.next_key,
            search_key="^".join(list(asked.values())[:3]) if paged else "",
        )
        return Reply(body, tr_id=tr_id, tr_cont="M" if answer.next_key else "D" if paged else "")

    def _oauth(self, call: Call, occasion: Occasion | None) -> Reply:
        sent = call.json()
        if call.method != "POST" or sent is None:
            return refuse_oauth(Refusal("EGW00101", "요청이 유효하지 않습니다."))
        if self._away():
            return refuse_oauth(Refusal("EGW00002", "시스템 점검 중입니다."))
        scripted = self.faults.ahead(occasion)
        if scripted is not None:
            return scripted
        return answer_oauth(self.gate, call.path, sent, call.mode, self.now, self._wall)


def _schemas(settings: EmulatorSettings) -> dict[Mode, Schema]:
    trades, notices = settings.trade_fields, settings.notice_fields
    return {
        Mode.REAL: Schema.of(trades, notices),
        Mode.MOCK: Schema.of(settings.mock_trade_fields or trades, settings.mock_notice_fields or notices),
    }
