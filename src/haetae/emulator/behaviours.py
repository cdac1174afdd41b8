"""What the emulator does, and from where it is known: one row for each behaviour, with its source.

The sources are words: a page of KIS ("KIS workbook 2026-06", "KIS notice 2026-04-20", "KIS FAQ"), what users
measured or reported ("measured by users"), a rule of the exchange ("exchange rule"), running a client of the field
("seen with python-kis 2.1.6"), or ``unverified`` where nobody outside the broker can know. Tests name the row they
prove; documents are written from this table. Faults of a script have their rows from the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from haetae.emulator.faults.catalogue import CATALOGUE

UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour: a dotted name, what is done, and the source."""

    id: str
    what: str
    source: str

    @property
    def verified(self) -> bool:
        """Whether any part of it is known from outside."""
        return not self.source.startswith(UNVERIFIED)


_WIRE = (
    Behaviour(
        "wire.header-case",
        "Header names are capitalised, save tr_id, tr_cont and gt_uid, which are lower-case",
        "seen with the official samples of 2026-07",
    ),
    Behaviour("wire.tr-cont", "tr_cont is always sent: F or M, D, or blank", "seen with python-kis 2.1.6 and mojito2"),
    Behaviour("wire.slashes", "Doubled slashes of a path count as one", "seen with mojito2 0.1.6"),
    Behaviour("wire.parameter-case", "Names of parameters and headers in any case", "measured by users"),
    Behaviour("wire.custtype", "custtype is not asked for", "seen with python-kis 2.1.6 and mojito2"),
    Behaviour("wire.unknown", "An unknown path or TR is MCA00124 with HTTP 500", "KIS FAQ; the status is unverified"),
    Behaviour("wire.other-domain", "A TR of the other domain is EGW02004 with HTTP 500", "measured by users"),
    Behaviour("wire.legacy-tr", "TR ids of both generations are taken", "measured by users"),
    Behaviour("wire.paths-of-streams", "Streams are served on /, /tryitout and /tryitout/TR", "KIS workbook 2026-06"),
    Behaviour("wire.tls", "REST over TLS 1.2 and 1.3 where a folder of certificates is given", "KIS notice 2025-12-12"),
)
_AUTH = (
    Behaviour("auth.token-life", "A token lives 24 hours", "KIS documents"),
    Behaviour("auth.token-same", "A second issue within 6 hours gives the same token", "KIS documents"),
    Behaviour("auth.token-old", "An older token stays valid until its own expiry", UNVERIFIED),
    Behaviour("auth.token-minute", "One issue a minute and key: EGW00133, HTTP 403", "measured by users since 2023-10"),
    Behaviour(
        "auth.key-form", "36 and 180 printable ASCII characters, else EGW00103, EGW00105", "KIS workbook 2026-06"
    ),
    Behaviour("auth.secret", "A wrong secret on a call is EGW00304", "measured by users"),
    Behaviour("auth.key-domain", "A key belongs to the domain it first asked a token of", "KIS FAQ: EGW02004"),
    Behaviour("auth.approval-both", "An approval key of one host opens streams of both", "seen with python-kis 2.1.6"),
    Behaviour("auth.approval-life", "An approval key can be used for 24 hours to begin a session", "KIS documents"),
    Behaviour("auth.approval-rate", "Approvals a second are limited only where that is set", "KIS notice 2026-04"),
)
_RATES = (
    Behaviour("rate.real", "20 calls a second, 18 from 2026-04-20", "KIS notice 2026-04-20"),
    Behaviour("rate.mock", "2 calls a second, 1 from 2026-04", "KIS notice 2026-04; the day is unverified"),
    Behaviour("rate.new-customer", "3 calls a second for three days, from 2026-04-03", "KIS notice 2026-04"),
    Behaviour("rate.sliding", "Counted in a sliding second", "unverified: KIS does not say; bursts at a second fail"),
    Behaviour("rate.per-key", "Counted for each key and domain", "unverified: the notice says by account"),
    Behaviour("rate.refused-uncounted", "A refused call does not fill the window", UNVERIFIED),
    Behaviour("rate.code", "EGW00201 with HTTP 500", "measured by users"),
    Behaviour(
        "rate.ledger",
        "Trading calls may have a limit of their own: EGW00215",
        "measured by users; its size is not known",
    ),
    Behaviour("rate.holiday", "More than one holiday inquiry a day is counted, and served", "KIS workbook 2026-06"),
)
_STREAMS = (
    Behaviour("ws.one-session", "One session a key: OPSP8996, rt_cd 9, tr_id (null)", "measured by users"),
    Behaviour("ws.limit41", "41 registrations a session, notices included: OPSP0008", "KIS notice; measured by users"),
    Behaviour("ws.irp3", "A key of a file may have another limit, such as 3 of IRP accounts", "measured by users"),
    Behaviour(
        "ws.pingpong", "PINGPONG text about every 15 s; an echo, a PONG or nothing is taken", "measured by users"
    ),
    Behaviour("ws.ping-frames", "Ping frames are answered", "seen with the official samples of 2026-07"),
    Behaviour(
        "ws.records", "Records of one moment come together, up to 20 in a frame", "measured by users; 20 is unverified"
    ),
    Behaviour("ws.trade-fields", "46 or 47 values a trade, by server", "KIS notice 2026-09; measured by users"),
    Behaviour("ws.notice-fields", "23 or 26 values a notice, by server", "measured by users since 2025-03"),
    Behaviour("ws.notice-owner", "Notices go to the session whose key placed the order", UNVERIFIED),
    Behaviour("ws.notice-early", "A notice may come before the answer to its order", "measured by users"),
    Behaviour("ws.no-replay", "What a session missed is never repeated", "measured by users"),
    Behaviour("ws.slow-reader", "A session that reads nothing is dropped", UNVERIFIED),
    Behaviour("ws.long-frames", "A frame of many records is longer than 8 KB", "measured by users"),
    Behaviour(
        "ws.expected", "In auctions H0STANC0 tells expected price and volume; H0STCNT0 is silent", "exchange rule"
    ),
    Behaviour(
        "ws.expected-hours",
        "Expected prices carry hour class B before the open, C after it",
        "KIS workbook 2026-06; C in the closing auction is unverified",
    ),
    Behaviour(
        "ws.expected-vi", "During an interruption each print's price is expected, and one trade ends it", UNVERIFIED
    ),
    Behaviour(
        "ws.status", "H0STMKO0 tells phases, breakers, interruptions and halts, to each name", "KIS workbook 2026-06"
    ),
    Behaviour(
        "ws.index", "H0UPCNT0 tells an index once in each row of the tape", "KIS workbook 2026-06; how often is not"
    ),
    Behaviour("ws.nav", "H0STNAV0 tells a fund's value once in each row of the tape", UNVERIFIED),
    Behaviour(
        "ws.real-only",
        "Expected prices, status, indices and fund values are not served on mock",
        "KIS workbook 2026-06",
    ),
    Behaviour("ws.aftermarket", "Trades after the closing auction carry market class 3", UNVERIFIED),
)
_OUTAGES = (
    Behaviour(
        "outage.maintenance", "03:00 to 06:00 every call is EGW00002 and tokens die, where set", "unverified: one user"
    ),
    Behaviour("outage.mock-weekend", "At weekends the mock host refuses connections, where set", "measured by users"),
)
_ANSWERS = (
    Behaviour("answer.inquire-price", "Price, limits, status flags, highs and lows of a name", "KIS workbook 2026-06"),
    Behaviour(
        "answer.inquire-asking-price-exp-ccn", "Ten levels a side and the expected execution", "KIS workbook 2026-06"
    ),
    Behaviour("answer.intstock-multprice", "Up to 30 names; unknown codes are left out", "measured by users"),
    Behaviour("answer.inquire-ccnl", "The 30 newest prints", "KIS workbook 2026-06"),
    Behaviour(
        "answer.inquire-daily-itemchartprice",
        "At most 100 bars, newest first; a longer period stands under its last session",
        "KIS workbook 2026-06; the day of a longer period is unverified",
    ),
    Behaviour("answer.inquire-daily-price", "The last 30 days, weeks or months", "KIS workbook 2026-06"),
    Behaviour(
        "answer.inquire-time-itemchartprice", "At most 30 minutes of today up to an hour", "KIS workbook 2026-06"
    ),
    Behaviour(
        "answer.inquire-time-dailychartprice",
        "At most 120 minutes up to an hour; Y goes on into earlier days",
        "KIS workbook 2026-06; that it goes on is unverified",
    ),
    Behaviour("answer.inquire-daily-indexchartprice", "At most 50 bars of an index", "KIS workbook 2026-06"),
    Behaviour("answer.search-stock-info", "Basic facts and status flags of a name", "KIS workbook 2026-06"),
    Behaviour("answer.search-info", "Basic facts of a product", "KIS workbook 2026-06"),
    Behaviour("answer.chk-holiday", "Calendar days by 24", "KIS workbook 2026-06"),
    *(
        Behaviour(
            f"answer.{name}", f"{what}; newest first, 99.99 where there is no figure", f"KIS workbook 2026-06{more}"
        )
        for name, what, more in (
            ("balance-sheet", "Balance sheets by year or quarter, in 100 million won", ""),
            (
                "income-statement",
                "Income by year, or by quarter for the year so far, in 100 million won",
                ", portal page: 분기데이터는 연단위 누적합산",
            ),
            (
                "financial-ratio",
                "Growth, return and figures a share",
                "; that quarters are the year so far is unverified",
            ),
            ("profit-ratio", "Returns and margins", "; that quarters are the year so far is unverified"),
            ("stability-ratio", "Debt, borrowings, current and quick ratio", ""),
            ("growth-ratio", "Growth against the same period a year before", ""),
            (
                "other-major-ratios",
                "Payout, EBITDA and its multiple",
                "; the price in the multiple is unverified: it is that of the list",
            ),
        )
    ),
    Behaviour(
        "answer.volume-rank",
        "Thirty names by volume, its growth, turnover of shares, won or value; empty before the first print",
        "KIS workbook 2026-06 and portal page (names left out); empty outside hours: users' reports of empty or 0",
    ),
    Behaviour(
        "answer.fluctuation",
        "Thirty names by change against close, low, high, open or over some sessions; empty before the first print",
        "KIS portal page: FID_PRC_CLS_CODE 0 is against the low or high, 1 the last close; seen in its example",
    ),
    Behaviour(
        "answer.market-cap",
        "Thirty names by value in 100 million won, funds among them",
        "KIS workbook 2026-06; that funds are among them is unverified",
    ),
    Behaviour(
        "answer.inquire-investor",
        "The last thirty sessions, newest first; today after the close",
        "KIS workbook 2026-06; that today has no row before is unverified",
    ),
    Behaviour(
        "answer.investor-trade-by-stock-daily",
        "Thirty sessions back from a day, all parties and both sides; the page walks by its date",
        "KIS workbook 2026-06; the size of the page and how institutions divide are unverified",
    ),
    Behaviour(
        "answer.inquire-investor-daily-by-market",
        "A market on one day, thousands of shares and millions of won; all 0 without KSP or KSQ",
        "measured by users",
    ),
    Behaviour(
        "answer.etfetn-inquire-price",
        "Price and value of a fund; an unknown code or a share is refused as one",
        "KIS workbook 2026-06; the refusal of shares is unverified",
    ),
    Behaviour(
        "answer.nav-comparison-daily-trend",
        "At most 100 finished sessions, newest first",
        "KIS portal page, its example",
    ),
    Behaviour(
        "answer.nav-comparison-time-trend",
        "The newest thirty bars of today; minutes of the closing auction repeat the one before it",
        "KIS portal page, its example",
    ),
    Behaviour(
        "answer.inquire-index-price",
        "An index now, its year and its breadth; a name at its upper limit is counted as rising too",
        "KIS workbook 2026-06; the double count is unverified",
    ),
    Behaviour(
        "answer.inquire-time-indexchartprice",
        "The newest 102 finished bars; 30 seconds are served as a minute; Y goes on into earlier days",
        "KIS workbook 2026-06",
    ),
    Behaviour(
        "answer.inquire-vi-status",
        "Thirty interruptions of a day, newest first; the reference of the kind that did not trip is 0",
        "measured by users in 2026-09",
    ),
    Behaviour(
        "answer.news-title",
        "Forty titles up to a time, newest first; with a number those before it",
        "measured by users; a search by title is refused, unverified",
    ),
    Behaviour(
        "answer.ksdinfo-rev-split",
        "Changes of par value by record date; they take effect on the listing day",
        "KIS portal page, its example; the record date is the session before, unverified",
    ),
    Behaviour(
        "answer.ksdinfo-bonus-issue", "Free issues by record date, shares per hundred", "KIS portal page, its example"
    ),
    Behaviour(
        "answer.ksdinfo-paidin-capin",
        "Paid issues by record date; by day of subscription they are refused",
        "KIS workbook 2026-06; this market has no such days",
    ),
    Behaviour(
        "answer.ksdinfo-merger-split",
        "Mergers under the code of the name taken over",
        f"{UNVERIFIED}: no example is known",
    ),
    Behaviour(
        "answer.ksdinfo-dividend",
        "Dividends by record date, which at the end of a month is its last day",
        "KIS portal page, its example; exchange rule: trades settle after two sessions",
    ),
    Behaviour(
        "answer.parameters",
        "A word that is none of a parameter's is OPSQ2001, a day that is none OPSQ2002, an unknown code APBK0656",
        "unverified: the codes are seen, not that every call uses them so",
    ),
    Behaviour("answer.nxt", "Boards and investors of the alternative exchange (NX) are empty", UNVERIFIED),
)
_FAULTS = tuple(Behaviour(f"fault.{entry.id}", entry.words.en, entry.source) for entry in CATALOGUE)

BEHAVIOURS: tuple[Behaviour, ...] = (*_WIRE, *_AUTH, *_RATES, *_STREAMS, *_OUTAGES, *_ANSWERS, *_FAULTS)
BY_ID: Mapping[str, Behaviour] = {behaviour.id: behaviour for behaviour in BEHAVIOURS}
