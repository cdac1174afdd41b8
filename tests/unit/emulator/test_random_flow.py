"""Whatever is ordered, whenever, over days with interruptions, auctions, evenings and a split: the books balance."""

from collections import defaultdict

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from haetae import ledger
from haetae.domain.account import Book
from haetae.domain.market import Market
from haetae.domain.orders import Side
from haetae.domain.units import NS_PER_SECOND, day_of, instant_at
from haetae.emulator.accounts import Account
from haetae.emulator.interventions import Action, ActionKind, Break, Halt, Shock, Trip
from haetae.emulator.orderkinds import ORDER_TYPES
from haetae.emulator.server import build_world
from haetae.emulator.settings import MarketSettings
from haetae.kis.wire.operations import Mode
from haetae.krx.afterhours import OffHours
from unit.emulator.service_rig import DAY, Desk

MARKET = MarketSettings(seed=11, listed=120, history_sessions=110, live_sessions=3)
NAMES = ("005930", "000660", "069500")
SECONDS = 12 * 3_600


def fold(owner: Account) -> tuple[int, dict[str, int]]:
    """Cash and shares as the two append-only lists tell them."""
    cash = owner.book.deposits - sum(line.amount for line in owner.corporate if line.kind == "transfer")
    shares: dict[str, int] = defaultdict(int)
    for line in owner.executions:
        sign = 1 if line.side is Side.BUY else -1
        cash -= sign * line.quantity * line.price + line.fee + line.tax
        shares[line.symbol] += sign * line.quantity
    for entry in owner.corporate:
        cash += entry.amount
        shares[entry.symbol] += entry.shares
    return cash, {symbol: count for symbol, count in shares.items() if count}


class Trader:
    """Sends drawn orders to a desk and checks the laws after each."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.world = build_world(MARKET)
        self.desk = Desk(82_000, world=self.world, initial_cash=400_000_000)
        self.board = self.desk.core.board
        self.days = self.world.days[-3:]
        self._script()
        self.acks: list[dict] = []
        self.seen = 0

    def _script(self) -> None:
        tomorrow = self.days[1]
        for event in (
            Trip(instant_at(DAY, 101_500), "000660", upward=bool(self.rng.integers(2))),
            Shock(instant_at(DAY, 133_000), 4, -900),
            Action(tomorrow, "005930", ActionKind.SPLIT, ratio=5),
            Action(tomorrow, "000660", ActionKind.DIVIDEND, price=300, arrives=self.days[2]),
            Halt(instant_at(tomorrow, 100_000), "005930", instant_at(tomorrow, 103_000)),
            Break(instant_at(tomorrow, 112_000), Market.KOSPI, 1),
            Shock(instant_at(self.days[2], 152_800), 0, 300, ("000660",)),
        ):
            self.board.script(event)

    @property
    def owner(self) -> Account:
        return self.desk.core.account(Mode.REAL, "12345678", "01")

    def order(self) -> None:
        rng, board = self.rng, self.board
        symbol = NAMES[int(rng.integers(len(NAMES)))]
        kind = ORDER_TYPES[str(rng.choice(sorted(ORDER_TYPES)))]
        item = self.world.by_symbol[symbol]
        near = board.sight(symbol).last * (1 + rng.normal(0, 0.01))
        price = board.session.rules.floor_tick(int(near), item.kind) if kind.pricing.priced else 0
        body = {
            "PDNO": symbol, "ORD_DVSN": kind.code, "ORD_QTY": str(int(rng.integers(1, 400))), "ORD_UNPR": str(price),
        }  # fmt: skip
        if kind.code == "22":
            body["CNDT_PRIC"] = str(max(1, round(near * (1 + rng.normal(0, 0.004)))))
        answer = self.desk.order("TTTC0012U" if rng.random() < 0.6 else "TTTC0011U", **body)
        if answer["rt_cd"] == "0":
            self.acks.append(answer["output"])

    def change(self) -> None:
        if not self.acks:
            return
        output = self.acks[int(self.rng.integers(len(self.acks)))]
        row = self.owner.row_of(day_of(self.desk.core.now), int(output["ODNO"]))
        if row is None:
            return
        part = int(self.rng.integers(1, max(row.remaining, 1) + 1))
        how = "02" if self.rng.random() < 0.5 else "01"
        item = self.world.by_symbol[row.symbol]
        price = self.board.session.rules.floor_tick(
            int(self.board.sight(row.symbol).last * (1 + self.rng.normal(0, 0.01))), item.kind
        )
        answer = self.desk.order(
            "TTTC0013U", KRX_FWDG_ORD_ORGNO=output["KRX_FWDG_ORD_ORGNO"], ORGN_ODNO=output["ODNO"],
            ORD_DVSN=str(self.rng.choice(["00", "01", ""])), RVSE_CNCL_DVSN_CD=how, ORD_QTY=str(part),
            ORD_UNPR=str(price), QTY_ALL_ORD_YN=str(self.rng.choice(["Y", "N"])),
        )  # fmt: skip
        if answer["rt_cd"] == "0":
            self.acks.append(answer["output"])

    def check(self) -> None:
        owner = self.owner
        assert owner.balanced
        assert fold(owner) == (owner.book.cash, dict(owner.venue.holdings))
        assert owner.book.cash >= 0
        assert owner.venue.orderable_cash >= 0
        assert all(count > 0 for count in owner.venue.holdings.values())
        assert all(owner.venue.orderable_shares(symbol) >= 0 for symbol in NAMES)
        for row in owner.rows:
            assert 0 <= row.filled + row.canceled + row.moved + row.rejected <= row.quantity
        open_shares = sum(order.open_quantity for order in owner.venue.open_orders())
        assert open_shares == sum(row.remaining for row in owner.rows)
        for line in owner.executions[self.seen :]:
            self.inside(line)
        self.seen = len(owner.executions)

    def inside(self, line) -> None:
        """A fill lies inside its minute, on the grid; in an auction it has the auction's price."""
        column = self.world.column[line.symbol]
        session = self.board.session
        lower, upper = int(session.lower[column]), int(session.upper[column])
        item = self.world.by_symbol[line.symbol]
        assert line.day == session.day
        assert lower <= line.price <= upper
        assert session.rules.on_grid(line.price, item.kind, item.market)
        kind = ORDER_TYPES[self.owner.row_of(line.day, line.number).kind]
        market = session.off_market(kind.hours) if kind.hours else None
        tape = market.tape if market else session.tape
        row = int(np.searchsorted(tape.end, line.at))
        assert tape.end[row] == line.at
        assert tape.volume[row, column] > 0, "it met a print"
        assert line.quantity <= tape.volume[row, column]
        if tape.single[row, column]:
            assert line.price == tape.price[row, column]
        elif kind.hours is None:
            assert not tape.held[row, column]
            minute = row // 4 * 4
            prices = tape.price[minute : minute + 4, column][tape.volume[minute : minute + 4, column] > 0]
            assert prices.min() <= line.price <= prices.max()
        else:
            assert kind.hours is OffHours.AFTERMARKET
            assert line.price == tape.price[row, column]

    def live(self) -> Book:
        for day in self.days:
            self.desk.at(instant_at(day, 82_400))
            self.desk.log_in()
            moments = sorted(int(second) for second in self.rng.integers(0, SECONDS, 45))
            for second in moments:
                self.desk.at(max(self.desk.core.now, instant_at(day, 82_500) + second * NS_PER_SECOND))
                for _ in range(int(self.rng.integers(1, 4))):
                    self.order() if self.rng.random() < 0.75 else self.change()
                    self.check()
            self.desk.at(instant_at(day, 210_000))
            self.check()
            assert not self.owner.busy, "nothing is open at night"
            assert self.owner.venue.orderable_cash == self.owner.venue.cash
        return self.owner.book


@given(st.integers(0, 2**32))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])
def test_books_balance_after_every_event_of_a_random_life(seed: int) -> None:
    trader = Trader(seed)
    book = trader.live()
    assert trader.owner.executions, "something was bought"
    settled = ledger.settle(book, trader.owner.venue.rules.settle_on())
    assert ledger.settled_cash(settled) == book.cash


def test_a_life_stepped_finely_is_the_same_life() -> None:
    def lines(step_s: int) -> list:
        trader = Trader(5)
        for day in trader.days:
            trader.desk.at(instant_at(day, 82_400))
            trader.desk.log_in()
            for clock in (83_100, 95_000, 101_000, 133_500, 152_500, 154_500, 161_000):
                target = instant_at(day, clock)
                while trader.desk.core.now < target:
                    trader.desk.at(min(target, trader.desk.core.now + step_s * NS_PER_SECOND))
                for _ in range(4):
                    trader.order()
        trader.desk.at(instant_at(trader.days[-1], 210_000))
        return [*trader.owner.executions, *trader.owner.corporate, trader.owner.book]

    whole = lines(10**6)
    assert whole == lines(97)
    assert len(whole) > 10
