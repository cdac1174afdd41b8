"""Our figures beside those of quantstats-lumi and ffn: equal where the definitions are, else converted.

Both take a series of prices or returns by calendar day. Where they mean something else by a word, the
test says what and how one becomes the other; nothing is compared with a tolerance that hides it.
"""

import datetime as dt
import math
from statistics import NormalDist

import numpy as np
import pytest

from haetae.backtest import deflated_sharpe, drawdowns, measure, probabilistic_sharpe
from haetae.backtest.breakdown import by_period
from haetae.backtest.sharpe import moments
from haetae.domain.units import day_from
from runs import DAYS, run_of

pd = pytest.importorskip("pandas")
qs = pytest.importorskip("quantstats_lumi", reason="quantstats-lumi is in locks/test.txt")
ffn = pytest.importorskip("ffn", reason="ffn is in locks/test.txt")

RETURNS = np.random.default_rng(17).standard_t(5, 400) * 0.009 + 0.0004
RUN = run_of(RETURNS)
OURS = measure(RUN)
"""The first session of a run is flat; peers get the same 401 returns."""
SERIES = pd.Series(RUN.daily_returns(), index=pd.to_datetime([str(d) for d in RUN.daily_days()]))
PRICES = pd.Series(RUN.daily_equity() / RUN.initial_cash, index=SERIES.index)


@pytest.fixture(scope="module")
def peer():
    return ffn.calc_stats(PRICES)


def test_total_return_and_days_are_those_of_both(peer):
    assert OURS.total_return == pytest.approx(float(qs.stats.comp(SERIES)))
    assert OURS.total_return == pytest.approx(float(peer.total_return))
    assert OURS.best_day == pytest.approx(float(qs.stats.best(SERIES)))
    assert OURS.worst_day == pytest.approx(float(peer.worst_day))


def test_volatility_and_sharpe_are_those_of_quantstats():
    assert OURS.volatility == pytest.approx(float(qs.stats.volatility(SERIES, periods=252)))
    assert OURS.sharpe == pytest.approx(float(qs.stats.sharpe(SERIES, periods=252)))


def test_ffn_leaves_out_the_first_session(peer):
    # ffn takes returns from prices, so the session that starts the account has none; we count it.
    rest = SERIES.to_numpy()[1:]
    assert float(peer.daily_vol) == pytest.approx(rest.std(ddof=1) * math.sqrt(252))
    assert float(peer.daily_sharpe) == pytest.approx(rest.mean() / rest.std(ddof=1) * math.sqrt(252))
    n = len(SERIES)
    mean, square = OURS.sharpe * OURS.volatility / 252, OURS.volatility**2 / 252
    mean_rest = mean * n / (n - 1)
    var_rest = (square * (n - 1) + n * mean**2 - (n - 1) * mean_rest**2) / (n - 2)
    assert float(peer.daily_sharpe) == pytest.approx(mean_rest / math.sqrt(var_rest) * math.sqrt(252))


def test_sortino_is_that_of_quantstats_and_of_ffn_but_for_the_first_session(peer):
    assert OURS.sortino == pytest.approx(float(qs.stats.sortino(SERIES, periods=252)))
    # The first session is flat: it adds nothing to sums but one to the count, in the mean and under the root.
    n = len(SERIES)
    assert float(peer.daily_sortino) == pytest.approx(OURS.sortino * (n / (n - 1)) / math.sqrt(n / (n - 1)))


def test_deepest_fall_and_hit_rate_are_those_of_both(peer):
    assert OURS.max_drawdown == pytest.approx(float(qs.stats.max_drawdown(SERIES)))
    assert OURS.max_drawdown == pytest.approx(float(peer.max_drawdown))
    assert OURS.hit_rate == pytest.approx(float(qs.stats.win_rate(SERIES)))


def test_yearly_return_counts_sessions_and_the_peers_count_days(peer):
    growth = 1 + OURS.total_return
    span = (SERIES.index[-1] - SERIES.index[0]).days
    # Ours: 252 sessions are a year. Theirs: 365.25 days from the first session to the last are.
    assert OURS.cagr == pytest.approx(growth ** (252 / len(SERIES)) - 1)
    converted = (1 + OURS.cagr) ** (len(SERIES) / 252 * 365.25 / span) - 1
    assert float(peer.cagr) == pytest.approx(converted)
    assert float(qs.stats.cagr(SERIES)) == pytest.approx(converted)
    assert float(qs.stats.calmar(SERIES)) == pytest.approx(converted / -OURS.max_drawdown)
    assert float(peer.calmar) == pytest.approx(float(peer.cagr) / -OURS.max_drawdown)
    assert OURS.calmar == pytest.approx(OURS.cagr / -OURS.max_drawdown)


def test_falls_are_those_of_quantstats_with_its_dates_converted():
    theirs = qs.stats.drawdown_details(qs.stats.to_drawdown_series(SERIES)).sort_values("max drawdown")
    ours = drawdowns(RUN, count=5)
    days = [int(d) for d in RUN.daily_days()]
    for fall, (_, row) in zip(ours, theirs.iterrows(), strict=False):
        assert 100 * fall.depth == pytest.approx(float(row["max drawdown"]))
        assert str(day_from(fall.trough)) == str(row["valley"])[:10]
        # quantstats starts a fall on the first session below the peak, we name the peak itself.
        assert str(day_from(days[days.index(fall.peak) + 1])) == str(row["start"])[:10]
        # It ends it on the last session below, we name the recovery; open falls end with the series in both.
        last = days[days.index(fall.recovery) - 1] if fall.recovery else days[-1]
        assert str(day_from(last)) == str(row["end"])[:10]
        length = (day_from(last) - day_from(days[days.index(fall.peak) + 1])).days
        assert int(row["days"]) in (length, length + 1)


def test_falls_are_those_of_ffn(peer):
    theirs = ffn.drawdown_details(ffn.to_drawdown_series(PRICES)).sort_values("drawdown")
    for fall, (_, row) in zip(drawdowns(RUN, count=5), theirs.iterrows(), strict=False):
        assert fall.depth == pytest.approx(float(row["drawdown"]))
        start = pd.Timestamp(row["Start"]).date()
        first_below = DAYS[list(DAYS).index(fall.peak) + 1]
        assert start == day_from(int(first_below))
        end = pd.Timestamp(row["End"]).date()
        assert end == day_from(fall.recovery if fall.recovery else int(RUN.daily_days()[-1]))


def test_months_are_those_of_quantstats():
    theirs = qs.stats.monthly_returns(SERIES, eoy=False)
    names = list(theirs.columns)
    assert len(names) == 12
    for one in by_period(RUN, None, yearly=False):
        year, month = divmod(one.period, 100)
        assert one.total_return == pytest.approx(float(theirs.loc[str(year), names[month - 1]]))


def test_probabilistic_sharpe_is_that_of_quantstats_but_for_its_kurtosis():
    theirs = float(qs.stats.probabilistic_sharpe_ratio(SERIES, periods=252))
    # quantstats puts the excess kurtosis (normal: 0) where the formula wants the kurtosis (normal: 3), and
    # unbiased skew and kurtosis where we take the moments; with its figures our formula gives its answer.
    own = moments(SERIES.to_numpy())
    ratio, skew, excess = own.ratio, float(SERIES.skew()), float(SERIES.kurtosis())
    spread = math.sqrt((1 + 0.5 * ratio**2 - skew * ratio + (excess - 3) / 4 * ratio**2) / (len(SERIES) - 1))
    assert theirs == pytest.approx(NormalDist().cdf(ratio / spread))
    assert probabilistic_sharpe(SERIES.to_numpy()) == pytest.approx(NormalDist().cdf(ratio / spread), abs=0.02)
    assert deflated_sharpe(SERIES.to_numpy(), 1, 0.0) == probabilistic_sharpe(SERIES.to_numpy())


def test_years_are_whole_calendar_years():
    theirs = SERIES.groupby(SERIES.index.year).apply(lambda one: float((1 + one).prod() - 1))
    for one in by_period(RUN, None, yearly=True):
        assert one.total_return == pytest.approx(theirs[one.period])
    assert dt.date(2025, 1, 2) == day_from(int(DAYS[0]))
