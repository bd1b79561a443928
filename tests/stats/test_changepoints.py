"""Change points: the test, the cuts, the scores against people, and the promises that they make."""

from __future__ import annotations

import csv
import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.signal import lfilter

from primeta.errors import BadInput
from primeta.stats.changepoint_hinges import broken_line, broken_lines
from primeta.stats.changepoint_partition import partitions, pieces_of
from primeta.stats.changepoint_scan import MOST_AUTOCORRELATION, blocks, clip_outliers, running_median, scan
from primeta.stats.changepoint_scores import cover, f1
from primeta.stats.changepoint_season import without_season
from primeta.stats.changepoint_segment import MEMORY, unexplained
from primeta.stats.changepoints import change_points, stable_p
from primeta.stats.longrun import lag_one, long_run_variance
from primeta.stats.multiplicity import calibrated, e_bh


def ar(rng, m, n, rho, tails=None):
    shocks = rng.standard_normal((m, n + 60)) if tails is None else rng.standard_t(tails, (m, n + 60))
    return lfilter([1], [1, -rho], shocks, axis=1)[:, 60:]


def found(values, **options):
    return [change.index for change in change_points(np.asarray(values, dtype=float), **options).changes]


# --- Scores against people: the definitions of van den Burg & Williams (2020), section 4 ---

# Two annotators of 20 points; one marks 10, the other nothing. Worked out by hand:
# found 3: of {0, 3} only 0 is marked, precision 1/2; recalls 1/2 and 1; F1 = 2·.5·.75 / 1.25.
# cover: [0,10) best meets [3,20) with 7/20, [10,20) with 10/17; [0,20) meets [3,20) with 17/20.
MARKED = [{10}, set()]


@pytest.mark.parametrize(
    ("points", "expected"), [({3}, 0.6), ({12}, 1.0), ({15}, 1.0), ({16}, 0.6), (set(), 6 / 7)]
)
def test_f1_by_hand(points, expected):
    assert f1(MARKED, points) == pytest.approx(expected)


def test_cover_by_hand():
    assert cover(MARKED, {3}, n=20) == pytest.approx(((0.35 + 10 / 17) / 2 + 0.85) / 2)
    assert cover(MARKED, {10}, n=20) == pytest.approx((1 + 0.5) / 2)


def test_one_found_point_meets_one_mark_only():
    # {0, 10, 12} against found {0, 11}: two of three met
    assert f1([{10, 12}], {11}) == pytest.approx(2 * 1 * (2 / 3) / (1 + 2 / 3))


def test_scores_of_no_change_at_all_are_those_published(shared_data):
    people = json.loads((shared_data / "tcpd" / "annotations.json").read_text())
    with (shared_data / "tcpd" / "published_default_scores.csv").open() as file:
        published = list(csv.DictReader(file))
    for row in published:
        marked = list(people[row["series"]].values())
        assert f1(marked, []) == pytest.approx(float(row["f1_zero"]), abs=1e-5)
        assert cover(marked, [], n=int(row["n_obs"])) == pytest.approx(float(row["cover_zero"]), abs=1e-5)


# --- The scan against the same thing written slowly ---


def slow_scan(y):
    """The largest standardised difference by looking at every block in turn."""
    tame = clip_outliers(y[None, :])[0]
    n, best = len(y), (0.0, 0, 0)
    for start, stop in zip(*blocks(n), strict=True):
        inside = np.zeros(n, dtype=bool)
        inside[start:stop] = True
        level = np.where(inside, tame[inside].mean(), tame[~inside].mean())
        e = tame - level
        pairs = inside[1:] == inside[:-1]
        rho = (e[1:] * e[:-1])[pairs].sum() / (e @ e) * n / pairs.sum()
        rho = min(max((rho + 2 / n) / (1 - 4 / n), 0), MOST_AUTOCORRELATION)
        variance = e @ e / (n - 2) * (1 + rho) / (1 - rho) * (1 / inside.sum() + 1 / (~inside).sum())
        size = abs(tame[inside].mean() - tame[~inside].mean()) / math.sqrt(variance)
        best = max(best, (size, int(start), int(stop)))
    return best[0] / (1 + 1.2 * np.mean(tame != y)), best[1], best[2]


@pytest.mark.parametrize(("n", "seed"), [(8, 1), (15, 2), (40, 3), (156, 4), (700, 5)])
def test_scan_equals_the_slow_scan(n, seed):
    rng = np.random.default_rng(seed)
    y = ar(rng, 1, n, 0.4, 3)[0] + 2 * (np.arange(n) > n // 3)
    seen = scan(y[None, :])
    assert (seen.statistic[0], seen.start[0], seen.stop[0]) == pytest.approx(slow_scan(y))


def test_equal_standard_errors_change_nothing():
    y = ar(np.random.default_rng(1), 5, 60, 0.3)
    assert scan(y, np.full_like(y, 7.0)).statistic == pytest.approx(scan(y).statistic)


def test_running_median_is_the_median_of_five():
    y = np.random.default_rng(0).standard_normal((3, 30))
    windows = np.lib.stride_tricks.sliding_window_view(y, 5, axis=1)
    assert running_median(y)[:, 2:-2] == pytest.approx(np.median(windows, axis=2))


# --- Cuts against exhaustive search ---


@pytest.mark.parametrize("shape", ["level", "line"])
def test_partitions_are_the_best_of_all(shape):
    rng = np.random.default_rng(7)
    y = rng.standard_normal(16) + 3 * (np.arange(16) > 9)
    w = rng.uniform(0.5, 2, 16)
    for squares, starts in partitions(y, weights=w, shape=shape, most=3, shortest=3):
        options = [
            cuts
            for cuts in itertools.combinations(range(3, 14), len(starts))
            if all(b - a >= 3 for a, b in itertools.pairwise([0, *cuts, 16]))
        ]
        errors = [w @ (y - pieces_of(y, w, np.array(cuts, dtype=int), shape=shape)) ** 2 for cuts in options]
        assert squares == pytest.approx(min(errors))
        assert tuple(starts) == options[int(np.argmin(errors))]


def test_cuts_of_a_long_series_are_those_of_the_full_grid():
    rng = np.random.default_rng(2)
    y = rng.standard_normal(1500) + 3 * (np.arange(1500) > 407) - 4 * (np.arange(1500) > 1001)
    coarse = list(partitions(y, shape="level", most=2, shortest=5))
    exact = list(partitions(y, shape="level", most=2, shortest=5, grid=1500))
    assert [one[1].tolist() for one in coarse] == [one[1].tolist() for one in exact]


def test_pieces_are_fitted_as_by_polyfit():
    rng = np.random.default_rng(3)
    y, w = rng.standard_normal(20), rng.uniform(0.5, 2, 20)
    fit = pieces_of(y, w, np.array([8]), shape="line")
    for part in (slice(0, 8), slice(8, 20)):
        x = np.arange(20)[part]
        assert fit[part] == pytest.approx(np.polyval(np.polyfit(x, y[part], 1, w=np.sqrt(w[part])), x))


def test_first_knot_is_the_best_of_all():
    rng = np.random.default_rng(4)
    y = np.abs(np.arange(60) - 23) / 5 + 0.3 * rng.standard_normal(60)
    w = np.ones(60)
    knots = list(broken_lines(y, weights=w, most=1, shortest=5))[1]
    errors = [((y - broken_line(y, weights=w, knots=np.array([k]))) ** 2).sum() for k in range(5, 56)]
    assert knots.tolist() == [5 + int(np.argmin(errors))]


# −2 log density of a multivariate normal with the AR(1) covariance, up to n·log 2π + n
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_unexplained_is_the_exact_likelihood(rho):
    e = ar(np.random.default_rng(5), 1, 25, 0.5)[0]
    n = len(e)
    shape = rho ** np.abs(np.subtract.outer(np.arange(n), np.arange(n))) / (1 - rho**2)
    variance = e @ np.linalg.solve(shape, e) / n
    exact = -2 * stats.multivariate_normal(cov=variance * shape).logpdf(e) - n * math.log(2 * math.pi) - n
    assert unexplained(e, np.array([rho])) == pytest.approx(exact)
    assert unexplained(e, MEMORY) <= unexplained(e, np.array([rho])) + 1e-9 or rho not in MEMORY


# --- Evidence ---


@pytest.mark.parametrize("p", [1e-6, 0.001, 0.05, 0.7])
def test_calibrator_is_the_integral_of_vovk_and_wang_2021_eq_2_2(p):
    expected, _ = integrate.quad(lambda k: k * p ** (k - 1), 0, 1)
    assert float(calibrated(p)) == pytest.approx(expected, rel=1e-6)


def test_calibrated_evidence_has_mean_at_most_one():
    # ∫ of the calibrator over uniform p; the substitution p = exp(−s) tames the end at 0
    mean, _ = integrate.quad(lambda s: float(calibrated(math.exp(-s))) * math.exp(-s), 0, 600, limit=400)
    assert 0.99 < mean <= 1.0


def test_e_bh_by_hand():
    # five e-values at .2: need k·e ≥ 25; 30 (1), 14 (28), 9 (27), 3 (12), 0 → three are rejected
    assert e_bh(np.array([3.0, 30.0, 9.0, 0.0, 14.0]), share=0.2).tolist() == [
        False,
        True,
        True,
        False,
        True,
    ]
    assert not e_bh(np.array([1.0, np.nan]), share=0.1).any()


def test_long_run_variance_of_ar1():
    # AR(1) with coefficient ρ and unit shocks: 1 / (1 − ρ)²
    y = ar(np.random.default_rng(6), 1, 200_000, 0.5)[0]
    assert long_run_variance(y - y.mean()) == pytest.approx(4.0, rel=0.05)
    assert lag_one(y - y.mean()) == pytest.approx(0.5, abs=0.01)


def test_lag_one_corrects_kendalls_bias():
    # mean over many short series: uncorrected it is .5 − 2.5/30 = .42
    y = ar(np.random.default_rng(8), 3000, 30, 0.5)
    mean = np.mean([lag_one(one - one.mean()) for one in y])
    assert mean == pytest.approx(0.5, abs=0.03)


# --- Seasons ---


def test_a_season_is_taken_out_and_nothing_else():
    rng = np.random.default_rng(9)
    noise = rng.standard_normal((2, 120))
    season = np.resize(5 * np.sin(np.arange(12)), 120)
    out = without_season(np.stack([noise[0], noise[1] + season]))
    assert out[0].tolist() == noise[0].tolist()
    left = out[1] - noise[1]
    assert left.std() < 1 < season.std()


def test_a_step_under_a_strong_season_is_found():
    rng = np.random.default_rng(10)
    y = rng.standard_normal(120) + np.resize(8 * np.sin(np.arange(12)), 120) + 3 * (np.arange(120) >= 70)
    assert found(y) == [pytest.approx(70, abs=3)]


# --- The whole ---


# The Nile fell after 1898 when the first Aswan dam was begun: Cobb (1978), Biometrika 65, 243
def test_nile_changed_in_1899(shared_data):
    raw = json.loads((shared_data / "tcpd" / "datasets" / "nile.json").read_text())["series"][0]["raw"]
    (change,) = change_points(np.array(raw, dtype=float)).changes
    assert 1871 + change.index == 1899
    assert (change.before, change.after) == (pytest.approx(1097.75), pytest.approx(849.97, abs=0.01))
    assert change.low < -248 < change.high < 0


def test_a_lone_outlier_is_no_change():
    y = np.random.default_rng(0).standard_normal(80)
    assert found(y) == []
    y[40] += 25
    assert found(y) == []


def test_a_kink_is_found_where_it_is():
    y = np.maximum(np.arange(100) - 60, 0) * 0.5 + np.random.default_rng(12).standard_normal(100)
    assert found(y) == [pytest.approx(60, abs=4)]


@pytest.mark.parametrize("seed", range(5))
def test_a_steady_trend_is_no_change(seed):
    assert found(np.arange(100) * 0.2 + np.random.default_rng(seed).standard_normal(100)) == []


def test_four_levels():
    levels = np.repeat([0.0, 4.0, -1.0, 3.0], 50)
    assert found(levels + np.random.default_rng(13).standard_normal(200)) == [
        pytest.approx(place, abs=2) for place in (50, 100, 150)
    ]


def test_constant_empty_and_short_series():
    for values in (np.ones(50), np.zeros(8), np.full(30, 0.1), np.full(30, 1e9 + 0.1)):
        seen = change_points(values)
        assert seen.changes == ()
        assert (seen.p_value, seen.why_not) == (1.0, "")
    for values in (np.array([]), np.array([5.0]), np.arange(7.0), np.full(30, np.nan)):
        seen = change_points(values)
        assert seen.changes == ()
        assert seen.why_not == "too_short"
        assert math.isnan(seen.p_value)
        assert math.isnan(seen.e_value)


def test_a_step_without_noise():
    for at in (4, 19, 21, 35):
        seen = change_points(np.repeat([0.0, 1.0], [at, 40 - at]))
        (change,) = seen.changes
        assert (change.index, change.before, change.after) == (at, 0.0, 1.0)
        assert np.isfinite(seen.e_value)


def test_missing_values_keep_their_place():
    rng = np.random.default_rng(14)
    y = rng.standard_normal(100) + 4 * (np.arange(100) >= 60)
    y[[3, 20, 21, 22, 59, 80]] = np.nan
    assert found(y) == [60]


def test_infinite_values_and_wrong_standard_errors_are_named():
    y = np.arange(20.0)
    with pytest.raises(BadInput, match="index 4 is infinite"):
        change_points(np.where(np.arange(20) == 4, np.inf, y))
    with pytest.raises(BadInput, match=r"index 6 is 0\.0"):
        change_points(y, se=np.where(np.arange(20) == 6, 0.0, 1.0))
    with pytest.raises(BadInput, match="20 values and 3"):
        change_points(y, se=np.ones(3))


def test_known_standard_errors_say_what_is_noise():
    # the second half is noisy and known to be; a step that is hidden from one who does not know
    rng = np.random.default_rng(15)
    se = np.repeat([0.2, 4.0], [60, 60])
    y = rng.standard_normal(120) * se
    y[30:] += 1
    assert found(y, se=se) == [pytest.approx(30, abs=2)]
    assert found(y) != found(y, se=se)


seeds = st.integers(0, 10**6)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, n=st.integers(8, 200), scale=st.floats(1e-3, 1e3), shift=st.floats(-1e3, 1e3))
def test_shift_and_scale_carry_through(seed, n, scale, shift):
    rng = np.random.default_rng(seed)
    # the season may be read from logarithms where all values are above 0: keep to one sign of that
    y = rng.standard_normal(n) - 1e4 + 3 * (np.arange(n) >= n // 2)
    plain, moved = change_points(y), change_points((y + shift) * scale)
    assert [c.index for c in plain.changes] == [c.index for c in moved.changes]
    assert moved.p_value == pytest.approx(plain.p_value, rel=1e-5, abs=1e-12)
    for one, other in zip(plain.changes, moved.changes, strict=True):
        assert other.after - other.before == pytest.approx(scale * (one.after - one.before), rel=1e-6)
        assert (other.low, other.high) == pytest.approx((scale * one.low, scale * one.high), rel=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, n=st.integers(40, 200), share=st.floats(0.3, 0.7))
def test_backwards_a_step_is_the_same_step(seed, n, share):
    at = int(share * n)
    y = np.random.default_rng(seed).standard_normal(n) + 8 * (np.arange(n) >= at)
    forwards, backwards = found(y), found(y[::-1])
    assert any(abs(index - at) <= 1 for index in forwards)
    assert any(abs(n - index - at) <= 1 for index in backwards)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, n=st.integers(0, 120), walks=st.booleans())
def test_indices_are_in_order_and_inside(seed, n, walks):
    y = np.random.default_rng(seed).standard_normal(n)
    seen = change_points(np.cumsum(y) if walks else y, error=0.5)
    indices = [change.index for change in seen.changes]
    assert indices == sorted(set(indices))
    assert all(0 < index < n for index in indices)
    assert all(change.low <= change.after - change.before <= change.high for change in seen.changes)
    assert len(seen.fitted) == n


def test_many_at_once_equals_one_by_one():
    y = ar(np.random.default_rng(16), 40, 50, 0.3)
    y[3, 10] = np.nan
    together = stable_p(y)
    assert together == pytest.approx([stable_p(one[None, :])[0] for one in y])


# --- Promises, seeded: the count must lie in the central 99.9% of the binomial ---


def test_error_is_kept_on_series_that_never_change():
    changed = total = 0
    for rho, tails, n in ((0.0, None, 50), (0.3, None, 100), (0.5, None, 156), (0.0, 3, 50), (0.0, 5, 100)):
        y = ar(np.random.default_rng([n, 1]), 100, n, rho, tails)
        changed += sum(bool(change_points(one).changes) for one in y)
        total += len(y)
    low, high = stats.binom.ppf([0.0005, 0.9995], total, [0.03, 0.06])
    assert low <= changed <= high


@pytest.mark.slow
@pytest.mark.parametrize(("rho", "tails"), [(0.0, None), (0.3, None), (0.5, None), (0.0, 3), (0.0, 5)])
@pytest.mark.parametrize("n", [50, 156])
def test_error_is_kept_at_each_length_and_noise(rho, tails, n):
    y = ar(np.random.default_rng([n, 2]), 2000, n, rho, tails)
    p = stable_p(y)
    changed = sum(bool(change_points(y[i]).changes) for i in np.flatnonzero(p <= 0.05))
    low, high = stats.binom.ppf([0.0005, 0.9995], 2000, [0.03, 0.06])
    assert low <= changed <= high


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_interval_covers_a_clear_shift(rho):
    n, shift, covered, single = 156, 3.0, 0, 0
    for one in ar(np.random.default_rng(17), 60, n, rho) * math.sqrt(1 - rho**2):
        changes = change_points(one + shift * (np.arange(n) >= 70)).changes
        if len(changes) == 1:
            single += 1
            covered += changes[0].low <= shift <= changes[0].high
    assert single > 45
    low, high = stats.binom.ppf([0.0005, 0.9995], single, 0.95)
    assert low <= covered <= high


def test_default_beats_the_published_defaults_on_annotated_series(shared_data):
    # best published defaults on these 16 series: F1 .769 (pelt), cover .720 (binseg)
    people = json.loads((shared_data / "tcpd" / "annotations.json").read_text())
    scores = []
    for name, marks in people.items():
        raw = json.loads((shared_data / "tcpd" / "datasets" / f"{name}.json").read_text())["series"][0]["raw"]
        y = np.array([math.nan if value is None else value for value in raw])
        marked, mine = list(marks.values()), found(y)
        scores.append((f1(marked, mine), cover(marked, mine, n=len(y))))
    mean_f1, mean_cover = np.mean(scores, axis=0)
    assert mean_f1 > 0.769
    assert mean_cover > 0.720
