"""Bounds valid at every look: published values, the martingale property, coverage over many looks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln
from scipy.stats import binom, norm, t

from primeta.stats.sequential import (
    always_multiplier,
    always_ratio_p,
    approximate_rho,
    as_t,
    mixture_bound,
    mixture_log,
    ratio_log_evidence,
)


def test_the_normal_mixture_matches_the_unit_test_of_confseq():
    # confseq, uniform_boundaries_test: v = v_opt = 100, α .05; the one-sided ρ is tuned at 2α
    rho = approximate_rho(100, 0.05)
    assert rho == pytest.approx(12.60056, abs=5e-6)
    assert mixture_log(10, 100, rho) == pytest.approx(-0.6510052, abs=5e-7)
    assert mixture_bound(100, 0.05, rho) == pytest.approx(30.35209, abs=5e-6)
    one = approximate_rho(100, 0.10)
    assert mixture_log(10, 100, one, two_sided=False) == pytest.approx(-0.06502391, abs=5e-9)
    assert mixture_bound(100, 0.05, one, two_sided=False) == pytest.approx(27.66071, abs=5e-6)


def test_the_anytime_interval_matches_gbstats():
    # gbstats: Welch's data with n 3000 in A, relative effect by the delta method, tuned at 1000 in all
    n_a, n_b = 3000, 3461
    mean_a, mean_b = 1396.87 / n_a, 2422.7 / n_b
    var_a = (52377.9767 - 1396.87**2 / n_a) / (n_a - 1)
    var_b = (134698.29 - 2422.7**2 / n_b) / (n_b - 1)
    se = math.sqrt(var_b / n_b / mean_a**2 + var_a / n_a * mean_b**2 / mean_a**4)
    reach = float(always_multiplier(n_a + n_b, alpha=0.05, tuned=1000)) * se
    lift = mean_b / mean_a - 1
    assert lift - reach == pytest.approx(-0.55844, abs=5e-6)
    assert lift + reach == pytest.approx(1.56516, abs=5e-6)


@settings(deadline=None)
@given(n=st.floats(1, 1e7), tuned=st.floats(1, 1e7), alpha=st.floats(1e-4, 0.3), scale=st.floats(0.1, 1e4))
def test_the_multiplier_is_the_mixture_bound_of_a_sum(n, tuned, alpha, scale):
    # a sum of n customers of unit variance leaves the interval where |sum|/√n > m
    m = float(always_multiplier(n, alpha=alpha, tuned=tuned))
    assert m * math.sqrt(n) == pytest.approx(mixture_bound(n, alpha, approximate_rho(tuned, alpha)), rel=1e-9)
    assert m > norm.isf(alpha / 2)
    # only the share of the way counts, which the planner uses
    assert always_multiplier(n * scale, alpha=alpha, tuned=tuned * scale) == pytest.approx(m, rel=1e-9)


def test_the_interval_is_narrowest_near_the_customers_it_is_tuned_to():
    n = np.geomspace(10, 1e6, 2000)
    m = always_multiplier(n, alpha=0.05, tuned=5_000)
    assert 0.8 * 5_000 < n[np.argmin(m)] < 1.25 * 5_000


@settings(deadline=None)
@given(m=st.floats(-8, 8), df=st.floats(1, 1e6))
def test_as_t_keeps_the_tail(m, df):
    expected = math.copysign(float(t.isf(norm.sf(abs(m)), df)), m)
    assert float(as_t(m, df)) == pytest.approx(expected, rel=1e-8, abs=1e-9)


def test_as_t_far_out_is_finite_where_it_can_be_and_joins_smoothly():
    assert float(as_t(2.5, math.inf)) == 2.5
    assert math.isnan(float(as_t(2.5, math.nan)))
    near, far = as_t([29.999, 30.001], 1e4)
    assert far - near == pytest.approx(0.002, rel=0.1)
    assert 60 < float(as_t(60, 1e5)) < 62
    assert float(as_t(60, 3)) == math.inf


@pytest.mark.parametrize(("alpha", "df0"), [(0.05, 198.0), (0.05, 8.0), (0.2, 198.0)])
def test_the_anytime_interval_is_ever_wrong_no_more_often_than_it_says(alpha, df0):
    # 2,000 A/A tests of normal values, looked at 100 times from df0 + 2 customers to 100 times as many
    rng, runs, looks = np.random.default_rng(11), 2000, 100
    step = int(df0 + 2) // 2
    wrong = np.zeros(runs, bool)
    n, sums, squares = 0, np.zeros((2, runs)), np.zeros((2, runs))
    for _ in range(looks):
        x = rng.standard_normal((2, runs, step))
        n, sums, squares = n + step, sums + x.sum(2), squares + (x * x).sum(2)
        variance = (squares - sums**2 / n) / (n - 1)
        se = np.sqrt(variance.sum(0) / n)
        reach = as_t(always_multiplier(2 * n, alpha=alpha, tuned=2 * step * looks), 2 * n - 2) * se
        wrong |= np.abs(sums[0] - sums[1]) / n > reach
    assert wrong.sum() <= binom.ppf(0.999, runs, alpha)


def compositions(total: int, parts: int):
    return (c for c in itertools.product(range(total + 1), repeat=parts) if sum(c) == total)


@settings(deadline=None)
@given(
    a=st.floats(0.05, 0.9), b=st.floats(0.05, 0.9), concentration=st.floats(0.5, 5000), n=st.integers(1, 7)
)
def test_the_evidence_against_the_shares_is_a_fair_bet(a, b, concentration, n):
    # its mean under the plan is 1 at every n: summed over all outcomes of a multinomial of three arms
    shares = np.array([a, b, 0.5]) / (a + b + 0.5)
    mean = 0.0
    for counts in compositions(n, 3):
        log_p = gammaln(n + 1) - gammaln(np.add(counts, 1)).sum() + (counts * np.log(shares)).sum()
        mean += math.exp(log_p + float(ratio_log_evidence(counts, shares, concentration)))
    assert mean == pytest.approx(1, rel=1e-8)


def test_a_broken_lottery_is_found_and_a_fair_one_is_not():
    # the REFERENCE cases of sample-ratio mismatch; chi-square p .00002, .206, .647, .0008
    assert math.exp(ratio_log_evidence([1000, 1200], [0.5, 0.5])) >= 100
    assert math.exp(ratio_log_evidence([135, 115], [0.5, 0.5])) < 2
    assert math.exp(ratio_log_evidence([310, 98], [0.75, 0.25])) < 1
    assert math.exp(ratio_log_evidence([44_000, 45_000], [0.5, 0.5])) > 20


@pytest.mark.parametrize(("share", "most"), [(0.51, 36_000), (0.52, 9_500)])
def test_one_or_two_points_of_imbalance_are_found_fast(share, most):
    # mean customers until e = 100, over 300 seeded lotteries: 31,100 and 7,960 in the docstring
    rng, step = np.random.default_rng(3), 100
    ups = rng.binomial(step, share, (300, 1200)).cumsum(axis=1)
    seen = np.arange(1, 1201) * step
    found = ratio_log_evidence(np.stack([ups, seen - ups], axis=-1), [0.5, 0.5]) >= math.log(100)
    assert (np.where(found.any(1), found.argmax(1) + 1, 1200) * step).mean() < most


def test_the_p_value_of_the_shares_never_rises_and_is_ever_small_as_rarely_as_it_says():
    rng, runs = np.random.default_rng(5), 1000
    counts = rng.multinomial(50, [0.2, 0.3, 0.5], size=(runs, 200)).cumsum(axis=1)
    p = np.array([always_ratio_p(run, [0.2, 0.3, 0.5]) for run in counts])
    assert (np.diff(p, axis=1) <= 0).all()
    assert ((p > 0) & (p <= 1)).all()
    assert (p[:, -1] <= 0.05).sum() <= binom.ppf(0.999, runs, 0.05)
