"""Means per assigned over blocks and buckets, and the differences of arms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, ttest_ind
from small_follow_up import drawn, follow_up

from primeta.reactivation.estimates import (
    VALUE,
    Mean,
    gap,
    of_segment,
    per_assigned,
    pooled,
    ratio,
    share_gap,
    wilson,
)
from primeta.stats.multiplicity import adjusted_holm

LEVEL = 0.95


def mean(value: float, n: float) -> Mean:
    """A plain share of n customers."""
    return Mean(value=value, variance=value * (1 - value) / n, df=n - 1, parts=np.zeros(2), n=n)


def test_who_was_assigned_late_counts_in_the_blocks_that_he_lived_through():
    # 60 customers followed 90 days, 60 followed 10: block 0–7 is shared by 120, block 7–14 by 60
    arm = [1] * 120
    followed = [90.0] * 60 + [10.0] * 60
    orders = [(0, 3.0, 12.0, 0.0), (60, 3.0, 12.0, 0.0), (1, 9.0, 6.0, 0.0), (61, 8.0, 100.0, 0.0)]
    found = follow_up(arm, orders, followed=followed)
    got = per_assigned(found, 1, {"revenue": 1.0}, until_day=14)
    # 24/120 + 6/60; the order of customer 61 falls into a block that he did not live through
    assert got.value == pytest.approx(0.2 + 0.1)
    assert got.n == 60


def test_where_everybody_lived_through_the_window_the_interval_is_welchs():
    # scipy.stats.ttest_ind(equal_var=False) on customers' totals
    rng = np.random.default_rng(1)
    arm = np.arange(600) % 2
    bought = np.flatnonzero(rng.random(600) < 0.4)
    paid = rng.gamma(2.0, 10.0, 600)
    totals = np.zeros(600)
    totals[bought] = paid[bought]
    found = follow_up(arm, [(int(who), 5.0, float(paid[who]), 0.0) for who in bought], arms=("control", "a"))
    got = gap(*(per_assigned(found, place, VALUE, until_day=30) for place in (1, 0)), level=LEVEL)
    test = ttest_ind(totals[arm == 1], totals[arm == 0], equal_var=False)
    low, high = test.confidence_interval(LEVEL)
    assert (got.low, got.high, got.p) == pytest.approx((low, high, test.pvalue))


def test_a_few_customers_or_a_short_follow_up_are_no_number():
    found = follow_up([0] * 40 + [1] * 20, [], arms=("control", "a"), followed=[90.0] * 60)
    assert per_assigned(found, 1, VALUE, until_day=30).why_not == "small-arm"
    late = follow_up([0] * 40 + [1] * 40, [], arms=("control", "a"), followed=[20.0] * 80)
    got = per_assigned(late, 1, VALUE, until_day=30)
    assert got.why_not == "short-follow-up"
    assert math.isnan(got.value)


def test_arms_in_which_nobody_differs_have_no_interval():
    found = follow_up([0] * 40 + [1] * 40, [], arms=("control", "a"), contact=(0.0, 2.0))
    got = gap(*(per_assigned(found, place, VALUE, until_day=30) for place in (1, 0)), level=LEVEL)
    assert got.difference == -2.0
    assert got.why_not == "no-spread"
    assert math.isnan(got.low)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_segments_add_up_to_everybody(seed: int):
    rng = np.random.default_rng(seed)
    segment = rng.integers(0, 3, 600)
    found = drawn(rng, n=600, segment=segment, segments=("x", "y", "z"), by="kind")
    whole = per_assigned(pooled(found), 1, VALUE, until_day=30, least=1).value
    parts = [of_segment(found, place) for place in range(3)]
    sizes = [part.n[0, 1].sum() for part in parts]
    each = [per_assigned(part, 1, VALUE, until_day=30, least=1).value for part in parts]
    assert whole == pytest.approx(np.average(each, weights=sizes))
    assert pooled(found).window[0, 1].n == sum(part.window[0, 1].n for part in parts)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.floats(0.01, 1000.0))
def test_money_in_another_currency_scales_the_interval(seed: int, rate: float):
    plain = drawn(np.random.default_rng(seed), n=300)
    scaled = drawn(np.random.default_rng(seed), n=300, basket=40.0 * rate)
    first, second = (
        gap(*(per_assigned(found, place, VALUE, until_day=30) for place in (2, 0)), level=LEVEL)
        for found in (plain, scaled)
    )
    assert second.low == pytest.approx(rate * first.low, rel=1e-6, abs=1e-9)
    assert second.p == pytest.approx(first.p, rel=1e-6)


def test_between_buckets_and_between_customers_the_spread_is_one():
    found = drawn(np.random.default_rng(4), n=6000)
    exact = per_assigned(found, 1, VALUE, until_day=30)
    # 64 buckets know a variance to about 18%
    assert float(exact.parts @ exact.parts) == pytest.approx(exact.variance, rel=0.5)


def test_newcombes_interval_of_two_shares():
    # Newcombe (1998), table II, method 10: 56/70 − 48/80 → .0524 to .3339; 9/10 − 3/10 → .1705 to .8090
    for (first, n), (second, m), low, high in (
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
    ):
        got = share_gap(mean(first / n, n), mean(second / m, m), level=LEVEL)
        assert (got.low, got.high) == pytest.approx((low, high), abs=5e-5)


def test_wilson_where_nobody_came():
    # Wilson (1927), 0 of 20: upper end z²/(20 + z²) = .1611
    low, high = wilson(mean(0.0, 20), level=LEVEL)
    assert low == 0.0
    assert high == pytest.approx(0.1611, abs=5e-5)


def test_a_ratio_of_few_orders_is_not_told():
    found = follow_up([0] * 40 + [1] * 40, [(40, 3.0, 10.0, 1.0)], arms=("control", "a"))
    top, bottom = (
        per_assigned(found, 1, {name: 1.0}, until_day=30) for name in ("code_discount", "list_price")
    )
    got = ratio(top, bottom, customers=found.sums["list_price"][0, 1].sum(axis=1))
    assert got.why_not == "few-orders"


def test_holms_adjustment():
    # Holm (1979), by hand: .01·4, .02·3, then the running maximum: .03·2 = .06, .04 → .06
    got = adjusted_holm(np.array([0.04, 0.01, np.nan, 0.03, 0.02]))
    assert got[[1, 4, 3, 0]] == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert math.isnan(got[2])


@pytest.mark.slow
def test_intervals_cover_and_an_a_a_test_is_quiet():
    # 400 draws: a 95% interval misses 9 to 32 times (binomial, .999)
    misses = {"a": 0, "a/a": 0}
    for seed in range(400):
        found = drawn(np.random.default_rng(seed), n=600, shares=(0.2, 0.2, 0.3))
        means = [per_assigned(found, place, VALUE, until_day=30) for place in range(3)]
        same, other = (gap(means[place], means[0], level=LEVEL) for place in (1, 2))
        misses["a/a"] += same.p < 0.05
        # 36 = 40 · (1 − 10%)
        misses["a"] += not other.low <= 0.3 * 36 - 0.2 * 40 <= other.high
    low, high = binom.interval(0.999, 400, 0.05)
    for count in misses.values():
        assert low <= count <= high
