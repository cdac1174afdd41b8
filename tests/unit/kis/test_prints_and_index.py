"""What the feed hands out between minutes: each print once, and the index while the market is open."""

import asyncio

from haetae.domain.events import MarketReading
from haetae.domain.units import NS_PER_SECOND, hhmmss_of, instant_at
from haetae.kis.indices import Indices
from haetae.kis.rest import KisRest
from haetae.krx import Rulebook
from haetae.wiring.clocks import DrivenClock
from unit.kis.floor import DAY, SYMBOLS, floor
from unit.kis.stub import ok, refused, serving


async def test_prints_are_handed_out_as_they_come_and_asked_prices_where_shares_traded():
    async with floor() as at:
        told: list = []
        at.feed.on_prints(lambda symbols, prices, when: told.append((list(symbols), prices.tolist(), when)))
        await at.until(90_010)
        await at.print(SYMBOLS[0], 1_005, 5)
        assert told == [([SYMBOLS[0]], [1_005], at.clock.now())]
        told.clear()
        await at.print(SYMBOLS[45], 1_050, 5)  # it is asked for at the minute's end
        await at.until(90_102)
        assert [(symbols, prices) for symbols, prices, _ in told] == [([SYMBOLS[45]], [1_050])]
        told.clear()
        await at.until(90_202)
        assert told == []


async def test_a_print_that_comes_twice_counts_once():
    async with floor() as at:
        told: list = []
        at.feed.on_prints(lambda symbols, prices, when: told.append(prices.tolist()))
        await at.until(90_010)
        await at.print(SYMBOLS[0], 1_005, 5)
        at.tapes[SYMBOLS[0]].prints.pop()
        await at.print(SYMBOLS[0], 1_005, 5)
        assert told == [[1_005]]


def level(points_x100: int) -> dict[str, str]:
    return {"bstp_nmix_prpr": f"{points_x100 / 100:.2f}", "bstp_nmix_oprc": "0", "bstp_nmix_hgpr": "0",
            "bstp_nmix_lwpr": "0", "ascn_issu_cnt": "1", "stnr_issu_cnt": "1", "down_issu_cnt": "1"}  # fmt: skip


async def readings(*answers, until: int, poll_s: float | None = 5.0, **changed) -> tuple[list[MarketReading], list]:
    async with serving() as stub:
        clock = DrivenClock(instant_at(DAY, 85_959))
        settings = stub.settings(index_poll_s=poll_s, read_deadline_s=1.0, **changed)
        async with KisRest(settings, clock) as rest:
            stub.answers["inquire-index-price"] = list(answers)
            told: list[MarketReading] = []
            indices = Indices(rest, clock)
            indices.follow(Rulebook.on(DAY).session, told.extend)
            end = instant_at(DAY, until)
            await asyncio.sleep(0.005)
            while clock.now() < end:
                clock.advance(min(end, clock.next_wake() or end))
                quiet = 0
                while quiet < 25:
                    quiet = 0 if rest.busy else quiet + 1
                    await asyncio.sleep(0.0005)
            await indices.close()
            await indices.close()
            return told, stub.named("inquire-index-price")


async def test_the_index_is_read_every_five_seconds_from_the_open_on():
    told, asked = await readings(ok("inquire-index-price", {"output": level(250_123)}), until=90_016)
    assert [(hhmmss_of(one.at), one.index_x100, one.vkospi_x100) for one in told] == [
        (second, 250_123, 0) for second in (90_005, 90_010, 90_015)
    ]
    assert {call["FID_INPUT_ISCD"] for call in asked} == {"0001"}


async def test_the_vkospi_is_read_beside_it_where_its_code_is_given():
    answers = [ok("inquire-index-price", {"output": level(points)}) for points in (250_000, 3_512)]
    told, asked = await readings(*answers, until=90_006, vkospi_code="9999")
    assert [(one.index_x100, one.vkospi_x100) for one in told] == [(250_000, 3_512)]
    assert [call["FID_INPUT_ISCD"] for call in asked] == ["0001", "9999"]


async def test_a_reading_that_fails_is_left_out_and_none_is_asked_for_where_it_is_not_wanted():
    told, asked = await readings(refused("EGW00316"), until=90_010)
    assert told == []
    assert asked
    told, asked = await readings(until=90_010, poll_s=None)
    assert (told, asked) == ([], [])


async def test_after_the_close_nothing_is_read():
    async with serving() as stub:
        session = Rulebook.on(DAY).session
        clock = DrivenClock(session.close_at - 2 * NS_PER_SECOND)
        async with KisRest(stub.settings(), clock) as rest:
            indices = Indices(rest, clock)
            indices.follow(session, lambda _: None)
            await asyncio.sleep(0.01)
            clock.advance(session.close_at + 10 * NS_PER_SECOND)
            await asyncio.sleep(0.01)
            assert stub.named("inquire-index-price") == []
            await indices.close()
