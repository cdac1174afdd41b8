"""What the desk is doing when it dies: half hours of a market, each with its own trouble.

Every scenario is the last thirty-five minutes of a session with its close, so every run ends with closed books.
Faults are scripts of the emulator, shocks its market's. Not here: files beside the desk (``writing``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from haetae.domain.errors import Text
from haetae.domain.events import ManualOrder, OperatorState
from haetae.domain.orders import Side
from haetae.domain.units import Instant, Symbol, instant_at
from haetae.emulator.board import Board
from haetae.krx import Rulebook
from haetae.ports import Clock
from haetae.wiring.crashes.acting import Wish
from haetae.wiring.crashes.dying import Death
from haetae.wiring.crashes.ground import DAY, listed, world
from haetae.wiring.operators import ask, give


@dataclass(frozen=True, slots=True)
class Scenario:
    """One half hour.

    ``weights`` are wanted by the policy at 15:00, ``wishes`` are a person's. ``fall`` is (clock, minutes, basis
    points) of the whole market. ``before`` is a death of an earlier start: then recovery itself is what may die.
    """

    name: str
    told: Text
    weights: Mapping[Symbol, float] = field(default_factory=dict)
    wishes: tuple[Wish, ...] = ()
    faults: str = ""
    fall: tuple[int, int, int] | None = None
    before: Death | None = None


def _at(clock: int) -> Instant:
    return instant_at(DAY, clock)


@dataclass(frozen=True, slots=True)
class _Stopped:
    """A clock that stands at the instant a person acts."""

    at: Instant

    def now(self) -> Instant:
        return self.at

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError(f"a stopped clock cannot wait {seconds} s")


def _resting(clock: int, symbol: Symbol, quantity: int) -> Wish:
    """A person's bid 1 % below the last price: it rests until somebody cancels it."""

    def place(folder: Path) -> object:
        rules = Rulebook.on(DAY)
        last = Board(world(), _at(clock)).sight(symbol).last
        item = next(each for each in listed() if each.symbol == symbol)
        price = rules.floor_tick(last * 99 // 100, item.kind)
        return ask(folder, ManualOrder(_at(clock), "w1", symbol, Side.BUY, quantity, price, "person", "a crash test"))

    return _at(clock), place


def _switch(clock: int, state: OperatorState) -> Wish:
    standing: Clock = _Stopped(_at(clock))
    return _at(clock), lambda folder: give(folder, state, who="person", why="a crash test", clock=standing)


def scenarios() -> tuple[Scenario, ...]:
    """Return every scenario of the desk, the plain one first."""
    first, second, third = (item.symbol for item in listed()[:3])
    two = {first: 0.03, second: 0.02}
    rest = _resting(150_200, third, 12)
    return (
        Scenario("quiet-buy", Text(ko="조용한 매수 두 건", en="two quiet buys"), two),
        Scenario(
            "partial-fill",
            Text(ko="나누어 체결", en="filled in parts"),
            two,
            faults='[[fault]]\nid = "B03"\nwhat = { parts = [1, 1] }\ntimes = 0\n',
        ),
        Scenario(
            "cancel-race",
            Text(ko="취소 직전에 일부 체결", en="a part fills just before the cancel"),
            wishes=(rest, _switch(150_400, OperatorState.REDUCE_ONLY)),
            faults='[[fault]]\nid = "B04"\nwhat = { quantity = 1 }\n',
        ),
        Scenario(
            "halt",
            Text(ko="멈춤 스위치와 미체결 주문", en="the kill switch with an order open"),
            wishes=(rest, _switch(150_400, OperatorState.HALT)),
        ),
        Scenario(
            "escape",
            Text(ko="급락과 탈출 매도", en="a fall, and the escape sells"),
            two,
            fall=(150_600, 5, -700),
        ),
        Scenario(
            "unknown",
            Text(ko="접수된 주문의 응답이 사라짐", en="the order is taken, the answer is lost"),
            two,
            faults='[[fault]]\nid = "T03"\nwhat = { how = "reset" }\n',
        ),
        Scenario(
            "absent",
            Text(ko="접수되지 않고 응답도 없음", en="the order is not taken, nothing is answered"),
            two,
            faults='[[fault]]\nid = "T04"\nwhat = { how = "closed" }\n',
        ),
        Scenario(
            "refused",
            Text(ko="접수 뒤 거래소가 거부", en="acknowledged, then rejected by the exchange"),
            two,
            faults='[[fault]]\nid = "B02"\nwhat = { seconds = 0.5 }\n',
        ),
        Scenario(
            "pace-refused",
            Text(ko="속도 제한으로 두 번 거부", en="refused twice for its pace"),
            two,
            faults='[[fault]]\nid = "T09"\nwhere = { operation = "order" }\ntimes = 2\n',
        ),
        Scenario(
            "recovery",
            Text(ko="복구하다가 다시 죽음", en="the recovery dies too"),
            two,
            before=Death("order.answered"),
        ),
    )
