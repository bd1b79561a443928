"""Agreement of reviewers and the interval of a share, against published values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeta.stats.agreement import krippendorff_alpha, wilson_interval
from primeta.stats.medoid import distances_to_all

# Krippendorff (2011), section C: four observers, twelve units, values 1 to 5, blanks missing.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
UNITS = [[value - 1 for value in column if value is not None] for column in zip(*OBSERVERS, strict=True)]


def test_alpha_is_krippendorffs_for_nominal_data():
    assert krippendorff_alpha(UNITS, values=5, scale="nominal") == pytest.approx(0.743, abs=5e-4)


def test_alpha_is_krippendorffs_for_ordinal_data():
    assert krippendorff_alpha(UNITS, values=5, scale="ordinal") == pytest.approx(0.815, abs=5e-4)


def test_alpha_cannot_be_told_where_no_two_met_or_nobody_differs():
    assert math.isnan(krippendorff_alpha([[0], [1], [2]], values=3))
    assert math.isnan(krippendorff_alpha([[1, 1], [1, 1, 1]], values=3))


def test_alpha_is_one_where_all_agree_on_different_things():
    assert krippendorff_alpha([[0, 0], [2, 2], [1, 1, 1]], values=3) == pytest.approx(1)


# Newcombe (1998), table II, method 3 (Wilson without correction): 81/263, 15/148, 0/20, 1/29.
@pytest.mark.parametrize(
    ("yes", "many", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(yes: int, many: int, low: float, high: float):
    assert wilson_interval(yes / many, many) == pytest.approx((low, high), abs=6e-5)


def test_no_interval_of_nothing():
    assert all(math.isnan(end) for end in wilson_interval(0.5, 0))


@given(
    st.lists(
        st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    )
)
def test_distances_are_those_of_every_pair_added_up(people: list[list[list[int]]]):
    counts = np.array(people)
    cumulated = counts.cumsum(axis=2)
    slow = [sum(np.abs(one - other).sum() for other in cumulated) for one in cumulated]
    fast = distances_to_all(counts[:, stream, :] for stream in range(3))
    assert fast.tolist() == pytest.approx(slow)
