"""Counts that fade, the fading Beta-Binomial, logistic regression and scores of probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from primeta.stats.decayed import MEMORIES, decayed_counts, run_lengths
from primeta.stats.discounted_beta import beta_mean, discounted_counts
from primeta.stats.penalised_logit import fit_logit
from primeta.stats.probability_scores import (
    area_under_curve,
    brier_scores,
    calibration_line,
    clustered_difference,
    log_scores,
)


def test_fading_counts_are_sums_over_earlier_events():
    rng = np.random.default_rng(1)
    group = np.sort(rng.integers(0, 6, 60))
    at = rng.uniform(0, 90, 60)
    at = at[np.lexsort((at, group))]
    marks = rng.integers(0, 2, (60, 2)).astype(float)
    found = decayed_counts(group, at, marks)
    for row in range(60):
        earlier = np.flatnonzero(group[:row] == group[row])
        expected = sum(
            (marks[e][:, None] * np.exp(-(at[row] - at[e]) / MEMORIES) for e in earlier), np.zeros((2, 4))
        )
        np.testing.assert_allclose(found[row], expected, atol=1e-12)


def test_runs_begin_anew_after_a_reset_and_in_each_group():
    group = np.array([0, 0, 0, 0, 0, 1, 1])
    adds = np.array([1, 1, 0, 1, 1, 1, 1])
    resets = np.array([0, 0, 1, 0, 0, 0, 0])
    assert run_lengths(group, adds, resets).tolist() == [0, 1, 2, 0, 1, 0, 1]


def test_the_fading_beta_counts_only_what_was_known_before_each_touch():
    sequence = np.zeros(3, dtype=np.int64)
    sent, welcomed = np.array([0.0, 2.0, 10.0]), np.array([np.nan, 0.5, np.nan])
    welcomes, silences = discounted_counts(sequence, sent, welcomed, memory=5.0, until=100.0)
    # the first is known to be silent at day 3 only, the second welcomed at day 2.5
    assert welcomes.tolist() == pytest.approx([0, 0, np.exp(-7.5 / 5)])
    assert silences.tolist() == pytest.approx([0, 0, np.exp(-7 / 5)])
    assert beta_mean(np.array([1.0]), np.array([2.0]), share=0.1, strength=10).tolist() == pytest.approx(
        [2 / 13]
    )


def test_penalised_logistic_regression_is_where_the_posterior_is_flat():
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(400, 3))
    outcome = (rng.random(400) < 1 / (1 + np.exp(-columns @ np.array([1.0, -0.5, 0.0])))).astype(float)
    found, covariance = fit_logit(columns, outcome, prior_mean=np.zeros(3), prior_sd=np.full(3, 0.8))
    chance = 1 / (1 + np.exp(-columns @ found))
    np.testing.assert_allclose(columns.T @ (outcome - chance) - found / 0.8**2, 0, atol=1e-4)
    information = (columns * (chance * (1 - chance))[:, None]).T @ columns + np.eye(3) / 0.8**2
    np.testing.assert_allclose(covariance, np.linalg.inv(information), rtol=1e-3)


def test_scores_by_hand():
    chance, outcome = np.array([0.8, 0.1]), np.array([1.0, 1.0])
    np.testing.assert_allclose(log_scores(chance, outcome), np.log([0.8, 0.1]))
    np.testing.assert_allclose(brier_scores(chance, outcome), [0.04, 0.81])
    # pairs (happened, not): .9>.5 right, .2<.5 wrong, ties half
    assert area_under_curve(np.array([0.9, 0.2, 0.5, 0.2]), np.array([1, 1, 0, 0])) == pytest.approx(2.5 / 4)
    assert np.isnan(area_under_curve(np.array([0.9]), np.array([1])))
    assert all(np.isnan(calibration_line(np.array([0.9, 0.8]), np.array([1, 1]))))


def test_probabilities_twice_too_bold_have_slope_one_half():
    rng = np.random.default_rng(3)
    eta = rng.normal(size=40_000)
    outcome = (rng.random(40_000) < 1 / (1 + np.exp(-eta))).astype(float)
    intercept, slope = calibration_line(1 / (1 + np.exp(-2 * eta)), outcome)
    # its standard error is .007
    assert slope == pytest.approx(0.5, abs=0.03)
    assert intercept == pytest.approx(0.0, abs=0.04)


def test_the_error_of_a_difference_counts_customers_and_not_rows():
    difference = np.repeat(np.random.default_rng(4).normal(size=50), 20)
    together = clustered_difference(difference, np.repeat(np.arange(50), 20))
    alone = clustered_difference(difference[::20], np.arange(50))
    assert together.mean == pytest.approx(alone.mean)
    assert together.error == pytest.approx(alone.error)
    assert np.isnan(clustered_difference(np.array([]), np.array([], dtype=int)).mean)
