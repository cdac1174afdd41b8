"""Faults of the way between client and broker: T01 to T21."""

from __future__ import annotations

from haetae.domain.errors import Text
from haetae.emulator.faults.entries import Entry, Form, Param, Site, choice, count, flag, seconds, text

REST_DOORS = ("rest_real", "rest_mock")
ALL_DOORS = (*REST_DOORS, "ws_real", "ws_mock")
TRADES_AND_BOOKS = ("H0STCNT0", "H0STASP0")
_ORDERS = ("order", "change")
_WINDOW = Text(ko="지속 시간(초)", en="how long, seconds")
_NEVER_SAID = choice("how", Text(ko="응답이 사라지는 모양", en="how the answer is lost"), "closed", "reset", "silent")
_UNKNOWN = Text(ko="결과를 모르는 주문: 다시 보내지 말고 조회로 확인", en="outcome unknown: query, never send again")


def _doors(default: tuple[str, ...]) -> Param:
    words = Text(ko="대상 포트", en="which ports")
    return Param("doors", Form.DOORS, list(default), words, choices=ALL_DOORS)


ENTRIES = (
    Entry(
        "T01",
        Site.STRIKE,
        Text(ko="TCP 연결 거부: 포트를 닫았다가 다시 엽니다", en="TCP refused: the port is closed, and opened again"),
        Text(ko="보내지 않은 것이 확실: 한 번 더 시도해도 됨", en="proven not sent: one more try is allowed"),
        "design: fault table",
        '[[fault]]\nid = "T01"\nwhen = { call = 2 }\nwhere = { operation = "quote" }\nwhat = { seconds = 3 }\n',
        (seconds(3.0, _WINDOW), _doors(REST_DOORS)),
    ),
    Entry(
        "T02",
        Site.ARRIVAL,
        Text(ko="요청 본문을 다 받기 전에 연결 재설정", en="reset before the request's body has been read"),
        _UNKNOWN,
        "design: fault table",
        '[[fault]]\nid = "T02"\nwhere = { operation = "order" }\nwhen = { call = 1 }\n',
        operations=_ORDERS,
    ),
    Entry(
        "T03",
        Site.BEHIND,
        Text(ko="주문은 접수되고 응답만 사라짐", en="the order is taken, the answer is lost"),
        _UNKNOWN,
        "users' reports: ambiguous timeouts, EGW00301",
        '[[fault]]\nid = "T03"\nwhere = { operation = "order", symbol = "005930" }\nwhat = { how = "reset" }\n',
        (_NEVER_SAID,),
        operations=_ORDERS,
    ),
    Entry(
        "T04",
        Site.AHEAD,
        Text(ko="주문이 접수되지 않았고 응답도 없음", en="the order is not taken, and nothing is answered"),
        _UNKNOWN,
        "design: fault table",
        '[[fault]]\nid = "T04"\nwhen = { call = 2 }\nwhat = { how = "silent" }\n',
        (_NEVER_SAID,),
        operations=_ORDERS,
    ),
    Entry(
        "T05",
        Site.BEHIND,
        Text(ko="늦은 응답: 한꺼번에, 또는 한 바이트씩", en="a late answer: at once, or byte by byte"),
        Text(ko="호출 기한에서 끊고, 늦은 응답도 받아들임", en="deadline per call; a late answer is still adopted"),
        "design: fault table",
        '[[fault]]\nid = "T05"\nwhat = { how = "drip", seconds = 29 }\n',
        (
            seconds(29.0, Text(ko="늦어지는 시간(초)", en="how late, seconds")),
            choice(
                "how", Text(ko="late: 늦게 한꺼번에, drip: 한 바이트씩", en="late at once, or drip"), "late", "drip"
            ),
        ),
        operations=_ORDERS,
    ),
    Entry(
        "T06",
        Site.BEHIND,
        Text(ko="잘린 JSON, 또는 틀린 Content-Length", en="truncated JSON, or a wrong Content-Length"),
        _UNKNOWN,
        "design: fault table",
        '[[fault]]\nid = "T06"\nwhat = { how = "cut" }\n',
        (
            choice(
                "how",
                Text(
                    ko="truncated: 길이는 맞고 JSON 이 잘림, cut: 길이보다 적게, surplus: 길이보다 많게",
                    en="truncated: JSON cut, length right; cut: fewer bytes than said; surplus: more",
                ),
                "truncated",
                "cut",
                "surplus",
            ),
        ),
        operations=_ORDERS,
    ),
    Entry(
        "T07",
        Site.AHEAD,
        Text(ko="상태 200 에 HTML 오류 화면", en="an HTML page with status 200"),
        _UNKNOWN,
        "users' reports: maintenance pages",
        '[[fault]]\nid = "T07"\nwhere = { operation = "inquire-balance" }\n',
        (flag("taken", Text(ko="요청은 처리됨", en="the call is performed all the same"), default=False),),
        operations=_ORDERS,
        elsewhere=(("taken", True, Site.BEHIND),),
    ),
    Entry(
        "T08",
        Site.AHEAD,
        Text(ko="HTTP 5xx, 원하면 KIS 코드와 함께", en="HTTP 5xx, with a code of the broker if wanted"),
        Text(
            ko="주문이면 결과를 모름, 조회면 다시 (EGW00316 은 끝이 아님)",
            en="an order: unknown; a query: again (EGW00316 is no end of data)",
        ),
        "KIS FAQ: EGW00301, EGW00302, EGW00316; status measured by users",
        '[[fault]]\nid = "T08"\nwhat = { status = 500, code = "EGW00301", taken = true }\n',
        (
            count("status", 500, Text(ko="HTTP 상태", en="HTTP status"), least=500, most=599),
            text("code", "", Text(ko="msg_cd, 비우면 HTML", en="msg_cd; blank: HTML")),
            flag("taken", Text(ko="요청은 처리됨", en="the call is performed all the same"), default=False),
        ),
        operations=_ORDERS,
        elsewhere=(("taken", True, Site.BEHIND),),
    ),
    Entry(
        "T09",
        Site.AHEAD,
        Text(ko="호출 한도 초과로 거절", en="refused for the rate"),
        Text(ko="접수되지 않음: 쉬었다가 한 번 더", en="not taken: back off, once more"),
        "KIS FAQ: EGW00201, EGW00215; that it stands ahead of the order system is inferred",
        '[[fault]]\nid = "T09"\nwhat = { how = "EGW00201" }\ntimes = 3\n',
        (choice("how", Text(ko="거절하는 말", en="how it is said"), "EGW00201", "EGW00215", "429"),),
        operations=_ORDERS,
    ),
    Entry(
        "T10",
        Site.ARRIVAL,
        Text(ko="재사용 연결에 요청이 오는 순간 닫힘", en="a kept connection closes as the next request arrives"),
        Text(ko="라이브러리가 POST 를 몰래 다시 보내면 안 됨", en="a library must not replay the POST"),
        "design: fault table",
        '[[fault]]\nid = "T10"\nwhat = { how = "reset" }\n',
        (choice("how", Text(ko="닫히는 모양", en="how it closes"), "closed", "reset"),),
        operations=_ORDERS,
    ),
    Entry(
        "T11",
        Site.STRIKE,
        Text(
            ko="TLS 실패: 만료된 인증서, 모르는 기관, 다른 이름", en="TLS fails: expired, unknown authority, wrong name"
        ),
        Text(ko="거절하고, 검증을 끄지 않음", en="refuse; verification is never switched off"),
        "design: fault table",
        '[[fault]]\nid = "T11"\nwhat = { how = "expired", seconds = 10 }\n',
        (
            choice("how", Text(ko="보이는 인증서", en="certificate shown"), "expired", "unknown_ca", "wrong_host"),
            seconds(0.0, Text(ko="지속 시간(초), 0 은 끝까지", en="how long, seconds; 0: to the end")),
        ),
        needs="tls",
    ),
    Entry(
        "T12",
        Site.BEHIND,
        Text(ko="지연과 흔들림", en="latency with jitter"),
        Text(ko="느려질 뿐, 시간 초과가 번지지 않음", en="slower, but no cascade of timeouts"),
        "design: fault table",
        '[[fault]]\nid = "T12"\nwhat = { ms = 500, jitter_ms = 200 }\n',
        (
            count("ms", 500, Text(ko="지연(ms)", en="latency, ms"), most=60_000),
            count("jitter_ms", 0, Text(ko="더해지는 최대 흔들림(ms)", en="most jitter added, ms"), most=60_000),
        ),
        times=0,
    ),
    Entry(
        "T13",
        Site.STRIKE,
        Text(
            ko="완전한 불통: 연결은 되어도 아무 답이 없음 (끝나면 늦게 처리될 수도)",
            en="nothing gets through: connections are made, nothing answers (and may be served late)",
        ),
        Text(ko="진입은 멈추고, 돌아오면 대사", en="entries stop; reconcile on return"),
        "design: fault table",
        '[[fault]]\nid = "T13"\nwhen = { at = "10:30:00" }\nwhat = { seconds = 30, requests = "late" }\n',
        (
            seconds(30.0, _WINDOW),
            choice(
                "requests",
                Text(
                    ko="그동안 보낸 요청: 사라짐, 또는 끝난 뒤 처리", en="what was sent meanwhile: lost, or served late"
                ),
                "lost",
                "late",
            ),
            _doors(ALL_DOORS),
        ),
    ),
    Entry(
        "T14",
        Site.STRIKE,
        Text(
            ko="반쯤 죽은 웹소켓: 아무것도 안 옴, 또는 PINGPONG 만 옴",
            en="a half-dead WebSocket: nothing comes, or PINGPONG only",
        ),
        Text(ko="침묵 감시로 다시 연결", en="a silence watchdog reconnects"),
        "users' reports: open sockets without data",
        '[[fault]]\nid = "T14"\nwhen = { frame = 20 }\nwhat = { how = "half_open" }\n',
        (
            choice("how", Text(ko="무엇이 끊기나", en="what stops"), "half_open", "no_data"),
            seconds(0.0, Text(ko="no_data 지속 시간(초), 0 은 계속", en="seconds of no_data; 0: for good")),
            seconds(
                3.0,
                Text(ko="옛 세션이 키를 놓기까지(초)", en="until the old session gives the key free, seconds"),
                "frees_key_after_s",
            ),
        ),
    ),
    Entry(
        "T15",
        Site.STRIKE,
        Text(ko="웹소켓 종료 (1000, 1001, 1006, 1011)", en="the WebSocket closes (1000, 1001, 1006, 1011)"),
        Text(
            ko="물러서며 재연결, 재등록, 누적 조회", en="reconnect with backoff, register again, poll cumulative fills"
        ),
        "users' reports: abnormal closes around the open and at night",
        '[[fault]]\nid = "T15"\nwhen = { at = "09:00:30" }\nwhat = { code = 1006 }\n',
        (
            count(
                "code",
                1006,
                Text(ko="종료 코드, 1006 은 말없이", en="close code; 1006: without a word"),
                least=1000,
                most=4999,
            ),
        ),
    ),
    Entry(
        "T16",
        Site.STRIKE,
        Text(ko="웹소켓이 붙을 때마다 곧 끊김", en="the WebSocket flaps: each session ends soon"),
        Text(ko="차단기를 열고 REST 만, 차단될 행동은 하지 않음", en="the breaker opens, REST only, no ban pattern"),
        "KIS notice 2026-02-24 (reconnect loops get blocked), as cited by a user",
        '[[fault]]\nid = "T16"\nwhat = { every_s = 2, seconds = 600 }\n',
        (
            seconds(2.0, Text(ko="세션이 사는 시간(초)", en="how long a session lives, seconds"), "every_s"),
            seconds(600.0, _WINDOW),
            count("code", 1006, Text(ko="종료 코드", en="close code"), least=1000, most=4999),
        ),
    ),
    Entry(
        "T17",
        Site.ACK,
        Text(
            ko="등록 응답이 없거나, 오류이거나, 이미 사용 중",
            en="a registration's ack is missing, an error, or ALREADY IN USE",
        ),
        Text(ko="등록된 것으로 세지 않음", en="not counted as registered"),
        "KIS documents: OPSP codes",
        '[[fault]]\nid = "T17"\nwhere = { stream = "H0STCNI0" }\nwhat = { how = "missing" }\n',
        (
            choice("how", Text(ko="응답", en="the answer"), "missing", "error", "in_use"),
            text("code", "OPSP0007", Text(ko="오류 코드", en="code of the error")),
            flag("registered", Text(ko="missing 인데 실제로는 등록됨", en="missing, yet registered"), default=False),
        ),
    ),
    Entry(
        "T18",
        Site.FRAME,
        Text(ko="프레임의 순서 바뀜, 중복, 지연", en="frames out of order, twice, or late"),
        Text(ko="누적 값이 흔들리지 않음", en="cumulative logic is unaffected"),
        "design: fault table",
        '[[fault]]\nid = "T18"\nwhat = { how = "delayed", seconds = 20 }\ntimes = 0\nchance = 0.05\n',
        (
            choice("how", Text(ko="무엇이 일어나나", en="what happens"), "reordered", "duplicated", "delayed"),
            seconds(20.0, Text(ko="늦어지는 시간(초)", en="how late, seconds")),
        ),
    ),
    Entry(
        "T19",
        Site.FRAME,
        Text(ko="한 프레임에 1~20건, 또는 틀린 건수", en="1 to 20 records in a frame, or a wrong count"),
        Text(ko="모두 읽거나, 세고 버림", en="all records are taken, or the frame is counted and dropped"),
        "KIS documents: records of one moment come together",
        '[[fault]]\nid = "T19"\nwhat = { count = 1 }\n\n[[fault]]\nid = "T19"\nwhat = { records = 3 }\ntimes = 0\n',
        (
            count(
                "records",
                0,
                Text(ko="프레임의 최대 건수, 0 은 그대로", en="most records of a frame; 0: as it is"),
                most=20,
            ),
            count("count", 0, Text(ko="건수 칸에 더할 수", en="added to the count field"), least=-20, most=20),
        ),
    ),
    Entry(
        "T20",
        Site.FRAME,
        Text(ko="체결통보의 암호가 맞지 않음", en="a notice whose cipher does not fit"),
        Text(ko="버리고 알리고 REST 로 확인", en="drop, alarm, poll REST"),
        "design: fault table",
        '[[fault]]\nid = "T20"\nwhat = { how = "wrong_key" }\n',
        (choice("how", Text(ko="무엇이 틀리나", en="what is wrong"), "wrong_key", "bad_padding", "plain"),),
        streams=("H0STCNI0", "H0STCNI9"),
    ),
    Entry(
        "T21",
        Site.STRIKE,
        Text(ko="PINGPONG 이 멈춤, 또는 쏟아짐", en="PINGPONG withheld, or a storm of it"),
        Text(ko="감시가 알아채고, 일은 늘지 않음", en="a watchdog notices; work stays bounded"),
        "design: fault table",
        '[[fault]]\nid = "T21"\nwhat = { how = "storm", per_second = 200, seconds = 5 }\n',
        (
            choice("how", Text(ko="멈춤 또는 폭주", en="withheld, or storm"), "withheld", "storm"),
            seconds(60.0, _WINDOW),
            count("per_second", 100, Text(ko="초당 개수", en="how many a second"), least=1, most=5_000),
        ),
    ),
)
"""The transport faults in the order of their numbers."""
