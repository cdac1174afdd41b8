"""Every fact of the REST wire that the three clients rely on, with a raw client: guarded without them too.

Beside each fact stands who would break. Sources: python-kis 2.1.6, mojito2 0.1.6, KIS samples of 2026-07, read and run.
"""

from __future__ import annotations

import json
import keyword

import pytest

from clients.driving import APP_KEY, MOCK_KEY, SECRET, SYMBOL, Emulated, emulated
from clients.raw import CANO, PRODUCT, QUOTES, TRADING, Client
from contract.worlds import DAY
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND
from haetae.emulator import core, overseas
from haetae.emulator.trading import ORDERS
from haetae.kis.wire.operations import OPERATIONS, Operation
from unit.emulator.asking import SAMPLES

LOWER = {"tr_id", "tr_cont", "gt_uid"}
SERVED = [
    operation
    for operation in (*OPERATIONS.values(), *overseas.TABLE)
    if operation.name in core.SERVED and operation.method == "GET"
]
ASKED = {
    "CANO": CANO,
    "ACNT_PRDT_CD": PRODUCT,
    "PDNO": SYMBOL,
    "ORD_UNPR": "60000",
    "ORD_DVSN": "00",
    "INQR_STRT_DT": f"{DAY:%Y%m%d}",
    "INQR_END_DT": f"{DAY:%Y%m%d}",
    "FID_INPUT_ISCD": SYMBOL,
    "FID_INPUT_DATE_1": "20261101",
    "FID_INPUT_DATE_2": f"{DAY:%Y%m%d}",
    "FID_INPUT_HOUR_1": "100000",
    "FID_PERIOD_DIV_CODE": "D",
    "FID_COND_MRKT_DIV_CODE": "J",
    "BASS_DT": f"{DAY:%Y%m%d}",
}


def path_of(operation: Operation) -> str:
    asked = {name: ASKED.get(name.upper(), "") for name in operation.request}
    if operation.name in SAMPLES:
        asked = operation.body(SAMPLES[operation.name].values())
    elif "index" in operation.name:
        asked["FID_INPUT_ISCD"] = "0001"
    return operation.path + "?" + "&".join(f"{name}={value}" for name, value in asked.items())


# ---------------------------------------------------------------- heads


async def test_only_three_header_names_are_lower_case_whatever_is_answered(client: Client) -> None:
    """The samples make a field of each lower-case name: ``content-type`` would be no identifier."""
    answers = await client.send(
        client.request("GET", f"{QUOTES}inquire-price?FID_INPUT_ISCD={SYMBOL}", "FHKST01010100"),
        client.request("GET", f"{QUOTES}no-such-call", "FHKST01010100"),
        client.request("POST", "/oauth2/tokenP", body={"grant_type": "client_credentials"}),
        client.request("POST", "/uapi/hashkey", body={"PDNO": SYMBOL}),
        client.request("GET", "/common/master/kospi_code.mst.zip"),
        client.request("GET", "/common/master/none.zip"),
    )
    assert [status.split(" ")[1] for status, _, _ in answers] == ["200", "500", "403", "200", "200", "404"]
    for status, headers, _ in answers:
        assert {name for name in headers if name == name.lower()} == LOWER, status
        assert {"Content-Type", "Content-Length", "Date", "Server"} <= set(headers), status


async def test_connection_is_kept_and_bodies_have_their_length(client: Client) -> None:
    """All three use sessions of requests: HTTP/1.1, one connection, a length instead of chunks."""
    one = client.request("GET", f"{QUOTES}inquire-price?FID_INPUT_ISCD={SYMBOL}", "FHKST01010100")
    answers = await client.send(*[one] * 5)
    assert {status for status, _, _ in answers} == {"HTTP/1.1 200 OK"}
    assert all("Transfer-Encoding" not in headers for _, headers, _ in answers)
    assert len({body for _, _, body in answers}) == 1
    assert all(headers["Content-Type"] == "application/json; charset=utf-8" for _, headers, _ in answers)
    assert all(headers["tr_id"] == "FHKST01010100" for _, headers, _ in answers)


@pytest.mark.parametrize("operation", SERVED, ids=lambda operation: operation.name)
async def test_answer_is_an_envelope_of_identifiers_and_texts(client: Client, operation: Operation) -> None:
    """The samples make named tuples of bodies; mojito and python-kis index them; every value is text."""
    ((status, headers, body),) = await client.send(client.request("GET", path_of(operation), operation.real))
    told = json.loads(body)
    assert (status, told["rt_cd"]) in {("HTTP/1.1 200 OK", "0"), ("HTTP/1.1 200 OK", "7")}, told
    assert set(told) >= {"rt_cd", "msg_cd", "msg1"}
    assert all(name.isidentifier() and not keyword.iskeyword(name) and name[0] != "_" for name in told)
    assert headers["tr_cont"] in ({"F", "M", "D", "E"} if operation.cursor is not None else {""})
    if operation.cursor is not None and told["rt_cd"] == "0":
        assert {f"ctx_area_fk{operation.cursor}", f"ctx_area_nk{operation.cursor}"} <= set(told)
    for output in operation.outputs if told["rt_cd"] == "0" else ():
        rows = told[output.key] if output.many else [told[output.key]]
        assert isinstance(told[output.key], list) == output.many
        assert all(isinstance(value, str) for row in rows for value in row.values())


async def test_refusals_have_the_envelope_and_nothing_else(client: Client) -> None:
    """mojito returns the body of an error as if it were data; the samples read ``tr_cont`` of it."""
    ((_, headers, body),) = await client.send(client.request("GET", f"{QUOTES}no-such-call", "FHKST01010100"))
    assert set(json.loads(body)) == {"rt_cd", "msg_cd", "msg1"}
    assert headers["tr_cont"] == ""


# ---------------------------------------------------------------- what may be sent


@pytest.mark.parametrize(
    "path",
    [
        f"/{QUOTES}inquire-price?FID_INPUT_ISCD={SYMBOL}",
        f"{QUOTES}inquire-price?fid_input_iscd={SYMBOL}&fid_cond_mrkt_div_code=J",
        f"{QUOTES}inquire-price?Fid_Input_Iscd={SYMBOL}",
    ],
    ids=["doubled slash", "lower case", "mixed case"],
)
async def test_doubled_slashes_and_any_case_of_names_are_understood(client: Client, path: str) -> None:
    """mojito: ``//uapi`` of its minute chart, lower-case parameters."""
    _, told = await client.ask("GET", path, "FHKST01010100")
    assert told["output"]["stck_shrn_iscd"] == SYMBOL


async def test_header_names_of_any_case_and_no_customer_type(client: Client) -> None:
    """mojito sends ``appKey`` and ``appSecret``, python-kis no ``custtype``; HTTP itself knows no case."""
    lines = [
        f"GET {QUOTES}inquire-price?fid_input_iscd={SYMBOL} HTTP/1.1",
        "host: 127.0.0.1",
        f"AUTHORIZATION: Bearer {client.token}",
        f"appKey: {client.key}",
        f"appSecret: {SECRET}",
        "Tr_Id: FHKST01010100",
        "content-type: application/json; charset=utf-8",
        "",
        "",
    ]
    ((_, _, body),) = await client.send("\r\n".join(lines).encode())
    assert json.loads(body)["rt_cd"] == "0"


@pytest.mark.parametrize(
    ("new", "old", "side"),
    [("TTTC0012U", "TTTC0802U", "real"), ("TTTC0011U", "TTTC0801U", "real"), ("VTTC0012U", "VTTC0802U", "mock")],
)
async def test_orders_of_both_generations_of_ids_are_taken(emulator: Emulated, new: str, old: str, side: str) -> None:
    """The samples use the ids of 2025, python-kis and mojito the older ones."""
    client = await Client(emulator, APP_KEY if side == "real" else MOCK_KEY, side).log_in()
    buy = "TTTC0012U" if side == "real" else "VTTC0012U"
    assert (await client.order(tr_id=buy))["rt_cd"] == "0"
    await emulator.service.advance(emulator.service.core.now + NS_PER_MINUTE)
    told = [await client.order(1, tr_id) for tr_id in (new, old)]
    assert [answer["rt_cd"] for answer in told] == ["0", "0"]
    assert int(told[1]["output"]["ODNO"]) == int(told[0]["output"]["ODNO"]) + 1
    assert told[0]["output"].keys() >= {"KRX_FWDG_ORD_ORGNO", "ODNO", "ORD_TMD"}


async def test_change_and_queries_of_the_older_ids_are_served(client: Client) -> None:
    price = str(client.emulator.service.core.board.sight(SYMBOL).lower + 1_000)
    ack = (await client.order(ORD_DVSN="00", ORD_UNPR=price))["output"]
    account = f"CANO={CANO}&ACNT_PRDT_CD={PRODUCT}"
    _, pending = await client.ask("GET", f"{TRADING}inquire-psbl-rvsecncl?{account}", "TTTC8036R")
    assert [row["odno"] for row in pending["output"]] == [ack["ODNO"]]
    change = {"CANO": CANO, "ACNT_PRDT_CD": PRODUCT, "ORGN_ODNO": ack["ODNO"], "ORD_DVSN": "00", "ORD_QTY": "0"}
    change |= {"KRX_FWDG_ORD_ORGNO": ack["KRX_FWDG_ORD_ORGNO"], "ORD_UNPR": "0", "QTY_ALL_ORD_YN": "Y"}
    _, told = await client.ask("POST", f"{TRADING}order-rvsecncl", "TTTC0803U", {**change, "RVSE_CNCL_DVSN_CD": "02"})
    assert told["rt_cd"] == "0"
    span = f"INQR_STRT_DT={DAY:%Y%m%d}&INQR_END_DT={DAY:%Y%m%d}"
    for tr_id in ("TTTC8001R", "TTTC0081R", "CTSC9115R", "CTSC9215R"):
        _, told = await client.ask("GET", f"{TRADING}inquire-daily-ccld?{account}&{span}", tr_id)
        assert [row["odno"] for row in told["output1"]] == [told_ack(ack, 1), told_ack(ack, 0)], tr_id


def told_ack(ack: dict[str, str], later: int) -> str:
    return f"{int(ack['ODNO']) + later:010d}"


async def test_hash_of_an_order_needs_no_token_and_may_be_sent_along(client: Client) -> None:
    """mojito asks for it before each order and sends it in a header."""
    body = {"CANO": CANO, "ACNT_PRDT_CD": PRODUCT, "PDNO": SYMBOL, "ORD_DVSN": "01", "ORD_QTY": "1", "ORD_UNPR": "0"}
    lines = [
        "POST /uapi/hashkey HTTP/1.1",
        "Host: 127.0.0.1",
        f"appKey: {client.key}",
        f"appSecret: {SECRET}",
        f"Content-Length: {len(json.dumps(body))}",
        "",
        json.dumps(body),
    ]
    ((_, _, answer),) = await client.send("\r\n".join(lines).encode())
    told = json.loads(answer)
    assert (told["BODY"], len(told["HASH"])) == (body, 64)
    _, taken = await client.ask("POST", f"{TRADING}order-cash", "TTTC0802U", body, hashkey=told["HASH"])
    assert taken["rt_cd"] == "0"


async def test_filled_key_asks_for_the_next_page_with_and_without_the_header(emulator: Emulated) -> None:
    """mojito sends the keys and no ``tr_cont: N``, and goes on only where the answer says M."""
    client = await Client(emulator, MOCK_KEY, "mock").log_in()
    price = str(emulator.service.core.board.sight(SYMBOL).lower + 1_000)
    for _ in range(32):
        await client.order(1, "VTTC0802U", ORD_DVSN="00", ORD_UNPR=price)
    asked = f"CANO={CANO}&ACNT_PRDT_CD={PRODUCT}&INQR_STRT_DT={DAY:%Y%m%d}&INQR_END_DT={DAY:%Y%m%d}"
    path = f"{TRADING}inquire-daily-ccld?{asked}"
    for header in ({}, {"tr_cont": "N"}):
        numbers, cursor, marks = [], "", []
        for page in range(3):
            sent = client.request("GET", path + cursor, "VTTC8001R", **(header if page else {}))
            ((_, headers, body),) = await client.send(sent)
            told = json.loads(body)
            marks.append(headers["tr_cont"])
            numbers += [int(row["odno"]) for row in told["output1"]]
            fk, nk = (told[f"ctx_area_{name}100"].replace(" ", "%20") for name in ("fk", "nk"))
            cursor = f"&CTX_AREA_FK100={fk}&CTX_AREA_NK100={nk}"
        assert marks == ["M", "M", "D"]
        assert numbers == list(range(32, 0, -1))


# ---------------------------------------------------------------- keys, tokens, rates


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [("k" * 35, SECRET, "EGW00103"), (APP_KEY, "s" * 179, "EGW00105"), ("k" * 37, SECRET, "EGW00103")],
)
async def test_keys_have_their_length(emulator: Emulated, key: str, secret: str, code: str) -> None:
    """python-kis checks 36 and 180 characters before it sends anything."""
    body = {"grant_type": "client_credentials", "appkey": key, "appsecret": secret}
    status, told = await Client(emulator).ask("POST", "/oauth2/tokenP", body=body)
    assert (status, told["error_code"]) == (403, code)
    assert set(told) == {"error_code", "error_description"}


async def test_token_is_told_in_the_form_that_clients_parse(emulator: Emulated) -> None:
    """python-kis parses the expiry by ``%Y-%m-%d %H:%M:%S``, mojito adds ``expires_in`` to its clock."""
    body = {"grant_type": "client_credentials", "appkey": APP_KEY, "appsecret": SECRET}
    status, told = await Client(emulator).ask("POST", "/oauth2/tokenP", body=body)
    assert (status, told["token_type"], told["expires_in"]) == (200, "Bearer", 86_400)
    assert len(told["access_token_token_expired"]) == len("2026-11-24 10:00:00")
    assert told["access_token"].isascii()
    status, told = await Client(emulator).ask("POST", "/oauth2/tokenP", body=body)
    assert (status, told["error_code"]) == (403, "EGW00133")


@pytest.mark.parametrize(("side", "allowed"), [("real", 18), ("mock", 1)])
async def test_call_above_the_rate_is_a_server_error_without_output(side: str, allowed: int) -> None:
    """python-kis repeats it, mojito falls over the missing output."""
    async with emulated() as emulator:
        client = await Client(emulator, APP_KEY if side == "real" else MOCK_KEY, side).log_in()
        one = client.request("GET", f"{QUOTES}inquire-price?FID_INPUT_ISCD={SYMBOL}", "FHKST01010100")
        answers = await client.send(*[one] * (allowed + 2))
        assert [status.split(" ")[1] for status, _, _ in answers] == ["200"] * allowed + ["500"] * 2
        told = json.loads(answers[-1][2])
        assert (set(told), told["msg_cd"]) == ({"rt_cd", "msg_cd", "msg1"}, "EGW00201")
        await emulator.service.advance(emulator.service.core.now + NS_PER_SECOND)
        ((status, _, _),) = await client.send(one)
        assert status == "HTTP/1.1 200 OK"


# ---------------------------------------------------------------- what is not served


@pytest.mark.parametrize(
    ("method", "path", "tr_id"),
    [
        ("GET", "/uapi/overseas-price/v1/quotations/price-detail", "HHDFS76200200"),
        ("GET", "/uapi/overseas-stock/v1/trading/inquire-psamount", "TTTS3007R"),
        ("POST", "/uapi/overseas-stock/v1/trading/order", "TTTT1002U"),
        ("POST", f"{TRADING}order-credit", "TTTC0052U"),
        ("POST", f"{TRADING}order-resv", "CTSC0008U"),
        ("GET", "/uapi/domestic-bond/v1/quotations/inquire-price", "FHKBJ773400C0"),
        ("GET", "/", "FHKST01010100"),
    ],
)
async def test_what_is_not_served_is_an_unknown_service_and_changes_nothing(
    client: Client, method: str, path: str, tr_id: str
) -> None:
    status, told = await client.ask(method, path, tr_id, dict(ASKED) if method == "POST" else None)
    assert (status, told["rt_cd"], told["msg_cd"]) == (500, "1", "MCA00124")
    assert client.emulator.service.core.accounts == {}


@pytest.mark.parametrize(
    ("call", "tr_id"), [("inquire-daily-itemchartprice", "FHKST03010100"), ("inquire-daily-price", "FHKST01010400")]
)
@pytest.mark.parametrize("period", ["W", "M", "Y"])
async def test_longer_bars_are_never_daily_ones_under_another_name(
    client: Client, call: str, tr_id: str, period: str
) -> None:
    """mojito and python-kis ask for weeks and months by the same call; rows of days would pass for them unseen."""
    asked = f"FID_INPUT_ISCD={SYMBOL}&FID_INPUT_DATE_1=20261101&FID_INPUT_DATE_2={DAY:%Y%m%d}"
    path = f"{QUOTES}{call}?{asked}&FID_PERIOD_DIV_CODE="
    _, daily = await client.ask("GET", path + "D", tr_id)
    _, longer = await client.ask("GET", path + period, tr_id)
    rows = [body.get("output2") or body.get("output") or [] for body in (daily, longer)]
    assert rows[0]
    assert (longer["rt_cd"] != "0") == (rows[1] == [])
    spans = [{row["stck_bsop_date"] for row in given} for given in rows]
    assert rows[1] == [] or len(spans[1]) == len(rows[1]) < len(rows[0]) or min(spans[1]) < min(spans[0])


async def test_real_only_call_with_the_letter_of_the_mock_is_no_mock_service(emulator: Emulated) -> None:
    """The samples turn the first letter of every id of the ledger into V in mock mode, also where none exists."""
    client = await Client(emulator, MOCK_KEY, "mock").log_in()
    for path, tr_id in (("inquire-psbl-rvsecncl", "VTTC0084R"), ("inquire-period-trade-profit", "VTTC8715R")):
        status, told = await client.ask("GET", f"{TRADING}{path}?CANO={CANO}&ACNT_PRDT_CD={PRODUCT}", tr_id)
        assert (status, told["msg_cd"]) == (500, "MCA00124")
    assert set(ORDERS) == {"order-cash-buy", "order-cash-sell", "order-rvsecncl"}
