"""Who came back by himself, who because of us, and what the needless discounts cost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from small_follow_up import drawn, follow_up

from primeta.reactivation.returners import _Bound, _imbens_manski, returners, trimming_bounds


def test_needless_discount_is_depth_times_the_controls_basket():
    # DESIGN §5: arm's depth 10/100, control's list price per assigned 200·4/40 = 20, 40 assigned: .1 · 20 · 40 = 80
    arm = [0] * 40 + [1] * 40
    orders = [(who, 3.0, 100.0, 0.0) for who in range(8)]
    orders += [(40 + who, 3.0, 100.0, 10.0) for who in range(20)]
    got = returners(follow_up(arm, orders, arms=("control", "a")), 1)
    assert got.needless_discount == pytest.approx(80.0)
    assert got.needless_per_assigned == pytest.approx(2.0)
    assert got.discount == pytest.approx(200.0)
    assert got.self_share == pytest.approx(0.2)
    assert got.induced_share == pytest.approx(0.3)
    assert got.needless_low < 80.0 < got.needless_high
    assert got.induced_low < 0.3 < got.induced_high


def test_an_arm_without_discounts_wasted_none():
    arm = [0] * 60 + [1] * 60
    orders = [(who, 3.0, 50.0, 0.0) for who in (*range(20), *range(60, 90))]
    got = returners(follow_up(arm, orders, arms=("control", "a")), 1)
    assert (got.needless_discount, got.needless_low, got.needless_high) == (0.0, 0.0, 0.0)
    assert got.needless_bounds == (0.0, 0.0)
    assert got.why_not == ""


def test_with_few_returners_the_interval_is_not_told():
    arm = [0] * 60 + [1] * 60
    orders = [(who, 3.0, 50.0, 5.0 * (who >= 60)) for who in (0, 1, *range(60, 90))]
    got = returners(follow_up(arm, orders, arms=("control", "a")), 1)
    assert got.why_not == "few-returners"
    assert got.needless_discount == pytest.approx(0.1 * 100 / 60 * 60)
    assert math.isnan(got.needless_low)
    assert got.needless_bounds[1] > 0


def test_without_a_control_only_the_discounts_given_are_known():
    found = follow_up(
        [0] * 50, [(who, 2.0, 20.0, 2.0) for who in range(10)], arms=("a",), control="", traits=("returned",)
    )
    got = returners(found, 0)
    assert got.why_not == "no-control"
    assert got.discount == pytest.approx(20.0)
    assert math.isnan(got.self_share)
    assert math.isnan(got.needless_discount)


def test_bounds_hold_the_smallest_and_the_largest_discounts_of_the_self_returners_share():
    # Lee (2009) by hand: control 100 of 1,000 return, arm 400 with discounts 1 … 400: the smallest 100 sum to 5,050,
    # the largest to 35,050. With many customers the sampling error is what is left beyond.
    n = 1000
    arm = [0] * n + [1] * n
    orders = [(who, 3.0, 500.0, 0.0) for who in range(100)]
    orders += [(n + who, 3.0, 500.0, float(who + 1)) for who in range(400)]
    low, high = trimming_bounds(follow_up(arm, orders, arms=("control", "a")), 1)
    assert low * n < 5_050 < 35_050 < high * n
    assert low * n > 2_500
    assert high * n < 45_000


def test_imbens_and_manski_at_both_ends():
    # Imbens & Manski (2004): with Δ = 0 the two-sided 1.960, with Δ large the one-sided 1.645
    low, high = _imbens_manski(_Bound(0.0, 1.0), _Bound(0.0, 1.0), level=0.95)
    assert (low, high) == pytest.approx((-1.960, 1.960), abs=1e-3)
    low, high = _imbens_manski(_Bound(0.0, 1.0), _Bound(100.0, 2.0), level=0.95)
    assert (low, high) == pytest.approx((-1.645, 103.290), abs=1e-3)


def test_where_the_control_returned_more_often_the_bounds_are_nothing_and_everything():
    arm = [0] * 400 + [1] * 400
    orders = [(who, 3.0, 50.0, 0.0) for who in range(200)]
    orders += [(400 + who, 3.0, 50.0, 5.0) for who in range(60)]
    low, high = trimming_bounds(follow_up(arm, orders, arms=("control", "a")), 1)
    assert low <= 0
    assert high * 400 >= 300.0


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_bounds_lie_around_what_the_same_basket_gives(seed: int):
    found = drawn(np.random.default_rng(seed), n=1500)
    got = returners(found, 2)
    low, high = got.needless_bounds
    assert low <= got.needless_discount <= high
    assert got.needless_low <= got.needless_discount <= got.needless_high
    assert high <= got.discount * 1.6


@pytest.mark.slow
def test_needless_discounts_and_shares_cover_the_truth():
    # truth per assigned: 15% come anyway, list 40, depth 10%: .6; net share 10 points; 400 draws, binomial .999
    misses = {"needless": 0, "induced": 0, "bounds": 0}
    for seed in range(400):
        got = returners(drawn(np.random.default_rng(seed), n=1500), 2)
        misses["needless"] += not got.needless_low / got.n <= 0.6 <= got.needless_high / got.n
        misses["induced"] += not got.induced_low <= 0.1 <= got.induced_high
        misses["bounds"] += not got.needless_bounds[0] / got.n <= 0.6 <= got.needless_bounds[1] / got.n
    low, high = binom.interval(0.999, 400, 0.05)
    assert low <= misses["needless"] <= high
    assert low <= misses["induced"] <= high
    assert misses["bounds"] <= high


@pytest.mark.slow
def test_bounds_cover_where_self_returners_are_of_another_kind():
    # self-returners buy for 80 and redeem 4% on average, those won back buy for 30 and redeem 10%
    misses = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        n = 1200
        arm = np.arange(n) % 2
        alone = rng.random(n) < 0.15
        won = ~alone & (rng.random(n) < 0.12) & (arm == 1)
        orders = []
        for who in np.flatnonzero(alone | won):
            listed = rng.gamma(4.0, (80 if alone[who] else 30) / 4)
            rate = 0.1 * (rng.random() < (0.4 if alone[who] else 1.0)) * (arm[who] == 1)
            orders.append((int(who), float(rng.integers(0, 30)), listed, listed * rate))
        low, high = trimming_bounds(follow_up(arm, orders, arms=("control", "a")), 1)
        misses += not low <= 0.15 * 80 * 0.04 <= high
    assert misses <= binom.ppf(0.999, 300, 0.05)
