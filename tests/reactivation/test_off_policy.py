"""The value of a policy that did not run: weights by hand, coverage, and refusal where nobody got what it wants."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.policy_worlds import discount_test, moment_test

from primeta.errors import BadTable
from primeta.reactivation.policy.off_policy import valued
from primeta.stats.doubly_robust import (
    linear_predictions,
    policy_value,
    scores,
    standardised,
    support,
)
from primeta.worlds.dose import DoseWorld


def test_weights_by_hand():
    # Horvitz & Thompson: (4/.5 + 6/.25)/4 = 8; Hájek: 32/6; effective (2 + 4)²/(4 + 16) = 1.8
    found = policy_value(
        np.array([4.0, 6.0, 1.0, 1.0]),
        np.array([1, 1, 0, 0]),
        np.array([0.5, 0.25, 0.5, 0.75]),
        np.ones(4, dtype=np.int64),
    )
    assert found.weighted.value == pytest.approx(8.0)
    assert found.normalised.value == pytest.approx(32 / 6)
    assert found.effective == pytest.approx(1.8)
    assert found.followed == 2


def test_a_perfect_model_leaves_no_noise_and_a_wrong_one_no_bias():
    rng = np.random.default_rng(0)
    n = 20_000
    x = rng.standard_normal(n)
    p = np.where(x > 0, 0.7, 0.3)
    taken = (rng.random(n) < p).astype(np.int64)
    got = np.where(taken == 1, p, 1 - p)
    outcome = x + 2.0 * taken
    wanted = np.ones(n, dtype=np.int64)
    perfect = policy_value(outcome, taken, got, wanted, predictions=np.column_stack([x, x + 2]))
    assert perfect.doubly_robust.value == pytest.approx(x.mean() + 2)
    wrong = policy_value(outcome, taken, got, wanted, predictions=np.full((n, 2), 50.0))
    assert abs(wrong.doubly_robust.value - 2) < 4.5 * wrong.doubly_robust.se
    means = scores(outcome, taken, got, np.column_stack([x, x + 2])).mean(axis=0)
    assert means == pytest.approx([x.mean(), x.mean() + 2])


@pytest.mark.parametrize("n", [400])
def test_coverage_of_all_three_intervals_under_uneven_probabilities(n: int):
    # 600 runs: .95 ± 3.3 · √(.05 · .95 / 600) = .921 … .979
    hits = np.zeros(3)
    for seed in range(600):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((n, 1))
        p = np.where(x[:, 0] > 0, 0.6, 0.35)
        taken = (rng.random(n) < p).astype(np.int64)
        got = np.where(taken == 1, p, 1 - p)
        outcome = 1 + x[:, 0] * (1 + taken) + taken + rng.standard_normal(n)
        wanted = (x[:, 0] > 0).astype(np.int64)
        fold = rng.permutation(np.arange(n) % 5)
        model = linear_predictions(outcome, taken, standardised(x), actions=2, fold=fold)
        found = policy_value(outcome, taken, got, wanted, predictions=model)
        # E[1 + x + 1(x > 0)(x + 1)] = 1 + 1/√(2π) + .5
        truth = 1.5 + 1 / np.sqrt(2 * np.pi)
        for at, part in enumerate((found.doubly_robust, found.weighted, found.normalised)):
            hits[at] += part.low <= truth <= part.high
    assert ((hits / 600 > 0.921) & (hits / 600 < 0.979)).all(), hits / 600


def test_support_is_looked_for_within_the_context():
    taken, context = np.array([0, 1, 0, 0]), np.array([0, 0, 1, 1])
    assert support(taken, np.array([1, 1, 1, 0]), context).tolist() == [True, True, False, True]


def test_a_rule_by_segment_is_valued_against_the_worlds_truth():
    world = DoseWorld(shape="loyal", horizon=120)
    lapsed, _ = discount_test(world, 6_000, delays=(7.0,), depths=(0.0, 0.3), rng=np.random.default_rng(1))
    rule = {"segment": ["casual", "loyal"], "discount": ["30%", "0"]}
    found = valued(rule, lapsed, kind="discount")
    share = world.shares()
    truth = sum(
        share[s] * (world.value(s, delay=7.0, depth=d) - world.value(s, delay=None))
        for s, d in ((0, 0.3), (1, 0.0))
    )
    se = (found.high - found.low) / 3.92
    assert abs(found.value - truth) < 4.5 * se
    assert found.effective > 1_000
    assert abs(found.normalised - found.value) < 2 * se


def test_a_policy_by_customer_and_what_nobody_got():
    lapsed, _ = moment_test(DoseWorld(horizon=120), 900, delays=(0.0, 14.0), rng=np.random.default_rng(2))
    everybody = {"customer_id": lapsed.customer.tolist(), "delay_days": [14.0] * 900}
    assert np.isfinite(valued(everybody, lapsed, kind="moment").value)
    never = {"customer_id": lapsed.customer.tolist(), "arm": ["never"] * 900}
    assert valued(never, lapsed, kind="moment").value == pytest.approx(0.0)
    unseen = {"customer_id": lapsed.customer.tolist(), "delay_days": [60.0] * 900}
    refused = valued(unseen, lapsed, kind="moment")
    assert refused.why_not == "no-support"
    assert np.isnan(refused.value)
    assert refused.unsupported == 1.0


def test_a_policy_that_few_followed_is_refused():
    lapsed, _ = moment_test(DoseWorld(horizon=120), 900, delays=(0.0, 14.0), rng=np.random.default_rng(2))
    few = {"customer_id": lapsed.customer[:40].tolist(), "arm": ["d0"] * 40}
    assert valued(few, lapsed, kind="moment").why_not == "few-followed"


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"who": ["c1"], "arm": ["d0"]}, "expected customer_id"),
        ({"customer_id": ["c1"], "arm": ["d99"]}, "wants arm 'd99'"),
        ({"customer_id": ["c1", "c1"], "arm": ["d0", "d14"]}, "two things"),
        ({"customer_id": ["nobody"], "arm": ["d0"]}, "names none"),
        ({"customer_id": ["c1"], "delay_days": ["soon"]}, "expected a number"),
    ],
)
def test_bad_policies(policy: dict[str, list], says: str):
    lapsed, _ = moment_test(DoseWorld(horizon=120), 300, delays=(0.0, 14.0), rng=np.random.default_rng(2))
    with pytest.raises(BadTable, match=says):
        valued(policy, lapsed, kind="moment")
