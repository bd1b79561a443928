"""The e-process of emergence, what threads, shocks and wandering do to counts, and the interval of a share."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from primeta.stats.emergence import (
    RISES,
    SPREAD,
    log_marginal,
    log_ratio,
    looked_often,
    raised_evidence,
    share_interval,
    turned_evidence,
)
from primeta.stats.multiplicity import calibrated
from primeta.stats.overdispersion import held_out_discount, learn_excess, thread_factor

WEEKS = 52


def judged(counts, expected, *, shape=5.0, most=1e9, first=0, new=False, cap=100.0, promise=WEEKS):
    n = counts.shape[0]
    return raised_evidence(
        counts.astype(float),
        expected,
        shape=np.full(n, shape),
        most=np.full(n, most),
        first=np.full(n, first),
        new=np.full(n, new),
        promise=promise,
        cap=cap,
    )


# negative binomial with r = a and p = b / (b + E), as in any textbook
def test_marginal_is_the_negative_binomial():
    y, e, a, b = 7.0, 2.5, 1.3, 0.8
    shared = y * np.log(e) - np.log(stats.gamma(y + 1).pdf(1) * 0 + float(np.prod(np.arange(1, 8))))
    ours = log_marginal(np.array(y), np.array(e), np.array(a), np.array(b)) + shared
    assert float(ours) == pytest.approx(stats.nbinom(a, b / (b + e)).logpmf(7), rel=1e-9)


def test_ratio_averages_the_rises_by_hand():
    y, e, a, b = 3.0, 1.0, 2.0, 2.0
    raised = np.mean([stats.nbinom(SPREAD, (k := SPREAD / rise) / (k + e)).pmf(3) for rise in RISES])
    usual = stats.nbinom(a, b / (b + e)).pmf(3)
    assert float(log_ratio(np.array(y), np.array(e), np.array(a), np.array(b))) == pytest.approx(
        np.log(raised / usual), rel=1e-9
    )


# 5,000 series from the null with its rate drawn from the law of the past, seed 1: Ville's inequality, 3 sd above
@pytest.mark.parametrize("limit", [5, 20])
def test_ville_no_more_than_one_in_alpha_ever_exceed_alpha(limit):
    rng = np.random.default_rng(1)
    n = 5_000
    expected = np.full((n, WEEKS), 0.3)
    counts = rng.poisson(expected * rng.gamma(2.0, 0.5, n)[:, None])
    ever = np.mean(judged(counts, expected, shape=2.0).log_e.max(axis=1) >= np.log(limit))
    assert ever <= 1 / limit + 3 * np.sqrt(1 / limit / n)


def test_the_mean_of_the_evidence_is_at_most_one_when_nothing_happens():
    rng = np.random.default_rng(2)
    n = 8_000
    expected = np.full((n, 12), 0.5)
    counts = rng.poisson(expected * rng.gamma(3.0, 1 / 3, n)[:, None])
    mean = np.exp(judged(counts, expected, shape=3.0, promise=12).log_e[:, -1]).mean()
    # starts that open with a silent week are given up, so it is well below 1
    assert 0.15 < mean < 1.05


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 10_000), st.integers(0, 40), st.floats(0.5, 6))
def test_one_week_adds_no_more_than_the_cap(height, week, cap):
    counts = np.zeros((1, WEEKS))
    counts[0, week] = height
    found = judged(counts, np.full((1, WEEKS), 0.01), cap=cap)
    assert found.log_e.max() <= cap + 1e-6


def test_the_onset_is_the_week_of_the_first_more():
    rng = np.random.default_rng(3)
    found = []
    for start in range(5, 40):
        expected = np.full((1, WEEKS), 0.5)
        counts = rng.poisson(expected)
        counts[0, start:] = rng.poisson(6.0, WEEKS - start)
        found.append(int(judged(counts, expected, cap=4.0).onset[0]) - start)
    assert abs(np.median(found)) <= 1
    assert np.mean(np.abs(found) <= 2) >= 0.9


def test_half_of_the_weight_of_something_new_lies_on_its_first_week():
    counts = np.zeros((1, WEEKS))
    counts[0, 11:20] = 1
    expected = np.full((1, WEEKS), 0.01)
    old, new = (judged(counts, expected, first=11, new=flag).log_e.max() for flag in (False, True))
    # (1/2 + 1/104) / (1/52) = 26.5 for a start that was right
    assert new - old == pytest.approx(np.log(26.5), abs=0.2)


# Shafer, Shen, Vereshchagin & Vovk (2011): the calibrator, here against the p-value form of Vovk & Wang (2021)
@pytest.mark.parametrize("height", [0.5, 3.0, 12.0, 200.0])
def test_looked_often_is_the_calibrator_at_one_over_the_maximum(height):
    assert looked_often(np.array([height]))[0] == pytest.approx(
        np.log(calibrated(np.exp(-height)).item()), abs=2e-3
    )


# Garwood (1936), table of exact Poisson limits: 10 events, 95%: 4.795 to 18.39
def test_interval_is_garwoods():
    low, high = share_interval(np.array([10.0]), np.array([1.0]), level=0.95)
    assert (low[0], high[0]) == (pytest.approx(4.795, abs=1e-3), pytest.approx(18.39, abs=5e-3))


def test_turned_by_hand():
    # one week, nothing said, 2 expected before and a threefold share since: exp(2·(2 − 1)) on one of 104 starts
    assert turned_evidence(np.array([0.0]), np.array([2.0]), rise=3.0) == pytest.approx(
        (np.exp(2.0) + 103) / 104
    )
    assert turned_evidence(np.zeros(0), np.zeros(0), rise=3.0) == 1.0


# 1,000 series that stay at exactly half of the rise, seed 4
def test_turned_seldom_accuses_what_stays():
    rng = np.random.default_rng(4)
    ever = [turned_evidence(rng.poisson(4.0, 40), np.full(40, 2.0), rise=3.0) >= 20 for _ in range(1000)]
    assert np.mean(ever) <= 1 / 20


# Pitman–Yor's urn with discount .5 and strength 10 (Pitman & Yor 1997), 30,000 stories, seed 5
def test_discount_is_that_of_the_urn():
    rng = np.random.default_rng(5)
    sizes: list[int] = []
    told: list[int] = []
    discount, strength = 0.5, 10.0
    for at in range(12_000):
        if rng.random() < (strength + discount * len(sizes)) / (strength + at):
            sizes.append(1)
            told.append(len(sizes) - 1)
            continue
        while True:
            # an old one in proportion to its size, less the discount, by rejection
            one = told[int(rng.integers(at))]
            if rng.random() < 1 - discount / sizes[one]:
                break
        sizes[one] += 1
        told.append(one)
    halves = [np.bincount(part, minlength=len(sizes)) for part in (told[:6000], told[6000:])]
    assert held_out_discount(*halves, volume=(6000, 6000)) == pytest.approx(0.5, abs=0.08)
    # picked for being told three times, those told once are told again; a sample of the others puts it right
    often = halves[0] + halves[1] >= 3
    some = np.flatnonzero(~often)[::3]
    assert held_out_discount(*(half[often] for half in halves), volume=(6000, 6000)) < 0
    mixed = [np.concatenate([half[often], half[some]]) for half in halves]
    weight = np.concatenate([np.ones(often.sum()), np.full(some.size, (~often).sum() / some.size)])
    assert held_out_discount(*mixed, volume=(6000, 6000), weight=weight) == pytest.approx(0.5, abs=0.1)


def test_discount_without_anything_known_is_none():
    assert held_out_discount(np.zeros(3), np.zeros(3), volume=(0, 0)) == 0.0
    assert held_out_discount(np.zeros(3), np.zeros(3), volume=(10, 10)) == 0.0


# an occasion brings 1 + Poisson(2) stories: E x(x − 1) / E x = (4 + 2·2) / 3 = 8/3, so the factor is 11/3
def test_thread_factor_is_that_of_compound_counts():
    rng = np.random.default_rng(6)
    occasions = rng.random(40_000) < 0.02
    stories = np.where(occasions, 1 + rng.poisson(2.0, 40_000), 0)
    seen = stories[stories > 0]
    found = thread_factor(seen, np.full(seen.size, 0.0), np.zeros(seen.size, dtype=int), 2)
    assert found[0] == pytest.approx(11 / 3, rel=0.08)
    assert found[1] == pytest.approx(found[0], rel=0.1)


def test_thread_factor_of_independent_mentions_is_one():
    rng = np.random.default_rng(7)
    stories = rng.poisson(3.0, 40_000)
    seen = stories[stories > 0]
    assert thread_factor(seen, np.full(seen.size, 3.0), np.zeros(seen.size, dtype=int), 1)[0] < 1.1


# gamma factors of blocks with variance .25 and Poisson counts around them, 400 candidates, seed 8
def test_wandering_is_learnt():
    rng = np.random.default_rng(8)
    factor = np.repeat(rng.gamma(4.0, 0.25, (400, 8)), 13, axis=1)
    counts = rng.poisson(2.0 * factor)
    expected = np.repeat(counts.mean(axis=1)[:, None], 104, axis=1)
    found = learn_excess(counts.astype(float), expected)
    assert np.median(found.wander) == pytest.approx(0.25, abs=0.07)
    assert found.week < 1.2


def test_shocks_are_learnt():
    rng = np.random.default_rng(9)
    counts = rng.poisson(1.0 * rng.gamma(0.5, 2.0, (400, 104))).astype(float)
    expected = np.repeat(counts.mean(axis=1)[:, None], 104, axis=1)
    found = learn_excess(counts, expected)
    # variance over mean is 1 + 1/.5 = 3; large weeks are cut
    assert 2.2 < found.week < 3.2


def test_nothing_known_is_taken_for_quiet():
    found = learn_excess(np.zeros((0, 10)), np.zeros((0, 10)))
    assert found.week == 1.0
    assert found.wander.size == 0
    assert learn_excess(np.zeros((2, 10)), np.zeros((2, 10))).week == 1.0
