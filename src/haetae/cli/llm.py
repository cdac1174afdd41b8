"""``haetae llm status|test``: which language model reviews orders, what it cost today, does it answer."""

from __future__ import annotations

import dataclasses
import os
from typing import Annotated

import typer

from haetae.cli.options import JSON
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import BrokerError, Text

nouns = typer.Typer(no_args_is_help=True, help=hint("언어 모델 (주문 검토)", "The language model (order review)"))

_NONE = Text(
    ko="언어 모델이 설정되지 않았습니다. 판단: 오프라인 규칙 (AI 아님).\n"
    "설정: HAETAE_LLM_BASE_URL, HAETAE_LLM_MODEL, HAETAE_LLM_API_KEY",
    en="No language model is configured. Decider: offline rules (not AI).\n"
    "To configure: HAETAE_LLM_BASE_URL, HAETAE_LLM_MODEL, HAETAE_LLM_API_KEY",
)
_STEPS = {
    "KEY": Text(ko="HAETAE_LLM_API_KEY 를 확인하세요", en="check HAETAE_LLM_API_KEY"),
    "BUDGET": Text(
        ko="제공자 잔액을 충전하거나 HAETAE_LLM_DAILY_KRW 를 확인하세요",
        en="top up the provider's account or check HAETAE_LLM_DAILY_KRW",
    ),
    "DRIFT": Text(
        ko="이 모델이 맞다면 `haetae llm test --accept-name`",
        en="if it is the right model: `haetae llm test --accept-name`",
    ),
    "TIMEOUT": Text(
        ko="HAETAE_LLM_DEADLINE_S 를 늘리거나 빠른 모델을 쓰세요",
        en="raise HAETAE_LLM_DEADLINE_S or use a faster model",
    ),
    "UNAVAILABLE": Text(
        ko="HAETAE_LLM_BASE_URL 과 네트워크를 확인하세요", en="check HAETAE_LLM_BASE_URL and the network"
    ),
    "PROTOCOL": Text(
        ko="HAETAE_LLM_BASE_URL(/v1 까지)과 HAETAE_LLM_MODEL, HAETAE_LLM_FORMAT 을 확인하세요",
        en="check HAETAE_LLM_BASE_URL (up to /v1), HAETAE_LLM_MODEL and HAETAE_LLM_FORMAT",
    ),
    "RATE": Text(ko="잠시 후 다시 시도하세요", en="try again later"),
    "TRUNCATED": Text(ko="HAETAE_LLM_MAX_TOKENS 를 늘리세요", en="raise HAETAE_LLM_MAX_TOKENS"),
}
_OTHER_STEP = Text(
    ko="이 모델은 형식을 지키지 못합니다; 다른 모델이나 HAETAE_LLM_FORMAT=json_schema 를 써 보세요",
    en="this model does not keep the form; try another, or HAETAE_LLM_FORMAT=json_schema",
)


@nouns.command(
    "status", help=hint("설정과 오늘 쓴 돈을 보입니다 (호출하지 않음).", "Show settings and spending; calls nothing.")
)
def status(json_file: JSON = None) -> None:
    """Show what is configured and spent."""
    check_target(json_file)
    from haetae.wiring import deciders

    found = deciders.status(os.environ)
    if not found.configured:
        print(say(_NONE))
    else:
        print(
            hint(
                f"모델 {found.model} · {found.host} · 키 {found.key}",
                f"model {found.model} at {found.host}, key {found.key}",
            )
        )
        print(
            hint(
                f"{found.day} 지출 {found.spent_krw:,} / {found.daily_krw:,}원 · 호출 {found.calls}"
                + (f" · 끝나지 않은 호출 {found.open_calls}" if found.open_calls else ""),
                f"{found.day} spent KRW {found.spent_krw:,} of {found.daily_krw:,}, {found.calls} calls"
                + (f", {found.open_calls} unfinished" if found.open_calls else ""),
            )
        )
        print(hint(f"가격 {found.price} · 장부 {found.ledger}", f"price {found.price}, ledger {found.ledger}"))
        for name, accepted in (found.names or {}).items():
            verdict = (
                hint("확인됨", "accepted")
                if accepted
                else hint("다른 모델! 매수 검토 중지", "STRANGE: reviews stopped")
            )
            print(f"  {name}: {verdict}")
        if found.last:
            print(hint("마지막 호출", "last call") + f": {found.last['status']} {found.last['detail']}".rstrip())
    write_record(json_file, dataclasses.asdict(found))


@nouns.command(
    "test", help=hint("가상의 주문 하나를 실제로 물어봅니다 (비용 발생).", "Put one made-up order to it; costs money.")
)
def try_once(
    json_file: JSON = None,
    accept_name: Annotated[
        bool,
        typer.Option(
            "--accept-name", help=hint("답한 모델의 이름을 맞는 것으로 받아들임", "accept the answering model's name")
        ),
    ] = False,
) -> None:
    """Make one real review and tell whether the desk could act on the reply."""
    check_target(json_file)
    import asyncio

    from haetae.wiring import deciders

    found = asyncio.run(deciders.try_model(os.environ, accept_name=accept_name))
    if found is None:
        print(say(_NONE))
        write_record(json_file, {"configured": False})
        return
    write_record(json_file, {"configured": True, **dataclasses.asdict(found)})
    took = f"{found.latency_ms:,} ms"
    cost = f"{found.cost_milliwon / 1000:,.1f}"
    if not found.usable:
        code = found.status.removeprefix("ABSTAIN_")
        raise BrokerError(
            Text(ko=f"모델이 쓸 수 있는 답을 하지 않았습니다: {code}", en=f"the model gave no usable reply: {code}"),
            expected="decision_reply/1",
            found=found.detail or found.status,
            next_step=_STEPS.get(code, _OTHER_STEP),
        )
    print(
        hint(
            f"{found.status} · 확신 {found.confidence:.2f} · {took} · {cost}원 · {found.returned_model}",
            f"{found.status}, confidence {found.confidence:.2f}, {took}, KRW {cost}, {found.returned_model}",
        )
    )
    if found.usage_flag:
        print(
            hint(
                "사용량 보고를 믿을 수 없어 예약 금액으로 적었습니다",
                "usage was not believable; booked at the reservation",
            )
        )
    print(found.rationale)
