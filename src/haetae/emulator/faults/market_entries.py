"""Faults of the market itself: M01 to M10."""

from __future__ import annotations

from haetae.domain.errors import Text
from haetae.emulator.faults.entries import Entry, Form, Param, Site, choice, count
from haetae.emulator.faults.transport_entries import TRADES_AND_BOOKS

QUOTES = ("inquire-price", "intstock-multprice", "inquire-asking-price-exp-ccn")
_BOOKS = choice("how", Text(ko="무엇이 틀리나", en="what is wrong"), "zero_ask", "zero_bid", "crossed")
_PRICES = (
    choice("how", Text(ko="무엇이 틀리나", en="what is wrong"), "zero", "negative", "times", "other"),
    count("factor", 10, Text(ko="times 의 배수", en="the multiple of times"), least=2, most=1_000),
    Param("symbol", Form.SYMBOL, "", Text(ko="other 의 종목, 비우면 아무거나", en="the symbol of other; blank: any")),
)

ENTRIES = (
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
        Text(
            ko="가격이 0, 음수, 10배, 남의 가격 (실시간, 조회)",
            en="a price of 0, below 0, tenfold, another's (stream and queries)",
        ),
        Text(ko="가격 띠와 두 출처 비교가 거절", en="collar and two-source check refuse it"),
        "design: fault table",
        '[[fault]]\nid = "M07"\nwhere = { symbol = "005930" }\nwhat = { how = "times", factor = 10 }\n',
        _PRICES,
        streams=("H0STCNT0",),
        operations=QUOTES,
        also=(Site.BEHIND,),
    ),
)
"""The market faults in the order of their numbers."""
