"""Fifty symbols over forty-one registrations: tiers, swaps, losses and halts, and minutes that stay true."""

import asyncio
import datetime as dt

import pytest

from haetae.domain.market import HaltChange, Phase, PhaseChange
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.kis.feed import KisFeed, Tier
from haetae.kis.rest import KisRest
from haetae.kis.stream import KisStream
from haetae.kis.wire import control
from haetae.kis.wire.operations import Mode
from haetae.wiring.clocks import DrivenClock
from unit.kis.floor import DAY, OPEN, STATUS, SYMBOLS, TRADES, Floor, floor
from unit.kis.stub import Answer, ok, refused, serving


def tiers(feed: KisFeed, tier: Tier) -> list[str]:
    return [symbol for symbol in SYMBOLS if feed.tier(symbol) is tier]


async def test_forty_of_fifty_symbols_are_streamed_beside_the_notices_and_ten_are_asked_for():
    async with floor() as at:
        assert tiers(at.feed, Tier.STREAM) == list(SYMBOLS[:40])
        assert at.stub.most_held == 41
        for minute in range(2):
            for n, symbol in enumerate(SYMBOLS):
                await at.until(90_000 + 100 * minute, n * NS_PER_SECOND)
                await at.print(symbol, 1_000 + 7 * n % 13 + minute)
        await at.until(90_202)
        assert len(at.slices) == 2
        at.check(exact=set(SYMBOLS[:40]))
        asked = [
            len([1 for n in range(1, 31) if call[f"FID_INPUT_ISCD_{n}"]])
            for call in at.stub.named("intstock-multprice")
        ]
        assert sum(asked[-1:]) == 10


async def test_held_symbols_come_before_those_that_are_given_first():
    async with floor(notices=False) as at:
        assert at.feed.tier(SYMBOLS[45]) is Tier.ASKED
    async with serving() as stub:
        clock = DrivenClock(instant_at(DAY, 85_900))
        async with KisRest(stub.settings(silence_s=None), clock) as rest:
            stream = KisStream(rest.settings, clock, rest.approval_key)
            made = Floor(stub, clock, rest, stream, KisFeed(rest, stream, clock))
            stub.answers["intstock-multprice"] = [made.many]
            made.feed.prefer([SYMBOLS[45], SYMBOLS[49]])
            taking = asyncio.create_task(made.take(made.feed.stream(SYMBOLS)))
            await made.settle()
            assert tiers(made.feed, Tier.ASKED) == list(SYMBOLS[39:45] + SYMBOLS[46:49])
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
            await stream.close()


async def test_registrations_are_swapped_within_a_minute_and_no_share_is_lost():
    async with floor() as at:
        up, down = SYMBOLS[45], SYMBOLS[39]
        await at.until(90_010)
        for symbol in (up, down):
            await at.print(symbol, 1_010, 5)
        await at.until(90_020)
        assert at.feed.prefer([up]) is True
        assert at.feed.prefer([up]) is False
        await at.settle()
        assert (at.feed.tier(up), at.feed.tier(down)) == (Tier.STREAM, Tier.ASKED)
        for symbol in (up, down):
            await at.print(symbol, 1_030, 7)
        await at.until(90_101)
        await at.print(up, 1_025, 3)
        await at.print(down, 1_022, 4)
        await at.until(90_202)
        at.check(exact={up})
        assert at.stub.most_held == 41
        assert [key for _, key, register in at.stub.subscribed if not register] == [down]


async def test_a_session_that_is_lost_within_a_minute_leaves_no_hole():
    async with floor() as at:
        await at.until(90_010)
        for symbol in SYMBOLS[:5]:
            await at.print(symbol, 1_005, 5)
        at.stub.ack_code = {(TRADES, symbol): control.APPKEY_IN_USE for symbol in SYMBOLS[:1]}
        await at.stub.sockets[-1].close()
        await at.settle()
        assert tiers(at.feed, Tier.STREAM) == []
        for second in (20, 40):
            await at.until(90_000 + second)
            for symbol in SYMBOLS[:5]:
                await at.print(symbol, 1_000 + second, 6)
        await at.until(90_130)
        for symbol in SYMBOLS[:5]:
            await at.print(symbol, 990, 8)
        at.stub.ack_code = {}
        await at.until(90_250)
        assert len(tiers(at.feed, Tier.STREAM)) == 40
        for symbol in SYMBOLS[:5]:
            await at.print(symbol, 995, 2)
        await at.until(90_402)
        assert len(at.slices) == 4
        at.check(exact=set())


async def test_a_frame_that_does_not_parse_is_repaired_at_the_minute_s_end():
    async with floor() as at:
        await at.until(90_010)
        await at.print(SYMBOLS[0], 1_005, 5)
        at.is_silent = True
        await at.print(SYMBOLS[0], 1_050, 5)
        at.is_silent = False
        await at.stub.push(f"0|{TRADES}|002|cut")
        await at.settle()
        assert at.stream.malformed == 1
        await at.until(90_102)
        at.check()
        before = len(at.stub.named("intstock-multprice"))
        await at.until(90_202)
        assert len(at.stub.named("intstock-multprice")) == before + 1  # the ten that are always asked, no more doubts


async def test_a_minute_whose_snapshot_fails_is_told_in_time_and_mended_by_the_next():
    async with floor() as at:
        await at.until(90_010)
        await at.print(SYMBOLS[45], 1_050, 5)
        at.stub.answers["intstock-multprice"] = [refused("EGW00316")]
        await at.until(90_112)
        assert len(at.slices) == 1
        at.stub.answers["intstock-multprice"] = [at.many]
        await at.until(90_202)
        column = at.slices[0].symbols.index(SYMBOLS[45])
        assert [int(one.volume[column]) for one in at.slices] == [0, 5]


async def test_what_stays_in_doubt_when_rest_fails_is_asked_for_a_minute_later():
    async with floor() as at:
        symbol = SYMBOLS[0]
        await at.until(90_010)
        at.is_silent = True
        await at.print(symbol, 1_050, 5)
        at.is_silent = False
        at.stub.answers["intstock-multprice"] = [refused("EGW00316")]
        await at.stub.push(f"0|{TRADES}|002|cut")
        await at.until(90_115)
        at.stub.answers["intstock-multprice"] = [at.many]
        await at.until(90_202)
        column = at.slices[0].symbols.index(symbol)
        assert [int(one.volume[column]) for one in at.slices] == [0, 5]


async def test_a_print_between_a_promotion_and_its_ack_is_asked_for():
    async with floor() as at:
        up = SYMBOLS[45]
        await at.until(90_010)
        at.stub.ack_code[TRADES, up] = "silent"
        at.feed.prefer([up])
        await at.until(90_102)
        await at.until(90_110)
        await at.print(up, 1_050, 5)
        await at.until(90_120)
        at.stub.held[1].add((TRADES, up))
        await at.stub.push(control.build_ack(control.Ack(TRADES, up, "0", control.SUBSCRIBED, "SUBSCRIBE SUCCESS")))
        await at.until(90_202)
        assert at.feed.tier(up) is Tier.STREAM
        at.check(exact=set())


async def test_prints_of_another_day_are_left_out():
    async with floor() as at:
        await at.until(90_010)
        await at.print(SYMBOLS[0], 5_000, 900, day=dt.date(2026, 11, 20))
        at.tapes[SYMBOLS[0]].prints.clear()
        await at.print(SYMBOLS[0], 1_005, 5)
        await at.until(90_102)
        assert at.feed.strange == 1
        at.check()


async def test_every_symbol_has_a_quote_and_an_age_by_its_tier():
    async with floor(asked_poll_s=5.0) as at:
        assert at.feed.quote(SYMBOLS[0]) is None
        assert at.feed.age_s(SYMBOLS[0]) is None
        await at.until(90_010)
        for symbol in (SYMBOLS[0], SYMBOLS[45]):
            await at.print(symbol, 1_010)
        await at.until(90_013)
        printed = at.feed.quote(SYMBOLS[0])
        assert (printed.last, printed.bid, printed.ask, printed.at) == (1_010, 1_010, 1_011, OPEN + 10 * NS_PER_SECOND)
        assert at.feed.age_s(SYMBOLS[0]) == pytest.approx(3)
        await at.until(90_030)
        asked = at.feed.quote(SYMBOLS[45])
        assert (asked.last, asked.bid, asked.ask) == (1_010, 1_010, 1_011)
        assert at.feed.age_s(SYMBOLS[45]) < 5.1
        assert at.feed.age_s(SYMBOLS[0]) == pytest.approx(20)


async def test_two_sources_of_a_name_are_compared_where_they_spoke_at_the_same_moment():
    async with floor(asked_poll_s=5.0) as at:
        up = SYMBOLS[45]
        await at.until(90_010)
        await at.print(up, 1_010)
        await at.until(90_020)
        assert at.feed.tier(up) is Tier.ASKED and up not in at.feed.price_gaps_bp()
        at.feed.prefer([up])
        await at.until(90_024)
        await at.print(up, 1_040)
        await at.until(90_025)
        assert at.feed.tier(up) is Tier.STREAM
        assert at.feed.price_gaps_bp()[up] == 30 * 10_000 // 1_010
        await at.until(90_045)
        await at.print(up, 1_100)
        assert up not in at.feed.price_gaps_bp()


async def test_asking_within_a_minute_sees_highs_that_its_end_would_not_show():
    for poll_s, seen in ((5.0, True), (None, False)):
        async with floor(asked_poll_s=poll_s) as at:
            symbol = SYMBOLS[45]
            for clock, price in ((5, 1_200), (40, 1_000), (110, 1_000), (120, 1_100), (140, 1_000)):
                await at.until(90_000 + clock)
                await at.print(symbol, price, 1)
            await at.until(90_202)
            at.check(exact=set())
            column = at.slices[1].symbols.index(symbol)
            assert int(at.slices[1].high[column]) == (1_100 if seen else 1_000)


async def test_on_the_mock_domain_single_prices_are_asked_for():
    async with serving() as stub:
        clock = DrivenClock(instant_at(DAY, 85_900))
        settings = stub.settings(mode=Mode.MOCK, registrations=1, silence_s=None)
        async with KisRest(settings, clock) as rest:
            stream = KisStream(settings, clock, rest.approval_key)
            made = Floor(stub, clock, rest, stream, KisFeed(rest, stream, clock))

            def one(asked: dict[str, str]) -> Answer:
                known = made.tapes[asked["FID_INPUT_ISCD"]].snapshot()
                price = known["inter2_prpr"]
                row = {"stck_prpr": price, "stck_sdpr": 1_000, "acml_vol": known["acml_vol"]}
                row |= {"stck_oprc": price, "stck_hgpr": price, "stck_lwpr": price}
                return ok("inquire-price", {"output": row})

            stub.answers["inquire-price"] = [one]
            taking = asyncio.create_task(made.take(made.feed.stream(SYMBOLS[:2])))
            await made.until(90_010)
            for symbol in SYMBOLS[:2]:
                await made.print(symbol, 1_020, 4)
            await made.until(90_102)
            made.check()
            assert stub.subscribed == [(TRADES, SYMBOLS[0], True)]  # no status on this domain
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
            await stream.close()


async def test_halts_and_interruptions_are_told_once_and_as_they_come():
    async with floor(SYMBOLS[:3]) as at:
        assert {key for tr, key, _ in at.stub.subscribed if tr == STATUS} == set(SYMBOLS[:3])
        await at.until(90_010)
        told = len(at.told)
        await at.status(SYMBOLS[0], in_vi=True)
        await at.status(SYMBOLS[0], in_vi=True)
        await at.status(SYMBOLS[1], halted=True, reason="거래정지")
        await at.status(SYMBOLS[0])
        halts = [event for event in at.told[told:] if isinstance(event, HaltChange)]
        now = at.clock.now()
        assert halts == [
            HaltChange(now, SYMBOLS[0], True, "vi"),
            HaltChange(now, SYMBOLS[1], True, "거래정지"),
            HaltChange(now, SYMBOLS[0], False, ""),
        ]


async def test_a_circuit_breaker_holds_every_symbol_and_what_was_halted_stays_so():
    async with floor(SYMBOLS[:3]) as at:
        await at.until(90_010)
        await at.status(SYMBOLS[1], halted=True)
        await at.status(SYMBOLS[0], phase_code="184")
        assert not at.feed._expects_data()
        await at.status(SYMBOLS[0], phase_code="185")
        halts = [(event.symbol, event.halted) for event in at.told if isinstance(event, HaltChange)]
        assert halts == [
            (SYMBOLS[1], True),
            (SYMBOLS[0], True),
            (SYMBOLS[2], True),
            (SYMBOLS[0], False),
            (SYMBOLS[2], False),
        ]


async def test_a_halt_is_also_read_from_a_print():
    async with floor(SYMBOLS[:3], watch_status=False) as at:
        await at.until(90_010)
        await at.print(SYMBOLS[0], 1_000, halted=True)
        await at.print(SYMBOLS[0], 1_000, halted=True)
        await at.print(SYMBOLS[0], 1_000)
        await at.until(90_102)
        assert [(event.symbol, event.halted) for event in at.told if isinstance(event, HaltChange)] == [
            (SYMBOLS[0], True),
            (SYMBOLS[0], False),
        ]


async def test_status_never_takes_a_registration_that_a_price_needs():
    async with floor(SYMBOLS[:38]) as at:
        assert len(tiers(at.feed, Tier.STREAM)) == 38
        assert len([1 for tr, _, _ in at.stub.subscribed if tr == STATUS]) == 2
        assert at.stub.most_held == 41


async def test_a_server_that_has_no_status_leaves_everything_else_as_it_was():
    async with serving() as stub:
        clock = DrivenClock(instant_at(DAY, 85_900))
        async with KisRest(stub.settings(silence_s=None), clock) as rest:
            stream = KisStream(rest.settings, clock, rest.approval_key)
            made = Floor(stub, clock, rest, stream, KisFeed(rest, stream, clock))
            stub.answers["intstock-multprice"] = [made.many]
            stub.ack_code = {(STATUS, symbol): "OPSP8991" for symbol in SYMBOLS}
            taking = asyncio.create_task(made.take(made.feed.stream(SYMBOLS[:3])))
            await made.until(90_010)
            await made.print(SYMBOLS[0], 1_010)
            await made.until(90_102)
            made.check()
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
            await stream.close()


@pytest.mark.parametrize(
    ("at_clock", "expected"), [(85_930, False), (90_030, False), (90_101, True), (151_959, True), (152_000, False)]
)
async def test_data_is_due_in_continuous_trading_with_many_symbols_only(at_clock, expected):
    for symbols, due in ((SYMBOLS, expected), (SYMBOLS[:9], False)):
        async with floor(symbols, at=min(at_clock, 85_900)) as at:
            at.clock.at = instant_at(DAY, at_clock)
            assert at.feed._expects_data() is due


async def test_the_phases_are_told_as_they_begin_and_the_day_ends():
    async with floor(SYMBOLS[:2], at=151_800) as at:
        await at.until(153_100)
        phases = [(event.at, event.phase) for event in at.told if isinstance(event, PhaseChange)]
        assert phases[1:] == [
            (instant_at(DAY, 152_000), Phase.CLOSING_AUCTION),
            (instant_at(DAY, 153_000), Phase.CLOSED),
        ]
        assert at.stream.target(TRADES) == frozenset()


async def test_a_stream_that_cannot_be_opened_leaves_a_feed_by_rest_alone():
    async with floor(ws_url="ws://127.0.0.1:1", notices=False) as at:
        await at.until(90_010)
        for symbol in SYMBOLS[::7]:
            await at.print(symbol, 1_010)
        await at.until(90_102)
        assert len(at.slices) == 1
        at.check(exact=set())
        assert tiers(at.feed, Tier.STREAM) == []
