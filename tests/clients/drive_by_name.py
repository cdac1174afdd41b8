"""python-kis and mojito2 with not one line of theirs or their constants touched; runs in the clients' environment.

The names of the real service lead to loopback in the process they run in, as lines of a hosts file would, and a private
authority vouches for the REST hosts. Usage: ``drive_by_name.py python-kis|mojito KEY``.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from typing import Any

SECRET, ACCOUNT = "s" * 180, "12345678-01"


def python_kis(key: str) -> dict[str, Any]:
    from pykis import KisAuth, PyKis

    kis = PyKis(KisAuth(id="me", account=ACCOUNT, appkey=key, secretkey=SECRET, virtual=False))
    stock = kis.stock("005930")
    told: list[list[Any]] = []
    acknowledged: list[str] = []
    # a notice is sent once and to those registered by then, so nothing is bought before the server has said yes to both
    acks = kis.websocket.subscribed_event.on(lambda _, event: acknowledged.append(event.tr.id))
    tickets = [stock.on("price", lambda _, event: told.append(["price", int(event.response.price)]))]
    # the client forgets what is asked for between the restoring of its subscriptions and its word that it is connected
    kis.websocket.ensure_connected(timeout=10)
    tickets.append(
        kis.account().on("execution", lambda _, event: told.append(["notice", int(event.response.executed_qty)]))
    )
    end = time.monotonic() + 20
    while len(acknowledged) < len(tickets) and time.monotonic() < end:
        time.sleep(0.01)
    price, number = int(stock.quote().price), stock.buy(qty=2).number
    end = time.monotonic() + 30
    while time.monotonic() < end and not ({"price", "notice"} <= {kind for kind, _ in told} and ["notice", 2] in told):
        time.sleep(0.05)
    for ticket in [*tickets, acks]:
        ticket.unsubscribe()
    kis.websocket.reconnect = False
    kis.websocket.disconnect()
    return {"price": price, "order": number, "heard": sorted({kind for kind, _ in told})}


def mojito2(key: str) -> dict[str, Any]:
    import mojito

    broker = mojito.KoreaInvestment(key, SECRET, ACCOUNT)
    multiprocessing.set_start_method("fork", force=True)
    listener = mojito.KoreaInvestmentWS(key, SECRET, ["H0STCNT0"], ["005930"], user_id="me")
    listener.start()
    price = int(broker.fetch_price("005930")["output"]["stck_prpr"])
    # it has asked for prices and notices before it reads anything, so the first price says that both are on their way
    while listener.get()[0] != "체결":
        pass
    number = broker.create_market_buy_order("005930", 2)["output"]["ODNO"]
    heard: set[str] = set()
    end = time.monotonic() + 30
    while len(heard) < 2 and time.monotonic() < end:
        kind, row = listener.get()
        if kind == "체결" or row["체결여부"] == "2":
            heard.add("price" if kind == "체결" else "notice")
    listener.terminate()
    return {"price": price, "order": number, "heard": sorted(heard)}


if __name__ == "__main__":
    print(json.dumps({"python-kis": python_kis, "mojito": mojito2}[sys.argv[1]](sys.argv[2])))
