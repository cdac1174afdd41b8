"""The audit finds every planted cheat by the check meant for it, and lets honest strategies pass."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import numpy as np
import pytest

import cheats
from haetae.backtest import BacktestSettings
from haetae.backtest.audit import (
    CHECKS,
    Audit,
    Finding,
    Subject,
    Verdict,
    audit,
    delisting,
    determinism,
    fragility,
    lookahead,
    noise,
    ordering,
    output,
)
from haetae.domain.errors import DataError, StrategyError
from haetae.policies import LIBRARY, Strategy

HONEST = ("cash", "buy_and_hold", "equal_weight", "momentum_12_1", "reversal_5", "low_volatility_60", "sma_cross")
RUNS = 6
FAST = {"momentum_12_1": {"look_back": 40, "skip": 5}, "sma_cross": {"fast": 5, "slow": 20}}


def dice(name: str = "audit", seed: int = 7) -> np.random.Generator:
    return np.random.default_rng([seed, *name.encode()])


def subject(made: Callable[[], Strategy], ground: object = None) -> Subject:
    return Subject(made, ground or cheats.ground())  # type: ignore[arg-type]


def whole(made: Callable[[], Strategy], ground: object = None, **options: object) -> Audit:
    return audit(subject(made, ground), dice, noise_runs=RUNS, **options)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("name", HONEST)
def test_honest_strategies_of_the_library_pass(name: str) -> None:
    found = whole(lambda: LIBRARY[name](**FAST.get(name, {})))
    assert [one.said.en for one in found.failed] == []
    assert {one.check for one in found.findings} == set(CHECKS)


@pytest.mark.slow
def test_an_honest_strategy_of_minutes_passes() -> None:
    found = whole(lambda: LIBRARY["sma_cross"](fast=5, slow=20), cheats.minute_ground())
    assert [one.said.en for one in found.failed] == []


def test_an_honest_view_strategy_of_minutes_sees_no_later_minute_and_no_later_session() -> None:
    class Both(Strategy):
        every = "90m"

        def propose(self, view):
            rising = (view.minutes.close[-1] > view.minutes.close[0]) & (view.daily.close[-1] > view.daily.close[0])
            return self.hold(view, np.where(rising, 0.2, 0.0))

    assert lookahead.look_ahead(subject(Both, cheats.minute_ground()), dice()).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "cheat",
    [cheats.PeekOneBar, cheats.WholeZScore, cheats.VolumeOfTomorrow, cheats.LookThroughTheView, cheats.NextListing],
)
def test_a_look_into_the_future_is_found_with_row_day_and_symbol(cheat: type[Strategy]) -> None:
    found = lookahead.look_ahead(subject(cheat), dice())
    assert found.verdict is Verdict.FAIL
    moved = found.numbers["moved"]
    ground = cheats.ground()
    assert ground.panel.days[moved["row"]] == moved["day"]
    assert moved["symbol"] in ground.panel.symbols
    assert moved["row"] <= moved["changed_after_row"]
    assert moved["symbol"] in found.said.en


def test_a_peek_is_found_with_one_symbol_alone() -> None:
    alone = cheats.ground(symbols=1)
    assert lookahead.look_ahead(subject(cheats.PeekOneBar, alone), dice()).verdict is Verdict.FAIL


def test_a_cheat_in_the_simulation_itself_moves_the_path() -> None:
    class Leaky(Subject):
        """Earns a won for each share of the last bar's volume."""

        def run(self, *arguments, **options):
            result = Subject.run(self, *arguments, **options)
            return dataclasses.replace(result, equity=result.equity + self.ground.panel.volume[-1].sum())

        def seats(self):
            return [], self.run()

    honest = Leaky(lambda: LIBRARY["equal_weight"](), cheats.ground())
    found = lookahead.look_ahead(honest, dice())
    assert found.verdict is Verdict.FAIL
    assert found.numbers["moved"]["what"] == "equity"


def test_the_bound_that_knows_the_future_is_caught_twice() -> None:
    bound = subject(LIBRARY["perfect_foresight"])
    assert lookahead.look_ahead(bound, dice()).verdict is Verdict.FAIL
    assert noise.noise(bound, dice(), RUNS).verdict is Verdict.FAIL


@pytest.mark.parametrize("cheat", [cheats.FirstColumn, cheats.OddCodes, cheats.TiesByCode])
def test_what_depends_on_the_order_of_codes_is_found(cheat: type[Strategy]) -> None:
    found = ordering.symbol_order(subject(cheat), dice())
    assert found.verdict is Verdict.FAIL
    assert "depends on symbol order at" in found.said.en
    assert found.numbers["moved"]["symbol"] in cheats.ground().panel.symbols


def test_scarce_cash_that_goes_to_the_lower_code_is_noted_not_failed() -> None:
    greedy = subject(lambda: LIBRARY["sma_cross"](fast=2, slow=5, fraction=0.5))
    found = ordering.symbol_order(greedy, dice())
    assert found.verdict is Verdict.NOTE
    assert "scarce cash" in found.said.en


@pytest.mark.parametrize("cheat", [cheats.PeekOneBar, cheats.LookThroughTheView])
def test_a_profit_on_noise_is_found(cheat: type[Strategy]) -> None:
    found = noise.noise(subject(cheat), dice(), RUNS)
    assert found.verdict is Verdict.FAIL
    assert found.numbers["random_walk_again"]["t_before_costs"] > noise.MOST_T


def test_figures_on_noise_are_told_for_each_kind_of_chance() -> None:
    found = noise.noise(subject(LIBRARY["equal_weight"]), dice(), RUNS)
    for null in ("random_walk", "days_redrawn", "names_redrawn"):
        assert found.numbers[null]["runs"] == RUNS
        assert found.numbers[null]["mean_after_costs"] <= found.numbers[null]["mean_before_costs"] + 0.01


@pytest.mark.parametrize("cheat", [cheats.OwnDice, cheats.Remembers, cheats.Gossip])
def test_what_depends_on_more_than_the_view_is_found(cheat: type[Strategy]) -> None:
    assert determinism.determinism(subject(cheat), dice()).verdict is Verdict.FAIL


def test_state_is_found_by_asking_out_of_order_though_two_runs_agree() -> None:
    found = determinism.determinism(subject(cheats.Remembers), dice())
    assert "another order" in found.said.en
    assert found.numbers["keeps"] == ["seen"]


def test_a_clock_is_heard_though_two_runs_agree() -> None:
    found = determinism.determinism(subject(cheats.Clockwatcher), dice())
    assert found.verdict is Verdict.FAIL
    assert "time.time" in found.numbers["calls"]


def test_seeded_dice_of_its_own_are_noted() -> None:
    found = determinism.determinism(subject(cheats.SeededDice), dice())
    assert found.verdict is Verdict.NOTE
    assert any(name.startswith("numpy.random") for name in found.numbers["calls"])


def test_arrays_that_remember_another_panel_are_found() -> None:
    class Grows(LIBRARY["equal_weight"]):  # type: ignore[misc]
        asked = 0

        def targets(self, task):
            self.asked += 1
            return super().targets(task) / self.asked

    assert determinism.determinism(subject(Grows), dice()).verdict is Verdict.FAIL


def test_delisted_names_change_the_figures_and_the_books_balance() -> None:
    found = delisting.delisted_names(subject(LIBRARY["equal_weight"]), dice())
    assert found.verdict is Verdict.PASS
    assert found.numbers["return_with"] < found.numbers["return_without"]
    assert found.numbers["held_at_the_end"] > 0
    assert found.numbers["return_with_worth_nothing"] < found.numbers["return_with"]


def test_books_that_do_not_balance_are_told_with_the_row() -> None:
    ground = cheats.ground()
    result = subject(LIBRARY["equal_weight"]).run()
    assert delisting.unbalanced(result, ground) == ""
    cash = result.cash.copy()
    cash[20] += 1
    assert f"row {20 + ground.first}" in delisting.unbalanced(dataclasses.replace(result, cash=cash), ground)
    equity = result.equity.copy()
    equity[-1] -= 3
    assert delisting.unbalanced(dataclasses.replace(result, equity=equity), ground) == "equity -3"


def test_data_without_an_ended_name_is_warned_of() -> None:
    assert delisting.survivorship(subject(LIBRARY["cash"])).verdict is Verdict.NOTE
    found = delisting.survivorship(subject(LIBRARY["cash"], cheats.with_ended(cheats.ground())))
    assert (found.verdict, found.numbers["ended"]) == (Verdict.PASS, 1)


def test_an_odd_view_brings_out_a_nan() -> None:
    found = output.output(subject(cheats.SometimesNaN))
    assert found.verdict is Verdict.FAIL
    assert found.numbers["view"] == "no history"


def test_every_spoilt_proposal_is_refused() -> None:
    found = output.output(subject(LIBRARY["equal_weight"]))
    assert found.verdict is Verdict.PASS
    assert found.numbers["refused"] == sorted(output.SPOILT)


def test_a_simulator_that_takes_a_spoilt_proposal_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(output.SPOILT, "fair", lambda view: {view.symbols[0]: 0.1})
    found = output.output(subject(LIBRARY["equal_weight"]))
    assert found.verdict is Verdict.FAIL
    assert "fair" in found.said.en


def test_a_strategy_that_lives_on_low_costs_is_fragile() -> None:
    busy = subject(LIBRARY["reversal_5"])
    kind = fragility.costs(busy)
    once = busy.run()
    paid = int(once.fees[-1]) + int(once.taxes[-1])
    figures = kind.numbers["return"]
    assert figures["0x"] - figures["2x"] == pytest.approx(2 * paid / once.initial_cash, abs=1e-9)

    def rerun(multiple: int) -> object:
        equity = once.equity.copy()
        equity[-1] = once.initial_cash * 2 if multiple < 1_500_000 else once.initial_cash // 2
        return dataclasses.replace(once, equity=equity)

    found = fragility.costs(busy, rerun)  # type: ignore[arg-type]
    assert found.verdict is Verdict.NOTE
    assert found.said.en.startswith("fragile")


def test_an_array_form_that_a_live_day_would_not_follow_is_noted() -> None:
    assert fragility.live_form(subject(cheats.ShortMemory)).verdict is Verdict.NOTE
    assert "no live day" in fragility.live_form(subject(cheats.NoView)).said.en
    assert fragility.live_form(subject(lambda: LIBRARY["sma_cross"](fast=2, slow=5))).verdict is Verdict.PASS


def test_code_that_stops_fails_its_check_with_the_line_and_the_others_go_on() -> None:
    found = whole(cheats.Brittle)
    broken = found.of("delisted_names")
    assert broken.verdict is Verdict.FAIL
    assert "ZeroDivisionError: no volume in 99" in broken.numbers["found"]
    assert "(line " in broken.numbers["found"]
    assert found.of("symbol_order").verdict is Verdict.FAIL
    assert {one.check for one in found.findings} == set(CHECKS) - {"live_form"}


def test_what_the_audit_itself_gets_wrong_is_not_blamed_on_the_strategy() -> None:
    class Crooked(Subject):
        def seats(self):
            raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        audit(Crooked(LIBRARY["cash"], cheats.ground()), dice, noise_runs=RUNS)


def test_weights_beyond_one_fail_in_the_array_form_too() -> None:
    found = whole(cheats.Greedy)
    assert all(one.verdict is Verdict.FAIL for one in found.findings if one.check in ("look_ahead", "output"))


def test_a_strategy_that_is_never_asked_proves_nothing() -> None:
    short = cheats.ground(sessions=75)
    with pytest.raises(StrategyError) as fault:
        whole(LIBRARY["equal_weight"], dataclasses.replace(short, first=72))
    assert "month" in str(fault.value.expected)


def test_equal_dice_give_an_equal_audit_and_the_record_is_json() -> None:
    told: list[tuple[str, int, int]] = []
    one = whole(LIBRARY["equal_weight"], tell=lambda *report: told.append(report))
    again = whole(LIBRARY["equal_weight"])
    assert json.dumps(one.as_json(), allow_nan=False) == json.dumps(again.as_json(), allow_nan=False)
    assert {check for check, _done, _total in told} >= {"look_ahead", "noise"}
    assert all(done <= total for _check, done, total in told)
    assert (told[-1][1], one.passed) == (told[-1][2], True)


def test_the_settings_of_a_run_are_those_of_the_audit() -> None:
    small = Subject(LIBRARY["equal_weight"], cheats.ground(), BacktestSettings(cash=5_000_000))
    assert small.run().initial_cash == 5_000_000


def test_a_finding_is_found_by_its_name() -> None:
    found = whole(LIBRARY["cash"])
    assert isinstance(found.of("noise"), Finding)
    with pytest.raises(KeyError):
        found.of("nothing")


def test_data_errors_of_a_strategy_fail_the_check() -> None:
    class Broken(LIBRARY["equal_weight"]):  # type: ignore[misc]
        def targets(self, task):
            raise DataError("no data", expected="some", found="none", next_step="collect")

    found = whole(Broken)
    assert found.of("look_ahead").numbers["error"] == "DataError"
