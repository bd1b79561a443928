"""Evidence for a shift at an unknown week, and the baseline it is measured from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.stats.baseline import (
    NOISES,
    Noise,
    clipped_scale,
    drift,
    fit_baselines,
    forecast,
    harmonics_for,
    learn_priors,
    prediction_errors,
    take_out,
    whitener,
)
from primeta.stats.eprocess import CLIP, EFFECTS, ScoreLaw, mixture_log_evidence, probable_start

ONES = np.ones((52, 52))


def law_of(rng):
    return ScoreLaw(np.clip(rng.standard_normal(200_000), -CLIP, CLIP))


def test_evidence_of_one_week_by_hand():
    law = law_of(np.random.default_rng(0))
    up, down = mixture_log_evidence(np.array([[2.0]]), ONES, law=law)
    # start weights 1/52: the first start bets on both effects, 51 starts wait and are worth 1 each
    bets = [np.exp(effect * 2 - law.log_mgf(np.array(effect))) for effect in EFFECTS]
    assert up[0, 0] == pytest.approx(np.log((np.mean(bets) + 51) / 52), abs=1e-5)
    assert down[0, 0] < up[0, 0]


@pytest.mark.parametrize("limit", [5, 20])
def test_ville_no_more_than_one_in_alpha_of_quiet_series_ever_exceed_alpha(limit):
    rng = np.random.default_rng(1)
    scores = np.clip(rng.standard_normal((20_000, 52)), -CLIP, CLIP)
    up, _ = mixture_log_evidence(scores, ONES, law=law_of(rng))
    ever = np.mean(up.max(axis=1) >= np.log(limit))
    assert ever <= 1 / limit + 3 * np.sqrt(1 / limit / 20_000)


def test_the_mean_of_the_evidence_is_one_when_nothing_happens():
    rng = np.random.default_rng(2)
    scores = np.clip(rng.standard_normal((40_000, 6)), -CLIP, CLIP)
    up, down = mixture_log_evidence(scores, ONES, law=law_of(rng))
    assert np.exp(up[:, -1]).mean() == pytest.approx(1, abs=0.05)
    assert np.exp(down[:, -1]).mean() == pytest.approx(1, abs=0.05)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=2, max_size=30))
def test_up_and_down_are_mirror_images(values):
    law = law_of(np.random.default_rng(0))
    scores = np.clip(np.array([values]), -CLIP, CLIP)
    up, down = mixture_log_evidence(scores, ONES, law=law)
    mirrored, _ = mixture_log_evidence(-scores, ONES, law=law)
    assert down == pytest.approx(mirrored, abs=1e-4)
    # what is known so far does not change with the weeks to come
    early, _ = mixture_log_evidence(scores[:, :-1], ONES, law=law)
    assert up[:, :-1] == pytest.approx(early, abs=1e-4)


def test_three_weeks_of_anything_are_not_enough_for_a_panel_of_thousand():
    law = law_of(np.random.default_rng(0))
    up, _ = mixture_log_evidence(np.full((1, 3), CLIP), np.full((52, 52), 10.0), law=law)
    assert up[0, -1] < np.log(1000 / 0.10 / 10)


def test_the_probable_start_is_where_the_scores_begin():
    scores = np.concatenate([np.full(7, -0.2), np.full(9, 1.5)])
    assert probable_start(scores, ONES) == 7


def test_the_start_is_mostly_within_a_week_of_the_truth():
    rng = np.random.default_rng(12)
    found = []
    for _ in range(300):
        scores = rng.standard_normal(20)
        scores[8:] += 2
        found.append(probable_start(np.clip(scores, -CLIP, CLIP), ONES))
    assert np.mean(np.abs(np.array(found) - 8) <= 1) > 0.6
    assert abs(np.median(found) - 8) <= 1


@pytest.mark.parametrize("noise", [NOISES[0], NOISES[5], Noise(0.7, white=1.0), Noise(0.3, walk=0.05)])
def test_prediction_errors_are_white_with_unit_variance(noise):
    rng = np.random.default_rng(4)
    weeks, n = 80, 4000
    covariance = noise.covariance(weeks) + noise.level(weeks) - noise.level(weeks)[0, 0]
    z = rng.standard_normal((n, weeks)) @ np.linalg.cholesky(covariance).T + rng.normal(0, 5, (n, 1))
    errors = (z @ whitener(noise, (), weeks).T)[:, 10:]
    # the level is spread over ±5 only, so the flat prior costs next to nothing after ten weeks
    assert np.cov(errors.T) == pytest.approx(np.eye(70), abs=0.1)


def test_long_run_sd_of_ar1_is_innovation_over_one_minus_phi():
    assert Noise(0.6).long_run == pytest.approx(1 / 0.4)
    assert Noise(0.0, white=3.0).long_run == pytest.approx(1)


def test_recursive_residuals_of_an_unknown_level_by_hand():
    # Brown, Durbin & Evans (1975): w_t = (z_t − mean before) / √(1 + 1/(t − 1)) for a constant
    z = np.array([[1.0, 3.0, 2.0]])
    errors = prediction_errors(z, noise=Noise(0.0), season=())
    assert errors[0, 1:] == pytest.approx([2 / np.sqrt(2), 0 / np.sqrt(1.5)], abs=5e-3)


def test_an_outlier_counts_in_its_own_week_only():
    rng = np.random.default_rng(5)
    z = rng.standard_normal((1, 60))
    wild = z.copy()
    wild[0, 30] += 50
    calm, seen = (prediction_errors(one, noise=Noise(0.0), season=()) for one in (z, wild))
    assert seen[0, 30] > 40
    assert np.abs(seen - calm)[0, 31:].max() < 0.2


def test_a_shared_jump_is_doubted_until_the_loading_is_known():
    factor = np.zeros((1, 40))
    factor[0, 20:] = 5
    series = 1.5 * factor
    errors = take_out(series - factor, factor, loading_sd=0.3)
    # 2.5 beyond what was expected counts 2.5/√(1 + 25·.09) in the first week and less and less after
    assert errors[0, 20] == pytest.approx(2.5 / np.sqrt(1 + 25 * 0.09))
    assert errors[0, 30] < 0.15


def test_a_step_is_worth_less_as_the_level_learns_it():
    weights = drift(Noise(0.0), (), baseline=104, weeks=156)
    # after m weeks a level known from 104 + onset weeks has moved: 1 − m/(104 + m) of the step is left, over √
    assert weights[0, 26] == pytest.approx((1 - 26 / 130) / np.sqrt(1 + 1 / 130), abs=2e-3)
    assert weights[5, :5] == pytest.approx(0, abs=1e-9)
    assert weights[5, 5] > 0.98


def test_forecast_of_a_constant_is_its_mean_with_its_uncertainty():
    law = forecast(Noise(0.0), (), baseline=50, weeks=52)
    assert law.gain[51] == pytest.approx(np.full(50, 1 / 50), abs=1e-5)
    assert law.covariance == pytest.approx(np.array([[1.02, 0.02], [0.02, 1.02]]), abs=1e-4)


def test_scale_ignores_a_tenth_of_outliers():
    rng = np.random.default_rng(6)
    errors = rng.standard_normal((200, 400)) * 3
    assert clipped_scale(errors).mean() == pytest.approx(3, abs=0.03)
    errors[:, ::20] = 1000
    assert clipped_scale(errors).mean() < 3.6


def test_the_panel_learns_its_own_autocorrelation_and_season():
    rng = np.random.default_rng(8)
    n, weeks = 600, 104
    noise = rng.standard_normal((n, weeks + 40))
    for week in range(1, weeks + 40):
        noise[:, week] += 0.4 * noise[:, week - 1]
    z = noise[:, 40:]
    quiet, fit = fit_baselines(z, np.zeros_like(z), priors=learn_priors(z, np.zeros_like(z)))
    at = [NOISES[i].phi for i in fit.design[:, 0]]
    assert np.mean(at) == pytest.approx(0.4, abs=0.05)
    # nothing walks here and no white noise is needed
    assert sum(p for p, noise in zip(quiet.noise, NOISES) if noise.walk or noise.white) == 0
    wave = np.cos(2 * np.pi * np.arange(weeks) * 7 / 365.2425)
    seasonal = z + rng.normal(0, 2, (n, 1)) * wave
    # a cosine with coefficients of variance 4 on one of two waves: 2 a wave
    assert learn_priors(seasonal, np.zeros_like(z)).season[0] == pytest.approx(2, rel=0.25)
    assert quiet.season[0] < 0.1


def test_a_panel_of_walking_levels_is_recognised():
    rng = np.random.default_rng(9)
    z = rng.standard_normal((300, 104)) + 0.15 * np.cumsum(rng.standard_normal((300, 104)), axis=1)
    priors, _ = fit_baselines(z, np.zeros_like(z), priors=learn_priors(z, np.zeros_like(z)))
    assert sum(p for p, noise in zip(priors.noise, NOISES) if noise.walk) > 0.5


def test_seasons_need_more_than_a_year():
    assert [harmonics_for(weeks) for weeks in (52, 60, 78, 104)] == [0, 1, 2, 3]
