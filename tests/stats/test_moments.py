"""Sufficient statistics: what merges in any order, and loses no digits."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from primeta.stats.moments import Moments, stacked

ROWS = arrays(
    np.float64,
    st.tuples(st.integers(2, 40), st.just(3)),
    elements=st.floats(-1e4, 1e4, allow_subnormal=False, width=32),
)


def same(one: Moments, two: Moments, *, rel: float = 1e-9) -> None:
    scale = max(float(np.abs(two.scatter).max(initial=0.0)), 1.0)
    np.testing.assert_array_equal(one.n, two.n)
    np.testing.assert_allclose(one.mean, two.mean, rtol=rel, atol=rel * 1e4)
    np.testing.assert_allclose(one.scatter, two.scatter, rtol=rel, atol=rel * scale)


@given(ROWS)
def test_of_rows_is_what_numpy_computes(rows):
    found = Moments.of_rows(rows)
    assert found.n == len(rows)
    assert found.columns == 3
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(
        found.scatter, np.cov(rows, rowvar=False) * (len(rows) - 1), rtol=1e-9, atol=1e-3
    )


@given(ROWS, st.lists(st.integers(0, 39), max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_groups_merge_in_any_order_and_grouping(rows, cuts, chance):
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    parts = [Moments.of_rows(rows[a:b]) for a, b in itertools.pairwise(edges)]
    whole = Moments.of_rows(rows)
    chance.shuffle(parts)

    same(stacked(parts).merged(0), whole)
    one_by_one = parts[0]
    for part in parts[1:]:
        one_by_one = one_by_one + part
    same(one_by_one, whole)
    middle = len(parts) // 2
    if middle:
        same(stacked(parts[:middle]).merged(0) + stacked(parts[middle:]).merged(0), whole)


@given(ROWS)
def test_an_empty_group_changes_nothing(rows):
    empty = Moments.of_rows(np.zeros((0, 3)))
    assert empty.n == 0
    assert (empty.mean == 0).all()
    same(Moments.of_rows(rows) + empty, Moments.of_rows(rows))
    same(empty + Moments.of_rows(rows), Moments.of_rows(rows))


def test_a_shift_by_a_milliard_loses_nothing():
    # Σv² − (Σv)²/n of values near 1e9 with a spread of 1 has no correct digit: 1e18 · n against n
    rows = np.random.default_rng(1).standard_normal((1_000, 2))
    near, far = Moments.of_rows(rows), Moments.of_rows(rows + 1e9)
    np.testing.assert_allclose(far.scatter, near.scatter, rtol=1e-6)
    halves = Moments.of_rows(rows[:300] + 1e9) + Moments.of_rows(rows[300:] + 1e9)
    np.testing.assert_allclose(halves.scatter, near.scatter, rtol=1e-6)

    moved = rows + 1e9 - (1e9 + 0.25)
    sums = Moments.of_sums(1_000, moved.sum(axis=0), moved.T @ moved, shift=1e9 + 0.25)
    np.testing.assert_allclose(sums.scatter, near.scatter, rtol=1e-6)
    np.testing.assert_allclose(sums.mean, near.mean + 1e9, rtol=1e-15)
    values = rows + 1e9
    lost = Moments.of_sums(1_000, values.sum(axis=0), values.T @ values)
    assert abs(lost.scatter[0, 0] / near.scatter[0, 0] - 1) > 0.1


@given(ROWS, arrays(np.float64, 3, elements=st.floats(-1e4, 1e4, width=32)))
def test_sums_about_any_shift_are_the_same_moments(rows, shift):
    moved = rows - shift
    found, rows_own = (
        Moments.of_sums(len(rows), moved.sum(axis=0), moved.T @ moved, shift=shift),
        Moments.of_rows(rows),
    )
    np.testing.assert_allclose(found.mean, rows_own.mean, atol=1e-8)
    # what is lost is of the order of n · shift² · 1e-16; a spread that is lost in it counts as none
    raw = np.einsum("ni,ni->i", moved, moved)
    clear = np.diag(rows_own.scatter) > 1e-12 * raw
    both = clear[:, None] & clear[None, :]
    np.testing.assert_allclose(found.scatter[both], rows_own.scatter[both], atol=1e-4)
    assert (np.diag(found.scatter)[~clear] <= 1e-12 * raw[~clear]).all()


def test_leading_axes_are_groups():
    rows = np.random.default_rng(2).standard_normal((2, 3, 50, 4))
    cells = [[Moments.of_rows(rows[a, b]) for b in range(3)] for a in range(2)]
    groups = stacked([stacked(row) for row in cells])
    assert groups.n.shape == (2, 3)
    same(groups[1, 2], Moments.of_rows(rows[1, 2]))
    for axis, joined in ((0, rows[:, 1].reshape(-1, 4)), (-2, rows[:, 1].reshape(-1, 4))):
        same(groups.merged(axis)[1], Moments.of_rows(joined))
    same(groups.merged(1)[0], Moments.of_rows(rows[0].reshape(-1, 4)))


def test_columns_are_taken_in_the_order_asked_for():
    rows = np.random.default_rng(3).standard_normal((30, 4))
    same(Moments.of_rows(rows).take([3, 1]), Moments.of_rows(rows[:, [3, 1]]))


def test_one_customer_has_a_mean_and_no_spread():
    found = Moments.of_rows([[3.0, 4.0]])
    assert found.n == 1
    assert found.mean.tolist() == [3.0, 4.0]
    assert (found.scatter == 0).all()
