"""What stands around a trading day: promotion, vitals, emergency journal, crash loops, checks, mandate, watchdog."""
# long: the parts of one trading day beside each other.

from __future__ import annotations

import asyncio
import datetime as dt
import json
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from haetae.cli import main
from haetae.desk import DeskSettings
from haetae.domain.errors import ConfigError, HaetaeError, JournalError
from haetae.domain.events import Note, OperatorState
from haetae.domain.secret import Secret
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.journal import JournalDb
from haetae.kis.health import Health
from haetae.kis.settings import KisSettings
from haetae.kis.wire.operations import Mode
from haetae.live import LiveSettings
from haetae.store.lake import Lake
from haetae.wiring import attestation, backups, livegate, mornings, operators, preopen, reserve
from haetae.wiring.paces import RunningPace
from haetae.wiring.preopen import End, Morning
from haetae.wiring.starts import Starts
from haetae.wiring.vitals import Pulse
from haetae.wiring.watchdog import Watchdog
from haetae.wiring.week_script import read_week
from rigs.desk_day import session_start
from rigs.paper_broker import DrivenClock
from rigs.running import ROOT

DAY = dt.date(2026, 11, 23)
KIS = KisSettings(
    rest_url="http://127.0.0.1:1", ws_url="ws://127.0.0.1:2", app_key="P" * 36, app_secret=Secret("s" * 180),
    account="12345678", mode=Mode.REAL,
)  # fmt: skip


# ---------------------------------------------------------------------- promotion and vitals


def test_another_limit_is_another_hash_and_the_same_settings_the_same() -> None:
    base = DeskSettings()
    other = replace(base, limits=replace(base.limits, max_order_ppm=base.limits.max_order_ppm - 1))
    assert attestation.running(base) == attestation.running(DeskSettings())
    assert attestation.running(base) != attestation.running(other)


def test_a_promotion_needs_two_different_people(tmp_path: Path) -> None:
    for people in (["kim"], ["kim", " KIM "], ["kim", ""]):
        with pytest.raises(ConfigError, match="two people"):
            attestation.promote(tmp_path, DeskSettings(), DAY, people)
    assert attestation.promoted(tmp_path) is None
    written = attestation.promote(tmp_path, DeskSettings(), DAY, ["kim", "lee"])
    assert attestation.promoted(tmp_path) == written
    assert written.running == attestation.running(DeskSettings())


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"running": "x", "day": "2026-13-01", "people": ["a", "b"]}',
             '{"running": "x", "day": "2026-11-23", "people": ["a", "a"]}'],
)  # fmt: skip
def test_a_promotion_that_does_not_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / attestation.FILE).write_text(text)
    assert attestation.promoted(tmp_path) is None


def pulse(**more) -> Pulse:
    health = more.pop("health", Health(10, 0.25, 0.5, 3_600.9, None, False))
    kis = more.pop("kis", KIS)
    rest = SimpleNamespace(health=lambda: health, settings=kis)
    fields = {
        "rest": rest, "clock": DrivenClock(7), "day": DAY,
        "mandate": lambda: livegate.mandate(kis, Path("nowhere"), DAY, live=False),
        "gate": SimpleNamespace(lost=False), "record": SimpleNamespace(healthy=True, in_time=True), "running": "r",
        "gaps": dict,
    }  # fmt: skip
    return Pulse(**{**fields, **more})


def test_vitals_are_the_figures_at_hand() -> None:
    found = pulse()()
    assert (found.at, found.budget_used_ppm, found.error_ppm, found.token_left_s) == (7, 500_000, 250_000, 3_600)
    assert (found.skew_ms, found.lease_epoch, found.journal_ok, found.running) == (0, 1, True, "r")
    assert (found.promoted, found.full_size) == ("", True)


def test_names_whose_two_sources_differ_are_told_and_no_others() -> None:
    assert pulse(gaps=lambda: {"005930": 120, "000660": 0})().price_gaps_bp == {"005930": 120}


def test_a_lease_or_a_journal_that_is_gone_shows() -> None:
    lost = pulse(gate=SimpleNamespace(lost=True), lease=SimpleNamespace(epoch=4))()
    held = pulse(lease=SimpleNamespace(epoch=4))()
    slow = pulse(record=SimpleNamespace(healthy=True, in_time=False))()
    broken = pulse(record=SimpleNamespace(healthy=False, in_time=True))()
    assert (lost.lease_epoch, held.lease_epoch) == (0, 4)
    assert (slow.journal_ok, broken.journal_ok) == (False, False)


def test_a_clock_that_is_watched_and_not_known_is_not_taken_for_right() -> None:
    watched = replace(KIS, watch_clock=True)
    assert pulse(kis=watched)().skew_ms is None
    known = Health(0, 0.0, 0.0, 0.0, -0.75, False)
    assert pulse(kis=watched, health=known)().skew_ms == -750


def test_real_money_without_a_promotion_never_equals_what_runs_and_its_first_day_is_small() -> None:
    live = livegate.mandate(KIS, Path("nowhere"), DAY, live=True)
    assert pulse(mandate=lambda: live)().promoted == "none"
    promotion = attestation.Promotion("r", DAY, ("a", "b"))
    first = pulse(mandate=lambda: live, promotion=promotion)()
    second = pulse(mandate=lambda: live, promotion=promotion, day=DAY + dt.timedelta(days=1))()
    assert (first.promoted, first.full_size, second.full_size) == ("r", False, True)


# ---------------------------------------------------------------------- mandate


@pytest.mark.parametrize(("mode", "prefix"), [(Mode.REAL, "T"), (Mode.MOCK, "V")])
def test_play_money_is_told_with_the_id_that_its_orders_carry_and_no_signature(mode: Mode, prefix: str) -> None:
    found = livegate.mandate(replace(KIS, mode=mode), Path("nowhere"), DAY, live=False)
    assert (found.live, found.tr_prefix, found.signed_account, found.expires_at) == (False, prefix, "", 0)
    assert KIS.account not in found.account


def test_the_mock_host_carries_v_and_the_real_one_t() -> None:
    from haetae.kis.settings import MOCK_REST, MOCK_STREAM, REAL_REST, REAL_STREAM

    mock = replace(KIS, mode=Mode.MOCK, rest_url=MOCK_REST, ws_url=MOCK_STREAM, live_allowed=True)
    real = replace(KIS, rest_url=REAL_REST, ws_url=REAL_STREAM, live_allowed=True)
    assert livegate.mandate(mock, Path("nowhere"), DAY, live=False).tr_prefix == "V"
    assert livegate.mandate(real, Path("nowhere"), DAY, live=True).tr_prefix == "T"


def test_a_token_is_proved_at_every_look_and_taking_it_away_counts_at_once(tmp_path: Path) -> None:
    path = tmp_path / livegate.TOKEN
    path.write_text(livegate.token_for(KIS, DAY))
    path.chmod(0o600)
    signed = livegate.mandate(KIS, tmp_path, DAY, live=True)
    assert (signed.signed_account, signed.signed_host) == (signed.account, signed.host)
    assert signed.expires_at == instant_at(DAY + dt.timedelta(days=1), 0)
    assert not signed.build, "never inside a test"
    tomorrow = livegate.mandate(KIS, tmp_path, DAY + dt.timedelta(days=1), live=True)
    assert (tomorrow.signed_account, tomorrow.expires_at) == ("", 0)
    livegate.revoke(tmp_path)
    livegate.revoke(tmp_path)
    assert livegate.mandate(KIS, tmp_path, DAY, live=True).signed_account == ""


def test_trade_live_tells_everything_that_is_missing_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["trade", "live", "--i-accept-losses", "--out", str(tmp_path / "d"), "--account", str(tmp_path / "none")]
    assert main.main(words) == 2
    said = capsys.readouterr().err
    for part in ("LIVE_BUILD", "a test is running", "account:", "models:", "promotion:"):
        assert part in said, part


# ---------------------------------------------------------------------- the emergency journal


def opened(n: int) -> Note:
    return Note(n, "day.opened", {"n": n})


def test_what_a_reserve_holds_makes_the_journal_that_would_have_been_written(tmp_path: Path) -> None:
    notes = [opened(n) for n in range(6)]
    with JournalDb(tmp_path / "whole.db") as whole:
        for note in notes:
            whole.append("run", [(note.at, note)], durable=True)
        wanted = whole.head
    with JournalDb(tmp_path / "j.db") as journal:
        for note in notes[:2]:
            journal.append("run", [(note.at, note)], durable=True)
        ground = journal.head
    spare = reserve.ReserveFile(tmp_path / "other" / "reserve.jsonl")
    spare.begin(ground, [("run", n.at, n) for n in notes[2:4]])
    spare.append([("run", n.at, n) for n in notes[4:]])
    spare.close()
    with JournalDb(tmp_path / "j.db") as journal:
        assert reserve.merge(journal, spare.path) == 4
        assert journal.head == wanted
        assert journal.verify() == 6
        assert reserve.merge(journal, spare.path) == 0, "once"
    assert not spare.path.exists()
    assert list(spare.path.parent.glob("*.merged"))


def test_entries_the_journal_kept_after_all_are_not_written_twice_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    notes = [opened(n) for n in range(4)]
    with JournalDb(tmp_path / "j.db") as journal:
        journal.append("run", [(0, notes[0])], durable=True)
        ground = journal.head
        journal.append("run", [(1, notes[1])], durable=True)
    spare = reserve.ReserveFile(tmp_path / "r.jsonl")
    spare.begin(ground, [("run", n.at, n) for n in notes[1:]])
    spare.close()
    with spare.path.open("a") as file:
        file.write('{"seq": 5, "at"')
    with JournalDb(tmp_path / "j.db") as journal:
        assert reserve.merge(journal, spare.path) == 2
        assert journal.verify() == 4


@pytest.mark.parametrize("damage", ["other chain", "gap", "missing", "garbage"])
def test_a_reserve_that_does_not_continue_the_journal_changes_nothing(tmp_path: Path, damage: str) -> None:
    with JournalDb(tmp_path / "j.db") as journal:
        for n in range(3):
            journal.append("run", [(n, opened(n))], durable=True)
        ground = (1, "0" * 64) if damage == "other chain" else (5, "1" * 64) if damage == "gap" else journal.head
    spare = reserve.ReserveFile(tmp_path / "r.jsonl")
    spare.begin(ground, [("run", n, opened(n)) for n in (7, 8, 9)])
    spare.close()
    lines = spare.path.read_text().splitlines()
    if damage == "missing":
        del lines[1]
    if damage == "garbage":
        lines[1] = "not json"
    spare.path.write_text("\n".join(lines) + "\n")
    with JournalDb(tmp_path / "j.db") as journal:
        before = journal.head
        with pytest.raises(JournalError, match="emergency journal"):
            reserve.merge(journal, spare.path)
        if damage != "other chain":
            assert journal.head == before
    assert spare.path.exists()


def test_a_reserve_is_never_overwritten_and_a_full_path_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text("mine")
    with pytest.raises(JournalError, match="emergency"):
        reserve.ReserveFile(tmp_path / "r.jsonl").begin((0, ""), [])
    assert (tmp_path / "r.jsonl").read_text() == "mine"
    spare = reserve.ReserveFile(tmp_path / "s.jsonl")
    spare.close()
    with pytest.raises(JournalError, match="emergency"):
        spare.append([("run", 0, opened(0))])


# ---------------------------------------------------------------------- starts and copies


def test_the_sixth_start_after_five_crashes_is_refused_and_latches_the_halt(tmp_path: Path) -> None:
    clock = DrivenClock(instant_at(DAY, 90_000))

    def start() -> Starts:
        found = Starts(tmp_path, clock, LiveSettings())
        found.begin()
        return found

    for _ in range(5):
        clock.at += 60 * NS_PER_SECOND
        start()._lock.close()  # as a killed process: nothing is struck out
    with pytest.raises(HaetaeError, match="keeps crashing"):
        start()
    assert [wish.state for wish in operators.given(tmp_path)] == [OperatorState.HALT]


def test_crashes_are_forgotten_after_ten_minutes_or_a_release(tmp_path: Path) -> None:
    clock = DrivenClock(instant_at(DAY, 90_000))
    for _ in range(5):
        found = Starts(tmp_path, clock, LiveSettings())
        found.begin()
        found._lock.close()
    clock.at += 1
    operators.give(tmp_path, OperatorState.ACTIVE, who="kim", why="mended", clock=clock)
    found = Starts(tmp_path, clock, LiveSettings())
    found.begin()
    found.ended()
    for name in (operators.FILE,):
        (tmp_path / name).unlink()
    clock.at += 601 * NS_PER_SECOND
    later = Starts(tmp_path, clock, LiveSettings())
    later.begin()
    later.ended()


@pytest.mark.parametrize(
    ("fault", "counts"), [(None, 0), (ConfigError("x"), 0), (KeyboardInterrupt(), 0), (OSError("x"), 1)]
)
def test_an_end_in_order_is_no_crash(tmp_path: Path, fault: BaseException | None, counts: int) -> None:
    found = Starts(tmp_path, DrivenClock(instant_at(DAY, 90_000)), LiveSettings())
    found.begin()
    found.ended(fault)
    assert len(json.loads((tmp_path / "starts.json").read_text())["starts"]) == counts


def test_a_second_desk_in_a_folder_is_refused(tmp_path: Path) -> None:
    first = Starts(tmp_path, DrivenClock(0), LiveSettings())
    with pytest.raises(ConfigError, match="runs in this folder"):
        Starts(tmp_path, DrivenClock(0), LiveSettings())
    first.begin()
    first.ended()
    Starts(tmp_path, DrivenClock(0), LiveSettings()).ended()


def test_a_copy_of_the_journal_is_verified_and_a_month_is_kept(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "journal.db") as journal:
        journal.append("run", [(0, opened(0))], durable=True)
        for n in range(backups.KEPT + 3):
            path = backups.copy_journal(tmp_path / "journal.db", DAY + dt.timedelta(days=n))
    kept = sorted(path.name for path in path.parent.iterdir())
    assert len(kept) == backups.KEPT
    assert kept[-1] == f"journal-{DAY + dt.timedelta(days=backups.KEPT + 2)}.db"
    with JournalDb(path, read_only=True) as copied:
        assert copied.verify() == 1


# ---------------------------------------------------------------------- checks before the open


def ends(morning: Morning) -> dict[str, End]:
    return {check.name: check.end for check in morning.checks}


@pytest.mark.parametrize(
    ("skew", "end"),
    [(None, End.HALT), (0.0, End.OK), (-0.499, End.OK), (0.5, End.HALT), (-1.999, End.HALT), (2.0, End.STOP)],
)
def test_a_clock_is_judged_at_half_a_second_and_at_two(skew: float | None, end: End) -> None:
    morning = Morning()
    preopen.check_clock(morning, skew, watched=True)
    assert ends(morning) == {"clock": end}
    preopen.check_clock(own := Morning(), skew, watched=False)
    assert ends(own) == {"clock": End.OK}


@pytest.mark.parametrize(("free", "end"), [(20, End.OK), (19, End.WARN), (10, End.WARN), (9, End.HALT)])
def test_a_disk_is_told_below_a_fifth_and_halts_below_a_tenth(tmp_path, monkeypatch, free: int, end: End) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(total=100, free=free))
    morning = Morning()
    preopen.check_disk(morning, tmp_path, LiveSettings())
    assert ends(morning) == {"disk": end}


@pytest.mark.parametrize(
    ("told", "live", "end"),
    [
        (True, True, End.OK),
        (False, True, End.STOP),
        (False, False, End.STOP),
        (None, True, End.STOP),
        (None, False, End.WARN),
    ],
)
def test_a_day_the_broker_does_not_know_as_open_is_closed(
    tmp_path: Path, told: bool | None, live: bool, end: End
) -> None:
    morning = Morning()
    preopen.check_holiday(morning, Lake(tmp_path / "lake"), DAY, told=told, live=live)
    assert ends(morning) == {"holiday": end}


@pytest.mark.parametrize(
    ("chosen", "end"),
    [(["a", "b", "c"], End.OK), (["a", "b"], End.STOP), (["a", "b", "c", "d"], End.STOP), (["a", "b", "b"], End.STOP),
     (["a", "b", "x"], End.STOP)],
)  # fmt: skip
def test_a_universe_is_exactly_its_size_without_doubles_or_strangers(chosen: list[str], end: End) -> None:
    morning = Morning()
    preopen.check_universe(morning, chosen, ["a", "b", "c", "d"], 3)
    assert ends(morning) == {"universe": end}


def test_a_base_price_that_jumped_or_was_not_told_freezes_its_name() -> None:
    morning = Morning()
    closes = {"a": 1_000, "b": 1_000, "c": 1_000, "d": 1_000}
    preopen.check_bases(morning, closes, {"a": 700, "b": 699, "c": 1_301, "z": 5})
    assert morning.frozen == {"b", "c", "d"}
    session = session_start(("a", "b", "c", "d"))
    heeded = mornings.heeding(session, morning)
    assert heeded.tradable == {"a"}
    assert heeded.base_prices["a"] == 700
    preopen.check_bases(silent := Morning(), closes, None)
    assert (ends(silent), silent.frozen) == ({"bases": End.WARN}, set())


def test_holdings_that_differ_halt_and_unread_ones_stop() -> None:
    for held, ours, end in (({"a": 1}, {"a": 1}, End.OK), ({"a": 2}, {"a": 1}, End.HALT), ({}, {"a": 1}, End.HALT),
                            (None, {}, End.STOP)):  # fmt: skip
        morning = Morning()
        preopen.check_positions(morning, held, ours)
        assert ends(morning) == {"positions": end}


def test_a_token_must_live_to_the_close() -> None:
    now, close = 0, 3_600 * NS_PER_SECOND
    for left, fault, end in ((3_600.0, "", End.OK), (3_599.0, "", End.STOP), (9_999.0, "EGW00133", End.STOP)):
        morning = Morning()
        preopen.check_token(morning, left, now, close, fault)
        assert ends(morning) == {"token": end}


def test_a_journal_that_does_not_hold_stops_the_day(tmp_path: Path) -> None:
    with JournalDb(tmp_path / "journal.db") as journal:
        journal.append("run", [(0, opened(0))], durable=True)
        preopen.check_journal(good := Morning(), journal)
        journal._db.execute("UPDATE entries SET at = 1")
        preopen.check_journal(bad := Morning(), journal)
    assert (ends(good), ends(bad)) == ({"journal": End.OK}, {"journal": End.STOP})


def test_a_day_that_must_not_begin_says_all_of_it_and_what_to_do(tmp_path: Path) -> None:
    morning = Morning()
    preopen.check_universe(morning, [], ["a"], 50)
    preopen.check_clock(morning, 3.0, watched=True)
    ground = mornings.Ground(tmp_path, Lake(tmp_path / "lake"), KIS, LiveSettings(), real_money=False)
    with pytest.raises(ConfigError) as refused:
        mornings._tell(morning, ground, 0)
    assert "universe: 0 / 50" in refused.value.found
    assert "clock: 3000 ms" in refused.value.found
    assert refused.value.next_step


def test_a_day_that_may_only_begin_halted_latches_the_halt(tmp_path: Path) -> None:
    told: list[str] = []
    mail = SimpleNamespace(note=lambda note: told.append(note.kind))
    morning = Morning()
    preopen.check_clock(morning, 0.7, watched=True)
    ground = mornings.Ground(tmp_path, Lake(tmp_path / "lake"), KIS, LiveSettings(), real_money=False, mail=mail)
    mornings._tell(morning, ground, 0)
    (wish,) = operators.given(tmp_path)
    assert (wish.state, told) == (OperatorState.HALT, ["preopen.failed"])
    preopen.check_bases(warned := Morning(), {}, None)
    mornings._tell(warned, ground, 0)
    assert (len(operators.given(tmp_path)), told[-1]) == (1, "preopen.warned")


# ---------------------------------------------------------------------- the rest


async def test_a_loop_that_stands_still_is_paged_once_from_another_thread() -> None:
    pages: list[tuple[float, str]] = []
    watchdog = Watchdog(0.2, lambda s: pages.append((s, threading.current_thread().name)), look_s=0.02)
    await asyncio.sleep(0.1)
    assert pages == []
    time.sleep(0.5)  # noqa: ASYNC251 - a loop that is blocked is what is looked for
    await asyncio.sleep(0.1)
    watchdog.close()
    assert len(pages) == 1
    assert pages[0][0] > 0.2
    assert pages[0][1] == "watchdog"


def test_the_shipped_week_of_faults_reads_and_covers_line_broker_market_and_process() -> None:
    week = read_week(ROOT / "configs" / "faults" / "paper-week.toml")
    assert {strike.id for strike in week.strikes} == {"P01", "P05", "P08"}
    assert {part for part in "TBM" if f'id = "{part}' in week.emulator} == {"T", "B", "M"}
    assert "\n[[process]]" not in week.emulator
    assert [(shock.day, shock.at, shock.return_bp) for shock in week.shocks] == [(2, 130_500, -600)]


def test_every_mistake_of_a_week_is_told(tmp_path: Path) -> None:
    path = tmp_path / "w.toml"
    path.write_text(
        'nonsense = 1\n[[process]]\nid = "P99"\nday = 0\nat = "25:00"\nseconds = -1\nwhy = "x"\n'
        '[[shock]]\nday = 0\nat = "noon"\nminutes = 0\nreturn_bp = 0\n[[fault]]\nid = "T99"\n'
    )
    with pytest.raises(ConfigError) as refused:
        read_week(path)
    for part in ("nonsense", "process.id", "process.day", "process.at", "process.seconds", "process.why",
                 "shock.day", "shock.at", "shock.minutes", "shock.return_bp", "T01"):  # fmt: skip
        assert part in refused.value.found, part
    path.write_text("seed = 3\n")
    with pytest.raises(ConfigError, match="cannot be used"):
        read_week(path)
    path.write_text("= broken")
    with pytest.raises(ConfigError, match="cannot be used"):
        read_week(path)


def test_the_plan_of_a_day_is_shown_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = tmp_path / "plan.json"
    assert main.main(["trade", "plan", "--day", "2026-11-19", "--json", str(told)]) == 0
    assert "2026-11-19T10:00" in capsys.readouterr().out.replace(" ", "T")
    steps = json.loads(told.read_text())["steps"]
    assert next(step["name"] for step in steps if step["late"] == "pass") == "opening_auction"
    assert main.main(["trade", "plan", "--day", "2026-11-22"]) == 2
    assert "2026-11-23" in capsys.readouterr().err
    assert main.main(["trade", "plan"]) == 0


def test_promote_is_a_command_of_two_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["trade", "promote", "--out", str(tmp_path), "--by", "kim"]) == 2
    assert main.main(["trade", "promote", "--out", str(tmp_path / "none"), "--by", "kim", "--by", "lee"]) == 2
    assert main.main(["trade", "promote", "--out", str(tmp_path), "--by", "kim", "--by", "lee"]) == 0
    found = attestation.promoted(tmp_path)
    assert found is not None
    assert found.running in capsys.readouterr().out


def test_a_fast_clock_stretches_the_limits_of_real_machines(tmp_path: Path) -> None:
    from haetae.wiring.clocks import ScaledClock
    from haetae.wiring.floor import paced
    from haetae.wiring.screen import Silent

    live = LiveSettings()
    fast = paced(live, RunningPace(ScaledClock(0, 0, 60.0), Silent()))
    same = paced(live, RunningPace(DrivenClock(0), Silent()))
    still = paced(live, SimpleNamespace(speed=0.0))
    assert (fast.commit_s, fast.send_within_s, fast.beat_s) == (120.0, 1_800, 25)
    assert same == live
    assert (still.beat_s, still.vitals_s) == (60, 5)
