"""What the service answers and takes: one model per page, shared with every client.

Money is integer won, quantities are shares, ratios are plain numbers (0.012 is 1.2 %), ``at`` is a
moment with the offset of Korea, days are KST trading days. Unknown fields are refused on both sides,
so that client and service cannot drift apart unnoticed. Not here: any rule or arithmetic.
"""
# long: the whole language of the service, read from top to bottom.

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Side = Literal["buy", "sell"]
OperatorWord = Literal["active", "reduce_only", "halt"]
EscapeWord = Literal["NORMAL", "NO_BUYS", "REDUCE", "EXIT_ALL"]
RoleWord = Literal["viewer", "trader", "admin"]
Symbol = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{6}$")]
ModelId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
IntentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@-]{1,120}$")]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200, pattern=r"^[^\x00-\x1f]*$")
]


class Shape(BaseModel):
    """Base of everything that travels: closed and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(Shape):
    """Any refusal or failure: what, what was expected and found, and the next step, in both languages."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "code": "token.refused",
                    "ko": "토큰이 없거나 맞지 않습니다",
                    "en": "the token is missing or wrong",
                    "next_step_ko": "`haetae token new --role viewer` 로 새로 만드세요",
                    "next_step_en": "make a new one with `haetae token new --role viewer`",
                }
            ]
        },
    )

    code: str
    ko: str
    en: str
    expected: str = ""
    found: str = ""
    next_step_ko: str = ""
    next_step_en: str = ""


class Health(Shape):
    """Whether the service can read its folder, and how far the journal is."""

    status: Literal["ok", "degraded"] = Field(examples=["ok"])
    version: str = Field(examples=["0.1.0"])
    journal_entries: int = Field(examples=[2267])
    last_at: dt.datetime | None = None
    problems: list[str] = Field(default_factory=list)


class WhoAmI(Shape):
    """What the shown token may do."""

    token_id: str = Field(examples=["t-3f9a1c"])
    role: RoleWord
    label: str
    expires_at: dt.datetime | None


class Session(Shape):
    """One trading day of the journal in a line."""

    day: dt.date
    opening_equity: int = Field(examples=[100_000_000])
    closing_equity: int
    profit: int
    profit_rate: float
    orders: int
    fills: int
    escaped: bool
    closed: bool


class MoodPart(Shape):
    """One component of fear and greed: its rank among its trailing year and its share of the index."""

    name: str = Field(examples=["momentum"])
    rank: float | None = Field(ge=0, le=100, description="null where it is missing")
    share: float = Field(ge=0, le=1, description="0 where it is missing: the others take its weight")
    last_known: dt.date | None = Field(description="of a missing one; null if it never was known")


class Mood(Shape):
    """Fear and greed, 0 (fear) to 100 (greed), of the last close."""

    value: float = Field(ge=0, le=100, examples=[48.0])
    word_ko: str = Field(examples=["중립"])
    word_en: str = Field(examples=["neutral"])
    missing: list[str] = Field(description="components that the data did not hold")
    parts: list[MoodPart] = Field(default=[], description="every component; empty where only the value was kept")


class Today(Shape):
    """The newest (or asked) trading day at a glance."""

    day: dt.date
    days: list[dt.date] = Field(description="every trading day of the journal, oldest first")
    as_of: dt.datetime | None = Field(description="end of the newest minute the desk has seen")
    phase: str = Field(examples=["continuous"])
    closed: bool = Field(description="the books of the day are closed")
    opening_equity: int = Field(examples=[100_000_000])
    equity: int
    profit: int
    profit_rate: float
    cash: int
    market_value: int
    realized: int = Field(description="realised today, after fees and taxes")
    fees: int
    taxes: int
    positions: int
    orders: int
    open_orders: int
    fills: int
    decisions: dict[str, int] = Field(examples=[{"MODEL_APPROVE": 13, "GUARD_BLOCKED": 110}])
    denied: dict[str, int] = Field(description="refusals by guard code", examples=[{"G24": 110}])
    deciders: dict[str, int] = Field(description="who answered", examples=[{"offline_rules_v1": 19}])
    policy_id: str = Field(examples=["net-ef8f3aae1d05"])
    escape_level: EscapeWord
    operator: OperatorWord
    fear_greed: Mood | None
    differences: int = Field(description="differences to the broker that are open and do not settle themselves")
    synthetic: bool | None = Field(description="whether the market was generated; null if not said")


class Position(Shape):
    """One holding at its last price."""

    symbol: Symbol
    name: str = Field(examples=["삼성전자"])
    quantity: int
    cost: int
    average_price: int
    last: int
    value: int
    profit: int
    profit_rate: float
    weight: float


class Positions(Shape):
    """Holdings after everything the journal knows of a day."""

    day: dt.date
    cash: int
    market_value: int
    equity: int
    rows: list[Position]


class Order(Shape):
    """One order and where its life stands."""

    intent_id: IntentId
    decision_id: str
    symbol: Symbol
    name: str
    side: Side
    quantity: int
    filled: int
    open_quantity: int
    limit_price: int = Field(description="0 for a market order")
    average_price: int = Field(description="0 while nothing is executed")
    status: str = Field(examples=["filled"])
    escape: bool = Field(description="sent by the volatility escape")
    order_number: str
    submitted_at: dt.datetime
    updated_at: dt.datetime


class Orders(Shape):
    """Orders of a day, oldest first."""

    day: dt.date
    rows: list[Order]


class Fill(Shape):
    """One execution with its costs."""

    intent_id: IntentId
    order_number: str
    symbol: Symbol
    name: str
    side: Side
    quantity: int
    price: int
    amount: int
    fee: int
    tax: int
    realized: int
    at: dt.datetime


class Fills(Shape):
    """Executions of a day, oldest first."""

    day: dt.date
    rows: list[Fill]


class Decision(Shape):
    """One leg: proposed, reviewed, judged by the guards."""

    decision_id: str
    at: dt.datetime
    symbol: Symbol
    name: str
    side: Side
    status: str = Field(examples=["MODEL_APPROVE"])
    decider: str = Field(examples=["offline_rules_v1"])
    ai: bool = Field(description="whether a language model answered; offline rules are not AI")
    action: str = Field(examples=["approve"])
    confidence: float
    proposed: int
    quantity: int
    limit_price: int
    score: float
    rationale: str
    proposal_id: str
    policy_id: str
    denied_by: list[str]
    intent_id: str = Field(description="empty where no order was sent")
    executed: int = Field(description="shares executed")


class Decisions(Shape):
    """Decisions of a day, oldest first."""

    day: dt.date
    total: int
    rows: list[Decision]


class Target(Shape):
    """A policy's wish for one symbol."""

    symbol: Symbol
    name: str
    weight: float
    score: float | None


class Proposal(Shape):
    """A policy's target weights at a moment."""

    proposal_id: str
    at: dt.datetime
    policy_id: str
    legs: int
    targets: list[Target]


class Signals(Shape):
    """What the policy asked for on a day, oldest first."""

    day: dt.date
    rows: list[Proposal]


class Reply(Shape):
    """The raw answer about a leg, as it came."""

    at: dt.datetime
    decider: str
    text: str
    failure: str


class Evidence(Shape):
    """One fact shown to the decider."""

    id: str
    text: str


class GuardVerdict(Shape):
    """What the guards said."""

    verdict: Literal["allow", "reduce", "deny", "none"]
    quantity: int
    passed: list[str]
    reasons: list[str]


class Step(Shape):
    """Something that happened to an order."""

    at: dt.datetime
    what: str = Field(examples=["Accepted"])
    detail: str


class Review(Shape):
    """What became of a decision, executed or not, by the same measure."""

    decision_id: str
    symbol: Symbol
    name: str
    side: Side
    status: str
    executed: bool
    label: str = Field(examples=["loss"])
    outcome_bp: float
    slippage_bp: float
    cost: int
    resolved_at: dt.datetime


class DecisionChain(Shape):
    """One decision from the policy's wish to its outcome."""

    decision: Decision
    proposal: Proposal | None
    evidence: list[Evidence]
    reply: Reply | None
    guards: GuardVerdict
    order: Order | None
    steps: list[Step]
    fills: list[Fill]
    review: Review | None


class GuardRow(Shape):
    """One guard and how often it refused on the day."""

    code: str = Field(examples=["G24"])
    name: str = Field(examples=["하루 새 종목 수"])
    name_en: str = Field(examples=["new names"])
    for_escape: bool = Field(description="whether even the escape must pass it")
    denied: int


class EscapeEvent(Shape):
    """The volatility escape moved."""

    at: dt.datetime
    kind: str = Field(examples=["escape.raised"])
    level: str
    before: str
    market_bp: float | None
    ratio: float | None
    symbol: str
    name: str
    why: str = Field(description="what asked for a rise: universe, index, volatility, vkospi, fear")


class Difference(Shape):
    """Our books and the broker were found apart, or agreed again."""

    at: dt.datetime
    what: str = Field(examples=["position", "cash", "order", "order_list"])
    symbol: str
    name: str
    difference: str = Field(
        description="class: lagging, external, corporate_action, fee, stuck, unexplained", examples=["lagging"]
    )
    ours: int
    theirs: int
    state: Literal["open", "passed", "settled"] = Field(description="passed: told of again later, or settled since")


class OperatorEvent(Shape):
    """A person moved the kill switch."""

    at: dt.datetime
    state: OperatorWord
    who: str
    why: str


class Pending(Shape):
    """A command that waits for the desk."""

    command_id: str
    at: dt.datetime
    what: str
    who: str
    why: str
    state: Literal["waiting", "taken", "refused"]
    detail: str = Field(description="the order it became, or why it was refused")


class Safety(Shape):
    """Guards, volatility escape and kill switch."""

    day: dt.date
    operator: OperatorWord
    operator_log: list[OperatorEvent]
    escape_level: EscapeWord
    market_bp: float | None = Field(description="market move over the window when the level last changed")
    volatility_ratio: float | None
    escape_log: list[EscapeEvent]
    guards: list[GuardRow]
    limits: dict[str, float]
    frozen: list[str]
    differences: list[Difference]
    pending: list[Pending]


class Member(Shape):
    """One of the fifty names."""

    symbol: Symbol
    name: str
    market: str
    sector: str
    close: int
    change_rate: float | None
    held: int


class Excluded(Shape):
    """Why a name is not among them."""

    symbol: Symbol
    name: str
    code: str
    detail: str


class Universe(Shape):
    """The names that may be traded, and why the others may not."""

    day: dt.date
    members: list[Member]
    exclusions: dict[str, int]
    reasons: list[Excluded]


class Model(Shape):
    """One artefact of the registry."""

    model_id: ModelId
    kind: str
    state: Literal["candidate", "shadow", "champion", "retired"]
    train_from: dt.date
    train_to: dt.date
    seed: int
    feature_hash: str
    content_hash: str
    metrics: dict[str, float]


class ModelChange(Shape):
    """One entry of the registry's log."""

    seq: int
    at: dt.datetime | None
    model_id: ModelId
    state: str
    why: str
    retires: str


class Models(Shape):
    """The registry: artefacts, which is in charge, and how it came so."""

    rows: list[Model]
    history: list[ModelChange]


class Figures(Shape):
    """One simulated run, after costs."""

    name: str
    total_return: float | None
    max_drawdown: float | None
    sharpe: float | None
    sharpe_se: float | None
    sortino: float | None
    turnover: float | None
    exposure: float | None
    hit_rate: float | None
    volatility: float | None
    fees: int
    taxes: int
    orders: int
    sessions: int


class Ranker(Shape):
    """Out-of-sample quality of a ranking."""

    name: str
    baseline: bool
    rank_ic: float | None
    icir: float | None
    t: float | None
    decile_net_bp: float | None
    days: int


class Backtest(Shape):
    """The trained policy beside every baseline, and the rankers beside one-line scores."""

    engine: str
    policy: Figures | None
    baselines: list[Figures]
    rankers: list[Ranker]
    windows: dict[str, dict[str, int]]
    notes: list[str]
    report: bool = Field(description="whether the full report can be fetched from /v1/report")


class Outcome(Shape):
    """Mean outcome of decisions of one status."""

    status: str
    executed: bool
    count: int
    mean_bp: float


class Attribution(Shape):
    """Where a day's profit came from, in won."""

    day: dt.date
    total: int
    traded: int
    carried: int
    escaped: int
    costs: int


class Lesson(Shape):
    """A candidate rule drawn from reviews; without effect until a person approves it."""

    lesson_id: str
    trigger: str
    effect: str
    support: int
    mean_gain_bp: float
    state: str
    evidence: list[str]
    created_at: dt.datetime


class Retrospect(Shape):
    """Reviews of a day (or all), their sum, and the lessons drawn."""

    day: dt.date | None
    reviews: list[Review]
    outcomes: list[Outcome]
    attribution: list[Attribution]
    lessons: list[Lesson]


class Candle(Shape):
    """One bar."""

    at: dt.datetime
    open: int
    high: int
    low: int
    close: int
    volume: int


class Candles(Shape):
    """Bars of one symbol with our executions on them."""

    symbol: Symbol
    name: str
    table: Literal["minute", "daily"]
    day: dt.date | None
    rows: list[Candle]
    fills: list[Fill]


class EquityPoint(Shape):
    """Equity at the end of a minute, beside the same money in every name of the universe alike."""

    at: dt.datetime
    equity: int
    benchmark: int


class Equity(Shape):
    """Our equity over the journal's days beside the benchmark (equal weight, without costs)."""

    benchmark_ko: str = "종목 50 동일비중 (비용 없음)"
    benchmark_en: str = "equal weight of the fifty names (no costs)"
    sessions: list[Session]
    points: list[EquityPoint]


class MoodPoint(Shape):
    """Fear and greed of one day with its components."""

    day: dt.date
    value: float
    components: dict[str, float]


class MoodHistory(Shape):
    """Fear and greed over time, newest last."""

    now: Mood | None
    rows: list[MoodPoint]


class OperatorOrder(Shape):
    """Move the kill switch; ``confirm`` repeats the state, so that no stray click does it."""

    state: OperatorWord = Field(examples=["halt"])
    confirm: OperatorWord = Field(examples=["halt"])
    why: Reason = Field(examples=["시장 급변"])


class CancelOrder(Shape):
    """Ask the desk to cancel what is open of an order."""

    why: Reason = Field(examples=["가격이 달라짐"])


class ManualOrder(Shape):
    """A person's order. It passes the same guards as any other; nothing here can skip them."""

    symbol: Symbol = Field(examples=["005930"])
    side: Side = Field(examples=["buy"])
    quantity: int = Field(gt=0, le=1_000_000, examples=[10])
    limit_price: int = Field(gt=0, le=100_000_000, examples=[71_200])
    why: Reason = Field(examples=["수동 매수"])
    confirm: Symbol = Field(description="the symbol once more", examples=["005930"])


class Queued(Shape):
    """The command lies in the desk's inbox; whether it took effect is told by /v1/safety."""

    command_id: str = Field(examples=["c-1795393200500000000-1a2b3c4d"])
    what: str
    note_ko: str = "데스크의 명령함에 넣었습니다. 실행 여부는 안전장치 화면에서 확인하세요."
    note_en: str = "queued in the desk's inbox; see the safety page for what became of it"


class ModelDemand(Shape):
    """One thing asked of a model for a state, what was found, and whether that is enough."""

    key: str = Field(examples=["shadow_sessions"])
    name_ko: str
    name_en: str
    threshold: str = Field(examples=[">= 20"])
    found_ko: str
    found_en: str
    met: bool


class ModelEvidence(Shape):
    """What speaks for moving a model. ``code`` is made of exactly this evidence and must be given back.

    A demand that is not met stops the change, save a ``recall`` of the champion before the present one.
    """

    model_id: ModelId
    kind: str
    now: Literal["candidate", "shadow", "champion", "retired"]
    to: Literal["shadow", "champion", "retired"]
    recall: bool
    demands: list[ModelDemand]
    metrics: dict[str, float]
    champion: str = Field(description="the model it would replace, empty if none")
    champion_metrics: dict[str, float]
    trained: str
    content_hash: str
    code: str = Field(examples=["1a2b3c4d"])


class Promotion(Shape):
    """Put a model in a state; ``code`` is that of the evidence just read: the second confirmation."""

    state: Literal["shadow", "champion", "retired"] = Field(examples=["champion"])
    code: Code = Field(examples=["1a2b3c4d"])
    why: Reason = Field(examples=["검증 구간 초과수익 확인"])


class Rollback(Shape):
    """Call back the champion before the present one; ``code`` is that of the evidence just read."""

    kind: Kind = Field(examples=["policy"])
    code: Code = Field(examples=["1a2b3c4d"])
    why: Reason = Field(examples=["성과 저하"])


class Promoted(Shape):
    """The model after a change."""

    model: Model
    retired: str = Field(description="the champion that left with it, empty if none")
