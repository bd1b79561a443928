"""When to write: the curve against known worlds, naive numbers, and what must be refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from benchmarks.policy_worlds import moment_test, tables_of

from primeta.errors import BadInput, BadTable
from primeta.reactivation.policy.design import assign_first, plan_moment
from primeta.reactivation.policy.door import moment
from primeta.reactivation.policy.moment import moment_of
from primeta.show.result import plain
from primeta.stats.natural_spline import basis
from primeta.worlds.dose import SHAPES, DoseWorld, simulate_lapses

ZERO = datetime(2025, 1, 1, tzinfo=UTC)
DELAYS = (0.0, 7.0, 28.0)


def tiny(**changes: Any) -> tuple[dict[str, list], dict[str, list]]:
    """40 customers never contacted and 40 on day 10; every second one buys for 100 on day 5 or for 50 on day 20."""
    ids = [f"c{i:03d}" for i in range(80)]
    assigned = {
        "experiment": ["e"] * 80,
        "customer_id": ids,
        "arm": ["never"] * 40 + ["day10"] * 40,
        "assigned_at": [ZERO] * 80,
        "probability": [0.5] * 80,
        "delay_days": [None] * 40 + [10.0] * 40,
    }
    orders = {
        "customer_id": [ids[i] for i in range(0, 80, 2)],
        "ordered_at": [ZERO + timedelta(days=5 if i % 4 == 0 else 20) for i in range(0, 80, 2)],
        "revenue": [100.0 if i % 4 == 0 else 50.0 for i in range(0, 80, 2)],
    }
    return orders, {**assigned, **changes}


def asked(orders: Any, assigned: Any, **more: Any) -> Any:
    given = {"until": "2025-12-31", "control": "never", "horizon": "90d", "margin": 0.5, **more}
    return moment(orders, assigned, **given)


def test_who_came_before_his_day_costs_no_contact_and_counts():
    # By hand: both arms earn the same; of the contacted 10 of 40 had come on day 5, so 30 of 40 contacts at 2 each.
    found = asked(*tiny(), contact_cost={"*": 2.0})
    (point,) = found.curve
    assert point.x == 10.0
    assert point.value == pytest.approx(-2.0 * 30 / 40)
    assert found.recommended == "never"
    assert {rival.name: rival.x for rival in found.rivals} == {
        "earliest": 10.0,
        "never": "never",
        "latest": 10.0,
    }


def test_an_order_without_its_margin_is_not_counted_at_its_revenue():
    orders, assigned = tiny()
    orders["margin"] = [None, *[10.0] * 39]
    with pytest.raises(BadTable, match=r"margin is empty .* in 1 of 40 rows"):
        asked(orders, assigned, margin=None)


def test_money_given_back_for_a_cancelled_order_counts_and_the_cancelled_order_does_not():
    # 40 never contacted: 10 × 100 + 10 × 50 of revenue, less 80 given back by one of them, at a margin of .5
    orders, assigned = tiny()
    ids = [*orders["customer_id"], "c000", "c000"]
    orders = {
        "customer_id": ids,
        "ordered_at": [*orders["ordered_at"], ZERO + timedelta(days=30), ZERO + timedelta(days=30)],
        "revenue": [*orders["revenue"], -80.0, 500.0],
        "status": [*["paid"] * 40, "cancelled", " Cancelled "],
    }
    (point,) = asked(orders, assigned).curve
    assert point.value == pytest.approx(0.5 * 80 / 40)


def test_messages_instead_of_a_contact_cost():
    orders, assigned = tiny()
    messages = {
        "customer_id": ["c040", "c041"],
        "sent_at": [ZERO + timedelta(days=10)] * 2,
        "cost": [3.0, 3.0],
    }
    # 6 over 40 customers
    assert asked(orders, assigned, messages=messages).curve[0].value == pytest.approx(-6 / 40)


def test_share_back_by_a_day_is_what_the_not_yet_contacted_did():
    # 20 of 80 come on day 5, nobody else before day 10
    found = asked(*tiny())
    assert found.curve[0].returned == pytest.approx(20 / 80)


def test_files_and_arrays_say_the_same():
    world = DoseWorld(shape="patient", horizon=120)
    lapsed, lapses = moment_test(world, 600, delays=DELAYS, rng=np.random.default_rng(3), by="segment")
    orders, assigned = tables_of(lapses, lapsed, until=300.0)
    found = moment(
        orders, assigned, until="2025-10-20", control="control", horizon="120d", margin=world.margin, by="segment",
        contact_cost={"*": world.contact_cost},
    )  # fmt: skip
    direct = moment_of(lapsed)
    assert [p.value for p in found.curve] == pytest.approx([p.value for p in direct.curve], abs=1e-4)
    assert {entry.by for entry in found.segments} == {"casual", "loyal"}


def test_the_curve_at_a_tried_day_is_the_difference_of_means_where_nothing_was_known_before():
    world = DoseWorld()
    lapsed, _ = moment_test(world, 800, delays=DELAYS, rng=np.random.default_rng(4))
    lapsed = replace(lapsed, features=np.full((800, 3), np.nan))
    found = {point.x: point for point in moment_of(lapsed).curve if point.tried}
    money = lapsed.sums["money"].sum(axis=1)
    for day in DELAYS:
        came = np.where(lapsed.returned < day, 0.0, world.contact_cost)
        arm = lapsed.delay == day
        naive = (money - came)[arm].mean() - money[np.isnan(lapsed.delay)].mean()
        assert found[day].value == pytest.approx(naive)


@pytest.mark.slow
@pytest.mark.parametrize("late", [0.0, 150.0])
def test_intervals_cover_the_worlds_truth(late: float):
    world = DoseWorld(shape="patient")
    nothing = world.value_of_all(delay=None)
    truth = {day: world.value_of_all(delay=day) - nothing for day in DELAYS}
    best = max(truth, key=truth.__getitem__)
    hits, held = [], 0
    for seed in range(120):
        lapsed, _ = moment_test(world, 2_500, delays=DELAYS, rng=np.random.default_rng(seed), entry_days=late)
        found = moment_of(lapsed)
        hits += [p.low <= truth[float(p.x)] <= p.high for p in found.curve if p.tried]
        held += best in found.best_set
    # 360 intervals that share controls: .95 − 3.3 · √(.05 · .95 / 120) = .88
    assert np.mean(hits) > 0.88
    assert held / 120 > 0.88


@pytest.mark.parametrize("shape", SHAPES)
def test_the_worlds_truth_is_the_mean_of_its_customers(shape: Any):
    # 4.5 standard errors
    world, n, rng = DoseWorld(shape=shape, horizon=120), 20_000, np.random.default_rng(7)
    lapses = simulate_lapses(
        world, segment=np.ones(n, dtype=np.int64), delay=np.full(n, 14.0), depth=np.full(n, 0.2),
        channel=np.full(n, "email", dtype=object), rng=rng,
    )  # fmt: skip
    money = lapses.money(world.margin, world.horizon, world.contact_cost)
    truth = world.value(1, delay=14.0, depth=0.2)
    assert abs(money.mean() - truth) < 4.5 * money.std() / np.sqrt(n)


def test_late_customers_are_used_as_far_as_they_go():
    orders, assigned = tiny()
    late = [ZERO] * 80
    # A quarter of each arm came 60 days later and is followed for 40 of the 90 days.
    for i in range(3, 80, 4):
        late[i] = ZERO + timedelta(days=60)
    found = asked(orders, {**assigned, "assigned_at": late}, until="2025-04-10")
    assert not found.why_not
    assert "partly-followed" in {note.code for note in found.notes}


def test_nobody_followed_to_the_horizon_is_no_answer():
    found = asked(*tiny(), until="2025-02-15")
    assert found.why_not == "short-follow-up"
    assert found.as_dict()["value"] is not None
    assert plain(found.as_dict())["value"] is None


def test_an_arm_of_ten_is_left_out_and_said():
    orders, assigned = tiny()
    assigned["delay_days"] = [None] * 40 + [10.0] * 30 + [20.0] * 10
    assigned["arm"] = ["never"] * 40 + ["day10"] * 30 + ["day20"] * 10
    assigned["probability"] = [0.5] * 40 + [0.375] * 30 + [0.125] * 10
    found = asked(orders, assigned)
    assert {p.x: p.why_not for p in found.curve if p.tried} == {10.0: "", 20.0: "small-arm"}


def test_without_a_control_there_is_no_answer():
    orders, assigned = tiny()
    assigned["delay_days"] = [0.0] * 40 + [10.0] * 40
    found = asked(orders, assigned, control="")
    assert found.why_not == "no-control"
    assert not found.rivals


def test_probabilities_from_shares_only_of_a_plain_lottery():
    orders, assigned = tiny()
    del assigned["probability"]
    found = asked(orders, assigned)
    assert "probabilities-from-shares" in {note.code for note in found.notes}
    # Now the arms differ in what was known before: everybody of day10 had bought in the year before.
    before = {
        "customer_id": [f"c{i:03d}" for i in range(40, 80)],
        "ordered_at": [ZERO - timedelta(days=40)] * 40,
        "revenue": [80.0] * 40,
    }
    orders = {name: orders[name] + before[name] for name in orders}
    assert asked(orders, assigned).why_not == "not-a-lottery"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"delay_days": [None] * 80}, "no delay_days"),
        ({"delay_days": [None] * 41 + [10.0] * 39}, "delay_days of customer c040"),
        ({"delay_days": [None] * 40 + [-1.0] * 40}, "below 0"),
        ({"probability": [0.5] * 40 + [1.5] * 40}, "above 0 and up to 1"),
        ({"probability": [None] * 2 + [0.5] * 78}, "probability of customer c000 is missing"),
        ({"customer_id": ["c000"] * 80}, "stands in two arms"),
        ({"arm": ["other"] * 80}, "nobody is in the control"),
    ],
)
def test_bad_assignments_are_one_clear_message(change: dict[str, Any], says: str):
    orders, assigned = tiny(**change)
    with pytest.raises(BadTable, match=says):
        asked(orders, assigned)


def test_probabilities_that_contradict_the_arms_are_not_believed():
    orders, assigned = tiny(probability=[0.9] * 40 + [0.1] * 40)
    assert asked(orders, assigned).why_not == "probabilities-contradict"


def test_a_cost_for_an_arm_that_is_not_there():
    with pytest.raises(BadInput, match="no such arm"):
        asked(*tiny(), contact_cost={"sms": 1.0})


def test_spline_weights_are_heights_at_the_knots():
    knots = np.array([0.0, 7.0, 14.0, 28.0])
    assert basis(knots, knots) == pytest.approx(np.eye(4))
    assert basis([3.0, 40.0], knots).sum(axis=1) == pytest.approx([1.0, 1.0])


def test_a_plan_is_reached_by_its_analysis_formula():
    # n = (z(1 − .05/2/2) + z(.8))² · sd² · (1/.4 + 1/.2) / effect², computed with a normal table: (2.2414 + .8416)²
    made = plan_moment([0.0, 14.0], never=0.2, sd=30.0, effect=3.0, per_week=500.0)
    assert made.n == pytest.approx(9.505 * 100 * (1 / 0.4 + 1 / 0.2), rel=1e-3)
    assert made.days == pytest.approx(7 * made.n / 500 + 180)
    assert made.arms[1].difference == pytest.approx(3.0, rel=1e-3)


def test_the_lottery_records_what_the_analysis_needs(tmp_path):
    import pyarrow.parquet as pq

    people = {
        "customer_id": [f"c{i}" for i in range(300)],
        "assigned_at": [date(2026, 1, 5)] * 300,
        "vip": ["y", "n"] * 150,
    }
    made = plan_moment([0.0, 14.0], never=0.2)
    out = tmp_path / "a.parquet"
    drawn = assign_first(made, people, salt="spring", out=out)
    table = pq.read_table(out).to_pydict()
    assert sum(drawn.counts.values()) == 300
    assert set(zip(table["arm"], table["delay_days"], table["probability"])) == {
        ("never", None, 0.2), ("day0", 0.0, 0.4), ("day14", 14.0, 0.4),
    }  # fmt: skip
    assert table["vip"][:2] == ["y", "n"]
    again = tmp_path / "b.parquet"
    assign_first(made, {name: values[:50] for name, values in people.items()}, salt="spring", out=again)
    assert pq.read_table(again).column("arm").to_pylist() == table["arm"][:50]


def test_words_in_both_languages_and_a_picture():
    found = asked(*tiny(), contact_cost={"*": 2.0})
    for lang in ("en", "ru"):
        assert found.line(lang)
        assert found.table(lang).rows
        assert found.picture(lang).svg().startswith("<svg")
