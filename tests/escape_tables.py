"""The table of the escape's triggers, written from its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from haetae.guards import ESCAPE_BOUNDS, EscapeSettings

_WHAT = {
    "window": ("수익률과 변동성을 재는 분", "minutes of returns and volatility"),
    "market_bp": ("유니버스 하락: 매수 중지·축소·전량(bp)", "fall of the universe: no_buys, reduce, exit_all (bp)"),
    "index_bp": ("KOSPI 하락(bp)", "fall of the KOSPI (bp)"),
    "volatility_ratio": ("실현/같은 시각 평소 변동성", "realised over usual volatility at this time"),
    "vkospi_x100": ("VKOSPI 수준 ×100", "VKOSPI level x 100"),
    "vkospi_jump_ppm": ("VKOSPI 창 안 상승(ppm)", "rise of the VKOSPI within the window (ppm)"),
    "falling_bp": ("하락장의 기준(bp)", "what counts as falling (bp)"),
    "fear_below": ("극단적 공포", "extreme fear"),
    "fear_scale": ("그때 방아쇠에 곱하는 값", "what triggers are multiplied by then"),
    "panic_below": ("새로 사지 않는 공포", "fear in which nothing is bought"),
    "symbol_minute_bp": ("종목: 60초 하락(bp)", "a name: fall of 60 s (bp)"),
    "symbol_window_bp": ("종목: 창 하락(bp)", "a name: fall of the window (bp)"),
    "symbol_ratio": ("종목: 같은 시각 변동성의 배수", "a name: multiple of its volatility at this time"),
    "symbol_falling_bp": ("그때 함께 필요한 하락(bp)", "the fall needed beside it (bp)"),
    "symbol_floor_ppm": ("종목 평소 변동의 하한(ppm)", "least usual move of a name (ppm)"),
    "escapes_per_symbol": ("종목마다 하루 탈출", "escapes a name and day"),
    "calm_minutes": ("한 단계 내려가는 데 필요한 평온(분)", "calm minutes for each step down"),
    "calm_ratio": ("평온한 변동성 배수", "ratio that is calm"),
    "calm_bp": ("평온한 하락의 한계(bp)", "fall that is still calm (bp)"),
    "rearm_bp": ("방아쇠 가격보다 이만큼 위(bp)", "this far above the trigger (bp)"),
    "memory": ("프로필이 없을 때 기억하는 분", "minutes remembered without a profile"),
    "arm_after": ("그때 비율을 쓰기 시작하는 분", "minutes before the ratio is used then"),
    "floor": ("시장 평소 변동의 하한", "least usual move of the market"),
    "exits_per_day": ("하루 전량 청산", "exit_all a day"),
    "keep_share": ("축소 때 남기는 몫", "share that reduce keeps"),
    "first_bp": ("첫 매도 지정가 아래 폭(bp)", "first limit below the last price (bp)"),
    "widen_bp": ("안 팔리면 넓히는 폭(bp)", "widened by, while nothing sells (bp)"),
    "widen_s": ("넓히는 간격(초)", "every so many seconds"),
    "renewals": ("새로 내는 횟수, 그 뒤 하한가", "renewals, then the lower limit"),
    "stage_share": ("1분 거래량 중 우리 몫", "our share of a minute's volume"),
    "stage_least": ("그래도 1분에 나가는 최소 몫", "least part that goes each minute"),
    "cancel_again_s": ("취소를 다시 보내는 초", "seconds until a cancel is repeated"),
}


def _plain(value: object) -> str:
    return " / ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def triggers(table: Callable[[Sequence[str], Iterable[Sequence[str]]], str]) -> str:
    """Return every setting with its default and the bounds no configuration passes."""
    settings, rows = EscapeSettings(), []
    for name, (least, most) in ESCAPE_BOUNDS.items():
        korean, english = _WHAT[name]
        rows.append([f"`{name}`", f"{korean}<br>{english}", _plain(getattr(settings, name)), f"{least} … {most}"])
    return table(["설정 / setting", "무엇 / what", "기본 / default", "한계 / bounds"], rows)


def escape_tables(
    page: str, table: Callable[[Sequence[str], Iterable[Sequence[str]]], str]
) -> tuple[tuple[str, str, Callable[[], str]], ...]:
    """Return the tables of the page."""
    return ((page, "triggers", partial(triggers, table)),)
