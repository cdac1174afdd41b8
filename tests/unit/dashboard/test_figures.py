"""Figures: won with separators, a sign on every change, nothing where nothing is known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.dashboard import figures, words
from haetae.guards import GUARDS

AMOUNTS = st.integers(min_value=-(10**15), max_value=10**15)


@given(AMOUNTS)
def test_an_amount_can_be_read_back_from_what_is_written(amount):
    assert figures.won(amount).endswith("원")
    assert int(figures.won(amount)[:-1].replace(",", "")) == amount


def test_every_guard_has_its_own_name_on_the_pages():
    assert {code: pair[0] for code, pair in words.GUARD.items()} == {guard.code: guard.name.ko for guard in GUARDS}


@given(AMOUNTS)
def test_a_change_shows_its_direction_by_arrow_and_tone_alike(amount):
    arrow = {"up": "▲", "down": "▼", "flat": "―"}[figures.tone(amount)]
    assert figures.won_change(amount) == f"{arrow} {abs(amount):,}원"
    assert (figures.tone(amount) == "up") is (amount > 0)
    assert (figures.tone(amount) == "down") is (amount < 0)


def test_red_is_up_and_blue_is_down():
    def parts(colour):
        return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]

    assert max(parts(figures.COLOURS["up"])) == parts(figures.COLOURS["up"])[0]
    assert max(parts(figures.COLOURS["down"])) == parts(figures.COLOURS["down"])[2]


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.012345, "+1.23%"), (-0.012345, "-1.23%"), (0.0, "0.00%"), (-0.00000001, "0.00%"), (None, "–"), (math.nan, "–")],
)
def test_a_change_in_per_cent_has_a_sign_unless_it_rounds_to_nothing(ratio, text):
    assert figures.percent_change(ratio) == text


@pytest.mark.parametrize(
    "write",
    [figures.won, figures.won_change, figures.shares, figures.count, figures.percent, figures.basis_points,
     figures.decimal, figures.clock_time, figures.day_and_time],
)  # fmt: skip
def test_what_does_not_exist_is_a_dash_and_never_zero(write):
    assert write(None) == "–"
