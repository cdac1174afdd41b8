"""A core on a small world and a client that speaks raw requests to it."""

import datetime as dt
import json
from functools import cache

from haetae.domain.units import Instant, instant_at
from haetae.emulator.core import Call, Core, Reply
from haetae.emulator.market import World
from haetae.emulator.server import build_world
from haetae.emulator.settings import EmulatorSettings, LimitSettings, MarketSettings
from haetae.kis.wire.operations import Mode

SMALL = MarketSettings(seed=11, listed=120, history_sessions=110, live_sessions=3)
DAY = SMALL.first_live_day
KEY, SECRET = "K" * 36, "S" * 180
NO_LIMITS = LimitSettings(real_calls_per_second=0, mock_calls_per_second=0)


@cache
def shared_world() -> World:
    return build_world(SMALL)


class Desk:
    """Sends calls of one key to a core."""

    def __init__(
        self,
        clock: int = 100_000,
        mode: Mode = Mode.REAL,
        limits: LimitSettings = NO_LIMITS,
        day: dt.date = DAY,
        **changes,
    ) -> None:
        self.core = Core(
            changes.pop("world", None) or shared_world(),
            EmulatorSettings(market=SMALL, limits=limits, **changes),
            instant_at(day, clock),
        )
        self.mode = mode
        self.token = ""

    def to(self, clock: int) -> None:
        self.core.advance(instant_at(DAY, clock))

    def at(self, instant: Instant) -> None:
        self.core.advance(instant)

    def oauth(self, name: str, key: str = KEY, **more: str) -> Reply:
        body = {"grant_type": "client_credentials", "appkey": key, "appsecret": SECRET, "secretkey": SECRET, **more}
        return self.core.handle(Call(self.mode, "POST", f"/oauth2/{name}", {}, {}, json.dumps(body).encode()))

    def log_in(self) -> "Desk":
        self.token = json.loads(self.oauth("tokenP").body)["access_token"]
        return self

    def headers(self, tr_id: str, **more: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}", "appkey": KEY, "appsecret": SECRET, "tr_id": tr_id, **more}

    def reply(self, path: str, tr_id: str, headers: dict[str, str] | None = None, **params: str) -> Reply:
        full = f"/uapi/domestic-stock/v1/{path}"
        return self.core.handle(Call(self.mode, "GET", full, headers or self.headers(tr_id), params))

    def get(self, path: str, tr_id: str, **params: str) -> dict:
        return json.loads(self.reply(path, tr_id, **params).body)

    def order(self, tr_id: str, **body: str) -> dict:
        path = "order-rvsecncl" if "ORGN_ODNO" in body else "order-cash"
        values = {"CANO": "12345678", "ACNT_PRDT_CD": "01", "ORD_DVSN": "00", "ORD_QTY": "1", **body}
        full = f"/uapi/domestic-stock/v1/trading/{path}"
        call = Call(self.mode, "POST", full, self.headers(tr_id), {}, json.dumps(values).encode())
        return json.loads(self.core.handle(call).body)

    def daily_orders(self, tr_id: str = "TTTC0081R", headers: dict[str, str] | None = None, **more: str) -> Reply:
        day = f"{DAY:%Y%m%d}"
        asked = {"CANO": "12345678", "ACNT_PRDT_CD": "01", "INQR_STRT_DT": day, "INQR_END_DT": day, **more}
        return self.reply("trading/inquire-daily-ccld", tr_id, headers, **asked)
