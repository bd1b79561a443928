"""Weighted shares of small stratified samples, agreement of coders, money by day since the first order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from primeta.stats.cumulated import cumulated
from primeta.stats.survey import cohen_kappa, stratified_share

ONES = np.zeros(20, dtype=np.int64)


def test_with_equal_weights_the_interval_is_clopper_and_pearsons():
    # Clopper & Pearson (1934) through beta quantiles: 6 of 20
    found = stratified_share([True] * 6 + [False] * 14, np.ones(20), ONES)
    assert found.value == pytest.approx(0.3)
    # one stratum: the design's variance has n − 1 below it, so that at most n people tell as much as n do
    assert found.effective == pytest.approx(19.0, abs=1e-9)
    n = found.effective
    assert found.low == pytest.approx(stats.beta.ppf(0.025, 0.3 * n, 0.7 * n + 1))
    assert found.high == pytest.approx(stats.beta.isf(0.025, 0.3 * n + 1, 0.7 * n))


def test_who_stands_for_more_counts_for_more():
    # by hand: (3·1 + 1·0) / 4
    found = stratified_share([True, False], np.array([3.0, 1.0]), np.zeros(2, dtype=np.int64))
    assert found.value == pytest.approx(0.75)
    assert found.effective <= 2


def test_nobody_asked_is_nan_and_all_alike_still_has_an_interval():
    assert np.isnan(stratified_share([], np.zeros(0), np.zeros(0, dtype=np.int64)).value)
    # the rule of three, exactly: 1 − .025^(1/10)
    none = stratified_share([False] * 10, np.ones(10), ONES[:10])
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 10))


@given(
    says=st.lists(st.booleans(), min_size=1, max_size=30),
    scale=st.floats(0.01, 1000),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, derandomize=True, deadline=None)
def test_a_share_lies_in_its_interval_and_no_unit_of_weight_matters(says, scale, seed):
    rng = np.random.default_rng(seed)
    weight, stratum = rng.uniform(1, 50, len(says)), rng.integers(0, 4, len(says))
    found = stratified_share(says, weight, stratum)
    assert 0 <= found.low <= found.value <= found.high <= 1
    again = stratified_share(says, weight * scale, stratum)
    assert again.low == pytest.approx(found.low, abs=1e-9)
    assert again.high == pytest.approx(found.high, abs=1e-9)


def test_intervals_of_eight_calls_a_group_cover_the_truth():
    # four groups of unlike size and share; Korn & Graubard's interval errs on the wide side
    rng = np.random.default_rng(11)
    size, share = np.array([3000.0, 6000.0, 500.0, 1500.0]), np.array([0.5, 0.2, 0.6, 0.3])
    truth = float(size @ share / size.sum())
    stratum = np.repeat(np.arange(4), 8)
    weight = (size / 8)[stratum]
    inside = 0
    for _ in range(600):
        says = rng.random(32) < share[stratum]
        found = stratified_share(says, weight, stratum)
        inside += found.low <= truth <= found.high
    # binomial(600, .95) at 1 in 10,000 below
    assert inside >= stats.binom.ppf(1e-4, 600, 0.95)


def test_kappa_of_the_textbook_example():
    # 20 both yes, 15 both no, 5 and 10 apart: (.7 − .5) / (1 − .5) = .4, by hand after Cohen (1960), eq. 1
    first = [True] * 20 + [True] * 5 + [False] * 10 + [False] * 15
    second = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)
    assert cohen_kappa(first, first) == pytest.approx(1.0)
    assert np.isnan(cohen_kappa([True, True], [True, True]))


def test_money_by_day_is_the_plain_mean_where_everybody_stayed():
    # two customers, three days: 5 + 1 and 3; cumulative means 4, 4.5, 4.5 by hand
    found = cumulated(
        age=np.array([0, 1, 0]),
        money=np.array([5.0, 1.0, 3.0]),
        group=np.array([0, 0, 1]),
        followed=np.array([3, 3]),
        group_of=np.array([0, 1]),
        groups=4,
        least=2,
    )
    assert found.value == pytest.approx([4.0, 4.5, 4.5])
    assert found.days == 3


def test_who_left_the_log_early_counts_as_far_as_he_goes():
    # the second is followed for one day only: day 1 is the first one's alone
    found = cumulated(
        age=np.array([0, 1, 0]),
        money=np.array([5.0, 1.0, 3.0]),
        group=np.array([0, 0, 1]),
        followed=np.array([2, 1]),
        group_of=np.array([0, 1]),
        groups=4,
        least=1,
    )
    assert found.value == pytest.approx([4.0, 5.0])


def test_intervals_of_money_by_day_cover_the_truth():
    # exponential money on days 0, 5 and 10 with mean 1 each: 3 by day 10; entries staggered
    rng = np.random.default_rng(5)
    n, inside = 400, 0
    for _ in range(300):
        followed = rng.integers(3, 30, n)
        group_of = rng.integers(0, 64, n)
        age = np.tile([0, 5, 10], n)
        person = np.repeat(np.arange(n), 3)
        seen = age < followed[person]
        found = cumulated(
            age=age[seen],
            money=rng.standard_exponential(3 * n)[seen],
            group=group_of[person[seen]],
            followed=followed,
            group_of=group_of,
            groups=64,
        )
        inside += found.low[10] <= 3.0 <= found.high[10]
    assert stats.binom.ppf(1e-4, 300, 0.95) <= inside <= stats.binom.ppf(1 - 1e-4, 300, 0.95)
