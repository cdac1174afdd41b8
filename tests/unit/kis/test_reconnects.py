"""Pauses after losses, and which pairs a session holds."""

from hypothesis import given
from hypothesis import strategies as st

from haetae.kis.reconnects import Reconnects
from haetae.kis.registrations import Rank, Registrations


def test_pauses_grow_to_a_minute_where_no_connection_comes_about_and_never_rest():
    losses = Reconnects()
    assert [losses.pause_s(float(n), None) for n in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert not losses.is_resting


def test_a_session_that_lived_a_minute_begins_anew():
    losses = Reconnects()
    for n in range(4):
        losses.pause_s(10.0 * n, 1.0)
    assert losses.pause_s(200.0, 61.0) == 1.0
    assert losses.pause_s(210.0, 1.0) == 2.0


def test_five_losses_in_five_minutes_are_a_rest_that_grows():
    losses = Reconnects()
    now, pauses = 0.0, []
    for _ in range(9):
        pause = losses.pause_s(now, 2.0)
        pauses.append(pause)
        assert losses.is_resting is (pause >= 120)
        now += pause + 2
    assert pauses == [1, 2, 4, 8, 120, 240, 480, 600, 600]
    losses.opened()
    assert not losses.is_resting


def test_losses_far_apart_are_no_flapping():
    losses = Reconnects()
    assert max(losses.pause_s(100.0 * n, 30.0) for n in range(20)) == 60


def test_a_key_in_use_is_waited_for_by_itself():
    losses = Reconnects()
    assert [losses.pause_s(n, 1.0, key_in_use=True) for n in range(6)] == [5, 10, 20, 40, 60, 60]
    assert losses.in_use == 6
    losses.opened()
    assert losses.in_use == 0


pairs = st.tuples(st.sampled_from(["T", "N"]), st.integers(0, 12).map(str))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("want"), st.lists(pairs, max_size=8), st.sampled_from(Rank)),
        st.tuples(st.just("drop"), st.lists(pairs, max_size=4), st.just(Rank.NEEDED)),
        st.tuples(st.just("pass"), st.sets(pairs, max_size=3), st.just(Rank.NEEDED)),
        st.tuples(st.just("lose"), st.just([]), st.just(Rank.NEEDED)),
    ),
    max_size=30,
)


@given(steps, st.integers(1, 9))
def test_whatever_is_wanted_the_limit_is_kept_and_the_best_are_held(steps, limit):
    known = Registrations(limit)
    for what, given_, rank in steps:
        match what:
            case "want":
                known.want(given_, rank)
            case "drop":
                known.drop(given_)
            case "lose":
                known.lost()
            case "pass":
                for pair in known.surplus():
                    if pair not in given_:  # the others are not given back
                        known.held.discard(pair)
                for pair in known.missing():
                    assert len(known.held) < limit
                    if pair not in given_:  # the others get no ack
                        known.held.add(pair)
        assert len(known.held) <= limit
        assert len(known.target()) <= limit
    for pair in known.surplus():
        known.held.discard(pair)
    known.held.update(known.missing())
    assert known.held == set(known.target())
    ranks = known._wanted
    left_out = [ranks[pair] for pair in ranks if pair not in known.held]
    assert not left_out or not known.held or max(ranks[pair] for pair in known.held) <= min(left_out)


def test_a_server_s_own_limit_is_learnt():
    known = Registrations(41)
    known.want([("T", str(n)) for n in range(9)], Rank.SYMBOL)
    known.held.update({("T", "0"), ("T", "1"), ("T", "2")})
    known.full()
    assert known.missing() == []
    assert len(known.target()) == 3


def test_nothing_takes_a_place_that_was_not_given_back():
    known = Registrations(2)
    known.want([("T", "a"), ("T", "b")], Rank.SYMBOL)
    known.held.update(known.missing())
    known.want([("T", "c")], Rank.HELD_SYMBOL)
    assert known.surplus() == [("T", "b")]
    assert known.missing() == []
    known.held.discard(("T", "b"))
    assert known.missing() == [("T", "c")]
