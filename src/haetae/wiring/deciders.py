"""Who reviews a leg and who looks back: a language model where one is configured, else none.

Here: building decider and critic from the environment, what ``haetae llm`` shows and tries. A caller that
gets ``None`` uses the offline rules and says that they are not AI.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from haetae import agent
from haetae.domain.decisions import Brief, Leg
from haetae.domain.errors import ConfigError, Text
from haetae.domain.orders import Side
from haetae.domain.units import Instant
from haetae.llm.client import LlmClient, Names
from haetae.llm.critic import LlmCritic
from haetae.llm.decider import LlmDecider
from haetae.llm.ledger import Ledger
from haetae.llm.prices import MILLIWON, read_prices
from haetae.llm.settings import LlmSettings, read_environment
from haetae.ports import Clock
from haetae.wiring.clocks import SystemClock


def open_decider(env: Mapping[str, str], clock: Clock) -> LlmDecider | None:
    """Return the configured model as a decider; ``None`` where ``HAETAE_LLM_BASE_URL`` is not set.

    Raises ``ConfigError`` for wrong settings or a missing library: a model that was asked for and cannot
    be used must not silently become the rules.
    """
    settings = read_environment(env)
    return None if settings is None else _decider(_client(settings), clock)


def open_critic(env: Mapping[str, str], clock: Clock) -> LlmCritic | None:
    """Return the configured model as a critic; ``None`` where ``HAETAE_LLM_BASE_URL`` is not set."""
    settings = read_environment(env)
    return None if settings is None else LlmCritic(_client(settings), clock)


def model_name(env: Mapping[str, str]) -> str:
    """Return the id of the configured model, or nothing; raises ``ConfigError`` like ``open_decider``."""
    settings = read_environment(env)
    if settings is None:
        return ""
    _require_library()
    read_prices(settings.prices)
    return settings.model


def _require_library() -> None:
    if find_spec("pydantic_ai") is None or find_spec("openai") is None:
        raise ConfigError(
            Text(ko="언어 모델 라이브러리가 설치되어 있지 않습니다", en="the language-model library is not installed"),
            expected="pydantic-ai-slim[openai]",
            found=Text(ko="없음", en="missing").en,
            next_step=Text(
                ko="`python3 run.py setup full` 또는 `pip install 'haetae[llm]'`",
                en="`python3 run.py setup full` or `pip install 'haetae[llm]'`",
            ),
        )


def _client(settings: LlmSettings, names: Names = Names.HOLD) -> LlmClient:
    _require_library()
    import_module("haetae.llm.wire")  # over a second; not in the middle of a session
    prices = read_prices(settings.prices)
    return LlmClient(settings, prices, Ledger(settings.ledger), SystemClock(), names=names)


def _decider(client: LlmClient, clock: Clock) -> LlmDecider:
    return LlmDecider(client, clock, problem_of, agent.reply_schema())


def problem_of(brief: Brief, text: str) -> str:
    """Return ``CODE: problem`` of a reply as the desk would read it at the time of the question, or nothing."""
    request = json.loads(brief.request)
    found = agent.parse_reply(
        text,
        brief,
        last=int(request["snapshot"]["last_won"]),
        held=int(request["portfolio"]["held"]),
        settings=agent.AgentSettings(),
    )
    return f"{found.status}: {found.detail}" if isinstance(found, agent.Refusal) else ""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What is configured and spent; no secret in it. Won are rounded up."""

    configured: bool
    host: str = ""
    model: str = ""
    key: str = ""
    deadline_s: float = 0.0
    reply_format: str = ""
    ledger: str = ""
    price: str = ""
    day: str = ""
    daily_krw: int = 0
    spent_krw: int = 0
    calls: int = 0
    open_calls: int = 0
    names: Mapping[str, bool] | None = None
    last: Mapping[str, Any] | None = None


def status(env: Mapping[str, str]) -> ModelStatus:
    """Return the state of the configured model without calling it."""
    settings = read_environment(env)
    if settings is None:
        return ModelStatus(configured=False)
    prices = read_prices(settings.prices)
    clock = SystemClock()
    ledger = Ledger(settings.ledger)
    try:
        today = ledger.today(clock.now())
        last = ledger.last(1)
        names = ledger.names(settings.model, settings.host)
    finally:
        ledger.close()
    row = prices.price(settings.model, dt.date.fromisoformat(today.day))
    return ModelStatus(
        configured=True,
        host=settings.host,
        model=settings.model,
        key=settings.key_hint,
        deadline_s=settings.deadline_s,
        reply_format=settings.reply_format,
        ledger=str(settings.ledger),
        price=f"{row.model} {row.input / 1e6:g}/{row.output / 1e6:g} USD/Mtok ({prices.version})",
        day=today.day,
        daily_krw=settings.daily_krw,
        spent_krw=-(-today.spent // MILLIWON),
        calls=today.calls,
        open_calls=today.open_calls,
        names=names,
        last=last[0] if last else None,
    )


@dataclass(frozen=True, slots=True)
class Trial:
    """What one real review of a made-up order came to; ``usable`` means the desk could act on the reply."""

    usable: bool
    status: str
    detail: str
    model: str
    returned_model: str
    latency_ms: int
    tokens_in: int | None
    tokens_out: int | None
    cost_milliwon: int
    usage_flag: str
    confidence: float
    rationale: str


async def try_model(env: Mapping[str, str], *, accept_name: bool = False) -> Trial | None:
    """Put one made-up order to the configured model; ``None`` where none is configured.

    A strange name of the answering model is looked at again, and accepted with ``accept_name``.
    """
    settings = read_environment(env)
    if settings is None:
        return None
    client = _client(settings, Names.ACCEPT if accept_name else Names.CHECK)
    clock = SystemClock()
    try:
        brief = _made_up_brief(clock.now())
        reply = await _decider(client, clock).decide(brief)
        decision = agent.read_reply(brief, reply, at=clock.now(), last=50_000, held=0, settings=agent.AgentSettings())
        call = next((row for row in client.ledger.last(2) if row["subject"] == brief.leg.leg_id), {})
        both = [row for row in client.ledger.last(2) if row["subject"] == brief.leg.leg_id]
    finally:
        client.ledger.close()
    return Trial(
        usable=not decision.status.startswith("ABSTAIN_"),
        status=decision.status,
        detail=reply.failure.partition(": ")[2] or (decision.rationale if not reply.failure else ""),
        model=settings.model,
        returned_model=str(call.get("returned_model", "")),
        latency_ms=sum(int(row["latency_ms"] or 0) for row in both),
        tokens_in=call.get("tokens_in"),
        tokens_out=call.get("tokens_out"),
        cost_milliwon=sum(int(row["reserved"] if row["settled"] is None else row["settled"]) for row in both),
        usage_flag=str(call.get("flag", "")),
        confidence=decision.confidence,
        rationale=decision.rationale if not reply.failure else "",
    )


def _made_up_brief(at: Instant) -> Brief:
    leg = Leg(f"TEST.{at}", "TEST", "005930", Side.BUY, 10, 50_200, 0.04, 0.9)
    context = agent.BriefContext(
        policy_id="trial",
        market="KOSPI",
        sector="",
        last=50_000,
        base_price=49_500,
        lower_limit=34_650,
        upper_limit=64_300,
        snapshot_at=at,
        average_turnover=50_000_000_000,
        traded_today_won=1_000_000_000,
        held=0,
        average_price=0,
        cash=100_000_000,
        equity=100_000_000,
        day_return=0.0,
        drawdown=0.0,
        regime="calm",
        volatility_ratio=1.0,
        fear_greed=55.0,
        score_rank=0.9,
        features={"ret_1m": 0.001},
    )
    return agent.write_brief(leg, context, at=at, settings=agent.AgentSettings())
