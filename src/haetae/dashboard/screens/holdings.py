"""보유·주문·체결: holdings, candles with our executions, orders, fills; cancelling what is open."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import streamlit as st

from haetae.dashboard import board, charts, states
from haetae.dashboard.board import Card, Cell, Column
from haetae.dashboard.client import ServiceClient, Trouble
from haetae.dashboard.figures import (
    NONE,
    clock_time,
    percent,
    percent_change,
    shares,
    tone,
    won,
    won_change,
)
from haetae.dashboard.words import ORDER, SIDE, say, word
from haetae.service import schemas


def show(client: ServiceClient, day: dt.date | None) -> None:
    """Draw the page."""
    held = client.positions(day)
    orders, fills = client.orders(day), client.fills(day)
    _holdings(held)
    with states.part():
        _chart(client, day, held, fills)
    first, second = st.tabs(
        [
            say(f"주문 {len(orders.rows):,}", f"Orders {len(orders.rows):,}"),
            say(f"체결 {len(fills.rows):,}", f"Fills {len(fills.rows):,}"),
        ]
    )
    with first:
        _orders(client, orders)
    with second:
        _fills(fills)


def _holdings(held: schemas.Positions) -> None:
    profit = sum(row.profit for row in held.rows)
    board.cards(
        [
            Card(say("평가액", "Equity"), won(held.equity)),
            Card(
                say("보유 평가", "Holdings"),
                won(held.market_value),
                say(f"{len(held.rows)}종목", f"{len(held.rows)} names"),
            ),
            Card(say("현금", "Cash"), won(held.cash), percent(held.cash / held.equity if held.equity else None)),
            Card(say("평가 손익", "Unrealised"), won_change(profit), "", tone(profit)),
        ]
    )
    board.heading(say("보유 종목", "Holdings"))
    if not held.rows:
        states.nothing(say("보유 종목이 없습니다. 모두 현금입니다.", "Nothing is held; all is cash."))
        return
    columns = (
        Column(say("종목", "Name")),
        Column(say("코드", "Code")),
        Column(say("수량", "Quantity"), number=True),
        Column(say("평균단가", "Average"), number=True),
        Column(say("현재가", "Last"), number=True),
        Column(say("평가금액", "Value"), number=True),
        Column(say("손익", "Profit"), number=True),
        Column(say("수익률", "Return"), number=True),
        Column(say("비중", "Weight"), number=True),
    )
    rows = [
        (
            row.name,
            row.symbol,
            shares(row.quantity),
            won(row.average_price),
            won(row.last),
            won(row.value),
            Cell(won_change(row.profit), tone(row.profit)),
            Cell(percent_change(row.profit_rate), tone(row.profit)),
            percent(row.weight),
        )
        for row in sorted(held.rows, key=lambda row: -row.value)
    ]
    board.table("positions", columns, rows, height_px=380)


def _chart(client: ServiceClient, day: dt.date | None, held: schemas.Positions, fills: schemas.Fills) -> None:
    names = {row.symbol: row.name for row in fills.rows} | {row.symbol: row.name for row in held.rows}
    board.heading(
        say("차트와 우리 체결", "Chart with our executions"),
        say("▲ 매수, ▼ 매도. 빨강은 오른 봉, 파랑은 내린 봉.", "▲ bought, ▼ sold. Red bars rose, blue bars fell."),
    )
    if not names:
        states.nothing(say("이 날 거래하거나 보유한 종목이 없습니다.", "No name was traded or held on this day."))
        return
    left, right = st.columns([3, 1])
    codes = sorted(names, key=lambda code: names[code])
    busy = Counter(row.symbol for row in fills.rows)
    symbol = left.selectbox(
        say("종목", "Name"),
        codes,
        index=max(range(len(codes)), key=lambda place: busy[codes[place]]),
        format_func=lambda code: f"{names[code]} {code}",
    )
    table = right.segmented_control(
        say("봉", "Bars"),
        ["minute", "daily"],
        default="minute",
        format_func=lambda name: say("분봉", "Minute") if name == "minute" else say("일봉", "Daily"),
    )
    bars = client.candles(symbol, table or "minute", day)
    if bars.rows:
        board.picture(charts.candles(bars), "candles")
    else:
        states.nothing(say("이 종목의 봉이 없습니다.", "There are no bars of this name."))


def _orders(client: ServiceClient, orders: schemas.Orders) -> None:
    if not orders.rows:
        states.nothing(say("이 날 보낸 주문이 없습니다.", "No order was sent on this day."))
        return
    columns = (
        Column(say("시각", "Time")),
        Column(say("종목", "Name")),
        Column(say("구분", "Side")),
        Column(say("수량", "Quantity"), number=True),
        Column(say("체결", "Filled"), number=True),
        Column(say("지정가", "Limit"), number=True),
        Column(say("평균 체결가", "Average"), number=True),
        Column(say("상태", "Status")),
        Column(say("종류", "Kind")),
        Column(say("주문번호", "Number")),
    )
    rows = [
        (
            clock_time(row.submitted_at),
            row.name,
            _side(row.side),
            shares(row.quantity),
            shares(row.filled),
            won(row.limit_price) if row.limit_price else say("시장가", "Market"),
            won(row.average_price or None),
            word(ORDER, row.status),
            say("탈출", "Escape") if row.escape else say("일반", "Regular"),
            row.order_number or NONE,
        )
        for row in reversed(orders.rows)
    ]
    board.table("orders", columns, rows)
    _cancelling(
        client, [row for row in orders.rows if row.open_quantity and row.status in ("working", "partial", "unknown")]
    )


def _cancelling(client: ServiceClient, still_open: list[schemas.Order]) -> None:
    if not still_open:
        return
    with st.form("cancel", clear_on_submit=True):
        by_id = {row.intent_id: row for row in still_open}
        chosen = st.selectbox(
            say("취소할 미체결 주문", "Open order to cancel"),
            list(by_id),
            format_func=lambda code: f"{by_id[code].name} {word(SIDE, by_id[code].side)} {by_id[code].open_quantity:,}",
        )
        why = st.text_input(say("이유 (3자 이상)", "Why (3 letters or more)"))
        if st.form_submit_button(say("취소 요청", "Ask to cancel")):
            if len(why.strip()) < 3:
                st.warning(say("이유를 3자 이상 적으십시오.", "Write a reason of 3 letters or more."))
                return
            try:
                answer = client.cancel(chosen, why.strip())
            except Trouble as trouble:
                states.explain(trouble)
            else:
                st.success(say(answer.note_ko, answer.note_en))


def _fills(fills: schemas.Fills) -> None:
    if not fills.rows:
        states.nothing(say("이 날 체결이 없습니다.", "Nothing was executed on this day."))
        return
    columns = (
        Column(say("시각", "Time")),
        Column(say("종목", "Name")),
        Column(say("구분", "Side")),
        Column(say("수량", "Quantity"), number=True),
        Column(say("가격", "Price"), number=True),
        Column(say("금액", "Amount"), number=True),
        Column(say("수수료", "Fee"), number=True),
        Column(say("세금", "Tax"), number=True),
        Column(say("실현 손익", "Realised"), number=True),
    )
    rows = [
        (
            clock_time(row.at),
            row.name,
            _side(row.side),
            shares(row.quantity),
            won(row.price),
            won(row.amount),
            won(row.fee),
            won(row.tax),
            Cell(won_change(row.realized), tone(row.realized)) if row.side == "sell" else NONE,
        )
        for row in reversed(fills.rows)
    ]
    board.table("fills", columns, rows)


def _side(side: schemas.Side) -> Cell:
    return Cell(word(SIDE, side), "up" if side == "buy" else "down")
