"""Lists with a stated false share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from primeta.stats.conjunction import partial_conjunction
from primeta.stats.multiplicity import (
    adjusted_bh,
    bh,
    e_bh,
    e_by_intervals,
    focused_e_bh,
)

P = np.array([0.118, 0.0211, 0.0213, 0.00218])
p_values = st.lists(st.floats(1e-6, 1), min_size=1, max_size=40).map(np.array)


def test_bh_matches_the_tea_tasting_guide():
    assert adjusted_bh(P) == pytest.approx([0.118, 0.0284, 0.0284, 0.00872], rel=2e-3)


@given(p_values)
def test_passing_is_the_adjusted_value_below_the_share(p):
    adjusted = adjusted_bh(p)
    assert np.array_equal(bh(p, share=0.1)[adjusted < 0.0999], np.ones(np.sum(adjusted < 0.0999), bool))
    assert not bh(p, share=0.1)[adjusted > 0.1001].any()


@given(p_values)
def test_e_bh_on_inverted_p_values_is_bh(p):
    assert np.array_equal(e_bh(1 / p, share=0.2), bh(p, share=0.2))


@given(p_values)
def test_a_larger_e_value_never_shortens_the_list(p):
    e = 1 / p
    more = e.copy()
    more[0] *= 10
    assert e_bh(more, share=0.1).sum() >= e_bh(e, share=0.1).sum()


def test_e_bh_by_hand():
    # n = 4, share .5: 8/k is 8, 4, 2.67, 2; the third largest, 3, reaches 2.67, the fourth, 1, not 2
    assert e_bh(np.array([3.0, 9.0, 1.0, 5.0]), share=0.5).tolist() == [True, True, False, True]


def test_false_share_on_dependent_compound_e_values_is_held():
    # 90 null e-values that are all the same likelihood ratio: the worst dependence there is
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(2000):
        null = np.full(90, np.exp(2 * rng.standard_normal() - 2))
        true = np.exp(4 * (4 + rng.standard_normal(10)) - 8)
        passed = e_bh(np.concatenate([null, true]), share=0.2)
        shares.append(passed[:90].sum() / max(1, passed.sum()))
    assert np.mean(shares) <= 0.2


def test_focusing_keeps_the_share_of_the_shown_list():
    # a chain of three nodes tells one story: flat e-BH counts three, and so lets 27 in at n = 8
    e = np.array([27.0, 27.0, 27.0, 1, 1, 1, 1, 1])
    parent = [-1, 0, 1, -1, -1, -1, -1, -1]
    assert e_bh(e, share=0.1).tolist() == [True] * 3 + [False] * 5

    def keep(chosen):
        """Those with no chosen descendant."""
        covered = np.zeros(chosen.shape, bool)
        for node in np.flatnonzero(chosen):
            above = parent[node]
            while above >= 0:
                covered[above] = True
                above = parent[above]
        return chosen & ~covered

    assert not focused_e_bh(e, share=0.1, keep=keep).any()
    # one node alone needs 8 / .1 = 80
    assert focused_e_bh(e * 3, share=0.1, keep=keep).tolist() == [False, False, True] + [False] * 5


@given(p_values)
def test_focusing_on_everything_is_e_bh(p):
    assert np.array_equal(focused_e_bh(1 / p, share=0.1, keep=lambda chosen: chosen), e_bh(1 / p, share=0.1))


def test_e_by_intervals_miss_no_more_than_stated_among_the_selected():
    rng = np.random.default_rng(7)
    misses, chosen_ever = 0.0, 0
    for _ in range(300):
        truth = np.where(rng.random(200) < 0.1, 3.0, 0.0)
        seen = truth + rng.standard_normal(200)
        chosen = bh(2 * norm.sf(np.abs(seen)), share=0.1)
        if chosen.any():
            low, high = e_by_intervals(
                seen[chosen], np.ones(chosen.sum()), selected=int(chosen.sum()), tests=200, share=0.1
            )
            misses += np.mean((truth[chosen] < low) | (truth[chosen] > high))
        chosen_ever += 1
    assert misses / chosen_ever <= 0.1


@pytest.mark.parametrize(
    ("values", "of", "at_least", "expected"),
    [
        # mean of the n − u + 1 smallest, by hand
        ([1.0, 20.0, 12.0, 16.0], 4, 3, 6.5),
        ([1.0, 20.0, 12.0], 3, 2, 6.5),
        ([7.0, 3.0], 2, 2, 3.0),
        # blocks are missing: nothing is said
        ([100.0], 2, 2, 1.0),
        # only the last n count
        ([0.0, 50.0, 30.0, 40.0], 3, 2, 35.0),
    ],
)
def test_partial_conjunction_by_hand(values, of, at_least, expected):
    assert partial_conjunction(values, of=of, at_least=at_least) == pytest.approx(expected)


def test_partial_conjunction_is_an_e_value_when_one_block_too_few_is_true():
    # two of four weeks truly far beyond, the other two null and even equal: 3 of 4 must not be claimed
    rng = np.random.default_rng(11)
    said = []
    for _ in range(20_000):
        null = np.exp(rng.standard_normal() - 0.5)
        said.append(partial_conjunction([1e6, null, 1e6, null], of=4, at_least=3))
    assert np.mean(said) == pytest.approx(1, abs=0.05)
    with pytest.raises(ValueError, match="within 1"):
        partial_conjunction([1.0], of=3, at_least=4)
