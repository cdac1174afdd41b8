"""Faults of the market itself: M01 to M10."""

from __future__ import annotations

from haetae.domain.errors import Text
from haetae.emulator.faults.entries import Entry, Form, Param, Site, Timebase, choice, count, seconds
from haetae.emulator.faults.transport_entries import TRADES_AND_BOOKS

QUOTES = ("inquire-price", "intstock-multprice", "inquire-asking-price-exp-ccn")
_LASTS = seconds(0.0, Text(ko="지속 시간(시장 초), 0 은 끝까지", en="how long, market seconds; 0: to the end"))
_BOOKS = choice("how", Text(ko="무엇이 틀리나", en="what is wrong"), "zero_ask", "zero_bid", "crossed")
_PRICES = (
    choice("how", Text(ko="무엇이 틀리나", en="what is wrong"), "zero", "negative", "times", "other"),
    count("factor", 10, Text(ko="times 의 배수", en="the multiple of times"), least=2, most=1_000),
    Param("symbol", Form.SYMBOL, "", Text(ko="other 의 종목, 비우면 아무거나", en="the symbol of other; blank: any")),
)

ENTRIES = (
    Entry(
        "M01",
        Site.STRIKE,
        Text(ko="한 체결에 15 % 뛰고, 뒤에 15 % 빠짐", en="a gap of 15 % in one print, then back by 15 %"),
        Text(ko="VI 상태, 가격 띠, 이력: 왔다갔다 하지 않음", en="VI state, collar, hysteresis: no ping-pong"),
        "exchange rule: a gap trips an interruption; the move itself is scripted",
        '[[fault]]\nid = "M01"\nwhere = { symbol = "005930" }\nwhen = { at = "10:05:00" }\n',
        (
            count(
                "bp", 1_500, Text(ko="처음 움직임(bp)", en="the first move, basis points"), least=-9_500, most=50_000
            ),
            count(
                "back_bp", -1_500, Text(ko="되돌림(bp)", en="the move back, basis points"), least=-9_500, most=50_000
            ),
            count("back_minutes", 5, Text(ko="되돌림까지(분), 0 은 없음", en="minutes until then; 0: never"), most=390),
        ),
        timebase=Timebase.MARKET,
    ),
    Entry(
        "M02",
        Site.STRIKE,
        Text(ko="상한가 또는 하한가 잠김", en="locked at the upper or the lower limit"),
        Text(
            ko="상한가에서 사지 않고, 하한가에서는 대기 후 알림", en="no buy at the upper lock; an escape rests, page"
        ),
        "exchange rule: daily limits of 30 %",
        '[[fault]]\nid = "M02"\nwhere = { symbol = "005930" }\nwhat = { side = "lower", seconds = 600 }\n',
        (choice("side", Text(ko="어느 쪽", en="which side"), "lower", "upper"), _LASTS),
        timebase=Timebase.MARKET,
        needs="symbol",
    ),
    Entry(
        "M03",
        Site.STRIKE,
        Text(ko="변동성완화장치(VI) 발동", en="a volatility interruption"),
        Text(ko="주문은 단일가를 견디고, 가격을 쫓지 않음", en="the order survives the auction; no re-price storm"),
        "exchange rule: dynamic VI, 2 minutes and up to 30 seconds",
        '[[fault]]\nid = "M03"\nwhere = { symbol = "005930" }\nwhen = { state = "order-open" }\n',
        (choice("way", Text(ko="방향", en="which way"), "up", "down"),),
        timebase=Timebase.MARKET,
        needs="symbol",
    ),
    Entry(
        "M04",
        Site.STRIKE,
        Text(ko="거래정지, 지정, 상장폐지", en="halted, designated, delisted"),
        Text(ko="동결, 마지막 가격으로 평가하고 표시", en="freeze; valued at the last price, flagged"),
        "exchange rule; designations and delistings come overnight",
        '[[fault]]\nid = "M04"\nwhere = { symbol = "005930" }\nwhat = { how = "halt", seconds = 1800 }\n',
        (
            choice(
                "how",
                Text(
                    ko="halt 는 바로, 나머지는 다음 거래일부터", en="halt at once, the others from the next session on"
                ),
                "halt",
                "administrative",
                "caution",
                "warning",
                "danger",
                "liquidation",
                "unfaithful_disclosure",
                "short_overheated",
                "delisted",
            ),
            _LASTS,
        ),
        timebase=Timebase.MARKET,
        needs="symbol",
    ),
    Entry(
        "M05",
        Site.STRIKE,
        Text(ko="서킷브레이커 1, 2, 3단계", en="the circuit breaker, level 1, 2 or 3"),
        Text(ko="진입 중단, 3단계는 장 종료", en="entries off; level 3 closes the day"),
        "exchange rule: 8, 15, 20 %",
        '[[fault]]\nid = "M05"\nwhen = { at = "10:30:00" }\nwhat = { level = 1, market = "both" }\n',
        (
            count("level", 1, Text(ko="단계", en="level"), least=1, most=3),
            choice("market", Text(ko="시장", en="market"), "both", "KOSPI", "KOSDAQ"),
        ),
        timebase=Timebase.MARKET,
    ),
    Entry(
        "M06",
        Site.FRAME,
        Text(
            ko="호가 한쪽이 0, 또는 뒤집힘 (실시간, 조회)", en="a book without a side, or crossed (stream and queries)"
        ),
        Text(ko="그 호가로 수량을 정하지 않음", en="no sizing from it"),
        "exchange rule: a side is empty at a limit; crossed books are a defect of a feed",
        '[[fault]]\nid = "M06"\nwhere = { symbol = "005930" }\nwhat = { how = "crossed" }\ntimes = 5\n',
        (_BOOKS,),
        streams=TRADES_AND_BOOKS,
        operations=QUOTES,
        also=(Site.BEHIND,),
    ),
    Entry(
        "M07",
        Site.FRAME,
        Text(ko="가격이 0, 음수, 10배, 남의 가격 (실시간, 조회)", en="a price of 0, below 0, tenfold, or another's"),
        Text(ko="가격 띠와 두 출처 비교가 거절", en="collar and two-source check refuse it"),
        "design: fault table",
        '[[fault]]\nid = "M07"\nwhere = { symbol = "005930" }\nwhat = { how = "times", factor = 10 }\n',
        _PRICES,
        streams=("H0STCNT0",),
        operations=QUOTES,
        also=(Site.BEHIND,),
    ),
    Entry(
        "M08",
        Site.STRIKE,
        Text(
            ko="분할, 무상, 유상, 합병, 배당 (다음 거래일)",
            en="a split, bonus, rights issue, merger or dividend overnight",
        ),
        Text(ko="다시 계산할 때까지 동결", en="freeze until recalculated"),
        "exchange rule: base prices after corporate actions",
        '[[fault]]\nid = "M08"\nwhere = { symbol = "005930" }\nwhat = { kind = "split", ratio = 50 }\n',
        (
            choice("kind", Text(ko="종류", en="kind"), "split", "bonus", "rights", "merger", "dividend"),
            Param("ratio", Form.NUMBER, 50.0, Text(ko="한 주당 새 주식", en="new shares for one"), 0.0001, 1_000.0),
            count("price", 0, Text(ko="유상 발행가, 배당금(원)", en="won: of the rights, of the dividend")),
            Param("partner", Form.SYMBOL, "", Text(ko="합병 상대", en="the other company of a merger")),
            count("sessions_ahead", 1, Text(ko="몇 거래일 뒤", en="how many sessions ahead"), least=1, most=250),
        ),
        timebase=Timebase.MARKET,
        needs="symbol",
    ),
    Entry(
        "M09",
        Site.STRIKE,
        Text(ko="휴장일, 늦은 개장 (수능일 10시)", en="a holiday, a late open (exam day at 10:00)"),
        Text(ko="장 시간이 닫히거나 밀림", en="the session oracle closes or shifts"),
        "exchange rule: the calendar of krx; a date to start on, not a fault",
        "haetae emulator run --first-day 2026-11-19 --clock 2026-11-19T09:30",
        needs="calendar",
    ),
    Entry(
        "M10",
        Site.STRIKE,
        Text(
            ko="장 시간표가 도중에 바뀜 (애프터마켓 시작)",
            en="a new session table comes in force (the aftermarket begins)",
        ),
        Text(ko="날짜별 표로, 코드는 그대로", en="a dated table, no change of code"),
        "exchange rule: aftermarket from 2026-09-14; dates to run through, not a fault",
        "haetae emulator run --first-day 2026-09-11 --sessions 2",
        needs="calendar",
    ),
)
"""The market faults in the order of their numbers."""
