"""Buckets: published vectors, the definition, uniformity and independence."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from primeta.stats.buckets import (
    HASHES,
    arm_of,
    bounds,
    bucket,
    buckets,
    fnv1a,
    growthbook_v1,
    growthbook_v2,
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


@pytest.mark.parametrize(
    ("text", "value"),
    # draft-eastlake-fnv, appendix C (test vectors of 32-bit FNV-1a)
    [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)],
)
def test_fnv1a_matches_the_vectors_of_its_authors(text, value):
    assert fnv1a(text) == value


@pytest.mark.parametrize(
    ("seed", "value", "expected"),
    # GrowthBook, growthbook-python tests/cases.json, "hash", version 2
    [
        ("seed", "a", 0.0505),
        ("seed", "b", 0.2696),
        ("foo", "ab", 0.2575),
        ("foo", "def", 0.2019),
        ("89123klj", "8952klfjas09ujkasdf", 0.124),
        ("90850943850283058242805", "123", 0.7516),
        ("()**(%$##$%#$#", '___)((*":&', 0.0128),
    ],
)
def test_growthbook_second_version_matches_its_published_cases(seed, value, expected):
    assert growthbook_v2(seed, value) == expected
    assert buckets(seed, [value], hash="fnv1a").tolist() == [expected]


@pytest.mark.parametrize(
    ("seed", "value", "expected"),
    # the same file, version 1
    [
        ("", "a", 0.22),
        ("", "b", 0.077),
        ("b", "a", 0.946),
        ("ef", "d", 0.652),
        ("asdf", "8952klfjas09ujk", 0.549),
        ("", "123", 0.011),
        ("", '___)((*":&', 0.563),
    ],
)
def test_growthbook_first_version_matches_its_published_cases(seed, value, expected):
    assert growthbook_v1(seed, value) == expected


@pytest.mark.parametrize(
    ("weights", "ends"),
    # the same file, "getBucketRange", coverage 1
    [([0.25] * 4, [0.25, 0.5, 0.75]), ([0.4, 0.6], [0.4]), ([0.2, 0.3, 0.5], [0.2, 0.5])],
)
def test_arms_end_where_growthbook_ends_them(weights, ends):
    assert bounds(weights).tolist() == ends


@given(TEXT, TEXT)
def test_md5_bucket_is_its_definition(salt, unit):
    # DESIGN §7: first 13 hexadecimal digits of md5(utf8(salt + ":" + unit)) / 2^52
    expected = int(hashlib.md5(f"{salt}:{unit}".encode()).hexdigest()[:13], 16) / 2**52
    assert bucket(salt, unit) == expected
    assert 0 <= expected < 1


@given(TEXT, st.lists(TEXT, max_size=20), st.sampled_from(HASHES))
def test_many_are_hashed_as_one_is(salt, units, hash):
    assert buckets(salt, units, hash=hash).tolist() == [bucket(salt, unit, hash=hash) for unit in units]


def test_one_long_id_does_not_widen_the_rest():
    units = ["x" * 100_000, *(str(n) for n in range(40_000))]
    assert buckets("s", units, hash="fnv1a")[-1] == growthbook_v2("s", "39999")


def test_a_bucket_on_the_border_belongs_to_the_next_arm():
    # GrowthBook's inRange: start <= n < end
    assert arm_of(np.array([0.0, 0.19999, 0.2, 0.5, 0.9999]), bounds([0.2, 0.3, 0.5])).tolist() == [
        0,
        0,
        1,
        2,
        2,
    ]


def test_no_bucket_falls_behind_shares_that_sum_to_a_little_less_than_one():
    assert arm_of(np.array([0.9999999999999998]), bounds([0.1] * 10)).tolist() == [9]


SALTS = ["a", "b", "осень 2026", "primeta:holdout", "layer:x"]


@pytest.mark.parametrize("hash", HASHES)
@pytest.mark.parametrize("salt", SALTS)
def test_buckets_of_ids_that_count_up_are_uniform(salt, hash):
    drawn = buckets(salt, [f"c{n:07d}" for n in range(200_000)], hash=hash)
    # twenty tests in this file: one wrong alarm in ten thousand runs of new salts for each
    assert stats.chisquare(np.bincount((drawn * 100).astype(int), minlength=100)).pvalue > 1e-4


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("a", "a:ramp"), ("x", "layer:x"), ("1", "2")])
def test_two_salts_are_independent(one, other):
    units = [f"c{n:07d}" for n in range(200_000)]
    cells = (buckets(one, units) * 10).astype(int) * 10 + (buckets(other, units) * 10).astype(int)
    seen = np.bincount(cells, minlength=100).reshape(10, 10)
    assert stats.chi2_contingency(seen).pvalue > 1e-4
