"""The bugs: one changed expression each, who paid for it, and the shortest suite that must go red.

`before` stands in the module exactly once; `after` is what somebody once wrote. The numbers are those of the fifteen
post-mortems in the reliability table (duplicate order after a time-out, amnesia, lagging lists, lost fills, dropped
rows, stale prices, dead tokens, rate bans, partial fills, restarts, ticks, corporate actions, sessions, full disks,
model-made orders).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src"


@dataclass(frozen=True, slots=True)
class Bug:
    """One planted bug."""

    name: str
    case: int
    """Number of the post-mortem, 0 where it is one of our own."""
    module: str
    before: str
    after: str
    tests: tuple[str, ...]

    def path(self) -> Path:
        """Return the file of the module."""
        return PACKAGE / (self.module.replace(".", "/") + ".py")

    def planted(self, source: str) -> str:
        """Return the source with the bug; raises ``ValueError`` where the change does not fit exactly once."""
        if source.count(self.before) != 1:
            raise ValueError(f"{self.name}: found {source.count(self.before)} times in {self.module}, not once")
        return source.replace(self.before, self.after)


def _bug(name: str, case: int, module: str, before: str, after: str, *tests: str) -> Bug:
    return Bug(name, case, f"haetae.{module}", before, after, tests)


KIS = "tests/unit/kis"
CLASSED = "test_rest.py::test_an_order_is_sent_once_and_its_outcome_is_classed_by_proof"
GUARDS = "tests/unit/guards/test_guards.py"
CUTS = "tests/unit/wiring/test_power_cuts.py"
BUGS: tuple[Bug, ...] = (
    # ------------------------------------------------------------------ orders at the broker
    _bug(
        "retry_after_timeout", 1, "kis.broker",
        "            case Refused(again=True, code=why):\n                pass",
        "            case Refused(again=True, code=why) | Unknown(why=why):\n                pass",
        f"{KIS}/test_broker.py::test_an_unknown_order_is_never_sent_again_but_found",
    ),
    _bug(
        "timeout_is_not_sent", 1, "kis.sending",
        'return Unknown(f"no answer within {settings.read_timeout_s:.0f} s", late)',
        'return NotSent(f"no answer within {settings.read_timeout_s:.0f} s")',
        f"{KIS}/{CLASSED}",
    ),
    _bug(
        "unknown_code_is_a_refusal", 1, "kis.sending",
        '        return Unknown(f"HTTP {reply.status} {reply.code} {reply.text}")',
        "        return Refused(reply.code, reply.text)",
        f"{KIS}/test_broker.py::test_an_unknown_order_without_a_row_stays_unknown",
    ),
    _bug(
        "ack_without_a_number_believed", 1, "kis.sending",
        "        if number.isascii() and number.isdecimal():\n", "        if True:\n",
        f"{KIS}/{CLASSED}",
    ),
    _bug(
        "known_numbers_forgotten", 2, "kis.broker",
        "            known=frozenset(self._seen),\n", "            known=frozenset(),\n",
        f"{KIS}/test_broker.py::test_an_order_that_was_there_before_the_send_is_never_taken_for_ours",
    ),
    _bug(
        "first_fitting_row_taken", 3, "kis.working",
        "return fits[0] if len(fits) == 1 else None", "return fits[0] if fits else None",
        f"{KIS}/test_working.py",
    ),
    _bug(
        "time_of_a_row_ignored", 3, "kis.working",
        "            and instant_at(day, row.clock) <= latest\n", "",
        f"{KIS}/test_working.py",
    ),
    _bug(
        "smaller_cumulative_believed", 9, "kis.working",
        "        if filled < self.filled or amount < self.amount:\n", "        if False:\n",
        f"{KIS}/test_working.py",
    ),
    _bug(
        "every_reading_is_a_new_fill", 9, "kis.working",
        "            self.filled, self.amount = filled, amount\n", "",
        f"{KIS}/test_working.py",
    ),
    _bug(
        "replace_counted_twice", 9, "kis.working",
        "return chain if len(chain) == len(self.numbers) else []", "return chain",
        f"{KIS}/test_working.py",
    ),
    _bug(
        "duplicate_rows_of_the_balance_believed", 12, "kis.broker",
        "                if symbol in held:\n", "                if False:\n",
        f"{KIS}/test_broker.py",
    ),
    # ------------------------------------------------------------------ streams, tokens, pace
    _bug(
        "one_record_of_a_frame_kept", 5, "kis.wire.frames",
        "return [values[start : start + width] for start in range(0, len(values), width)]", "return [values[:width]]",
        f"{KIS}/test_wire_frames.py::test_a_trailing_separator_is_tolerated",
        f"{KIS}/test_wire_frames.py::test_trades_survive_a_frame_of_one_or_many_records_in_every_revision",
    ),
    _bug(
        "token_storm", 7, "kis.auth",
        "return self._settings.token_interval_s - since", "return 0.0",
        f"{KIS}/test_auth.py",
    ),
    _bug(
        "token_never_renewed", 7, "kis.auth",
        "return self._unexpired(grant, now) and not grant.dead", "return bool(grant.token)",
        f"{KIS}/test_auth.py",
    ),
    _bug(
        "lanes_gone", 8, "kis.pacing",
        "heapq.heappush(self._waiting, (lane, not asks, self._arrivals, waiter))",
        "heapq.heappush(self._waiting, (Lane.ORDER, not asks, self._arrivals, waiter))",
        f"{KIS}/test_pacing.py",
    ),
    _bug(
        "questions_wait_behind_orders", 8, "kis.pacing",
        "(lane, not asks, self._arrivals, waiter)", "(lane, True, self._arrivals, waiter)",
        f"{KIS}/test_pacing.py",
    ),
    _bug(
        "every_refused_cancel_reads_alone", 8, "kis.broker",
        "await self._read_together()\n                return Rejected(",
        "await self._try_reading()\n                return Rejected(",
        f"{KIS}/test_broker.py",
    ),
    _bug(
        "confirming_halves_the_pace", 8, "kis.broker",
        "in_turn=not self._is_searching()", "in_turn=False", f"{KIS}/test_broker.py",
    ),
    _bug(
        "cancels_pile_up", 8, "live.sends",
        "        if intent_id in self._cancelling:\n            return None\n", "",
        "tests/unit/live/test_stopping.py::test_a_cancel_that_is_asked_for_again_leaves_once_until_it_has_ended",
    ),
    _bug(
        "falls_behind_a_glance_unseen", 8, "guards.watch",
        "        self._refresh(glimpse(self._foreseen, glance, self._settings))\n        return glance\n",
        "        self._trigger = -np.inf\n        self._sheet[_OUT] = 1\n        return glance\n",
        "tests/unit/guards/test_watch.py",
    ),
    _bug(
        "pace_never_lowered", 8, "kis.budget",
        "            if now - self.refused_at <= _AGAIN_S or self.learnt < math.inf:\n", "            if False:\n",
        f"{KIS}/test_pacing.py",
    ),
    _bug(
        "reconnect_storm", 8, "kis.reconnects",
        "return _PAUSES_S[min(self._failures, len(_PAUSES_S)) - 1]", "return _PAUSES_S[0]",
        f"{KIS}/test_reconnects.py",
    ),
    _bug(
        "real_money_on_any_host", 15, "kis.deployment",
        "        if url and not live_allowed and not is_loopback(url)\n", "        if False\n",
        f"{KIS}/test_settings.py", f"{KIS}/test_rest.py", f"{KIS}/test_transport_faults.py",
    ),
    # ------------------------------------------------------------------ guards
    _bug(
        "kill_switch_ignored", 15, "guards.state",
        "    if now.operator is OperatorState.ACTIVE:\n", "    if True:\n", GUARDS,
    ),
    _bug(
        "halted_name_traded", 13, "guards.state", " in now.halted:\n", " in ():\n", GUARDS,
    ),
    _bug(
        "stale_price_used", 6, "guards.state",
        "    if not abs(age_s) <= limits.max_price_age_s:\n", "    if False:\n", GUARDS,
    ),
    _bug(
        "way_out_barred_by_an_old_price", 6, "guards.state",
        "    if intent.escape and _asks_no_price(intent, now):\n", "    if False:\n", GUARDS,
    ),
    _bug(
        "holding_adopted_beside_a_lost_order", 2, "desk.corrections",
        "    if any(order.status.doubtful for order in turn.state.blotter.open_of(event.symbol)):\n", "    if False:\n",
        "tests/unit/desk",
    ),
    _bug(
        "claimed_row_of_another_order", 2, "execution.claims",
        "    if named[0] not in free:\n", "    if False:\n", "tests/unit/desk",
    ),
    _bug(
        "session_ignored", 13, "guards.state",
        "    return None if inside else f", "    return None if True else f", GUARDS,
    ),
    _bug(
        "same_intent_twice", 1, "guards.state",
        "    if intent.intent_id in now.known_intents:\n", "    if False:\n", GUARDS,
    ),
    _bug(
        "unknown_does_not_freeze", 2, "guards.state",
        "    if intent.side is Side.BUY and now.has_unknown(intent.symbol):\n", "    if False:\n", GUARDS,
    ),
    _bug(
        "collar_off", 15, "guards.order",
        "return None if low <= price * _BP <= high else", "return None if True else", GUARDS,
    ),
    _bug(
        "tick_unchecked", 11, "guards.order",
        "    if not now.rules.on_grid(price, kind, market):\n", "    if False:\n", GUARDS,
    ),
    _bug(
        "oversold", 9, "guards.order",
        "return None if quantity <= free else Cap(free,", "return None if True else Cap(free,", GUARDS,
    ),
    _bug(
        "confidence_comparison_deleted", 15, "guards.judgement",
        "    if not worth >= limits.min_confidence:\n", "    if False:\n", GUARDS,
    ),
    _bug(
        "ceilings_removed", 15, "guards.settings",
        "def require_ceilings(", "def require_ceilings(*_: object) -> None:\n    return\n\n\ndef _unused(",
        "tests/unit/guards/test_limits.py",
    ),
    _bug(
        "ceilings_not_looked_up", 15, "guards.settings",
        "        ceiling, floor = self.ceilings.get(name), self.floors.get(name)\n",
        "        ceiling, floor = None, self.floors.get(name)\n", GUARDS,
    ),
    # ------------------------------------------------------------------ rules, books, agent
    _bug(
        "buy_rounded_up", 11, "execution.plan",
        "price = rules.floor_tick(last * (_BP + collar_bp) // _BP",
        "price = rules.ceil_tick(last * (_BP + collar_bp) // _BP",
        "tests/unit/execution/test_planning.py",
    ),
    _bug(
        "new_name_for_the_same_decision", 1, "execution.plan",
        "symbol, side.value, leg))", "symbol, side.value))", "tests/unit/execution/test_planning.py",
        "tests/unit/desk/test_desk.py",
    ),
    _bug(
        "fee_ignored", 9, "ledger.books",
        "            moved = -(fill.amount + charge.total)\n", "            moved = -fill.amount\n",
        "tests/unit/ledger/test_books.py",
    ),
    _bug(
        "short_sale_booked", 9, "ledger.books",
        "            if fill.quantity > position.quantity:\n", "            if False:\n",
        "tests/unit/ledger/test_books.py",
    ),
    _bug(
        "reply_to_another_question", 15, "agent.reply",
        "    if reply.proposal_id != brief.leg.leg_id or reply.nonce != brief.nonce:\n", "    if False:\n",
        "tests/unit/agent/test_replies.py",
    ),
    _bug(
        "gate_of_the_agent_open", 15, "agent.decision",
        "    sure = reply.confidence >= settings.min_confidence\n", "    sure = True\n",
        "tests/unit/agent/test_replies.py",
    ),
    _bug(
        "token_of_another_day", 15, "wiring.livegate",
        '    if said["day"] != day.isoformat():\n', "    if False:\n", "tests/unit/wiring/test_livegate.py",
    ),
    _bug(
        "late_fill_lost", 9, "execution.blotter",
        "        if part is not None:\n", "        if part is not None and not order.status.terminal:\n",
        "tests/unit/execution/test_life.py",
    ),
    _bug(
        "fills_counted_by_notice", 9, "execution.life",
        "    if fill.cumulative <= order.filled or before > order.filled:\n        return None\n", "",
        "tests/unit/execution/test_life.py",
    ),
    _bug(
        "nothing_ends", 9, "execution.life",
        "Transition(state, cause, after or state, when)", "Transition(state, cause, state, when)",
        "tests/unit/execution/test_life.py",
    ),
    # ------------------------------------------------------------------ what is written
    _bug(
        "chain_not_linked", 14, "journal.chain",
        'whole = f"{previous}\\x1f{seq}', 'whole = f"{seq}', "tests/unit/journal/test_journal.py",
    ),
    _bug(
        "record_not_synced", 14, "wiring.records",
        '            os.fsync(file.fileno())\n        passing("record.draft_synced")',
        '        passing("record.draft_synced")', CUTS,
    ),
    _bug(
        "lake_file_not_synced", 14, "store.durable",
        '            os.fsync(handle)\n            passing("lake.draft_synced")',
        '            passing("lake.draft_synced")', CUTS,
    ),
    _bug(
        "folder_of_a_model_not_synced", 14, "registry.durable",
        "            sync(draft)\n", "", CUTS,
    ),
    _bug(
        "torn_wish_glued", 14, "wiring.operators",
        "        file.truncate(whole)", "        pass", "tests/unit/wiring/test_operators.py",
    ),
    _bug(
        "orders_leave_before_they_are_written", 10, "live.runner",
        "durable=leaves)", "durable=False)", "tests/unit/wiring/test_write_ahead.py",
    ),
    _bug(
        "in_flight_forgotten", 10, "live.recovery",
        "if o.status is OrderStatus.SENDING]", "if False]",
        "tests/unit/live/test_broker_facts.py::test_a_death_anywhere_around_a_send_ends_in_the_same_order_or_none",
    ),
)  # fmt: skip
