"""The expiry of a token is told on the clock that the client compares it with."""

import datetime as dt
import json

from haetae.domain.units import NS_PER_SECOND, Instant, instant_at, kst_text
from haetae.emulator.core import Call, Core
from haetae.emulator.settings import EmulatorSettings
from haetae.kis.wire.operations import Mode
from unit.emulator.service_rig import DAY, KEY, NO_LIMITS, SECRET, SMALL, shared_world

OPEN = instant_at(DAY, 100_000)
DAY_NS = 86_400 * NS_PER_SECOND


def issued(wall: Instant | None, *, at: Instant = OPEN, later: Instant = OPEN) -> dict:
    clock = None if wall is None else lambda: wall
    core = Core(shared_world(), EmulatorSettings(market=SMALL, limits=NO_LIMITS), at, wall=clock)
    body = json.dumps({"grant_type": "client_credentials", "appkey": KEY, "appsecret": SECRET}).encode()
    call = Call(Mode.REAL, "POST", "/oauth2/tokenP", {}, {}, body)
    first = json.loads(core.handle(call).body)
    core.advance(later)
    return first if later == at else json.loads(core.handle(call).body)


def told(instant: Instant) -> str:
    return kst_text(instant)[:19].replace("T", " ")


def test_token_expires_a_day_of_the_market_later_where_clients_follow_the_market() -> None:
    assert issued(None)["access_token_token_expired"] == told(OPEN + DAY_NS)


def test_token_of_a_market_in_the_past_lives_on_the_clock_of_the_machine() -> None:
    wall = instant_at(DAY + dt.timedelta(days=400), 31_415)
    token = issued(wall)
    assert token["access_token_token_expired"] == told(wall + DAY_NS)
    assert token["expires_in"] == 86_400


def test_token_of_a_market_ahead_of_the_machine_keeps_the_expiry_of_the_market() -> None:
    wall = instant_at(DAY - dt.timedelta(days=30), 31_415)
    assert issued(wall)["access_token_token_expired"] == told(OPEN + DAY_NS)


def test_same_token_given_again_has_less_left_on_either_clock() -> None:
    wall = instant_at(DAY + dt.timedelta(days=400), 31_415)
    hour = 3_600 * NS_PER_SECOND
    token = issued(wall, later=OPEN + hour)
    assert token["access_token_token_expired"] == told(wall + DAY_NS - hour)
    assert token["expires_in"] == 86_400 - 3_600
