"""Differences within strata, customers as clusters: against least squares, and its coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.stats.stratified_difference import stratified_difference


def test_it_is_the_coefficient_of_a_regression_on_the_strata():
    rng = np.random.default_rng(1)
    stratum = rng.integers(0, 7, 300)
    exposed = rng.random(300) < 0.1 + 0.08 * stratum
    outcome = rng.normal(size=300) + stratum + 0.5 * exposed
    design = np.column_stack([exposed, *(stratum == each for each in range(7))]).astype(float)
    coefficients, *_ = np.linalg.lstsq(design, outcome, rcond=None)
    got = stratified_difference(outcome, exposed, stratum, np.arange(300), level=0.95)
    assert got.difference == pytest.approx(coefficients[0], abs=1e-10)
    assert got.exposed - got.others == pytest.approx(got.difference, abs=1e-12)


def test_what_is_held_equal_is_as_in_a_regression_on_it_too():
    rng = np.random.default_rng(4)
    stratum, beside = rng.integers(0, 5, 400), rng.random((400, 3)) < 0.3
    exposed = rng.random(400) < 0.1 + 0.3 * beside[:, 0]
    outcome = rng.normal(size=400) + stratum - 2.0 * beside[:, 0]
    design = np.column_stack([exposed, beside, *(stratum == each for each in range(5))]).astype(float)
    coefficients, *_ = np.linalg.lstsq(design, outcome, rcond=None)
    got = stratified_difference(outcome, exposed, stratum, np.arange(400), level=0.95, beside=beside)
    assert got.difference == pytest.approx(coefficients[0], abs=1e-9)


def test_what_is_the_same_thing_under_two_names_cannot_be_told_apart():
    exposed = np.arange(20) < 8
    got = stratified_difference(
        np.ones(20), exposed, np.zeros(20, dtype=int), np.arange(20), level=0.95, beside=exposed[:, None]
    )
    assert math.isnan(got.difference)


def test_by_hand():
    # Stratum 0: 1 of 1 against 0 and 1 (difference .5, weight 1·2/3); stratum 1: 0 of 2 against 1 (−1, weight 2·1/3).
    got = stratified_difference(
        [1, 0, 1, 0, 0, 1],
        [True, False, False, True, True, False],
        np.array([0, 0, 0, 1, 1, 1]),
        np.arange(6),
        level=0.95,
    )
    assert got.difference == pytest.approx((0.5 * 2 / 3 - 1 * 2 / 3) / (4 / 3))
    assert (got.n, got.n_others) == (3, 3)


def test_a_stratum_without_both_counts_for_nothing():
    with_it = stratified_difference(
        [1, 0, 9], [True, False, True], np.array([0, 0, 1]), np.arange(3), level=0.9
    )
    without = stratified_difference([1, 0], [True, False], np.array([0, 0]), np.arange(2), level=0.9)
    assert (with_it.difference, with_it.n) == (without.difference, 1)


def test_nothing_to_compare_is_unknown_not_zero():
    got = stratified_difference([1, 0], [True, False], np.array([0, 1]), np.arange(2), level=0.95)
    assert math.isnan(got.difference)
    assert math.isnan(got.low)


def test_the_same_customers_ten_times_tell_no_more():
    rng = np.random.default_rng(2)
    exposed = rng.random(100) < 0.5
    outcome = rng.normal(size=100)
    once = stratified_difference(outcome, exposed, np.zeros(100, dtype=int), np.arange(100), level=0.95)
    ten = stratified_difference(
        np.tile(outcome, 10),
        np.tile(exposed, 10),
        np.zeros(1000, dtype=int),
        np.tile(np.arange(100), 10),
        level=0.95,
    )
    assert ten.se == pytest.approx(once.se, rel=0.02)


def test_none_of_forty_is_not_certainty():
    outcome = np.concatenate([np.zeros(40), np.repeat([0.0, 1.0], [360, 40])])
    got = stratified_difference(
        outcome, np.arange(440) < 40, np.zeros(440, dtype=int), np.arange(440), level=0.95
    )
    # Common share 40/440: √(.0909 · .9091 · (1/40 + 1/400)) = .0477.
    assert got.se == pytest.approx(0.0477, abs=5e-4)


def test_it_holds_the_truth_as_often_as_it_says_where_customers_rows_hang_together():
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        customer = np.repeat(np.arange(120), 3)
        exposed = rng.random(360) < 0.2 + 0.4 * (customer % 2)
        outcome = rng.normal(size=120)[customer] + 0.5 * rng.normal(size=360)
        got = stratified_difference(outcome, exposed, customer // 30, customer, level=0.9)
        held += got.low <= 0 <= got.high
    # Binomial band for 400 draws at .9: 2.6 standard deviations of .015.
    assert 0.86 <= held / 400 <= 0.955


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60))
def test_shifting_the_outcome_of_a_stratum_changes_nothing(seed, n):
    rng = np.random.default_rng(seed)
    stratum, exposed = rng.integers(0, 4, n), rng.random(n) < 0.4
    outcome, customer = rng.normal(size=n), rng.integers(0, n, n)
    plain = stratified_difference(outcome, exposed, stratum, customer, level=0.95)
    shifted = stratified_difference(outcome + 7.0 * stratum, exposed, stratum, customer, level=0.95)
    assert shifted.difference == pytest.approx(plain.difference, abs=1e-9, nan_ok=True)
    assert shifted.se == pytest.approx(plain.se, abs=1e-7, nan_ok=True)
