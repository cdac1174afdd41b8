"""python-kis 2.1.6 from login to the profit of the day; runs in the clients' environment.

Its constants are imported by value, so they are set in the modules that use them before the client is built; nothing
else of it is touched. Quotations go to the real host in mock mode too (that is how it is made). The clock stands while
prices are read and runs where the client waits for the rate limit of the mock host.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Iterator
from typing import Any

import pykis.client.websocket
import pykis.kis
from pykis import KisAPIError, KisAuth, KisHTTPError, KisMarketNotOpenedError, KisNotFoundError, PyKis
from stepping import Market, Steps, changed_files, given, report

asked = given()
market = Market(asked["control"])
steps = Steps(market)
is_mock = asked["mode"] == "mock"
day = dt.date.fromisoformat(asked["day"])
symbol, thin = asked["symbol"], asked["thin"]

pykis.kis.REAL_DOMAIN, pykis.kis.VIRTUAL_DOMAIN = asked["rest_real"], asked["rest_mock"]
pykis.client.websocket.WEBSOCKET_REAL_DOMAIN = asked["ws_real"]
pykis.client.websocket.WEBSOCKET_VIRTUAL_DOMAIN = asked["ws_mock"]


class Told(logging.Handler):
    """The lines the client logs, each once: the tests read what it says about frames it cannot parse."""

    def __init__(self) -> None:
        """Listen to warnings and worse."""
        super().__init__(logging.WARNING)
        self.lines: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        text = record.getMessage()
        self.lines[text] = self.lines.get(text, 0) + 1


def logged(word: str) -> bool:
    return any(word in line for line in told.lines)


told = Told()
pykis.logging.logger.addHandler(told)


def auth(key: str, *, virtual: bool) -> KisAuth:
    return KisAuth(
        id="tester", account=asked["account"], appkey=asked[key], secretkey=asked["app_secret"], virtual=virtual
    )


def client() -> PyKis:
    real = auth("app_key", virtual=False)
    return PyKis(real, auth("mock_key", virtual=True)) if is_mock else PyKis(real)


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """Let the market run while the client repeats what the rate limit of the mock host refused."""
    if not is_mock:
        market.step(1)
        yield
        return
    market.run(asked["speed"])
    try:
        yield
    finally:
        market.pause()


def ledger_call(name: str, act: Any, read: Any = lambda value: value) -> Any:
    with patience():
        return steps.take(name, act, read)


def number(value: Any) -> int | None:
    return None if value is None else int(value)


def plain_quote(quote: Any) -> dict[str, Any]:
    names = ("price", "open", "high", "low", "high_limit", "low_limit", "base_price", "volume", "amount", "change")
    return {"symbol": quote.symbol, "name": quote.name, **{name: int(getattr(quote, name)) for name in names}}


def plain_book(book: Any) -> dict[str, Any]:
    return {side: [[int(level.price), level.volume] for level in getattr(book, side)] for side in ("asks", "bids")}


def plain_bars(chart: Any) -> list[list[Any]]:
    return [[str(bar.time), *map(int, (bar.open, bar.high, bar.low, bar.close, bar.volume))] for bar in chart.bars]


def plain_balance(balance: Any) -> dict[str, Any]:
    stocks = [
        [stock.symbol, int(stock.qty), int(stock.orderable), int(stock.purchase_amount), int(stock.current_price)]
        for stock in balance.stocks
    ]
    return {"cash": int(balance.deposits["KRW"].amount), "stocks": stocks, "currencies": sorted(balance.deposits)}


def plain_order(order: Any) -> dict[str, Any]:
    return {"branch": order.branch, "number": order.number}


def plain_rows(orders: Any) -> list[dict[str, Any]]:
    return [
        {
            "number": row.order_number.number,
            "symbol": row.symbol,
            "type": row.type,
            "qty": int(row.qty),
            "executed": int(row.executed_qty),
            "pending": int(row.pending_qty),
            "price": number(row.price),
            "unit_price": number(row.unit_price),
        }
        for row in orders.orders
    ]


def plain_profits(profits: Any) -> dict[str, Any]:
    rows = [
        [row.symbol, int(row.quantity), int(row.buy_price), int(row.sell_price), int(row.sell_amount)]
        for row in profits.orders
    ]
    return {"fees": int(profits.fees), "rows": rows}


notices: list[dict[str, Any]] = []
prices: list[list[Any]] = []
books: list[dict[str, Any]] = []


def on_execution(_: Any, event: Any) -> None:
    data = event.response
    notices.append(
        {
            "account": str(data.account_number),
            "symbol": data.symbol,
            "number": data.order_number.number,
            "type": data.type,
            "qty": int(data.qty),
            "executed": int(data.executed_qty),
            "price": number(data.price),
            "receipt": data.receipt,
            "rejected": data.rejected,
            "raw": list(data.__data__),
        }
    )


def on_price(_: Any, event: Any) -> None:
    data = event.response
    prices.append([data.symbol, int(data.price), int(data.volume), str(data.time)])


def on_book(_: Any, event: Any) -> None:
    books.append(plain_book(event.response))


def read_market(kis: PyKis) -> Any:
    stock = steps.take("stock", lambda: kis.stock(symbol), lambda found: [found.symbol, found.market, found.name])
    steps.take("quote", stock.quote, plain_quote)
    steps.take("book", stock.orderbook, plain_book)
    first = day - dt.timedelta(days=20)
    steps.take("daily", lambda: stock.daily_chart(start=first, end=day), plain_bars)
    market.step(1)
    steps.take("minutes", lambda: stock.day_chart(), plain_bars)
    steps.refused("unknown", lambda: kis.stock("999999", "KR"), KisNotFoundError)
    steps.refused("abroad", lambda: kis.stock("AAPL", "NASDAQ"), KisHTTPError)
    return stock


def listen(kis: PyKis, stock: Any) -> list[Any]:
    tickets = [kis.account().on("execution", on_execution), stock.on("price", on_price), stock.on("orderbook", on_book)]
    stream = kis.websocket
    wanted = {("H0STCNT0", symbol), ("H0STASP0", symbol), ("H0STCNI9" if is_mock else "H0STCNI0", "tester")}

    def registered() -> set[tuple[str, str]]:
        clients = [stream, stream._primary_client] if stream._primary_client else [stream]
        return {(tr.id, tr.key) for each in clients for tr in each._registered_subscriptions}

    steps.wait("registered", lambda: wanted <= registered())
    return tickets


def trade(kis: PyKis, stock: Any) -> None:
    account = kis.account()
    ledger_call("balance before", lambda: account.balance(country="KR"), plain_balance)
    ask = steps.told["book"]["value"]["asks"][0][0]
    ledger_call(
        "orderable",
        lambda: stock.orderable_amount(price=ask),
        lambda found: {"amount": int(found.amount), "qty": int(found.qty)},
    )
    ledger_call("buy", lambda: stock.buy(qty=7), plain_order)
    market.step(60)
    steps.wait("filled", lambda: any(row["executed"] == 7 for row in notices))
    low = steps.told["quote"]["value"]["low_limit"]
    order = ledger_call("limit", lambda: stock.buy(price=low + 1_000, qty=2), plain_order)
    if is_mock:
        steps.refused("pending", lambda: account.pending_orders(country="KR"), NotImplementedError)
        steps.refused("modify", lambda: order.modify(price=low + 1_500), NotImplementedError)
        moved = order
    else:
        ledger_call("pending", lambda: account.pending_orders(country="KR"), plain_rows)
        moved = ledger_call("modify", lambda: order.modify(price=low + 1_500), plain_order)
    ledger_call("cancel", lambda: moved.cancel(), plain_order)
    scarce = steps.take("thin stock", lambda: kis.stock(thin), lambda found: found.symbol)
    top = int(steps.take("thin quote", scarce.quote, plain_quote).high_limit)
    bulk = ledger_call("bulk", lambda: scarce.buy(price=top, qty=asked["thin_quantity"]), plain_order)
    market.step(60)
    ledger_call("daily orders", lambda: account.daily_orders(day, day, country="KR"), plain_rows)
    ledger_call("cancel rest", lambda: bulk.cancel(), plain_order)
    ledger_call("sell", lambda: stock.sell(qty=3), plain_order)
    market.step(60)
    steps.wait("sold", lambda: any(row["type"] == "sell" and row["executed"] == 3 for row in notices))


def look_back(kis: PyKis) -> None:
    account = kis.account()
    ledger_call("balance", lambda: account.balance(country="KR"), plain_balance)
    ledger_call("balance everywhere", account.balance, plain_balance)
    ledger_call("orders everywhere", lambda: account.daily_orders(day, day), plain_rows)
    ledger_call("pending everywhere", account.pending_orders, plain_rows)
    if is_mock:
        steps.refused("profits", lambda: account.profits(day, day, country="KR"), NotImplementedError)
        return
    ledger_call("profits", lambda: account.profits(day, day, country="KR"), plain_profits)
    ledger_call("profits everywhere", lambda: account.profits(day, day), plain_profits)


def meet_limits(kis: PyKis, stock: Any) -> None:
    """Ask more than a second allows, log in again without the kept token, open a second stream with the key."""
    market.run(1)
    steps.take("burst", lambda: [stock.quote() for _ in range(40)], len)
    market.pause()
    other = client()
    steps.refused("second token", lambda: other.token, KisHTTPError)
    other.token = kis.token
    listen(kis, stock)
    other.websocket.subscribe("H0STCNT0", symbol)
    steps.wait("in use", lambda: logged("already in use"))
    other.websocket.reconnect = False
    other.websocket.disconnect()
    for place in range(len(kis.websocket.subscriptions), 40):
        kis.websocket.subscribe("H0STCNT0", f"{place:06d}")
    steps.refused("too many", lambda: kis.websocket.subscribe("H0STCNT0", thin), ValueError)


def be_refused(kis: PyKis, stock: Any) -> None:
    """Send what the broker refuses: outside hours, an unknown name, off the grid, without shares, without cash."""
    if asked["part"] == "closed":
        fault = KisAPIError if is_mock else KisMarketNotOpenedError
        steps.refused("closed", lambda: stock.buy(qty=1), fault)
        return
    low = int(stock.quote().low_limit)
    account = kis.account()
    steps.refused("no such name", lambda: account.buy("KRX", "999999", price=1_000, qty=1), KisNotFoundError)
    steps.refused("off the grid", lambda: stock.buy(price=low + 1, qty=1), KisAPIError)
    steps.refused("without shares", lambda: stock.sell(qty=1), KisAPIError)
    market.step(1)
    steps.refused("without cash", lambda: stock.buy(price=low, qty=1_000_000), KisAPIError)
    order = stock.buy(price=low, qty=1)
    order.cancel()
    steps.refused("twice", order.cancel, KisAPIError)


def main() -> None:
    kis = client()
    if asked["part"] in {"closed", "refusals"}:
        be_refused(kis, kis.stock(symbol))
        report(asked, steps)
        return
    stock = read_market(kis)
    if asked["part"] == "limits":
        meet_limits(kis, stock)
    else:
        tickets = listen(kis, stock)
        if asked["part"] == "all":
            trade(kis, stock)
            look_back(kis)
        else:
            ledger_call("buy", lambda: stock.buy(qty=7), plain_order)
            market.step(60)
            streams = {"H0STCNT0": prices, "H0STASP0": books, "H0STCNI": notices}
            steps.wait("heard or dropped", lambda: all(heard or logged(tr_id) for tr_id, heard in streams.items()))
        for ticket in tickets:
            ticket.unsubscribe()
    kis.websocket.reconnect = False
    kis.websocket.disconnect()
    report(
        asked,
        steps,
        notices=notices,
        prices=prices,
        books=len(books),
        last_book=books[-1] if books else None,
        log=told.lines,
        changed=changed_files("python-kis"),
    )


main()
