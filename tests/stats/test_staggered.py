"""Totals over a window that has not passed for everybody: by hand, without waiting, and with it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from benchmarks.experiment_worlds import at_place, retention, revenue_in_window
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from primeta.stats.effects import adjusted, difference, influence
from primeta.stats.moments import Moments, stacked
from primeta.stats.staggered import block_edges, blocks_seen, staggered

SEEDS = st.integers(0, 2**32 - 1)


def cohorts_of(rows: list[list[np.ndarray]]) -> Moments:
    """(G, C) from the customers of each arm and cohort."""
    return stacked([stacked([Moments.of_rows(part) for part in arm]) for arm in rows])


def test_blocks_are_fine_at_first_and_end_with_the_window():
    assert block_edges(1) == (0, 1)
    assert block_edges(7) == (0, 1, 3, 7)
    assert block_edges(30) == (0, 1, 3, 7, 14, 30)
    assert block_edges(45) == (0, 1, 3, 7, 14, 30, 45)
    assert block_edges(90) == (0, 1, 3, 7, 14, 30, 60, 90)


def test_a_block_counts_once_it_has_wholly_passed():
    assert blocks_seen([0, 1, 2, 3, 6, 7, 400], 7).tolist() == [0, 1, 1, 2, 2, 3, 3]


def test_two_blocks_by_hand():
    """One arm: cohort 1 has lived through both blocks, cohort 2 through the first, cohort 3 through none.

    Block means: (1 + 3 + 5 + 7) / 4 = 4 over cohorts 1 and 2, (2 + 6) / 2 = 4 over cohort 1; together 8. A customer's
    influence is 4/4 · (x₁ − 4) + 4/2 · (x₂ − 4) as far as he has lived: −3 − 4 = −7, −1 + 4 = 3, 1, 3.
    """
    first, second = np.array([[1.0, 2.0], [3.0, 6.0]]), np.array([[5.0, 99.0], [7.0, -99.0]])
    third = np.array([[50.0, 50.0]])
    found = staggered(cohorts_of([[first, second, third]]), [2, 1, 0], blocks=2)
    assert found.influence.n.tolist() == [4]
    assert found.influence.value == pytest.approx([8.0])
    assert found.influence.variance == pytest.approx([(49 + 9 + 1 + 9) / 3])
    # two of the five have passed the whole window
    assert found.mature_share == pytest.approx(2 / 5)


@given(SEEDS, st.integers(1, 4), st.booleans(), st.integers(0, 2))
@settings(max_examples=40)
def test_when_every_window_has_passed_it_is_the_plain_analysis(seed, blocks, ratio, q):
    rng = np.random.default_rng(seed)
    sides = 2 if ratio else 1
    rows = [
        [rng.gamma(2.0, 1.0, (int(size), blocks * sides + q)) + day for day, size in enumerate(sizes)]
        for sizes in rng.integers(1, 30, (2, 5))
    ]
    found = staggered(cohorts_of(rows), [blocks] * 5, blocks=blocks, ratio=ratio, q=q)

    totals = []
    for arm in rows:
        all_rows = np.concatenate(arm)
        parts = [all_rows[:, side * blocks : (side + 1) * blocks].sum(axis=1) for side in range(sides)]
        totals.append(np.column_stack([*parts, all_rows[:, blocks * sides :]]))
    plain = influence(
        stacked([Moments.of_rows(arm) for arm in totals]),
        denominator=1 if ratio else None,
        covariates=range(sides, sides + q),
    )
    for name in ("n", "value", "variance", "with_covariates", "covariates", "covariate_mean"):
        np.testing.assert_allclose(
            getattr(found.influence, name), getattr(plain, name), rtol=1e-9, atol=1e-9, err_msg=name
        )
    assert found.mature_share == 1
    np.testing.assert_allclose(found.n_effective, plain.n)
    one = difference(adjusted(found.influence), 1, 0)
    other = difference(adjusted(plain), 1, 0)
    assert one.difference == pytest.approx(float(other.difference), rel=1e-7, abs=1e-9)
    assert one.se == pytest.approx(float(other.se), rel=1e-9)


@given(SEEDS, st.booleans())
@settings(max_examples=30)
def test_what_lies_ahead_of_a_cohort_is_not_looked_at(seed, ratio):
    rng = np.random.default_rng(seed)
    width = 6 if ratio else 3
    rows = [[rng.gamma(2.0, 1.0, (12, width)) for _ in range(3)] for _ in range(2)]
    seen = [3, 2, 1]
    rubbish = [
        [
            np.where((np.arange(width) % 3 >= lived)[None, :], rng.normal(0, 1e6, part.shape), part)
            for part, lived in zip(arm, seen)
        ]
        for arm in rows
    ]
    one = staggered(cohorts_of(rows), seen, blocks=3, ratio=ratio)
    other = staggered(cohorts_of(rubbish), seen, blocks=3, ratio=ratio)
    np.testing.assert_allclose(other.influence.value, one.influence.value, rtol=1e-9)
    np.testing.assert_allclose(other.influence.variance, one.influence.variance, rtol=1e-6)
    np.testing.assert_allclose(other.n_effective, one.n_effective, rtol=1e-6)


@given(SEEDS)
@settings(max_examples=30)
def test_how_days_are_grouped_into_cohorts_does_not_matter(seed):
    """Two days of entry with the same blocks behind them may be kept together or apart."""
    rng = np.random.default_rng(seed)
    rows = [[rng.gamma(2.0, 1.0, (9, 3)) for _ in range(4)] for _ in range(2)]
    apart = staggered(cohorts_of(rows), [2, 2, 1, 1], blocks=2, q=1)
    joined = [[np.concatenate(arm[:2]), np.concatenate(arm[2:])] for arm in rows]
    together = staggered(cohorts_of(joined), [2, 1], blocks=2, q=1)
    for name in ("n", "value", "variance", "with_covariates", "covariates"):
        np.testing.assert_allclose(
            getattr(apart.influence, name), getattr(together.influence, name), rtol=1e-9, atol=1e-12
        )


def test_a_window_that_nobody_has_passed_cannot_be_told():
    rng = np.random.default_rng(1)
    rows = [[rng.gamma(2.0, 1.0, (20, 3)) for _ in range(2)] for _ in range(2)]
    found = staggered(cohorts_of(rows), [2, 1], blocks=3)
    assert np.isnan(found.influence.value).all()
    assert np.isnan(found.influence.variance).all()
    assert (found.n_effective == 0).all()
    assert found.mature_share == 0
    gap = difference(adjusted(found.influence), 1, 0)
    assert math.isnan(gap.difference)
    assert math.isnan(gap.se)


def test_only_the_arm_that_nobody_of_has_passed_is_unknown():
    rng = np.random.default_rng(2)
    rows = [
        [rng.gamma(2.0, 1.0, (20, 2)), rng.gamma(2.0, 1.0, (20, 2))],
        [np.zeros((0, 2)), rng.gamma(2.0, 1.0, (20, 2))],
    ]
    found = staggered(cohorts_of(rows), [2, 1], blocks=2)
    assert np.isfinite(found.influence.value[0])
    assert np.isnan(found.influence.value[1])


def test_an_empty_test_is_unknown_and_breaks_nothing():
    found = staggered(cohorts_of([[np.zeros((0, 2))], [np.zeros((0, 2))]]), [0], blocks=2)
    assert np.isnan(found.influence.value).all()
    assert found.influence.n.tolist() == [0, 0]
    assert math.isnan(found.mature_share)


def test_leading_axes_are_runs():
    rng = np.random.default_rng(3)
    runs = [[[rng.gamma(2.0, 1.0, (15, 3)) for _ in range(3)] for _ in range(2)] for _ in range(4)]
    together = staggered(stacked([cohorts_of(run) for run in runs]), [2, 1, 0], blocks=2, q=1)
    for at, run in enumerate(runs):
        alone = staggered(cohorts_of(run), [2, 1, 0], blocks=2, q=1)
        np.testing.assert_allclose(together.influence.variance[at], alone.influence.variance, rtol=1e-12)
        np.testing.assert_allclose(together.influence.value[at], alone.influence.value, rtol=1e-12)
        np.testing.assert_allclose(together.n_effective[at], alone.n_effective, rtol=1e-12)


# Against simulation, seeded

RUNS = 2_000


@pytest.mark.parametrize(
    "draw",
    [
        pytest.param(retention(n=2_000, arrive_days=60, window=7, looks=[60]), id="D7"),
        pytest.param(retention(n=2_000, arrive_days=60, window=30, looks=[60]), id="D30"),
        pytest.param(retention(n=3_000, arrive_days=120, window=90, looks=[120]), id="D90"),
        pytest.param(
            retention(n=2_000, arrive_days=60, window=30, looks=[60], drift=0.2), id="cohorts that differ"
        ),
        pytest.param(
            revenue_in_window(a_day=10, arrive_days=60, window=30, looks=[60], covariate=True),
            id="revenue with a covariate",
        ),
    ],
)
def test_the_interval_covers_and_the_error_is_the_one_that_is_seen(draw):
    runs = RUNS if "retention" in draw.__qualname__ else 600
    drawn = draw(np.random.default_rng(5), runs, True)
    gap = difference(adjusted(at_place(drawn.metrics["primary"].influence, (slice(None), 0))), 1, 0)
    low, high = gap.t_bounds(0.95)
    truth = drawn.difference[0]
    covered = int(np.sum((low <= truth) & (truth <= high)))
    assert stats.binom.ppf(0.0005, runs, 0.95) <= covered <= stats.binom.ppf(0.9995, runs, 0.95)
    # unbiased within 3.3 standard errors of the simulation
    spread = float(np.std(gap.difference))
    assert abs(float(np.mean(gap.difference)) - truth) < 3.3 * spread / math.sqrt(runs)
    # a standard deviation from so many runs is right to 1/√(2 runs)
    assert spread / float(np.mean(gap.se)) == pytest.approx(1.0, abs=3.3 / math.sqrt(2 * runs))


def test_customers_who_came_late_make_the_answer_sharper_than_waiting_for_them():
    """D30 with 60 days of entry: half of the customers have passed the window; peers use only them."""
    runs = 200
    everybody = retention(n=4_000, arrive_days=60, window=30, looks=[60])(
        np.random.default_rng(6), runs, True
    )
    mature = retention(n=4_000, arrive_days=60, window=30, looks=[60], mature_only=True)(
        np.random.default_rng(6), runs, True
    )
    errors = [
        difference(adjusted(at_place(drawn.metrics["primary"].influence, (slice(None), 0))), 1, 0).se.mean()
        for drawn in (everybody, mature)
    ]
    assert errors[0] < 0.9 * errors[1]
    worth = everybody.metrics["primary"].n_effective
    assert worth is not None
    # and it says how many customers with a whole window that would have taken: (se of mature / se)² of them
    mature_n = mature.metrics["primary"].influence.n.sum(axis=-1).mean()
    assert worth.mean() == pytest.approx(mature_n * (errors[1] / errors[0]) ** 2, rel=0.03)
