"""What ends a run in one line: keys of the wrong domain, addresses that contradict, a clock that is off.

Here: the words of each, in both languages, those of refused registrations too. Not here: when they are said
(`transport`, `standing`, `stream`).
"""

from __future__ import annotations

from collections.abc import Sequence

from haetae.domain.errors import Fatal, Retryable, Text
from haetae.kis.wire.control import ACK_TEXTS, TOO_MANY
from haetae.kis.wire.operations import Mode, Operation


def not_served(operation: Operation, mode: Mode) -> Fatal:
    """Return the refusal of a call that a domain does not have."""
    return Fatal(
        Text(
            ko=f"모의투자에는 {operation.korean} 조회가 없습니다", en=f"the mock domain does not serve {operation.name}"
        ),
        expected=Text(ko="이 도메인의 호출", en="a call of this domain"),
        found=mode.value,
        next_step=Text(ko="실전 도메인에서만 쓰세요", en="use it on the real domain"),
    )


def contradiction(mode: Mode, faults: Sequence[str]) -> Fatal:
    """Return the refusal to send where address, mode and id do not agree."""
    return Fatal(
        Text(
            ko="주소와 모드가 맞지 않아 아무것도 보내지 않았습니다",
            en="address and mode do not agree; nothing was sent",
        ),
        code="MODE_MISMATCH",
        expected=f"addresses and ids of the {mode.value} domain",
        found="; ".join(faults),
        next_step=Text(ko="설정 파일의 [kis] 항목을 고치세요", en="mend the [kis] table of the configuration"),
    )


def other_domain(asked: str, answered: str) -> Fatal:
    """Return the stop where real money was asked and mock money answered, or the reverse."""
    return Fatal(
        Text(ko="다른 도메인의 응답이 왔습니다: 멈춥니다", en="an answer of the other domain came: stop"),
        code="MODE_MISMATCH",
        expected=asked,
        found=answered[:13],
        next_step=Text(ko="주소와 모드를 확인하고 계좌를 대조하세요", en="check address and mode, compare the account"),
    )


def wrong_key(code: str, text: str, status: int, mode: Mode) -> Fatal:
    """Return the stop where KIS says that key and domain do not belong together."""
    return Fatal(
        Text(
            ko=f"앱키가 이 도메인({mode.value})의 것이 아닙니다: {text}",
            en=f"the app key is not of this domain ({mode.value}): {text}",
        ),
        code=code,
        expected=f"app key and secret of the {mode.value} domain",
        found=f"{code} (HTTP {status})",
        next_step=Text(
            ko="실전 키는 실전 주소, 모의 키는 모의 주소에만 쓸 수 있습니다: [kis] 와 secrets.env 를 고치세요",
            en="real keys serve the real host, mock keys the mock host: mend [kis] and secrets.env",
        ),
    )


def untrusted(name: str, why: str) -> Fatal:
    """Return the refusal to talk to a server whose certificate does not hold."""
    return Fatal(
        Text(ko="KIS 서버를 믿을 수 없어 연결하지 않았습니다", en="the server is not to be trusted; not connected"),
        code="TLS",
        expected="a certificate that holds for the address",
        found=f"{name}: {why}",
        next_step=Text(ko="주소, 시계, 인증서 저장소를 확인하세요", en="check address, clock and trusted certificates"),
    )


def clock_off(skew_s: float, allowed_s: float) -> Fatal:
    """Return the refusal to begin with a clock that is plainly wrong."""
    return Fatal(
        Text(
            ko=f"이 컴퓨터의 시계가 KIS 서버보다 {abs(skew_s):.0f}초 {'빠릅니다' if skew_s > 0 else '느립니다'}",
            en=f"this machine's clock is {abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} KIS's",
        ),
        code="CLOCK",
        expected=f"less than {allowed_s:.0f} s",
        found=f"{skew_s:+.1f} s",
        next_step=Text(ko="NTP 로 시계를 맞추고 다시 시작하세요", en="set the clock by NTP and start again"),
    )


def no_room(asked: int, limit: int) -> Fatal:
    """Return the refusal to ask for more registrations than a session takes."""
    return Fatal(
        Text(ko=f"실시간 등록 {asked}건을 더하면 한도를 넘습니다", en=f"{asked} more registrations exceed the limit"),
        code=TOO_MANY,
        expected=f"at most {limit}",
        found=str(asked),
        next_step=Text(ko="나머지 종목은 REST 조회에 맡기세요", en="leave symbols to the REST tier"),
    )


def no_ack(pairs: int, ack_s: float, found: str) -> Retryable:
    """Return what is told where registrations were not acknowledged in time."""
    return Retryable(
        Text(ko="실시간 등록 응답이 없습니다", en="no answer to a registration"),
        expected=f"{pairs} acks within {ack_s} s",
        found=found,
        next_step=Text(ko="다시 연결되면 등록합니다", en="they are registered when the session is open"),
    )


def registration(pair: tuple[str, str], code: str) -> Fatal:
    """Return the refusal of a registration that KIS will not take."""
    text = ACK_TEXTS.get(code, "")
    return Fatal(
        Text(ko=f"실시간 등록 거절 {pair[0]}: {text}", en=f"registration of {pair[0]} refused: {text}"),
        code=code,
        expected="SUBSCRIBE SUCCESS",
        found=f"{code} {text}",
        next_step=Text(ko="HTS ID, 종목 코드, 앱키를 확인하세요", en="check HTS id, symbol and app key"),
    )
