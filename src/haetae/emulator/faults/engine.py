"""The faults of one emulator at work: who is struck, and by what.

Here: ``Faults``. The core asks it at each site, the hub passes acknowledgements and frames through it, the shell
fetches its commands. Without an armed fault every question costs one look. Not here: whether an occasion is one
(``armed``), what a strike does (``transport``, ``told``, ``orders``, ``streams``, ``markets``).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from haetae.domain.errors import MarketRuleError
from haetae.domain.market import Slice
from haetae.domain.units import Instant
from haetae.emulator.accounts import Account
from haetae.emulator.calls import Call, Manner, Reply
from haetae.emulator.faults import markets, orders, streams, told, transport
from haetae.emulator.faults.armed import Armed, counted, in_time
from haetae.emulator.faults.entries import Site, Timebase
from haetae.emulator.faults.occasions import Occasion, of_call
from haetae.emulator.faults.script import Fault, Script
from haetae.emulator.faults.stage import Command, Exchange, HangUp, Stage
from haetae.emulator.hub import Answered, Line
from haetae.emulator.served import operation_for
from haetae.emulator.trading import page_key
from haetae.kis.wire.control import Subscription
from haetae.kis.wire.frames import parse_frame

Arrival: TypeAlias = Callable[[Armed, Stage, Occasion], Manner]
Ahead: TypeAlias = Callable[[Armed, Stage, Occasion], Reply | None]
Behind: TypeAlias = Callable[[Armed, Stage, Occasion, Reply], Reply]
AtFrame: TypeAlias = Callable[[Armed, Stage, Occasion, str], list[str]]
Strike: TypeAlias = Callable[[Armed, Stage], None]
_WORD = 2**64 - 1

_ARRIVAL: dict[str, Arrival] = {"T02": transport.reset_at_arrival, "T10": transport.close_at_arrival}
_AHEAD: dict[str, Ahead] = {
    "T04": transport.not_taken,
    "T07": transport.html,
    "T08": transport.server_error,
    "T09": transport.rate_refused,
    "B04": orders.fill_before_cancel,
    "B07": orders.between_pages,
    "B11": told.unknown_words,
    "B15": orders.number_again,
    "B16": orders.expire_token,
    "B17": orders.revoke_token,
    "B18": orders.refuse_token,
    "B20": told.other_mode,
}
_BEHIND: dict[str, Behind] = {
    "T03": transport.lost,
    "T05": transport.late,
    "T06": transport.torn,
    "T07": transport.html,
    "T08": transport.server_error,
    "T12": transport.slow,
    "B01": orders.hide,
    "B02": orders.reject_later,
    "B03": orders.fill_in_parts,
    "B05": transport.lost,
    "B06": orders.modify_from_outside,
    "B08": told.endless_pages,
    "B09": told.doubled_rows,
    "B10": told.empty_list,
    "B11": told.unknown_words,
    "B12": told.odd_numbers,
    "B14": orders.order_by_hand,
    "B20": told.other_mode,
    "M06": told.odd_books,
    "M07": told.odd_prices,
}
_FRAME: dict[str, AtFrame] = {
    "T18": streams.out_of_order,
    "T19": streams.miscounted,
    "T20": streams.bad_cipher,
    "M06": streams.odd_books,
    "M07": streams.odd_prices,
}
_STRIKE: dict[str, Strike] = {
    "T01": transport.refuse_connections,
    "T11": transport.show_wrong_certificate,
    "T13": transport.nothing_gets_through,
    "T14": transport.half_dead,
    "T15": transport.close_sessions,
    "T16": transport.flap,
    "T21": transport.heart_beats,
    "B13": orders.withdraw,
    "B19": orders.second_user,
    "B21": orders.expire_all,
    "M01": markets.gap_and_back,
    "M02": markets.lock,
    "M03": markets.interrupt,
    "M04": markets.set_state,
    "M05": markets.break_circuit,
    "M08": markets.act,
}

EFFECTS: Mapping[Site, Mapping[str, object]] = {
    Site.ARRIVAL: _ARRIVAL,
    Site.AHEAD: _AHEAD,
    Site.BEHIND: _BEHIND,
    Site.ACK: {"T17": streams.bad_ack},
    Site.FRAME: _FRAME,
    Site.STRIKE: _STRIKE,
}
"""What each fault does, by where it strikes."""


class Faults:
    """All armed faults of one emulator."""

    def __init__(self, exchange: Exchange, script: Script, beat: Callable[[], float]) -> None:
        """Arm a script; ``beat`` returns the machine's seconds."""
        self.stage = Stage(exchange, beat)
        self._seed = script.seed
        self._keys = 0
        self._at: dict[Site, list[Armed]] = {site: [] for site in Site}
        self._strikes: list[Armed] = self._at[Site.STRIKE]
        self._for_states: list[Armed] = []
        self.meets_calls = False
        """Whether any fault looks at calls."""
        for fault in script.faults:
            self.arm(fault)

    @property
    def armed(self) -> list[Armed]:
        """Every fault, in the order it was armed."""
        found = {armed.key: armed for site in self._at.values() for armed in site}
        return [found[key] for key in sorted(found)]

    def arm(self, fault: Fault) -> Armed:
        """Let a fault begin its work."""
        self._keys += 1
        own = zlib.crc32(f"{fault.entry.id}:{fault.seed}".encode())
        dice = np.random.Generator(np.random.Philox(key=[self._seed & _WORD, own]))
        armed = Armed(self._keys, fault, dice)
        for site in fault.entry.sites(fault.what):
            self._at[site].append(armed)
        self._schedule(armed)
        self._note()
        return armed

    def disarm(self, key: int | None) -> int:
        """Take back one fault, or all; what has been started goes on. Returns how many."""
        gone = {armed.key for armed in self.armed if key in (None, armed.key)}
        for site, armed in self._at.items():
            self._at[site] = [one for one in armed if one.key not in gone]
        self._note()
        return len(gone)

    def _note(self) -> None:
        """Keep who looks at calls and who waits for a state, for both are asked at every call."""
        at, self._strikes = self._at, self._at[Site.STRIKE]
        self._for_states = [armed for armed in self._strikes if armed.fault.when.state]
        self.meets_calls = bool(
            at[Site.AHEAD] or at[Site.BEHIND] or any(armed.fault.when.call for armed in self._strikes)
        )

    def report(self) -> list[dict[str, Any]]:
        """Return the counters of every fault."""
        return [armed.report() for armed in self.armed]

    def take_commands(self) -> list[Command]:
        """Return what the shell has to do, once."""
        commands, self.stage.commands = self.stage.commands, []
        return commands

    # ---------------------------------------------------------------- calls

    def is_dark(self, call: Call) -> bool | None:
        """Return none where a call gets through, else whether it is served once the darkness is over."""
        return self.stage.is_dark(f"rest_{call.mode.value}") if self.stage.dark else None

    def arrival(self, call: Call) -> Manner | None:
        """Return how a connection ends before the call's body is read, none where it does not."""
        for armed in self._at[Site.ARRIVAL]:
            occasion = of_call(call, operation_for(call.path, call.headers.get("tr_id", "").strip()))
            if (armed.fault.entry.id != "T10" or call.reused) and armed.meets(occasion, self.stage):
                return _ARRIVAL[armed.fault.entry.id](armed, self.stage, occasion)
        return None

    def ahead(self, occasion: Occasion | None) -> Reply | None:
        """Return what is answered before the broker sees a call, none where it may see it."""
        if occasion is None:
            return None
        for armed in self._at[Site.AHEAD]:
            if armed.fault.entry.id == "B07" and not occasion.is_next_page:
                continue
            if armed.meets(occasion, self.stage):
                reply = _AHEAD[armed.fault.entry.id](armed, self.stage, occasion)
                if reply is not None:
                    return reply
        return None

    def behind(self, occasion: Occasion, reply: Reply) -> Reply:
        """Return what the client is told in place of a reply."""
        for armed in self._at[Site.BEHIND]:
            if armed.meets(occasion, self.stage):
                reply = _BEHIND[armed.fault.entry.id](armed, self.stage, occasion, reply)
        self._strike_at(occasion, is_call=True)
        return reply

    def page_after(self, account: Account, after: str, asked: Mapping[str, str]) -> str:
        """Return the key after which a page begins; a fault may send it back to the start, or one row back."""
        if after.strip() == told.LOOP_KEY:
            return ""
        shifting = [armed for armed in self._at[Site.AHEAD] if armed.memory.pop("shift", False)]
        if not shifting:
            return after
        keys = [page_key(row) for row in account.rows]
        ascending = asked.get("INQR_DVSN", "").strip() == "01"
        place = keys.index(after) + (-1 if ascending else 1) if after in keys else -1
        return keys[place] if 0 <= place < len(keys) else after

    def view(self, account: Account) -> Account:
        """Return an account as its lists show it."""
        return self.stage.view(account) if self.stage.hidden else account

    def pieces(self, account: Account, piece: Slice) -> list[Slice]:
        """Return a slice of the market in the parts that orders meet."""
        return orders.pieces(self.stage, account, piece) if self.stage.parts else [piece]

    # ---------------------------------------------------------------- streams

    def answer(self, line: Line, asked: Subscription) -> Answered | None:
        """Return what a registration is answered in place of the honest word, none for that."""
        if line in self.stage.muted or self._is_dark(line):
            return Answered("", register=False)
        occasion = self._of_line(line, asked.tr_id, frozenset({asked.tr_key}))
        for armed in self._at[Site.ACK] if asked.register else ():
            if armed.meets(occasion, self.stage):
                return streams.bad_ack(armed, self.stage, asked)
        return None

    def frames(self, line: Line, text: str) -> list[str]:
        """Return the texts that are put out in place of a data frame."""
        stage = self.stage
        if line in stage.muted or self._dataless(line) or self._is_dark(line):
            return []
        striking = [armed for armed in self._strikes if armed.fault.when.frame]
        waiting = stage.held.pop(line, [])
        if not striking and not self._at[Site.FRAME]:
            return [text, *waiting]
        frame = parse_frame(text)
        symbols = frozenset() if frame.encrypted else frozenset(frame.payload.split("^")[:: _width(frame)])
        occasion = self._of_line(line, frame.tr_id, symbols, frame)
        texts = [text]
        for armed in self._at[Site.FRAME]:
            if len(texts) == 1 and armed.meets(occasion, stage):
                texts = _FRAME[armed.fault.entry.id](armed, stage, occasion, texts[0])
        for armed in striking:
            self._strike_if(armed, occasion)
        return [*texts, *waiting]

    def _dataless(self, line: Line) -> bool:
        until = self.stage.dataless.get(line)
        return until is not None and self.stage.waits(until)

    def _is_dark(self, line: Line) -> bool:
        return self.stage.is_dark(f"ws_{line.mode.value}") is not None if self.stage.dark else False

    def _of_line(self, line: Line, tr_id: str, symbols: frozenset[str], frame: Any = None) -> Occasion:
        return Occasion(
            line.mode,
            " ".join([tr_id, *sorted(symbols)[:2]]),
            stream=tr_id,
            symbols=symbols,
            app_key=line.app_key,
            line=line,
            frame=frame,
        )

    def beats(self, line: Line) -> bool:
        """Whether a session gets its heart beat now."""
        if line in self.stage.muted or self._is_dark(line):
            return False
        pings = self.stage.pings
        return pings is None or pings[1] > 0 or not self.stage.waits(pings[0])

    def extra_beats(self, elapsed_s: float) -> int:
        """Return how many heart beats too many a session gets for some real seconds."""
        pings = self.stage.pings
        return round(pings[1] * elapsed_s) if pings is not None and self.stage.waits(pings[0]) else 0

    # ---------------------------------------------------------------- moments

    def _schedule(self, armed: Armed) -> None:
        """Note when a fault that waits for a time of day is due."""
        when = armed.fault.when
        waits_for_time = armed in self._strikes and not (when.call or when.frame)
        if waits_for_time:
            armed.due = when.at.next_at(self.stage.exchange.now) if when.at else self.stage.exchange.now

    def next_due(self) -> Instant | None:
        """Return the next market instant at which something is due, none where nothing waits."""
        if not self._strikes:
            return self.stage.next_due()
        striking = [armed for armed in self._strikes if armed.fault.when.state is None]
        times = [self.stage.next_due(), *(armed.due for armed in striking)]
        return min((time for time in times if time is not None), default=None)

    def catch_up(self) -> None:
        """Do what is due by now, and look at states, if anything waits for either."""
        due = self.next_due()
        if (due is not None and due <= self.stage.exchange.now) or (self._for_states and self._waits_for_state):
            self.strike_due()

    def strike_due(self) -> None:
        """Do what is due by the market's clock, and strike where a state has come about."""
        self.stage.do_due(Timebase.MARKET)
        now = self.stage.exchange.now
        for armed in list(self._strikes):
            if armed.due is None or armed.due > now or armed.spent:
                continue
            when = armed.fault.when
            if when.state is not None:
                self._strike_at_state(armed)
                continue
            armed.due = when.at.next_at(now + 1) if when.at else None
            if when.until is None or not when.until.passed(now):
                self._strike(armed, "clock" if when.at else "start")
            if armed.spent:
                armed.due = None

    def _strike_at_state(self, armed: Armed) -> None:
        """Strike when a state comes about; once each time it does."""
        fault = armed.fault
        assert fault.when.state is not None
        inside = in_time(fault.when, fault.where, self.stage)
        has_come = inside and not armed.was_in_state
        armed.was_in_state = inside
        if has_come and not armed.spent:
            armed.seen += 1
            if counted(fault.when, armed.seen):
                self._strike(armed, fault.when.state.value)

    def _strike(self, armed: Armed, what: str) -> None:
        if armed.fault.chance < 1.0 and armed.dice.random() >= armed.fault.chance:
            return
        armed.strike(self.stage.exchange.now, what)
        self._do(armed)

    def _do(self, armed: Armed) -> None:
        """Let a strike happen; what the market cannot do stands in the counters."""
        try:
            _STRIKE[armed.fault.entry.id](armed, self.stage)
        except MarketRuleError as fault:
            armed.last.append((self.stage.exchange.now, f"refused: {fault} ({fault.found})"))

    def _strike_at(self, occasion: Occasion, *, is_call: bool) -> None:
        for armed in list(self._strikes):
            if armed.fault.when.call if is_call else armed.fault.when.frame:
                self._strike_if(armed, occasion)
            elif armed.fault.when.state is not None:
                self._strike_at_state(armed)

    def _strike_if(self, armed: Armed, occasion: Occasion) -> None:
        if armed.meets(occasion, self.stage):
            armed.memory["line"] = occasion.line
            self._do(armed)

    def tick(self) -> None:
        """Do what is due by the machine's clock, and end sessions that flap."""
        stage = self.stage
        stage.do_due(Timebase.REAL)
        lines = stage.exchange.hub.lines
        stage.flaps = [flap for flap in stage.flaps if stage.waits(flap.until)]
        if not stage.flaps:
            stage.born.clear()
            return
        for line in lines:
            born = stage.born.setdefault(line, {base: stage.clock(base) for base in Timebase})
            for flap in stage.flaps:
                if stage.clock(flap.base) - born[flap.base] >= flap.every_s:
                    stage.commands.append(HangUp(line, flap.code))
                    stage.born.pop(line, None)
                    break

    @property
    def _waits_for_state(self) -> bool:
        return any(not armed.spent for armed in self._for_states)

    def accounts_changed(self) -> None:
        """Look whether a state has come about."""
        if self._for_states and self._waits_for_state:
            self.strike_due()


def _width(frame: Any) -> int:
    return max(1, (frame.payload.count("^") + 1) // frame.count)
