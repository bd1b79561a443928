"""Which channel first and what then: strategies against known worlds, by hand, and what must be refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from benchmarks.policy_worlds import sequence_test, tables_of

from primeta.errors import BadTable
from primeta.reactivation.policy.design import assign_first, assign_second, plan_sequence
from primeta.reactivation.policy.door import sequence
from primeta.reactivation.policy.sequence import sequence_of
from primeta.stats.best_set import may_be_best, reach_of_largest
from primeta.stats.two_stages import augmented_influences, weighted_influences
from primeta.worlds.dose import DoseWorld

ZERO = datetime(2025, 1, 1, tzinfo=UTC)


def test_weights_by_hand():
    # Murphy's weights: four customers of first step 0 (probability 1); one answered (10); of three silent ones two got
    # b = 0 (probability 2/3: 4, 2), one b = 1 (1/3: 6). V(0, then 0) = (10 + 1.5·4 + 1.5·2)/4, V(0, then 1) = (10 + 3·6)/4.
    outcome = np.array([10.0, 4.0, 2.0, 6.0])
    first, second = np.zeros(4, dtype=np.int64), np.array([-1, 0, 0, 1])
    p2 = np.array([1.0, 2 / 3, 2 / 3, 1 / 3])
    found = weighted_influences(outcome, first, second, np.ones(4), p2, [(0, 0), (0, 1)])
    assert found.mean(axis=0) == pytest.approx([19 / 4, 28 / 4])


def test_without_features_and_with_equal_shares_the_model_changes_little():
    rng = np.random.default_rng(0)
    n = 4_000
    first, answered = rng.integers(2, size=n), rng.random(n) < 0.2
    second = np.where(answered, -1, rng.integers(2, size=n))
    outcome = 5.0 * answered + 1.0 * (second == 1) + rng.standard_normal(n)
    half = np.full(n, 0.5)
    pairs = [(a, b) for a in (0, 1) for b in (0, 1)]
    plain = weighted_influences(outcome, first, second, half, half, pairs)
    doubly = augmented_influences(
        outcome, first, second, half, half, np.zeros((n, 0)), pairs, fold=np.arange(n) % 5
    )
    # truth: 5 · .2 + .8 for b = 1, 1 for b = 0
    assert doubly.mean(axis=0) == pytest.approx([1.0, 1.8, 1.0, 1.8], abs=0.2)
    assert doubly.mean(axis=0) == pytest.approx(plain.mean(axis=0), abs=0.05)


def test_files_and_arrays_say_the_same():
    world = DoseWorld(horizon=120)
    lapsed, lapses = sequence_test(world, 1_200, rng=np.random.default_rng(3), uneven=True)
    orders, assigned = tables_of(lapses, lapsed, until=300.0)
    found = sequence(
        orders, assigned, until="2025-10-20", control="control", horizon="120d", margin=world.margin,
        contact_cost={"*": world.contact_cost},
    )  # fmt: skip
    assert [p.value for p in found.curve] == pytest.approx(
        [p.value for p in sequence_of(lapsed).curve], abs=1e-4
    )
    assert {p.x for p in found.curve} == {
        f"{a}, then {b} if silent" for a in ("email", "push") for b in ("email", "push", "call")
    }
    assert found.recommended in found.best_set
    document = found.as_dict()
    assert set(document["curve"][0]) >= {"x", "by", "value", "low", "high"}


@pytest.mark.slow
def test_intervals_cover_the_worlds_truth_under_uneven_lotteries():
    world = DoseWorld()
    nothing = world.value_of_all(delay=None)
    truth = {
        f"{a}, then {b} if silent": world.value_of_all(delay=0.0, channel=a, then=(14.0, b)) - nothing
        for a in ("email", "push")
        for b in ("email", "push", "call")
    }
    hits = []
    for seed in range(100):
        lapsed, _ = sequence_test(world, 3_000, rng=np.random.default_rng(seed), uneven=True)
        hits.append([p.low <= truth[str(p.x)] <= p.high for p in sequence_of(lapsed).curve])
    # .95 − 3.3 · √(.05 · .95 / 100)
    assert np.mean(hits) > 0.878


def smart(**changes: Any) -> tuple[dict[str, list], dict[str, list]]:
    """160 customers: email or push by day 0, the silent get email or push on day 14; every fourth came on day 3."""
    orders: dict[str, list] = {"customer_id": [], "ordered_at": [], "revenue": []}
    rows: dict[str, list] = {
        name: [] for name in ("experiment", "customer_id", "arm", "assigned_at", "probability", "stage")
    }

    def add(*values: Any) -> None:
        for name, value in zip(rows, values, strict=True):
            rows[name].append(value)

    for i in range(320):
        add("e", f"c{i}", "email" if i % 2 else "push", ZERO, 0.5, "1")
        if i % 8 < 2:
            orders["customer_id"].append(f"c{i}")
            orders["ordered_at"].append(ZERO + timedelta(days=3))
            orders["revenue"].append(40.0)
        else:
            add("e", f"c{i}", "email" if i % 4 < 2 else "push", ZERO + timedelta(days=14), 0.5, "2")
    return orders, {**rows, **changes}


def test_without_a_control_sequences_are_compared_with_each_other():
    orders, rows = smart()
    found = sequence(orders, rows, until="2025-12-31", horizon="90d", margin=0.5)
    assert found.basis == "total"
    # a quarter comes for 40 at a margin of .5, whatever was sent later
    assert [p.value for p in found.curve] == pytest.approx(
        [5.0] * 4, abs=0.1
    )  # models of other folds pull a little
    assert len(found.best_set) == 4
    assert "no-control-in-sequence" in {note.code for note in found.notes}


def test_a_policy_of_sequences_is_valued():
    orders, rows = smart()
    wanted = {
        "customer_id": [f"c{i}" for i in range(320)],
        "sequence": (["email > push"] * 8 + ["push > push"] * 8) * 20,
    }
    found = sequence(orders, rows, until="2025-12-31", horizon="90d", margin=0.5, policy=wanted)
    assert found.policy is not None
    assert found.policy.effective > 30
    assert found.policy.value == pytest.approx(5.0, abs=0.1)


def test_a_policy_that_says_two_things_of_one_customer_is_refused():
    orders, rows = smart()
    wanted = {"customer_id": ["c0", "c1", "c0"], "sequence": ["email > push", "push > push", "push > push"]}
    with pytest.raises(BadTable, match="says two things for customer_id c0"):
        sequence(orders, rows, until="2025-12-31", horizon="90d", margin=0.5, policy=wanted)


def test_the_second_stage_before_the_first():
    orders, rows = smart()
    rows["assigned_at"] = [
        ZERO - timedelta(days=1) if s == "2" else t for s, t in zip(rows["stage"], rows["assigned_at"])
    ]
    with pytest.raises(BadTable, match="not after the first"):
        sequence(orders, rows, until="2025-12-31")


def test_who_came_back_has_no_second_stage():
    orders, rows = smart()
    for name, value in zip(rows, ("e", "c0", "email", ZERO + timedelta(days=14), 0.5, "2"), strict=True):
        rows[name].append(value)
    with pytest.raises(BadTable, match="c0 came back on day 3"):
        sequence(orders, rows, until="2025-12-31")


def test_a_second_stage_without_a_first():
    orders, rows = smart()
    for name, value in zip(rows, ("e", "stray", "email", ZERO, 0.5, "2"), strict=True):
        rows[name].append(value)
    with pytest.raises(BadTable, match="stray has a second stage and no first"):
        sequence(orders, rows, until="2025-12-31")


def test_missing_probabilities_are_the_shares_of_the_lottery():
    orders, rows = smart()
    del rows["probability"]
    found = sequence(orders, rows, until="2025-12-31", horizon="90d", margin=0.5)
    assert not found.why_not
    assert "probabilities-from-shares" in {note.code for note in found.notes}


def test_both_stages_are_drawn_and_recorded(tmp_path):
    import pyarrow.parquet as pq

    made = plan_sequence(["email", "push"], ["email", "call"], never=0.2, per_week=100.0, weeks=10, sd=30.0)
    people = {"customer_id": [f"c{i}" for i in range(200)], "assigned_at": [ZERO] * 200}
    first = tmp_path / "first.parquet"
    assign_first(made, people, salt="s", out=first)
    table = pq.read_table(first).to_pydict()
    silent = [c for c, arm in zip(table["customer_id"], table["arm"]) if arm != "never"]
    second = tmp_path / "second.parquet"
    drawn = assign_second(made, {"customer_id": silent}, first, salt="s", out=second)
    assert sum(drawn.counts.values()) == len(silent)
    later = pq.read_table(second).to_pydict()
    assert set(later["probability"]) == {0.5}
    assert set(later["stage"]) == {"2"}
    assert later["assigned_at"][0] == ZERO + timedelta(days=14)
    never = next(c for c, arm in zip(table["customer_id"], table["arm"]) if arm == "never")
    with pytest.raises(BadTable, match="never contacted"):
        assign_second(made, {"customer_id": [never]}, first, salt="s", out=second)


def test_largest_of_many_normals():
    # Dunnett (1955) tables, and Šidák: two independent, two-sided 5%: 2.236; one: 1.960; k equal ones count once
    assert reach_of_largest(np.eye(2)) == pytest.approx(2.236, abs=0.03)
    assert reach_of_largest(np.ones((3, 3))) == pytest.approx(1.960, abs=0.03)
    assert reach_of_largest(np.zeros((2, 2))) == 0.0


def test_the_clearly_worse_is_left_out():
    kept = may_be_best(np.array([0.0, 10.0, 9.9]), np.eye(3))
    assert kept.tolist() == [False, True, True]
