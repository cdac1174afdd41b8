import datetime as dt

import numpy as np
import pytest

from haetae import sim
from haetae.agent import DECIDER, answer
from haetae.backtest.episode import Session, run_episode
from haetae.desk import open_desk
from haetae.domain.codec import encode
from haetae.domain.decisions import AgentReply, Proposal
from haetae.domain.errors import StrategyError
from haetae.domain.events import Note, Submit
from haetae.krx import Rulebook
from haetae.ledger import open_book
from rigs.desk_day import codes, instruments, loose, minutes, session_start

CASH = 100_000_000
DAYS = (dt.date(2026, 11, 23), dt.date(2026, 11, 24))
SYMBOLS = codes(8)


class Rotating:
    """Wants half of the names, another half each hour."""

    policy_id = "rotating-1"

    def propose(self, view):
        hour = int(view.at // 3_600_000_000_000)
        wanted = {s for n, s in enumerate(view.symbols) if (n + hour) % 2}
        targets = {s: 0.04 if s in wanted else 0.0 for s in view.symbols}
        return Proposal(f"P{view.at}", view.at, self.policy_id, targets, dict.fromkeys(view.symbols, 0.5))


def _offline(brief, at):
    return AgentReply(brief.leg.leg_id, at, DECIDER, answer(brief))


def _sessions(seed=1):
    rng = np.random.default_rng(seed)
    base = 50_000
    for day in DAYS:
        slices = minutes(SYMBOLS, rng, day=day, base=base, volatility=0.0006)
        yield Session(session_start(SYMBOLS, day, base), Rulebook.on(day), slices)


def _live(record=None, seed=1):
    venue = sim.open_venue(Rulebook.on(DAYS[0]), instruments(SYMBOLS), CASH)
    return run_episode(open_desk(loose(), open_book(CASH)), venue, _sessions(seed), Rotating(), _offline, record)


@pytest.fixture(scope="module")
def lived():
    told = []
    return _live(lambda event, commands: told.append((event, commands))), told


def test_the_desks_book_equals_the_exchanges_account_to_the_won(lived):
    track, told = lived
    assert track.desk.book.cash == track.venue.cash
    assert track.desk.held == {s: n for s, n in track.venue.holdings.items() if n}
    assert track.desk.book.fees == track.venue.fees > 0
    assert track.desk.book.taxes == track.venue.taxes > 0
    assert sum(isinstance(c, Submit) for _, commands in told for c in commands) > 10


def test_no_reconciliation_finds_a_difference(lived):
    notes = [c for _, commands in lived[1] for c in commands if isinstance(c, Note)]
    assert not [n for n in notes if n.kind == "reconcile.differed"]


def test_the_result_covers_every_slice_and_balances(lived):
    result = lived[0].result("desk")
    assert len(result.days) == 2 * 381
    left = result.initial_cash - result.bought + result.sold - result.fees - result.taxes
    assert np.array_equal(left, result.cash)
    assert result.orders > 10 and 0 < result.filled <= result.ordered
    assert result.equity[-1] == lived[0].desk.equity


def test_the_same_days_give_the_same_commands_to_the_byte(lived):
    again = []
    _live(lambda event, commands: again.append((event, commands)))
    assert [encode(c) for _, cs in again for c in cs] == [encode(c) for _, cs in lived[1] for c in cs]


def test_an_agent_that_never_answers_buys_nothing():
    venue = sim.open_venue(Rulebook.on(DAYS[0]), instruments(SYMBOLS), CASH)
    track = run_episode(open_desk(loose(), open_book(CASH)), venue, _sessions(), Rotating(), lambda _brief, _at: None)
    assert track.desk.book.cash == CASH and not track.desk.held


@pytest.mark.parametrize(
    ("targets", "found"),
    [
        ({SYMBOLS[0]: float("nan")}, SYMBOLS[0]),
        ({SYMBOLS[1]: -0.1}, SYMBOLS[1]),
        ({"999990": 0.1}, "999990"),
        (dict.fromkeys(SYMBOLS[:7], 0.2), "1.4"),
    ],
)
def test_a_proposal_that_cannot_be_meant_ends_the_run_and_names_where(targets, found):
    told, policy = [], Rotating()
    policy.propose = lambda view: Proposal(f"P{view.at}", view.at, "wrong-1", targets)
    venue = sim.open_venue(Rulebook.on(DAYS[0]), instruments(SYMBOLS), CASH)
    with pytest.raises(StrategyError) as caught:
        run_episode(
            open_desk(loose(), open_book(CASH)),
            venue,
            _sessions(),
            policy,
            _offline,
            lambda e, cs: told.append((e, cs)),
        )
    assert found in caught.value.found
    assert "09:05" in str(caught.value)
    assert not any(isinstance(event, Proposal) for event, _ in told), "the desk never saw it"


def test_whoever_runs_an_episode_may_check_proposals_otherwise():
    seen = []
    venue = sim.open_venue(Rulebook.on(DAYS[0]), instruments(SYMBOLS), CASH)
    run_episode(
        open_desk(loose(), open_book(CASH)), venue, _sessions(), Rotating(), _offline,
        check=lambda proposal, view: seen.append((proposal.at, view.at)),
    )  # fmt: skip
    assert len(seen) > 50 and all(at == known for at, known in seen)
