"""Settings of the simulated exchange: the fill model and what it assumes."""

from __future__ import annotations

from dataclasses import dataclass

from haetae.domain.errors import Text
from haetae.domain.units import Instant


@dataclass(frozen=True, slots=True)
class FillModel:
    """How an order meets a bar.

    Attributes
    ----------
    volume_share_ppm : parts per million
        Most that all our orders of a symbol take from a bar's volume; 10 % because a minute bar
        hides the queue and larger shares would move the price.
    slippage_ticks : ticks
        Market orders fill so much worse than the bar's open; 1 tick is half a spread and a bit.
    touch : bool
        Whether a resting limit order fills when the price is only touched; off, because on a
        touch the queue before us is filled first.
    latency_ns : nanoseconds
        Extra time between sending and the first data an order may meet. 0, because with minute
        bars an order already waits for the next bar.
    """

    volume_share_ppm: int = 100_000
    slippage_ticks: int = 1
    touch: bool = False
    latency_ns: Instant = 0

    def __post_init__(self) -> None:
        """Refuse shares beyond the whole volume and negative slippage or latency."""
        if not 0 < self.volume_share_ppm <= 1_000_000:
            raise ValueError(f"volume share {self.volume_share_ppm} ppm is not in (0, 1000000]")
        if self.slippage_ticks < 0 or self.latency_ns < 0:
            raise ValueError("slippage and latency cannot help us: both are at least 0")

    def assumptions(self) -> tuple[Text, ...]:
        """Return what the model assumes, one sentence each, for reports."""
        share = self.volume_share_ppm / 10_000
        touch_ko, touch_en = ("닿기만 해도", "on touch") if self.touch else ("뚫려야", "on trade-through")
        return (
            Text(
                ko="주문은 보낸 시각 이후에 시작하는 봉에서만 체결됩니다",
                en="an order meets only bars that begin at or after it was sent",
            ),
            Text(
                ko=f"시장가는 시가보다 {self.slippage_ticks}호가 불리하게 체결됩니다",
                en=f"market orders fill {self.slippage_ticks} ticks worse than the open",
            ),
            Text(ko=f"지정가는 가격이 {touch_ko} 체결됩니다", en=f"resting limit orders fill {touch_en}"),
            Text(
                ko=f"한 봉에서 우리 체결은 거래량의 {share:g} % 이하입니다",
                en=f"our fills of a bar stay within {share:g} % of its volume",
            ),
            Text(
                ko="상·하한가에 잠긴 봉과 거래가 없는 봉에서는 체결되지 않습니다",
                en="bars locked at a limit or without trades fill nothing",
            ),
        )
