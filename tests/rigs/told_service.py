"""A service that answers what a test told it: schemas by path, any status, and every command it got."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from haetae.service import schemas as s

KST = dt.timezone(dt.timedelta(hours=9))
DAY = dt.date(2026, 11, 24)
AT = dt.datetime(2026, 11, 24, 13, 6, tzinfo=KST)
WICKED = "<img src=x onerror=alert(1)>"


class Told:
    """What is answered: a schema, or (status, bytes); paths that are not told are 404."""

    def __init__(self, answers: Mapping[str, s.Shape | tuple[int, bytes]]) -> None:
        self.answers = dict(answers)
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.commands: list[tuple[str, dict[str, object]]] = []
        self.url = ""


@contextmanager
def serving(answers: Mapping[str, s.Shape | tuple[int, bytes]]) -> Iterator[Told]:
    """Serve the answers on a free port of loopback."""
    told = Told(answers)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *parts: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            told.asked.append(self.path)
            told.tokens.append(self.headers.get("Authorization", ""))
            self._answer(told.answers.get(urlsplit(self.path).path, (404, problem("absent", "없습니다"))))

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            told.commands.append((self.path, json.loads(raw)))
            self._answer(told.answers.get(urlsplit(self.path).path, s.Queued(command_id="c-1", what="done")))

        def _answer(self, answer: s.Shape | tuple[int, bytes]) -> None:
            status, raw = answer if isinstance(answer, tuple) else (200, answer.model_dump_json().encode())
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def problem(code: str, ko: str, **more: str) -> bytes:
    return s.Problem(code=code, ko=ko, en="not there", **more).model_dump_json().encode()


def full_day() -> dict[str, s.Shape | tuple[int, bytes]]:
    """Answers of a day on which everything happened once; a name and a reply are hostile."""
    order = s.Order(
        intent_id="I-1", decision_id="D-1", symbol="005930", name=WICKED, side="buy", quantity=10, filled=4,
        open_quantity=6, limit_price=71_200, average_price=71_100, status="working", escape=False, order_number="7",
        submitted_at=AT, updated_at=AT,
    )  # fmt: skip
    fill = s.Fill(
        intent_id="I-1", order_number="7", symbol="005930", name=WICKED, side="sell", quantity=4, price=71_100,
        amount=284_400, fee=39, tax=568, realized=-1_207, at=AT,
    )  # fmt: skip
    made = s.Decision(
        decision_id="D-1", at=AT, symbol="005930", name=WICKED, side="buy", status="MODEL_APPROVE", decider="gpt-x",
        ai=True, action="approve", confidence=0.71, proposed=10, quantity=10, limit_price=71_200, score=0.4,
        rationale=WICKED, proposal_id="P-1", policy_id="net-1", denied_by=[], intent_id="I-1", executed=4,
    )  # fmt: skip
    review = s.Review(
        decision_id="D-1", symbol="005930", name=WICKED, side="buy", status="MODEL_APPROVE", executed=True,
        label="loss", outcome_bp=-12.5, slippage_bp=1.0, cost=607, resolved_at=AT,
    )  # fmt: skip
    proposal = s.Proposal(
        proposal_id="P-1", at=AT, policy_id="net-1", legs=1,
        targets=[s.Target(symbol="005930", name=WICKED, weight=0.02, score=0.4)],
    )  # fmt: skip
    parts = [
        s.MoodPart(name="calm", rank=26.2, share=1.0, last_known=None),
        s.MoodPart(name="strength", rank=None, share=0.0, last_known=DAY),
    ]
    mood = s.Mood(value=26.2, word_ko="공포", word_en="fear", missing=["strength"], parts=parts)
    runs = [_run("현금", 0.0), _run("미래를 아는 상한선", 0.4)]
    return {
        "/v1/whoami": s.WhoAmI(token_id="t-1", role="trader", label="시험", expires_at=None),
        "/v1/today": s.Today(
            day=DAY, days=[dt.date(2026, 11, 23), DAY], as_of=AT, phase="continuous", closed=False,
            opening_equity=100_000_000, equity=98_765_432, profit=-1_234_568, profit_rate=-0.01234568, cash=98_000_000,
            market_value=765_432, realized=-1_207, fees=39, taxes=568, positions=1, orders=1, open_orders=1, fills=1,
            decisions={"MODEL_APPROVE": 1}, denied={"G24": 3}, deciders={"gpt-x": 1}, policy_id="net-1",
            escape_level="REDUCE", operator="active", fear_greed=mood, differences=0, synthetic=True,
        ),
        "/v1/equity": s.Equity(
            sessions=[],
            points=[
                s.EquityPoint(at=AT, equity=100_000_000, benchmark=100_000_000),
                s.EquityPoint(at=AT + dt.timedelta(minutes=5), equity=98_765_432, benchmark=101_000_000),
            ],
        ),
        "/v1/fear-greed": s.MoodHistory(now=mood, rows=[s.MoodPoint(day=DAY, value=26.2, components={"calm": 30.0})]),
        "/v1/positions": s.Positions(
            day=DAY, cash=98_000_000, market_value=765_432, equity=98_765_432,
            rows=[
                s.Position(
                    symbol="005930", name=WICKED, quantity=10, cost=711_000, average_price=71_100, last=76_543,
                    value=765_432, profit=54_432, profit_rate=0.0765, weight=0.0077,
                )
            ],
        ),
        "/v1/orders": s.Orders(day=DAY, rows=[order]),
        "/v1/fills": s.Fills(day=DAY, rows=[fill]),
        "/v1/candles/005930": s.Candles(
            symbol="005930", name="삼성전자", table="minute", day=DAY,
            rows=[
                s.Candle(
                    at=AT + dt.timedelta(minutes=n), open=71_000, high=71_300, low=70_900, close=71_000 + n, volume=9
                )
                for n in range(3)
            ],
            fills=[fill],
        ),
        "/v1/decisions": s.Decisions(day=DAY, total=1, rows=[made]),
        "/v1/decisions/D-1": s.DecisionChain(
            decision=made, proposal=proposal, evidence=[s.Evidence(id="E1", text=WICKED)],
            reply=s.Reply(at=AT, decider="gpt-x", text=WICKED, failure=""),
            guards=s.GuardVerdict(verdict="allow", quantity=10, passed=["G01"], reasons=[]), order=order,
            steps=[s.Step(at=AT, what="Accepted", detail="7")], fills=[fill], review=review,
        ),
        "/v1/safety": s.Safety(
            day=DAY, operator="active", operator_log=[s.OperatorEvent(at=AT, state="active", who="t-1", why=WICKED)],
            escape_level="REDUCE", market_bp=-350.0, volatility_ratio=6.25,
            escape_log=[
                s.EscapeEvent(
                    at=AT, kind="escape.raised", level="REDUCE", before="NORMAL", market_bp=-350.0, ratio=6.25,
                    symbol="", name="", why="index",
                ),
                s.EscapeEvent(
                    at=AT, kind="escape.queued_at_limit", level="", before="", market_bp=None, ratio=None,
                    symbol="005930", name=WICKED, why="",
                ),
            ],
            differences=[
                s.Difference(
                    at=AT, what="position", symbol="005930", name=WICKED, difference="unexplained", ours=10, theirs=9,
                    state="open",
                )
            ],
            guards=[s.GuardRow(**(_guard() | {"code": "G24", "for_escape": False, "denied": 3}))],
            limits={"max_order_won": 2_000_000.0}, frozen=["005930"],
            pending=[
                s.Pending(command_id="c-1", at=AT, what="halt", who="t-1", why=WICKED, state="waiting", detail="")
            ],
        ),
        "/v1/universe": s.Universe(
            day=DAY,
            members=[
                s.Member(
                    symbol="005930", name=WICKED, market="KOSPI", sector="", close=71_000, change_rate=0.0123, held=10
                )
            ],
            exclusions={"kind.etf": 11},
            reasons=[s.Excluded(symbol="069500", name=WICKED, code="kind.etf", detail="ETF")],
        ),
        "/v1/models": s.Models(
            rows=[
                s.Model(
                    model_id="net-1", kind="policy", state="champion", train_from=DAY, train_to=DAY, seed=7,
                    feature_hash="ab", content_hash="cd" * 16, metrics={},
                )
            ],
            history=[],
        ),
        "/v1/backtest": s.Backtest(
            engine="sim.batch", policy=_run("policy", -0.0003), baselines=runs,
            rankers=[
                s.Ranker(name="lightgbm", baseline=False, rank_ic=0.02, icir=0.2, t=1.5, decile_net_bp=25.4, days=9)
            ],
            windows={}, notes=["seeds 7, 8"], report=True,
        ),
        "/v1/review": s.Retrospect(
            day=DAY, reviews=[review],
            outcomes=[s.Outcome(status="MODEL_APPROVE", executed=True, count=1, mean_bp=-12.5)],
            attribution=[s.Attribution(day=DAY, total=-1_234_568, traded=1, carried=2, escaped=3, costs=607)],
            lessons=[
                s.Lesson(
                    lesson_id="L-1", trigger="hour=10", effect="veto", support=13, mean_gain_bp=16.6, state="candidate",
                    evidence=[], created_at=AT,
                )
            ],
        ),
    }  # fmt: skip


def empty_day() -> dict[str, s.Shape | tuple[int, bytes]]:
    """Answers of a folder in which nothing happened yet: lists without rows, figures that do not exist."""
    full = full_day()
    lists = {
        "/v1/equity": {"points": []},
        "/v1/fear-greed": {"now": None, "rows": []},
        "/v1/positions": {"rows": [], "equity": 0, "cash": 0, "market_value": 0},
        "/v1/orders": {"rows": []},
        "/v1/fills": {"rows": []},
        "/v1/decisions": {"rows": [], "total": 0},
        "/v1/safety": {
            "escape_log": [], "differences": [],
            "guards": [], "limits": {}, "frozen": [], "pending": [], "operator_log": [],
            "market_bp": None, "volatility_ratio": None, "escape_level": "NORMAL",
        },
        "/v1/universe": {"members": [], "exclusions": {}, "reasons": []},
        "/v1/models": {"rows": []},
        "/v1/backtest": {"policy": None, "baselines": [], "rankers": [], "notes": []},
        "/v1/review": {"reviews": [], "outcomes": [], "attribution": [], "lessons": []},
        "/v1/today": {
            "fear_greed": None, "decisions": {}, "denied": {}, "as_of": None, "equity": 0, "opening_equity": 0,
            "profit": 0, "profit_rate": 0.0, "realized": 0, "escape_level": "NORMAL", "synthetic": None,
        },
    }  # fmt: skip
    return full | {path: full[path].model_copy(update=update) for path, update in lists.items()}


def _guard() -> dict[str, object]:
    """Return the names of a guard in whichever fields the schema keeps them."""
    return {name: "새 종목 수" for name in s.GuardRow.model_fields if name.startswith("name")}


def _run(name: str, total: float) -> s.Figures:
    return s.Figures(
        name=name, total_return=total, max_drawdown=-0.01, sharpe=None, sharpe_se=None, sortino=None, turnover=1.0,
        exposure=0.9, hit_rate=0.5, volatility=0.1, fees=1, taxes=2, orders=3, sessions=6,
    )  # fmt: skip
