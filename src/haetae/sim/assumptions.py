"""What the simulated exchange does whatever its settings, and what it refuses or leaves out, in sentences.

Here: the sentences, for reports and for the page on the simulator; a test ties the page to them. Not here: what the
settings of a fill model say (``FillModel.assumptions``), the laws (`LAWS` here, proven in tests/property).
"""

from __future__ import annotations

from haetae.domain.errors import Text

LAWS: tuple[Text, ...] = (
    Text(
        ko="t에 보낸 주문은 t 이후에 시작하는 자료만 만납니다",
        en="an order sent at t meets only data that begins at or after t",
    ),
    Text(
        ko="체결가는 봉의 범위 안, 호가 단위 위, 상·하한가 안에 있습니다",
        en="a fill's price lies in the bar's range, on the tick grid and within the day's limits",
    ),
    Text(
        ko="한 봉의 우리 체결은 모든 주문을 합해 거래량의 정해진 비율 이하입니다",
        en="our fills in a bar, all orders together, stay within a share of its volume",
    ),
    Text(
        ko="대기하던 지정가는 뚫려야(기본) 또는 닿으면(선언한 경우) 체결됩니다",
        en="a resting limit order fills on trade-through (default) or on touch (declared)",
    ),
    Text(
        ko="결과는 종목이나 주문을 등록한 순서에 달려 있지 않습니다",
        en="results do not depend on the order in which symbols or orders were registered",
    ),
    Text(
        ko="현금 + 매입가 보유 + 수수료 + 세금은 체결마다 원 단위로 맞습니다",
        en="cash + positions at cost + fees + taxes balance to the won after every fill",
    ),
    Text(
        ko="접수는 장 단계를 따르고, 정지되거나 상·하한가에 잠긴 종목은 규칙대로만 체결됩니다",
        en="admission follows the phase; halted or limit-locked names fill only as the rules allow",
    ),
    Text(
        ko="같은 사건을 두 번 적용해도 아무것도 바뀌지 않습니다",
        en="applying an event twice changes nothing",
    ),
)
"""The laws, in their order; law n is proven by the properties whose names begin with ``test_law_n``."""

ALWAYS: tuple[Text, ...] = (
    Text(
        ko="동시호가 봉은 종가 한 가격으로 체결되고, 시장가, 더 유리한 지정가, 먼저 낸 주문 순으로 거래량을 나눕니다",
        en="a call auction clears at its close; market orders, better limits, then earlier orders share its volume",
    ),
    Text(
        ko="연속 매매에서는 먼저 낸 주문이 봉의 거래량을 먼저 씁니다",
        en="in continuous trading the earlier order takes a bar's volume first",
    ),
    Text(
        ko="거래정지 종목은 새 주문을 받지 않고 체결하지 않으며, 있던 주문은 남습니다",
        en="a halted name takes no order and fills nothing; what rests stays",
    ),
    Text(
        ko="VI 등 종목별 단일가 매매 중에는 그 단일가로만 체결되고 IOC·FOK·최유리·최우선 주문을 받지 않습니다",
        en="a name in an auction of its own (VI) fills at its single price only, without IOC, FOK or best-price orders",
    ),
    Text(
        ko="조건부지정가는 장 마감 동시호가에 시장가로 바뀌며, 현금이 모자라면 낼 수 있는 최고 지정가가 됩니다",
        en="a conditional limit joins the closing auction as a market order, or as the highest limit that cash can pay",
    ),
    Text(
        ko="스톱지정가는 조건가에 닿은 봉이 끝난 뒤부터 지정가로 살아납니다",
        en="a stop is a limit order from the end of the bar that reached its trigger",
    ),
    Text(
        ko="당일 주문은 장이 끝나면 소멸하고, IOC와 FOK는 처음 만난 봉에서 끝납니다",
        en="day orders expire with the session; IOC and FOK end with the first bar they meet",
    ),
    Text(
        ko="시장가 매수는 상한가로, 지정가 매수는 지정가로 수수료까지 현금을 묶습니다",
        en="a market buy ties up cash at the upper limit, a limit buy at its price, both with the fee",
    ),
    Text(
        ko="수수료와 거래세는 주문 전체 체결 금액에 대해 원 미만을 버립니다",
        en="fee and tax are floored to a won on the whole executed amount of an order",
    ),
)
"""What the exchange does whatever the settings of its fill model."""

REFUSES: tuple[Text, ...] = (
    Text(
        ko="손상된 봉(고가 < 저가, 범위 밖의 시가·종가, 음수 거래량, 0원 체결): 종목·시각·값을 알리고 멈춥니다",
        en="corrupt bars (high < low, open or close outside, negative volume, traded at 0): symbol, time, values named",
    ),
    Text(
        ko="순서가 어긋나거나 겹치는 봉",
        en="bars out of order, or that overlap",
    ),
    Text(
        ko="중간가 호가(21, 23, 24): 호가 단위 밖의 반 호가에서 체결되어, 봉 자료로는 알 수 없습니다",
        en="mid-price orders (21, 23, 24): they trade half a tick off the grid, which bars do not show",
    ),
    Text(
        ko="시간외 단일가(07): 2026-09-14 폐지되었고, 그 이전의 10분 단위 체결 자료가 없습니다",
        en="the single-price session (07): abolished on 2026-09-14; no data of its ten-minute calls exists",
    ),
    Text(
        ko="공매도·신용·미수: 현금 계좌의 매수와 보유 주식의 매도만 다룹니다",
        en="short sales and credit: a cash account buys, and sells what it holds",
    ),
    Text(
        ko="호가 잔량의 대기 순서와 우리 주문의 시장 충격: 거래량 비율과 호가 불리가 그 자리를 대신합니다",
        en="the queue before us and our impact on prices: the volume share and the slippage stand in for them",
    ),
    Text(
        ko="배열 시뮬레이터(sim.batch)는 종목당 주문 하나만, 다음 봉부터 체결하며 스톱·조건부·지연 시간은 없습니다",
        en="the array twin (sim.batch): one order a name, met from the next bar on; no stops, conditionals, latency",
    ),
)
"""What is refused or left out, each with its reason."""
