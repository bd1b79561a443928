"""The simulated panel is what its plan says."""

import numpy as np
import pytest

from primeta.worlds.panel import KINDS, PanelPlan, simulate_panel

QUIET = PanelPlan(
    series=400,
    shifted=0,
    glitches=0,
    level_glitches=0,
    uneven=0,
    own_season=0,
    shared_season=0,
    shocks=0,
    df=(np.inf, np.inf),
    phi=(0.4, 0.4),
)


def made(plan, seed=0):
    return simulate_panel(plan, rng=np.random.default_rng(seed))


def test_the_same_seed_gives_the_same_panel():
    plan = PanelPlan(series=50)
    assert np.array_equal(made(plan).value, made(plan).value)
    assert not np.array_equal(made(plan).value, made(plan, 1).value)


def test_the_counts_of_the_truth_are_the_plan():
    panel = made(PanelPlan(series=1000, shifted=0.05, glitches=0.02, level_glitches=0.01))
    assert np.bincount(panel.kind, minlength=len(KINDS)).tolist() == [920, 50, 20, 10]
    assert panel.true.sum() == 50
    assert (panel.onset[panel.true] >= 4).all()
    assert (panel.onset[panel.true] <= 26).all()


def test_autocorrelation_is_what_was_asked_for():
    value = made(QUIET).value
    rest = value - value.mean(axis=1)[:, None]
    lag = np.sum(rest[:, 1:] * rest[:, :-1], axis=1) / np.sum(rest**2, axis=1)
    # Marriott & Pope (1954): biased by −(1 + 3φ)/n = −.014
    assert lag.mean() == pytest.approx(0.4 - 0.014, abs=0.01)


def test_a_shift_is_one_and_a_half_long_run_sd():
    plan = PanelPlan(
        series=3000,
        shifted=1,
        glitches=0,
        level_glitches=0,
        shared_season=0,
        own_season=0,
        shocks=0,
        uneven=0,
    )
    panel = made(plan)
    week = np.arange(156) - 104
    after = week[None, :] >= panel.onset[:, None]
    early = panel.value[:, :104]
    moved = np.array([row[on].mean() for row, on in zip(panel.value, after)]) - early.mean(axis=1)
    # sd of a long mean is long-run sd / √weeks: 104 weeks of baseline give it
    blocks = early.reshape(3000, 8, 13).mean(axis=2)
    long_run = np.sqrt(np.mean(blocks.var(axis=1, ddof=1) * 13 / panel.size**2))
    assert np.mean(moved / panel.size) == pytest.approx(1, abs=0.02)
    # blocks of 13 weeks fall short of the long run by 2φ/(1 − φ²)/13, up to a seventh here
    assert 1.5 * long_run == pytest.approx(1, abs=0.12)


def test_halves_share_the_change_and_split_the_noise():
    panel = made(QUIET)
    assert panel.value == pytest.approx(panel.half_value.mean(axis=0))
    first, second = panel.half_value - panel.value.mean(axis=1)[None, :, None]
    apart = np.mean(first * second, axis=1) / np.mean(first * first, axis=1)
    assert apart.mean() == pytest.approx(0, abs=0.02)


def test_glitches_go_back_within_three_weeks():
    plan = PanelPlan(series=300, shifted=0, glitches=1, level_glitches=0)
    quiet = PanelPlan(series=300, shifted=0, glitches=0, level_glitches=0)
    touched = ~np.isclose(made(plan).value, made(quiet).value)
    assert touched[:, 104:].sum(axis=1).min() >= 1
    assert touched[:, 104:].sum(axis=1).max() <= 3
