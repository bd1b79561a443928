"""Group-sequential bounds: published tables, the error that is spent, crossing against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy.stats import binom, norm

from primeta.errors import BadInput
from primeta.stats.spending import bounds, crossing, spent

FIFTHS = np.arange(1, 6) / 5


def test_bounds_match_spotify_confidence():
    # information 250, 450, 630, 810 of 810, α .01 spent as αt²: nominal α, two-sided
    z = bounds(np.array([250, 450, 630, 810]) / 810, alpha=0.01, spending="power", exponent=2)
    assert 2 * norm.sf(z) == pytest.approx([0.00095, 0.00241, 0.00410, 0.00636], abs=5e-6)


@pytest.mark.parametrize(
    ("spending", "published"),
    # Reboussin, DeMets, Kim & Lan (2000), two-sided α .05, five equal looks, as in the R package ldbounds
    [
        ("obrien-fleming", [4.877, 3.357, 2.680, 2.290, 2.031]),
        ("pocock", [2.438, 2.427, 2.410, 2.397, 2.386]),
    ],
)
def test_lan_demets_bounds_match_ldbounds(spending, published):
    assert bounds(FIFTHS, alpha=0.05, spending=spending) == pytest.approx(published, abs=6e-4)


def test_one_sided_bounds_match_seqbounds():
    # the example of the Julia package SeqBounds: quarters, one-sided α .05, O'Brien–Fleming; its grid gives 4 digits
    z = bounds([0.25, 0.5, 0.75, 1.0], alpha=0.05, sides=1)
    assert z == pytest.approx([3.74955, 2.53993, 2.01604, 1.72014], abs=2e-4)


def test_one_look_is_the_ordinary_test():
    assert bounds([1.0], alpha=0.05) == pytest.approx([norm.isf(0.025)], abs=1e-12)
    assert bounds([1.0], alpha=0.05, sides=1) == pytest.approx([norm.isf(0.05)], abs=1e-12)


@pytest.mark.parametrize(
    ("looks", "wrong"),
    # Armitage, McPherson & Rowe (1969), table 2: false positives of a 5% test that is repeated
    [(2, 0.083), (5, 0.142), (10, 0.193), (20, 0.248), (50, 0.320)],
)
def test_repeating_an_ordinary_test_inflates_the_error_as_published(looks, wrong):
    fractions = np.arange(1, looks + 1) / looks
    up = crossing(np.full(looks, norm.isf(0.025)), fractions, 0.0)[-1]
    assert 2 * up == pytest.approx(wrong, abs=6e-4)


@pytest.mark.parametrize(
    ("walls", "inflation"),
    # Jennison & Turnbull (2000), tables 2.1–2.4, K = 5, α .05, power .9: Pocock 2.413 → 1.207, O'Brien–Fleming
    # 2.040 → 1.026
    [(np.full(5, 2.413), 1.207), (2.040 / np.sqrt(FIFTHS), 1.026)],
    ids=["pocock", "obrien-fleming"],
)
def test_power_and_error_match_jennison_and_turnbull(walls, inflation):
    assert 2 * crossing(walls, FIFTHS, 0.0)[-1] == pytest.approx(0.05, abs=1e-4)
    drift = optimize.brentq(lambda d: crossing(walls, FIFTHS, d)[-1] - 0.9, 2, 5)
    assert (drift / (norm.isf(0.025) + norm.isf(0.1))) ** 2 == pytest.approx(inflation, abs=1e-3)


information = st.lists(st.floats(0.02, 1), min_size=1, max_size=8, unique=True).map(
    lambda given: sorted(round(value, 4) for value in {round(g, 4) for g in given})
)


@settings(deadline=None)
@given(
    fractions=information,
    alpha=st.floats(0.001, 0.3),
    spending=st.sampled_from(["obrien-fleming", "pocock", "power"]),
    sides=st.sampled_from([1, 2]),
)
def test_exactly_so_much_is_spent_by_each_look(fractions, alpha, spending, sides):
    z = bounds(fractions, alpha=alpha, spending=spending, sides=sides)
    due = spent(np.array(fractions), alpha=alpha / sides, spending=spending)
    assert crossing(z, fractions, 0.0, sides=sides) == pytest.approx(due, abs=1e-7)


def test_crossing_agrees_with_simulated_paths():
    # 40,000 Brownian paths with drift 2.8 at ten uneven looks; binomial band of 99.9% at each
    fractions = np.array([0.05, 0.1, 0.12, 0.3, 0.31, 0.5, 0.7, 0.8, 0.95, 1.0])
    z = bounds(fractions, alpha=0.05, spending="pocock")
    rng, runs = np.random.default_rng(2), 40_000
    steps = np.diff(fractions, prepend=0)
    paths = (rng.standard_normal((runs, 10)) * np.sqrt(steps) + 2.8 * steps).cumsum(axis=1) / np.sqrt(
        fractions
    )
    ended_below = np.maximum.accumulate(paths <= -z, axis=1)
    up = np.maximum.accumulate((paths >= z) & ~ended_below, axis=1)
    for seen, expected in zip(up.sum(axis=0), crossing(z, fractions, 2.8), strict=True):
        assert binom.ppf(0.0005, runs, expected) <= seen <= binom.ppf(0.9995, runs, expected)


def test_two_hundred_looks_still_spend_exactly_alpha():
    fractions = np.arange(1, 201) / 200
    z = bounds(fractions, alpha=0.05)
    assert crossing(z, fractions, 0.0)[-1] == pytest.approx(0.025, abs=1e-9)
    assert (np.diff(z[np.isfinite(z)]) < 0).all()


def test_a_look_too_early_to_spend_anything_has_no_bound():
    early, late, end = bounds([0.0005, 0.01, 1.0], alpha=0.05)
    assert early == np.inf
    assert late > 20
    assert end == pytest.approx(norm.isf(0.025), abs=1e-9)


def test_looks_that_nearly_coincide_give_a_bound_all_the_same():
    z = bounds([0.5, 0.5001, 0.500100001, 0.8, 1.0], alpha=0.05, spending="pocock")
    assert np.isfinite(z).all()
    assert crossing(z, [0.5, 0.5001, 0.500100001, 0.8, 1.0], 0.0)[-1] == pytest.approx(0.025, abs=1e-6)


@pytest.mark.parametrize(
    "fractions",
    [[], [0.0, 1.0], [0.5, 0.5], [0.6, 0.4], [0.5, 1.1], [float("nan"), 1.0]],
)
def test_fractions_that_do_not_rise_within_one_are_refused(fractions):
    with pytest.raises(BadInput, match="rise within"):
        bounds(fractions, alpha=0.05)


def test_other_bad_input_is_refused():
    with pytest.raises(BadInput, match="obrien-fleming, pocock, power"):
        bounds([1.0], alpha=0.05, spending="haybittle")  # pyright: ignore[reportArgumentType]
    with pytest.raises(BadInput, match="alpha"):
        bounds([1.0], alpha=0.0)
    with pytest.raises(BadInput, match="exponent"):
        bounds([1.0], alpha=0.05, spending="power", exponent=0.0)
