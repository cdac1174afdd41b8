"""Faults of the broker: what a client is told, beside what has happened; the ledger is never falsified."""
# long: one test or more for each of the twenty-one faults, in the order of their table.

import json

import pytest

from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.emulator.faults.script import check_script
from haetae.kis.wire.operations import Mode
from unit.emulator.service_rig import DAY, KEY, NO_LIMITS, Desk, shared_world
from unit.emulator.wire_rig import collect, register, running

LIST, BALANCE = ("trading/inquire-daily-ccld", "TTTC0081R"), ("trading/inquire-balance", "TTTC8434R")
ACCOUNT = {"CANO": "12345678", "ACNT_PRDT_CD": "01"}
SYMBOL = "005930"


def armed(toml: str, **changes) -> Desk:
    """Return a desk in process, logged in, with faults armed."""
    desk = Desk(**changes).log_in()
    script, mistakes = check_script(toml)
    assert mistakes == []
    for fault in script.faults:
        desk.core.faults.arm(fault)
    desk.core.faults.strike_due()
    return desk


def account(desk: Desk):
    return desk.core.accounts[desk.mode, "12345678", "01"]


def wait(desk: Desk, seconds: float) -> None:
    desk.at(desk.core.now + round(seconds * NS_PER_SECOND))


def buy(desk: Desk, quantity: int = 1, price: int = 0, symbol: str = SYMBOL) -> dict:
    kind = "00" if price else "01"
    return desk.order("TTTC0012U", PDNO=symbol, ORD_QTY=str(quantity), ORD_DVSN=kind, ORD_UNPR=str(price))


def low_price(desk: Desk, share: float = 0.9) -> int:
    return desk.core.board.session.rules.floor_tick(int(desk.core.board.sight(SYMBOL).last * share))


def change(desk: Desk, ack: dict, code: str = "02", price: int = 0) -> dict:
    number = {name: ack["output"][name] for name in ("KRX_FWDG_ORD_ORGNO",)}
    body = {**number, "ORGN_ODNO": ack["output"]["ODNO"], "QTY_ALL_ORD_YN": "Y", "ORD_QTY": "0"}
    return desk.order("TTTC0013U", **body, RVSE_CNCL_DVSN_CD=code, ORD_UNPR=str(price))


def listed(desk: Desk) -> dict[int, dict]:
    return {int(row["odno"]): row for row in json.loads(desk.daily_orders().body)["output1"]}


def balanced(desk: Desk) -> bool:
    found = account(desk)
    held = {symbol: item.quantity for symbol, item in found.book.positions.items()}
    return found.venue.cash == found.book.cash and held == dict(found.venue.holdings)


def fired(desk: Desk, place: int = 0) -> int:
    return desk.core.faults.report()[place]["fired"]


def test_b01_an_order_is_listed_late_and_balance_may_lag_with_it() -> None:
    desk = armed('[[fault]]\nid = "B01"\nwhen = { call = 2 }\nwhat = { seconds = 45, balance = true }\n')
    first, second = buy(desk, 2), buy(desk, 3)
    assert set(listed(desk)) == {int(first["output"]["ODNO"])}
    wait(desk, 44)
    assert set(listed(desk)) == {int(first["output"]["ODNO"])}
    assert sum(line.quantity for line in account(desk).executions) == 5
    assert desk.get(*BALANCE, **ACCOUNT)["output1"] == []
    wait(desk, 2)
    assert int(second["output"]["ODNO"]) in listed(desk)
    assert desk.get(*BALANCE, **ACCOUNT)["output1"][0]["hldg_qty"] == "5"


def test_b01_without_balance_shows_the_shares_at_once() -> None:
    desk = armed('[[fault]]\nid = "B01"\n')
    buy(desk, 2)
    wait(desk, 30)
    assert listed(desk) == {}
    assert desk.get(*BALANCE, **ACCOUNT)["output1"][0]["hldg_qty"] == "2"


@pytest.mark.parametrize("taken", [True, False])
def test_b01_meets_an_answer_that_another_fault_has_spoilt(taken: bool) -> None:
    """A page in place of an acknowledgement says nothing of the order; the ledger does."""
    page = f"what = {{ taken = {str(taken).lower()} }}"
    desk = armed(f'[[fault]]\nid = "T07"\nwhere = {{ operation = "order-cash-buy" }}\n{page}\n[[fault]]\nid = "B01"\n')
    with pytest.raises(ValueError, match="Expecting value"):
        buy(desk, 2)
    assert listed(desk) == {}
    wait(desk, 60)
    assert len(listed(desk)) == taken


async def test_b02_the_exchange_rejects_after_the_ack_with_a_notice() -> None:
    async with (
        running('[[fault]]\nid = "B02"\nwhat = { seconds = 2 }\n') as client,
        client.session.ws_connect(f"{client.ready['ws_real']}/") as ws,
    ):
        key = (await register(ws, await client.approval(), "H0STCNI0", "id")).key
        price = low_price(Desk(world=shared_world()))
        assert (await client.buy(ORD_DVSN="00", ORD_UNPR=str(price), ORD_QTY="3"))["rt_cd"] == "0"
        assert (await client.orders())[0]["working"] is True
        await client.to(3)
        (row,) = await client.orders()
        assert (row["working"], row["rejected"], row["filled"]) == (False, 3, 0)
        from haetae.kis.wire.frames import parse_frame, records
        from haetae.kis.wire.records import NoticeRecord

        told = [NoticeRecord.decode(records(parse_frame(text), key)[0]) for text in await collect(ws)]
        assert [(notice.refused, notice.executed) for notice in told] == [(False, False), (True, False)]
        ledger = await client.control("/ledger?account=12345678")
        assert ledger["orderable_cash"] == ledger["cash"] == 100_000_000
        assert ledger["balanced"] is True


def test_b02_leaves_an_order_alone_that_filled_before() -> None:
    desk = armed('[[fault]]\nid = "B02"\nwhat = { seconds = 40 }\n')
    buy(desk, 2)
    wait(desk, 60)
    row = account(desk).rows[0]
    assert (row.filled, row.rejected) == (2, 0)


def test_b03_fills_come_in_parts_in_one_second_at_one_price() -> None:
    desk = armed('[[fault]]\nid = "B03"\nwhat = { parts = [1, 2] }\n')
    buy(desk, 10)
    buy(desk, 4, symbol="000660")
    wait(desk, 60)
    found = account(desk)
    parts = [line for line in found.executions if line.symbol == SYMBOL]
    assert [line.quantity for line in parts] == [1, 2, 7]
    assert len({line.price for line in parts}) == 1
    assert len({line.at // NS_PER_SECOND for line in parts}) == 1
    assert sum(line.quantity for line in found.executions if line.symbol == "000660") == 4
    assert balanced(desk)
    assert listed(desk)[1]["tot_ccld_qty"] == "10"


def test_b03_smaller_orders_fill_in_as_many_parts_as_they_have() -> None:
    desk = armed('[[fault]]\nid = "B03"\nwhat = { parts = [1, 1, 5] }\n')
    buy(desk, 2)
    wait(desk, 60)
    assert [line.quantity for line in account(desk).executions] == [1, 1]
    plain = Desk().log_in()
    buy(plain, 2)
    wait(plain, 60)
    assert [line.quantity for line in account(plain).executions] == [2]


@pytest.mark.parametrize(("quantity", "code", "filled"), [(0, "APBK1664", 5), (2, "APBK0013", 2)])
def test_b04_a_fill_comes_before_the_cancel(quantity: int, code: str, filled: int) -> None:
    desk = armed(f'[[fault]]\nid = "B04"\nwhat = {{ quantity = {quantity} }}\n')
    price = low_price(desk)
    ack = buy(desk, 5, price)
    answer = change(desk, ack)
    assert answer["msg_cd"] == code
    row = account(desk).rows[0]
    assert (row.filled, row.canceled) == (filled, 0 if code == "APBK1664" else 5 - filled)
    assert account(desk).executions[-1].price == price
    assert balanced(desk)
    wait(desk, 60)
    assert balanced(desk)
    assert account(desk).rows[0].filled == filled


def test_b04_the_tape_goes_on_for_other_orders() -> None:
    desk = armed('[[fault]]\nid = "B04"\n')
    ack = buy(desk, 5, low_price(desk))
    buy(desk, 3, symbol="000660")
    change(desk, ack)
    wait(desk, 60)
    assert {line.symbol: line.quantity for line in account(desk).executions} == {SYMBOL: 5, "000660": 3}


async def test_b05_the_cancel_is_taken_and_its_answer_lost() -> None:
    import aiohttp

    async with running('[[fault]]\nid = "B05"\n') as client:
        price = low_price(Desk(world=shared_world()))
        ack = (await client.buy(ORD_DVSN="00", ORD_UNPR=str(price)))["output"]
        body = {"CANO": "12345678", "ACNT_PRDT_CD": "01", "ORGN_ODNO": ack["ODNO"], "QTY_ALL_ORD_YN": "Y"}
        body |= {"KRX_FWDG_ORD_ORGNO": ack["KRX_FWDG_ORD_ORGNO"], "RVSE_CNCL_DVSN_CD": "02", "ORD_QTY": "0"}
        url = f"{client.ready['rest_real']}/uapi/domestic-stock/v1/trading/order-rvsecncl"
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await client.post(url, body, client.headers("TTTC0013U"))
        rows = await client.orders()
        assert (rows[0]["working"], rows[0]["canceled"]) == (False, 1)
        assert (await client.post(url, body, client.headers("TTTC0013U")))["msg_cd"] == "APBK1664"


def test_b06_numbers_make_a_chain_and_the_quantity_is_there_once() -> None:
    desk = armed('[[fault]]\nid = "B06"\nwhat = { links = 2, ticks = 3 }\n')
    price = low_price(desk)
    first = int(buy(desk, 5, price)["output"]["ODNO"])
    rows = listed(desk)
    assert [int(rows[number]["orgn_odno"] or 0) for number in sorted(rows)] == [0, first, first + 1]
    assert [rows[number]["rmn_qty"] for number in sorted(rows)] == ["0", "0", "5"]
    assert int(rows[first + 2]["ord_unpr"]) < int(rows[first + 1]["ord_unpr"]) < price
    assert sum(order.open_quantity for order in account(desk).venue.open_orders()) == 5


def pages(desk: Desk, tr: str = "VTTC0081R") -> tuple[list[int], int]:
    """Read every page as a client does; returns numbers in the order they came, and how many pages."""
    numbers, cursor, seen = [], {}, 0
    headers = None
    while True:
        reply = desk.daily_orders(tr, headers=headers, **cursor)
        body = json.loads(reply.body)
        numbers += [int(row["odno"]) for row in body["output1"]]
        seen += 1
        if reply.tr_cont not in ("F", "M") or seen == 9:
            return numbers, seen
        cursor = {name.upper(): body[name] for name in ("ctx_area_fk100", "ctx_area_nk100")}
        headers = desk.headers(tr, tr_cont="N")


def mock_orders(desk: Desk, count: int) -> None:
    for _ in range(count):
        desk.order("VTTC0012U", PDNO=SYMBOL, ORD_UNPR=str(low_price(desk, 0.8)))


def test_b07_an_order_comes_in_between_two_pages() -> None:
    desk = armed('[[fault]]\nid = "B07"\n', mode=Mode.MOCK)
    mock_orders(desk, 17)
    numbers, seen = pages(desk)
    assert seen == 2
    assert numbers == [*range(17, 2, -1), 3, 2, 1]
    assert max(listed_mock(desk)) == 18
    assert pages(desk)[0] == [*range(18, 0, -1)]


def listed_mock(desk: Desk) -> set[int]:
    return {row.number for row in account(desk).rows}


def test_b07_without_shift_only_the_head_has_moved() -> None:
    desk = armed('[[fault]]\nid = "B07"\nwhat = { shift = false }\n', mode=Mode.MOCK)
    mock_orders(desk, 17)
    assert pages(desk)[0] == [*range(17, 0, -1)]
    assert fired(desk) == 1


def test_b07_a_fill_comes_in_between_two_pages() -> None:
    desk = armed('[[fault]]\nid = "B07"\nwhat = { how = "fill", shift = false }\n', mode=Mode.MOCK)
    mock_orders(desk, 16)
    pages(desk)
    assert [line.number for line in account(desk).executions] == [16]
    assert balanced(desk)


def test_b08_pages_never_end() -> None:
    desk = armed('[[fault]]\nid = "B08"\n', mode=Mode.MOCK)
    mock_orders(desk, 3)
    numbers, seen = pages(desk)
    assert seen == 9
    assert numbers == [3, 2, 1] * 9


def test_b09_a_holding_stands_twice() -> None:
    desk = armed('[[fault]]\nid = "B09"\n')
    buy(desk, 2)
    wait(desk, 60)
    rows = desk.get(*BALANCE, **ACCOUNT)["output1"]
    assert [(row["pdno"], row["hldg_qty"]) for row in rows] == [(SYMBOL, "2")] * 2
    assert len(desk.get(*BALANCE, **ACCOUNT)["output1"]) == 1


def test_b10_lists_are_empty_for_a_while_and_the_call_went_well() -> None:
    desk = armed('[[fault]]\nid = "B10"\nwhen = { at = "10:01:00", until = "10:02:00" }\ntimes = 0\n')
    buy(desk, 2)
    assert len(listed(desk)) == 1
    wait(desk, 70)
    body = json.loads(desk.daily_orders().body)
    assert (body["rt_cd"], body["msg_cd"], body["output1"]) == ("0", "KIOK0560", [])
    balance = desk.get(*BALANCE, **ACCOUNT)
    assert (balance["output1"], balance["output2"][0]["dnca_tot_amt"]) == ([], "100000000")
    wait(desk, 60)
    assert len(listed(desk)) == 1
    assert fired(desk) == 2


@pytest.mark.parametrize(
    ("what", "check"),
    [
        ('how = "code"', lambda body: body["msg_cd"] == "APBK9999"),
        ('how = "text", text = "ok"', lambda body: body["msg1"] == "ok"),
        ('how = "new_field"', lambda body: body["output1"][0].get("new_clmn_2027") == "1"),
        ('how = "missing_field", field = "hldg_qty"', lambda body: "hldg_qty" not in body["output1"][0]),
    ],
)
def test_b11_words_and_fields_change(what: str, check) -> None:
    where = 'where = { operation = "inquire-balance" }'
    desk = armed(f'[[fault]]\nid = "B11"\n{where}\nwhat = {{ {what} }}\n')
    buy(desk, 2)
    wait(desk, 60)
    body = desk.get(*BALANCE, **ACCOUNT)
    assert body["rt_cd"] == "0"
    assert check(body)
    assert not check(desk.get(*BALANCE, **ACCOUNT))


def test_b11_an_unknown_refusal_takes_nothing() -> None:
    desk = armed('[[fault]]\nid = "B11"\nwhere = { operation = "order" }\nwhat = { how = "code", taken = false }\n')
    answer = buy(desk)
    assert (answer["rt_cd"], answer["msg_cd"]) == ("1", "APBK9999")
    assert not desk.core.accounts


@pytest.mark.parametrize("value", [" 0012", "-", "", "1e5", "NaN"])
def test_b12_odd_texts_stand_where_numbers_stood(value: str) -> None:
    where = 'where = { operation = "inquire-price" }'
    desk = armed(f'[[fault]]\nid = "B12"\n{where}\nwhat = {{ field = "stck_prpr", value = "{value}" }}\n')
    asked = {"FID_INPUT_ISCD": SYMBOL}
    row = desk.get("quotations/inquire-price", "FHKST01010100", **asked)["output"]
    assert row["stck_prpr"] == value
    assert row["stck_oprc"].isdigit()
    assert desk.get("quotations/inquire-price", "FHKST01010100", **asked)["output"]["stck_prpr"].isdigit()


def test_b12_without_a_field_takes_every_whole_number() -> None:
    desk = armed('[[fault]]\nid = "B12"\nwhere = { operation = "inquire-price" }\n')
    row = desk.get("quotations/inquire-price", "FHKST01010100", FID_INPUT_ISCD=SYMBOL)["output"]
    assert {row["stck_prpr"], row["acml_vol"], row["stck_mxpr"]} == {"-"}
    assert row["rprs_mrkt_kor_name"] == "KOSPI"


def test_b13_money_leaves_when_an_order_stands() -> None:
    desk = armed('[[fault]]\nid = "B13"\nwhen = { state = "ordered" }\nwhat = { share = 1.0 }\n')
    price = low_price(desk)
    assert buy(desk, 5, price)["rt_cd"] == "0"
    found = account(desk)
    assert found.venue.orderable_cash == 0
    assert found.book.deposits == found.book.cash < 100_000_000
    assert buy(desk, 1, price)["msg_cd"] == "APBK0952"
    power = desk.get("trading/inquire-psbl-order", "TTTC8908R", **ACCOUNT, PDNO=SYMBOL, ORD_DVSN="01")["output"]
    assert power["ord_psbl_cash"] == "0"
    wait(desk, 3600)
    assert balanced(desk)
    assert found.book.cash >= 0


def test_b13_takes_an_amount_at_a_time_of_day() -> None:
    desk = armed('[[fault]]\nid = "B13"\nwhen = { at = "10:00:30" }\nwhat = { won = 1234 }\n')
    buy(desk, 1, low_price(desk))
    wait(desk, 29)
    assert account(desk).book.cash == 100_000_000
    wait(desk, 2)
    assert account(desk).book.cash == 100_000_000 - 1_234


async def test_b14_the_owner_orders_the_same_by_hand() -> None:
    async with running('[[fault]]\nid = "B14"\n') as client:
        ack = await client.buy(ORD_QTY="7", ORD_DVSN="00", ORD_UNPR=str(low_price(Desk(world=shared_world()))))
        rows = await client.orders()
        assert [row["quantity"] for row in rows] == [7, 7]
        assert rows[0]["price"] == rows[1]["price"]
        assert int(ack["output"]["ODNO"]) == int(rows[0]["number"])
        assert await client.fired() == 1


def test_b15_a_number_of_yesterday_comes_again() -> None:
    desk = armed('[[fault]]\nid = "B15"\nwhen = { at = "2026-11-24T09:00:00" }\n')
    for _ in range(3):
        buy(desk, 1, low_price(desk))
    desk.at(instant_at(shared_world().days[shared_world().row[DAY] + 1], 100_000))
    desk.log_in()
    buy(desk, 1, low_price(desk))
    rows = account(desk).rows
    assert [row.number for row in rows] == [1, 2, 3, 3]
    assert rows[2].day != rows[3].day
    assert account(desk).row_of(rows[3].day, 3) is rows[3]


def test_b16_the_token_is_expired_from_the_order_on() -> None:
    desk = armed('[[fault]]\nid = "B16"\n')
    assert buy(desk)["msg_cd"] == "EGW00123"
    assert not desk.core.accounts
    assert desk.get(*BALANCE, **ACCOUNT)["msg_cd"] == "EGW00123"
    dead = desk.token
    wait(desk, 61)
    desk.log_in()
    assert desk.token != dead
    assert buy(desk)["rt_cd"] == "0"


def test_b17_the_token_dies_with_words_of_its_own() -> None:
    desk = armed('[[fault]]\nid = "B17"\nwhat = { code = "", text = "odd", status = 401 }\n')
    reply = desk.daily_orders()
    assert (reply.status, json.loads(reply.body)["msg1"]) == (401, "odd")
    assert desk.get(*BALANCE, **ACCOUNT)["msg_cd"] == "EGW00121"
    wait(desk, 61)
    assert buy(desk.log_in())["rt_cd"] == "0"


def test_b18_no_token_is_issued_and_the_old_one_serves() -> None:
    desk = armed('[[fault]]\nid = "B18"\ntimes = 2\n')
    for _ in range(2):
        wait(desk, 61)
        reply = desk.oauth("tokenP")
        assert (reply.status, json.loads(reply.body)["error_code"]) == (403, "EGW00133")
    assert desk.get(*BALANCE, **ACCOUNT)["rt_cd"] == "0"
    wait(desk, 61)
    assert json.loads(desk.oauth("tokenP").body)["access_token"] == desk.token
    assert desk.core.gate.report()["token_calls"] == 4


def test_b19_somebody_else_uses_the_key() -> None:
    from haetae.emulator.settings import LimitSettings

    toml = '[[fault]]\nid = "B19"\nwhen = { call = 1 }\nwhat = { seconds = 10, calls_per_second = 9 }\n'
    desk = armed(toml, limits=LimitSettings())
    asked = ("quotations/inquire-price", "FHKST01010100")
    assert desk.get(*asked, FID_INPUT_ISCD=SYMBOL)["rt_cd"] == "0"
    wait(desk, 2)
    answers = [desk.get(*asked, FID_INPUT_ISCD=SYMBOL)["msg_cd"] for _ in range(18)]
    assert answers == ["MCA00000"] * 9 + ["EGW00201"] * 9
    assert json.loads(desk.oauth("tokenP").body)["error_code"] == "EGW00133"
    assert [line.app_key for line in desk.core.hub.lines] == [KEY]
    wait(desk, 10)
    answers = [desk.get(*asked, FID_INPUT_ISCD=SYMBOL)["msg_cd"] for _ in range(18)]
    assert answers == ["MCA00000"] * 18
    assert desk.core.hub.lines == []


def test_b20_a_domain_answers_as_the_other_one() -> None:
    for how in ("tr_id", "branch", "refuse"):
        desk = armed(f'[[fault]]\nid = "B20"\nwhere = {{ operation = "order" }}\nwhat = {{ how = "{how}" }}\n')
        from haetae.emulator.calls import Call

        values = {**ACCOUNT, "PDNO": SYMBOL, "ORD_QTY": "1", "ORD_DVSN": "01", "ORD_UNPR": "0"}
        path = "/uapi/domestic-stock/v1/trading/order-cash"
        reply = desk.core.handle(
            Call(Mode.REAL, "POST", path, desk.headers("TTTC0012U"), {}, json.dumps(values).encode())
        )
        body = json.loads(reply.body)
        match how:
            case "tr_id":
                assert (reply.tr_id, body["rt_cd"]) == ("VTTC0012U", "0")
            case "branch":
                assert body["output"]["KRX_FWDG_ORD_ORGNO"] == "00950"
            case "refuse":
                assert (reply.status, body["msg_cd"]) == (500, "EGW02004")
        assert len(desk.core.accounts) == (0 if how == "refuse" else 1)


def test_b21_open_orders_expire_and_new_ones_are_taken() -> None:
    desk = armed('[[fault]]\nid = "B21"\nwhen = { at = "10:05:00" }\n')
    buy(desk, 5, low_price(desk, 0.8))
    assert account(desk).venue.orderable_cash < 100_000_000
    wait(desk, 301)
    row = account(desk).rows[0]
    assert (row.working, row.canceled, row.remaining) == (False, 0, 0)
    assert account(desk).venue.orderable_cash == 100_000_000
    assert buy(desk, 1, low_price(desk, 0.8))["rt_cd"] == "0"
    assert account(desk).rows[1].working


def test_chance_is_the_seeds_and_times_are_kept() -> None:
    def struck(seed: int) -> list[bool]:
        where = 'where = { operation = "inquire-price" }'
        desk = armed(f'[[fault]]\nid = "T09"\n{where}\nchance = 0.4\nseed = {seed}\ntimes = 6\n')
        asked = ("quotations/inquire-price", "FHKST01010100")
        return [desk.get(*asked, FID_INPUT_ISCD=SYMBOL)["rt_cd"] == "1" for _ in range(60)]

    first = struck(1)
    assert first == struck(1)
    assert first != struck(2)
    assert sum(first) == 6


def test_dice_of_a_fault_are_its_own() -> None:
    where = 'where = { operation = "inquire-price" }'
    one = f'[[fault]]\nid = "T09"\n{where}\nchance = 0.4\nseed = 3\ntimes = 0\n'
    other = f'[[fault]]\nid = "T12"\n{where}\nchance = 0.5\n'

    def struck(toml: str, place: int) -> list[int]:
        desk, counts = armed(toml), []
        for _ in range(40):
            desk.get("quotations/inquire-price", "FHKST01010100", FID_INPUT_ISCD=SYMBOL)
            counts.append(fired(desk, place))
        return counts

    assert struck(one, 0) == struck(other + one, 1)
    assert struck(one, 0) != struck(one.replace("seed = 3", "seed = 4"), 0)


def test_seed_of_a_script_moves_the_dice_of_all(tmp_path) -> None:
    def struck(seed: int) -> list[str]:
        path = tmp_path / "faults.toml"
        path.write_text(
            f'seed = {seed}\n[[fault]]\nid = "T09"\nwhere = {{ operation = "quote" }}\nchance = 0.4\ntimes = 0\n'
        )
        desk = Desk(faults=path).log_in()
        asked = ("quotations/inquire-price", "FHKST01010100")
        return [desk.get(*asked, FID_INPUT_ISCD=SYMBOL)["rt_cd"] for _ in range(40)]

    assert struck(1) == struck(1) != struck(2)


def test_a_fault_strikes_from_its_call_on_and_at_every_nth() -> None:
    where = 'where = { operation = "inquire-price" }'
    desk = armed(f'[[fault]]\nid = "T09"\n{where}\nwhen = {{ call = 3, every = 2 }}\ntimes = 3\n')
    asked = ("quotations/inquire-price", "FHKST01010100")
    codes = [desk.get(*asked, FID_INPUT_ISCD=SYMBOL)["rt_cd"] for _ in range(10)]
    assert codes == ["0", "0", "1", "0", "1", "0", "1", "0", "0", "0"]


def test_same_script_and_calls_give_the_same_bytes() -> None:
    toml = "\n".join(
        [
            '[[fault]]\nid = "B02"\nchance = 0.5\ntimes = 0\nwhat = { seconds = 5 }',
            '[[fault]]\nid = "B03"\nchance = 0.5\ntimes = 0',
            '[[fault]]\nid = "B13"\nwhen = { at = "10:03:00" }\nwhat = { won = 77 }',
        ]
    )

    def day(step: float) -> tuple[list, int]:
        desk = armed(toml)
        for _ in range(6):
            buy(desk, 6)
            for _ in range(round(60 / step)):
                wait(desk, step)
        return account(desk).executions, account(desk).book.cash

    assert day(60) == day(7.5) == day(60)


def test_without_faults_nothing_is_asked() -> None:
    desk = Desk(limits=NO_LIMITS).log_in()
    assert not desk.core.faults.meets_calls
    assert desk.core.faults.next_due() is None
