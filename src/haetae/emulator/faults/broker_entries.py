"""Faults of the broker behind the wire: B01 to B21."""

from __future__ import annotations

from haetae.domain.errors import Text
from haetae.emulator.faults.entries import Entry, Form, Param, Site, Timebase, choice, count, flag, seconds, text

_ORDER = ("order",)


ENTRIES = (
    Entry(
        "B01",
        Site.BEHIND,
        Text(ko="접수된 주문이 한동안 조회에 안 보임", en="a taken order is missing from the lists for a while"),
        Text(ko="없다고 판단하지 않고, 늦게라도 찾음", en="absence proves nothing; adopted late"),
        "a sister broker's API: more than 30 s until an order was listed",
        '[[fault]]\nid = "B01"\nwhat = { seconds = 45, balance = true }\n',
        (
            seconds(45.0, Text(ko="보이기까지(시장 초)", en="until it is seen, market seconds")),
            flag(
                "balance",
                Text(ko="잔고에도 그 전 상태가 보임", en="the balance, too, is that of before"),
                default=False,
            ),
        ),
        operations=_ORDER,
        timebase=Timebase.MARKET,
    ),
    Entry(
        "B02",
        Site.BEHIND,
        Text(ko="접수 뒤 거래소가 거부", en="acknowledged, then rejected by the exchange"),
        Text(ko="거부로 끝나고 예약이 풀림", en="rejected with its reason, the reservation freed"),
        "KIS documents: RFUS_YN of the notice, rjct_qty of the list",
        '[[fault]]\nid = "B02"\nwhat = { seconds = 0.5 }\n',
        (seconds(0.5, Text(ko="접수 뒤 거부까지(시장 초)", en="from the ack to the refusal, market seconds")),),
        operations=_ORDER,
        timebase=Timebase.MARKET,
    ),
    Entry(
        "B03",
        Site.BEHIND,
        Text(
            ko="같은 초, 같은 가격에 나누어 체결: 1, 1, 나머지",
            en="filled in parts in one second at one price: 1, 1, rest",
        ),
        Text(ko="누적 수량으로 세어 한 번씩만", en="cumulative deltas: never two for one"),
        "exchange rule: one order, many counterparties",
        '[[fault]]\nid = "B03"\nwhat = { parts = [1, 1] }\n',
        (Param("parts", Form.WHOLES, [1, 1], Text(ko="먼저 체결될 수량들", en="quantities that fill first")),),
        operations=_ORDER,
    ),
    Entry(
        "B04",
        Site.AHEAD,
        Text(ko="취소가 닿기 직전에 체결", en="filled just before the cancel arrives"),
        Text(ko="취소 거부 또는 일부 취소를 처리", en="a refused or partial cancel is handled"),
        "exchange rule: a cancel races the fills",
        '[[fault]]\nid = "B04"\nwhat = { quantity = 1 }\n',
        (count("quantity", 0, Text(ko="체결될 수량, 0 은 전부", en="shares that fill; 0: all")),),
        operations=("cancel",),
    ),
    Entry(
        "B05",
        Site.BEHIND,
        Text(ko="취소는 접수되고 응답만 사라짐", en="the cancel is taken, the answer is lost"),
        Text(ko="증명될 때까지 취소 대기", en="pending until proved"),
        "design: fault table",
        '[[fault]]\nid = "B05"\nwhat = { how = "closed" }\n',
        (choice("how", Text(ko="응답이 사라지는 모양", en="how the answer is lost"), "closed", "reset", "silent"),),
        operations=("cancel",),
    ),
    Entry(
        "B06",
        Site.BEHIND,
        Text(ko="주문이 밖에서 정정되어 번호가 이어짐", en="the order is modified from outside: a chain of numbers"),
        Text(ko="원주문번호를 따라가고 수량은 한 번만 셈", en="the chain is kept, the quantity counted once"),
        "KIS documents: a modified order has a new number and names the old one",
        '[[fault]]\nid = "B06"\nwhat = { links = 2, ticks = 1 }\n',
        (
            count("links", 1, Text(ko="이어지는 정정 횟수", en="modifications in a row"), least=1, most=20),
            count(
                "ticks",
                1,
                Text(ko="매번 불리한 쪽으로 움직일 호가 수", en="ticks away from the market each"),
                least=1,
                most=50,
            ),
        ),
        operations=("order", "modify"),
    ),
    Entry(
        "B07",
        Site.AHEAD,
        Text(ko="다음 쪽을 묻는 사이 주문이나 체결이 끼어듦", en="an order or a fill comes in between two pages"),
        Text(ko="끝까지 읽고, 앞이 움직였으면 처음부터", en="read to the end; again from the start if the head moved"),
        "unverified",
        '[[fault]]\nid = "B07"\nwhat = { how = "order", shift = true }\n',
        (
            choice("how", Text(ko="무엇이 끼어드나", en="what comes in"), "order", "fill"),
            flag(
                "shift",
                Text(ko="앞 쪽의 마지막 줄이 다시 나옴", en="the last row of the page before is sent again"),
                default=True,
            ),
        ),
        operations=("list",),
    ),
    Entry(
        "B08",
        Site.BEHIND,
        Text(ko="다음 쪽이 끝없이 있다고 함 (tr_cont)", en="tr_cont says that more follows, for ever"),
        Text(ko="쪽수 상한에서 멈추고 오류로", en="a cap on pages; an error, not partial truth"),
        "design: fault table",
        '[[fault]]\nid = "B08"\ntimes = 0\n',
        operations=("list", "inquire-balance"),
        times=0,
    ),
    Entry(
        "B09",
        Site.BEHIND,
        Text(ko="잔고에 같은 줄이 두 번", en="a holding stands twice in the balance"),
        Text(ko="두 배로 세지 않고 멈춤", en="doubled holdings are refused"),
        "users' reports: balance rows repeated",
        '[[fault]]\nid = "B09"\nwhat = { copies = 1 }\n',
        (count("copies", 1, Text(ko="더 나오는 횟수", en="how many more"), least=1, most=5),),
        operations=("inquire-balance",),
    ),
    Entry(
        "B10",
        Site.BEHIND,
        Text(ko="rt_cd 0 인데 목록이 빔", en="an empty list with rt_cd 0"),
        Text(ko="없다는 증거가 아님", en="no proof of absence"),
        "users' reports: same-day orders missing in mock, lists empty in maintenance",
        '[[fault]]\nid = "B10"\nwhen = { at = "10:10:00", until = "10:12:00" }\ntimes = 0\n',
        (text("code", "KIOK0560", Text(ko="메시지 코드(msg_cd)", en="msg_cd")),),
        operations=("list", "inquire-balance"),
    ),
    Entry(
        "B11",
        Site.AHEAD,
        Text(
            ko="모르는 코드, 바뀐 문구, 새 칸, 없어진 칸",
            en="an unknown code, another text, a new field, a missing field",
        ),
        Text(
            ko="쓰는 칸만 엄격하게, 모르는 코드는 모호함", en="strict on the fields used; an unknown code is ambiguous"
        ),
        "KIS workbook 2026-06 against 2026-09: fields come and go",
        '[[fault]]\nid = "B11"\nwhere = { operation = "inquire-balance" }\n'
        'what = { how = "missing_field", field = "hldg_qty" }\n',
        (
            choice("how", Text(ko="무엇이 바뀌나", en="what changes"), "code", "text", "new_field", "missing_field"),
            text("code", "APBK9999", Text(ko="모르는 msg_cd", en="the unknown msg_cd")),
            text("text", "처리되었읍니다", Text(ko="바뀐 msg1", en="the other msg1")),
            text("field", "", Text(ko="없앨 칸, 새 칸의 이름", en="the field to drop, or the name of the new one")),
            flag(
                "taken",
                Text(ko="요청은 처리됨; 아니면 rt_cd 1", en="the call is performed; if not, rt_cd 1"),
                default=True,
            ),
        ),
        elsewhere=(("taken", True, Site.BEHIND),),
    ),
    Entry(
        "B12",
        Site.BEHIND,
        Text(ko="숫자 칸에 이상한 글자", en="odd texts where numbers stand"),
        Text(ko="읽는 자리에서 바로 실패", en="fail at the parser"),
        "users' reports: blanks and 00/01/02 in numeric fields",
        '[[fault]]\nid = "B12"\nwhere = { operation = "inquire-price" }\nwhat = { field = "stck_prpr", value = "" }\n',
        (
            text("field", "", Text(ko="칸 이름, 비우면 첫 숫자 칸들", en="the field; blank: every whole number")),
            text("value", "-", Text(ko='대신 보낼 글자: " 0012", "-", "", "1e5", "NaN"', en="what is sent instead")),
        ),
    ),
    Entry(
        "B13",
        Site.STRIKE,
        Text(ko="주문 가능 현금이 줄어듦 (출금)", en="orderable cash shrinks (money is taken out)"),
        Text(ko="새로 조회한 현금으로 확인, 거부는 최종", en="check on fresh cash; a reject is final"),
        "exchange rule: T+2; the owner may withdraw at any time",
        '[[fault]]\nid = "B13"\nwhen = { state = "ordered" }\nwhat = { share = 0.5 }\n',
        (
            Param(
                "share", Form.NUMBER, 1.0, Text(ko="주문 가능액 중 비율", en="share of the orderable cash"), 0.0, 1.0
            ),
            count("won", 0, Text(ko="금액(원), 0 은 비율로", en="won; 0: by share"), most=10**13),
        ),
        timebase=Timebase.MARKET,
    ),
    Entry(
        "B14",
        Site.BEHIND,
        Text(
            ko="주인이 앱에서 같은 종목, 같은 수량을 주문", en="the owner orders the same symbol and quantity by hand"
        ),
        Text(ko="남의 주문으로 분류, 애매하면 멈춤", en="classed as external; frozen where ambiguous"),
        "design: fault table",
        '[[fault]]\nid = "B14"\nwhen = { call = 1 }\n',
        (
            count("quantity", 0, Text(ko="수량, 0 은 같은 수량", en="shares; 0: the same")),
            count("price", 0, Text(ko="가격, 0 은 같은 가격", en="won; 0: the same")),
        ),
        operations=_ORDER,
    ),
    Entry(
        "B15",
        Site.AHEAD,
        Text(ko="전일 주문번호가 다시 쓰임", en="an order number of the day before is used again"),
        Text(ko="날짜, 지점, 번호로 구별", en="the key is day, branch and number"),
        "unverified; the emulator's numbers begin at 1 each day",
        '[[fault]]\nid = "B15"\nwhen = { at = "2026-11-24T09:00:00" }\n',
        (
            count(
                "number", 0, Text(ko="쓸 번호, 0 은 전일의 마지막 번호", en="the number; 0: the last of the day before")
            ),
        ),
        operations=_ORDER,
    ),
    Entry(
        "B16",
        Site.AHEAD,
        Text(ko="주문하려는 순간 토큰이 만료됨", en="the token expires on the order call"),
        Text(ko="접수되지 않음: 한 번 갱신하고 한 번 더", en="not taken: one refresh, once more"),
        "KIS FAQ: EGW00123; that it stands ahead of the order system is inferred",
        '[[fault]]\nid = "B16"\nwhere = { operation = "order-cash-sell" }\n',
        operations=("order", "change"),
    ),
    Entry(
        "B17",
        Site.AHEAD,
        Text(ko="토큰이 일찍 죽고 문구도 낯섦", en="the token dies early, with odd words"),
        Text(
            ko="분당 한 번 갱신, 두 번째 실패에서 알림", en="at most one refresh a minute, page at the second failure"
        ),
        "users' reports: tokens refused after maintenance with a text of their own",
        '[[fault]]\nid = "B17"\nwhat = { code = "", text = "인증 토큰을 확인할 수 없습니다" }\n',
        (
            text("code", "EGW00121", Text(ko="메시지 코드(msg_cd)", en="msg_cd")),
            text("text", "접근토큰이 폐기되었습니다. 다시 발급받으세요.", Text(ko="메시지(msg1)", en="msg1")),
            count("status", 500, Text(ko="HTTP 상태", en="HTTP status"), least=200, most=599),
        ),
        operations=("trading", "quote"),
    ),
    Entry(
        "B18",
        Site.AHEAD,
        Text(ko="토큰 발급이 거절됨 (403, EGW00133)", en="the token endpoint refuses (403, EGW00133)"),
        Text(ko="기다리고, 옛 토큰으로 조회만", en="wait it out; the old token serves reads"),
        "measured by users: EGW00133 with HTTP 403",
        '[[fault]]\nid = "B18"\ntimes = 3\n',
        operations=("tokenP",),
    ),
    Entry(
        "B19",
        Site.STRIKE,
        Text(ko="같은 키를 쓰는 다른 프로그램", en="another program uses the same key"),
        Text(ko="두 번째는 읽기만", en="the second one only reads"),
        "KIS documents: one session a key (OPSP8996); users' reports",
        '[[fault]]\nid = "B19"\nwhat = { seconds = 60, calls_per_second = 6 }\n',
        (
            seconds(60.0, Text(ko="지속 시간(초)", en="how long, seconds")),
            count("calls_per_second", 5, Text(ko="그쪽의 초당 호출", en="its calls a second"), most=100),
            flag("session", Text(ko="웹소켓 세션을 차지", en="it holds the WebSocket session"), default=True),
            flag("token", Text(ko="방금 토큰을 발급받음", en="it has just been issued a token"), default=True),
        ),
        timebase=Timebase.MARKET,
    ),
    Entry(
        "B20",
        Site.BEHIND,
        Text(ko="실전 주소가 모의처럼, 모의 주소가 실전처럼 답함", en="the real host answers as mock, or the reverse"),
        Text(ko="즉시 정지: 모드 불일치", en="a hard stop: mode mismatch"),
        "KIS FAQ: EGW02004",
        '[[fault]]\nid = "B20"\nwhat = { how = "tr_id" }\n',
        (
            choice(
                "how",
                Text(
                    ko="tr_id: 헤더의 TR 이 반대 모드, branch: 접수 지점이 반대 모드, refuse: EGW02004",
                    en="tr_id: the header names the other mode's TR; branch: the ack's branch; refuse: EGW02004",
                ),
                "tr_id",
                "branch",
                "refuse",
            ),
        ),
        operations=("trading",),
        elsewhere=(("how", "refuse", Site.AHEAD),),
    ),
    Entry(
        "B21",
        Site.STRIKE,
        Text(ko="미체결 주문이 모두 만료됨", en="every open order expires"),
        Text(ko="당일 만료로 기록, 예약이 풀림", en="booked as expired, reservations freed"),
        "exchange rule: day orders end with the session",
        '[[fault]]\nid = "B21"\nwhen = { at = "14:00:00" }\n',
        timebase=Timebase.MARKET,
    ),
)
"""The broker faults in the order of their numbers."""
