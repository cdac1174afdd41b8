"""mojito2 0.1.6 from login to the balance after its orders; runs in the clients' environment.

Its constructor issues the token, so the method that sets the host is replaced on the class before; its stream has a
fixed address, so ``websockets.connect`` of its module is led to loopback before its process is forked. It never reads
``rt_cd``, never waits for a rate limit and keeps its token in the working folder: the clock is stepped before a call.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import time
from pathlib import Path
from typing import Any

import mojito
import mojito.koreainvestment as module
from stepping import Market, Steps, changed_files, given, report

asked = given()
market = Market(asked["control"])
steps = Steps(market)
is_mock = asked["mode"] == "mock"
symbol, thin = asked["symbol"], asked["thin"]


def set_base_url(self: Any, mock: bool = True) -> None:
    self.base_url = asked["rest_mock"] if mock else asked["rest_real"]


mojito.KoreaInvestment.set_base_url = set_base_url
connect = module.websockets.connect
module.websockets.connect = lambda uri, **options: connect(asked[f"ws_{asked['mode']}"], **options)
key = asked["mock_key" if is_mock else "app_key"]


def call(name: str, act: Any, calls: int = 1) -> Any:
    """Let the market go on by as many seconds as the mock host wants for the calls of one step, then do it."""
    market.step(calls if is_mock else 1)
    return steps.take(name, act)


def login() -> Any:
    return mojito.KoreaInvestment(key, asked["app_secret"], asked["account"], mock=is_mock)


def stream(keys: list[str], streams: list[str], user: str | None) -> Any:
    """Start its stream in its own process, with the host of its approval call led to loopback too."""
    multiprocessing.set_start_method("fork", force=True)
    listener = mojito.KoreaInvestmentWS(key, asked["app_secret"], streams, keys, user)
    listener.base_url = asked[f"rest_{asked['mode']}"]
    listener.start()
    return listener


def heard(listener: Any, wanted: int) -> list[Any]:
    """Return what the stream put into its queue: a record for each one sent, or what there was when it ended."""
    found: list[Any] = []
    end = time.monotonic() + asked["patience"]
    while len(found) < wanted and time.monotonic() < end and (listener.is_alive() or not listener.queue.empty()):
        with contextlib.suppress(queue.Empty):
            found.append(listener.queue.get(timeout=0.05))
    return found


def read_market(broker: Any) -> None:
    day = asked["day"].replace("-", "")
    call("price", lambda: broker.fetch_price(symbol))
    call("daily", lambda: broker.fetch_ohlcv(symbol, "D", "20261101", day))
    call("recent", lambda: broker.fetch_ohlcv_recent30(symbol))
    if is_mock:
        market.step(1)
        # One call only: it pages in a row, and the second of a second is refused with a reply it does not read.
        steps.take("minutes", lambda: broker._fetch_today_1m_ohlcv(symbol, "093000"))
        market.step(1)
        steps.refused("minutes in a row", lambda: broker.fetch_today_1m_ohlcv(symbol, to="100000"), KeyError)
    else:
        call("minutes", lambda: broker.fetch_today_1m_ohlcv(symbol, to="100000"))
    call("unknown", lambda: broker.fetch_price("999999"))


def masters(broker: Any) -> None:
    """Its downloader takes an address, its parser a folder: both its own methods, led to the emulator's files."""
    for name, parse in (("kospi", broker.parse_kospi_master), ("kosdaq", broker.parse_kosdaq_master)):
        file = f"{name}_code.mst.zip"
        folder = str(Path.cwd())
        broker.download_master_file(folder, file, f"{asked['rest_real']}/common/master/{file}")
        table = parse(folder)
        columns = ["단축코드", "표준코드", "한글명", "그룹코드", "기준가"]
        steps.told[name] = {"value": [[str(cell) for cell in row] for row in table[columns].to_numpy().tolist()]}


def change(broker: Any, name: str, ack: Any, *, price: int | None) -> Any:
    output = ack["output"]
    branch, number = output["KRX_FWDG_ORD_ORGNO"], output["ODNO"]
    if price is None:
        return call(name, lambda: broker.cancel_order(branch, number, 0, True))
    return call(name, lambda: broker.modify_order(branch, number, "00", price, 0, True))


def trade(broker: Any) -> None:
    ask = int(steps.told["price"]["value"]["output"]["stck_prpr"])
    low = int(steps.told["price"]["value"]["output"]["stck_llam"])
    call("balance before", broker.fetch_balance)
    call("orderable", lambda: broker.check_buy_order(symbol, ask, "00"))
    call("buy", lambda: broker.create_market_buy_order(symbol, 7))
    market.step(60)
    limit = call("limit", lambda: broker.create_limit_buy_order(symbol, low + 1_000, 2))
    wanted = {"CTX_AREA_FK100": "", "CTX_AREA_NK100": "", "INQR_DVSN_1": "0", "INQR_DVSN_2": "0"}
    call("pending", lambda: broker.fetch_open_order(wanted))
    moved = change(broker, "modify", limit, price=low + 1_500)
    change(broker, "cancel", moved, price=None)
    top = int(call("thin price", lambda: broker.fetch_price(thin))["output"]["stck_mxpr"])
    bulk = call("bulk", lambda: broker.create_limit_buy_order(thin, top, asked["thin_quantity"]))
    market.step(60)
    change(broker, "cancel rest", bulk, price=None)
    call("sell", lambda: broker.create_market_sell_order(symbol, 3))
    market.step(60)
    call("refused", lambda: broker.create_limit_buy_order(symbol, low - 1_000, 1))


def hold_many(broker: Any) -> None:
    """Hold more names than one page of the balance shows, and read it as the client pages it."""
    for name in asked["names"]:
        call(f"buy {name}", lambda name=name: broker.create_market_buy_order(name, 1))
    market.step(60)
    steps.take("balance", broker.fetch_balance)


def listen(broker: Any) -> list[Any]:
    """Trade while the stream runs, or buy once where only what the stream reads is asked for."""
    streams = ["H0STCNT0"] if asked["part"] == "crowd" else ["H0STCNT0", "H0STASP0"]
    listener = stream(asked.get("names") or [symbol], streams, asked["user"])
    if asked["ends"]:
        steps.wait("ended", lambda: not listener.is_alive())
        return []
    steps.wait("registered", lambda: market.registrations() >= asked["registrations"])
    if asked["part"] == "all":
        trade(broker)
    else:
        call("buy", lambda: broker.create_market_buy_order(symbol, 7))
        market.step(60)
    found = heard(listener, asked.get("records") or market.sent())
    steps.told["alive"] = {"value": listener.is_alive()}
    listener.terminate()
    listener.join()
    return found


def meet_limits(broker: Any) -> None:
    """Log in again without the kept token, with it, and call faster than a second allows."""
    kept = Path("token.dat")
    kept.rename("kept.dat")
    steps.refused("second token", login, KeyError)
    Path("kept.dat").rename(kept)
    again = steps.take("kept token", login, lambda made: made.access_token == broker.access_token)
    steps.take("burst", lambda: [again.fetch_price(symbol) for _ in range(20)])


def main() -> None:
    broker = steps.take("login", login, lambda made: made.base_url)
    events: list[Any] = []
    match asked["part"]:
        case "all":
            read_market(broker)
            masters(broker)
            events = listen(broker)
            call("balance", broker.fetch_balance)
            call("present balance", broker.fetch_present_balance)
        case "crowd":
            events = listen(broker)
        case "pages":
            hold_many(broker)
        case "limits":
            meet_limits(broker)
    report(asked, steps, events=events, changed=changed_files("mojito2"))


if __name__ == "__main__":
    main()
