"""KIS's own samples from login to the fill notice; runs in the clients' environment with a checkout of the samples.

Nothing of the samples is changed: they read addresses and keys from ``~/KIS/config/kis_devlp.yaml``, and the home is a
folder of the test. Their stream holds the main thread until it is interrupted; the trading goes on in a second one.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import yaml
from stepping import Market, Steps, given, report

asked = given()
market = Market(asked["control"])
steps = Steps(market)
is_mock = asked["mode"] == "mock"
server, env = ("vps", "demo") if is_mock else ("prod", "real")
symbol, thin, day = asked["symbol"], asked["thin"], asked["day"].replace("-", "")
cano, product = asked["account"].split("-")


def configure() -> None:
    """Write the settings of the samples; every value that becomes a header is ASCII, as their own are not."""
    folder = Path.home() / "KIS" / "config"
    folder.mkdir(parents=True)
    values = {
        **dict.fromkeys(("my_acct_stock", "my_paper_stock", "my_acct_future", "my_paper_future"), cano),
        "my_app": asked["app_key"],
        "my_sec": asked["app_secret"],
        "paper_app": asked["mock_key"],
        "paper_sec": asked["app_secret"],
        "my_htsid": "tester",
        "my_prod": product,
        "my_agent": "samples",
        "my_token": "",
        "prod": asked["rest_real"],
        "vps": asked["rest_mock"],
        "ops": asked["ws_real"],
        "vops": asked["ws_mock"],
    }
    (folder / "kis_devlp.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")


def samples() -> dict[str, Any]:
    """Return the functions of the samples, of one big module or of a module each."""
    root = Path(asked["samples"])
    if asked["part"] == "single":
        stocks = root / "examples_llm" / "domestic_stock"
        names = ("inquire_price", "inquire_daily_itemchartprice", "inquire_time_itemchartprice", "order_cash")
        names += ("inquire_balance", "inquire_daily_ccld", "inquire_psbl_order", "order_rvsecncl")
        names += ("inquire_asking_price_exp_ccn", "ccnl_krx", "asking_price_krx", "ccnl_notice")
        sys.path[:0] = [str(root / "examples_llm"), *(str(stocks / name) for name in names)]
        return {name: getattr(__import__(name), name) for name in names}
    sys.path[:0] = [str(root / "examples_user"), str(root / "examples_user" / "domestic_stock")]
    found: dict[str, Any] = {}
    for module in ("domestic_stock_functions", "domestic_stock_functions_ws"):
        found.update(vars(__import__(module)))
    return found


configure()
sample = samples()
import kis_auth as ka  # noqa: E402 - the samples read their settings when they are imported


def rows(frame: Any) -> list[dict[str, Any]]:
    """Return a table, or each of several, as plain rows."""
    if isinstance(frame, tuple):
        return [rows(part) for part in frame]
    return frame.fillna("").astype(str).to_dict("records")


def call(name: str, function: str, **values: Any) -> Any:
    market.step(1)
    return steps.take(name, lambda: sample[function](**values), rows)


ACCOUNT = {"cano": cano, "acnt_prdt_cd": product}
ITEM = {"env_dv": env, "fid_cond_mrkt_div_code": "J", "fid_input_iscd": symbol}


def read_market() -> None:
    call("price", "inquire_price", **ITEM)
    call("book", "inquire_asking_price_exp_ccn", **ITEM)
    span = {"fid_input_date_1": "20261101", "fid_input_date_2": day, "fid_period_div_code": "D"}
    call("daily", "inquire_daily_itemchartprice", **ITEM, **span, fid_org_adj_prc="1")
    call("minutes", "inquire_time_itemchartprice", **ITEM, fid_input_hour_1="100000", fid_pw_data_incu_yn="N")
    if asked["part"] == "all" and not is_mock:
        call("holidays", "chk_holiday", bass_dt=day, max_depth=0)
        call("facts", "search_stock_info", prdt_type_cd="300", pdno=symbol)
        item = {"fid_cond_mrkt_div_code": "J", "fid_input_iscd": symbol, "fid_input_date_1": asked["yesterday"]}
        call("past minutes", "inquire_time_dailychartprice", **item, fid_input_hour_1="153000", fid_pw_data_incu_yn="N")


def order(name: str, side: str, code: str, kind: str, quantity: int, price: int) -> dict[str, str]:
    values = {"pdno": code, "ord_dvsn": kind, "ord_qty": str(quantity), "ord_unpr": str(price)}
    (ack,) = rows(call(name, "order_cash", env_dv=env, ord_dv=side, **ACCOUNT, **values, excg_id_dvsn_cd="KRX"))
    return ack


def change(name: str, ack: dict[str, str], kind: str, price: int) -> dict[str, str]:
    of = {"krx_fwdg_ord_orgno": ack["KRX_FWDG_ORD_ORGNO"], "orgn_odno": ack["ODNO"], "rvse_cncl_dvsn_cd": kind}
    rest = {"ord_dvsn": "00", "ord_qty": "0", "ord_unpr": str(price), "qty_all_ord_yn": "Y", "excg_id_dvsn_cd": "KRX"}
    (moved,) = rows(call(name, "order_rvsecncl", env_dv=env, **ACCOUNT, **of, **rest))
    return moved


def fills_of_today(name: str) -> None:
    span = {"inqr_strt_dt": day, "inqr_end_dt": day, "sll_buy_dvsn_cd": "00", "ccld_dvsn": "00"}
    how = {"inqr_dvsn": "00", "inqr_dvsn_3": "00"}
    call(name, "inquire_daily_ccld", env_dv=env, pd_dv="inner", **ACCOUNT, **span, **how)


def balance(name: str) -> None:
    how = {"afhr_flpr_yn": "N", "inqr_dvsn": "01", "unpr_dvsn": "01", "fund_sttl_icld_yn": "N"}
    call(name, "inquire_balance", env_dv=env, **ACCOUNT, **how, fncg_amt_auto_rdpt_yn="N", prcs_dvsn="00")


def trade() -> None:
    price = steps.told["price"]["value"][0]
    low = int(price["stck_llam"])
    balance("balance before")
    power = {"pdno": symbol, "ord_unpr": price["stck_prpr"], "ord_dvsn": "00"}
    call("orderable", "inquire_psbl_order", env_dv=env, **ACCOUNT, **power, cma_evlu_amt_icld_yn="N", ovrs_icld_yn="N")
    order("buy", "buy", symbol, "01", 7, 0)
    market.step(60)
    limit = order("limit", "buy", symbol, "00", 2, low + 1_000)
    if asked["part"] == "all" and not is_mock:
        call("pending", "inquire_psbl_rvsecncl", **ACCOUNT, inqr_dvsn_1="0", inqr_dvsn_2="0")
    moved = change("modify", limit, "01", low + 1_500)
    change("cancel", moved, "02", 0)
    market.step(1)
    top = sample["inquire_price"](**{**ITEM, "fid_input_iscd": thin})["stck_mxpr"][0]
    bulk = order("bulk", "buy", thin, "00", asked["thin_quantity"], int(top))
    market.step(60)
    change("cancel rest", bulk, "02", 0)
    order("sell", "sell", symbol, "01", 3, 0)
    market.step(60)
    fills_of_today("orders")
    balance("balance")
    if asked["part"] == "all" and not is_mock:
        span = {"sort_dvsn": "00", "inqr_strt_dt": day, "inqr_end_dt": day, "cblc_dvsn": "00"}
        call("profits", "inquire_period_trade_profit", **ACCOUNT, **span)
        how = {"afhr_flpr_yn": "N", "inqr_dvsn": "00", "unpr_dvsn": "01", "fund_sttl_icld_yn": "N"}
        call("realized", "inquire_balance_rlz_pl", **ACCOUNT, **how, fncg_amt_auto_rdpt_yn="N", prcs_dvsn="00")


frames: list[list[Any]] = []


def on_result(_: Any, tr_id: str, frame: Any, __: Any) -> None:
    frames.append([tr_id, [str(place) for place in frame.index], rows(frame)])


failures: list[BaseException] = []


def beside() -> None:
    """Trade while the stream runs in the main thread, then end it."""
    try:
        steps.wait("registered", lambda: market.registrations() >= 3)
        if asked["part"] == "streams":
            order("buy", "buy", symbol, "01", 7, 0)
            market.step(60)
        else:
            trade()
        sent = market.sent()
        steps.wait("heard", lambda: len(frames) >= sent, limit_s=asked["patience"])
    except BaseException as fault:
        failures.append(fault)
        raise
    finally:
        os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C: it wakes the loop that the stream sleeps in


def main() -> None:
    steps.take("login", lambda: ka.auth(svr=server, product=product))
    market.step(1)
    read_market()
    ka.auth_ws(svr=server, product=product)
    token = ka.read_token()
    ka.changeTREnv(token, server, product)
    stream = ka.KISWebSocket(api_url="/tryitout")
    stream.subscribe(request=sample["ccnl_krx"], data=[symbol], kwargs={"env_dv": env})
    stream.subscribe(request=sample["asking_price_krx"], data=[symbol], kwargs={"env_dv": env})
    stream.subscribe(request=sample["ccnl_notice"], data=["tester"], kwargs={"env_dv": env})
    trading = threading.Thread(target=beside)
    trading.start()
    stream.start(on_result=on_result)
    trading.join()
    if not failures:
        report(asked, steps, frames=frames)


main()
