"""Looks at running experiments: against the same customers as a file, over staggered entry, by each design."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy.stats import binom, norm
from simulated_sums import METRICS, START, Rows, plan_of, questions

from primeta.experiments.analyse import Rules, analyse
from primeta.experiments.look import (
    MOST_STRATA,
    Baseline,
    baseline_of,
    course,
    goal_label,
    planned_look_of,
    take_look,
    wanted_sums,
)
from primeta.experiments.records import Amount, Arm, Goal
from primeta.experiments.words import RULES, WORDS
from primeta.stats.sequential import always_ratio_p
from primeta.stats.spending import bounds
from primeta.warehouse.kept_sums import WHOLE


def revenue(window=7, **changes):
    return Goal(**{"metric": "revenue_per_customer", "window_days": window, "role": "primary", **changes})


def simulated(plan, *, n, rng, days=1, effect=0.0, blocks=3, asked=None):
    """Customers with a covariate, money in each block, and more of it in the treated arms."""
    arms = rng.choice(len(plan.arms), n, p=[arm.share for arm in plan.arms])
    rows = Rows(plan, arms, rng.integers(0, days, n), {"region": rng.choice(["n", "s"], n)})
    rate = rng.gamma(2.0, 1.0, n)
    before = rng.poisson(rate * 4)
    money = rng.poisson(rate[:, None] * np.array([1, 2, 4])[:blocks]) + (arms > 0)[:, None] * effect / blocks
    for question in asked or questions(plan):
        rows.give(question, np.column_stack([money, before]))
    return rows, money, before


def seen_at(plan, day):
    return {goal.name: START + timedelta(days=day) for goal in plan.goals} | {
        "money": START + timedelta(days=day)
    }


def test_when_every_window_has_passed_a_look_is_the_analysis_of_a_file():
    plan = plan_of(
        goals=(revenue(value=0.4),), arms=(Arm(name="control", share=0.4), Arm(name="a", share=0.6, cost=0.3))
    )
    rows, money, before = simulated(plan, n=3000, rng=np.random.default_rng(1), effect=0.5)
    found = take_look(plan, questions(plan), with_money(plan, rows), rows.entered(), seen=seen_at(plan, 7))
    table = {"arm": np.array(["control", "a"])[rows.arm], "money": money.sum(axis=1), "before": before}
    rules = Rules(
        values={"money": 0.4}, costs={"a": 0.3}, shares={"control": 0.4, "a": 0.6}, level=plan.level
    )
    wanted = analyse(
        table,
        arm="arm",
        control="control",
        metrics={"money": "money"},
        covariates={"money": "before"},
        rules=rules,
    )
    (got,), (same,) = found.analysis.effects, wanted.effects
    for key in ("difference", "se", "low", "high", "p", "lift", "lift_low", "lift_high", "always_low", "always_high",
                "decision_low", "decision_high", "control_mean", "arm_mean", "variance_kept", "n_arm"):  # fmt: skip
        assert getattr(got, key) == pytest.approx(getattr(same, key), rel=1e-9), key
    assert got.variance_kept < 0.9
    (mine,), (theirs,) = found.analysis.decisions, wanted.decisions
    for key in ("money_per_customer", "low", "high"):
        assert getattr(mine, key) == pytest.approx(getattr(theirs, key), rel=1e-9), key
    assert found.analysis.ratio.p == pytest.approx(wanted.ratio.p)
    assert [row.p for row in found.analysis.placebo] == pytest.approx([row.p for row in wanted.placebo])
    assert found.n_effective == pytest.approx(3000)


def with_money(plan, rows, **views):
    """The sums, and those of what the valued goals bring."""
    asked = questions(plan)
    money = next((outcome for outcome, _ in wanted_sums(plan, asked) if outcome.name == "money"), None)
    if money is not None:
        (valued,) = [question for question in asked if question.goal.value is not None]
        columns = rows.columns[valued.outcome.key].copy()
        columns[:, : valued.outcome.blocks] *= valued.goal.value
        rows.columns[money.key] = columns
        rows.blocks = {**rows.blocks, money.key: money.blocks}
    return rows.sums(**views)


def test_strata_are_adjusted_for_as_in_a_file():
    plan = plan_of(goals=(revenue(),), strata=("region",), covariate_days=0)
    rng = np.random.default_rng(2)
    rows = Rows(
        plan, rng.integers(0, 2, 2000), np.zeros(2000, int), {"region": rng.choice(["n", "s", "w"], 2000)}
    )
    money = rng.gamma(1.0, 5.0, (2000, 3)) + 20 * (rows.attributes["region"] == "s")[:, None]
    rows.give(questions(plan)[0], money)
    found = take_look(
        plan, questions(plan), rows.sums(strata="region"), rows.entered(), seen=seen_at(plan, 7)
    )
    table = {
        "arm": np.array(["control", "a"])[rows.arm],
        "y": money.sum(axis=1),
        "region": rows.attributes["region"],
    }
    wanted = analyse(table, arm="arm", control="control", metrics={"y": "y"}, strata="region")
    (got,), (same,) = found.analysis.effects, wanted.effects
    assert (got.difference, got.se, got.variance_kept) == pytest.approx(
        (same.difference, same.se, same.variance_kept)
    )
    assert got.variance_kept < 0.5


def test_only_the_largest_strata_have_a_column_of_their_own():
    plan = plan_of(goals=(revenue(),), strata=("region",), covariate_days=0)
    rng = np.random.default_rng(3)
    regions = np.array([f"r{place}" for place in rng.geometric(0.15, 4000)])
    rows = Rows(plan, rng.integers(0, 2, 4000), np.zeros(4000, int), {"region": regions})
    rows.give(questions(plan)[0], rng.gamma(1.0, 5.0, (4000, 3)))
    sums = rows.sums(strata="region")
    assert len(sums.cells[questions(plan)[0].outcome.key, WHOLE].values) > MOST_STRATA
    (row,) = take_look(plan, questions(plan), sums, rows.entered(), seen=seen_at(plan, 7)).analysis.effects
    assert math.isfinite(row.se)


def test_a_ratio_is_the_ratio_of_a_file():
    plan = plan_of(goals=(Goal(metric="average_order_value", window_days=7, role="primary"),))
    rng = np.random.default_rng(4)
    arms = rng.integers(0, 2, 3000)
    orders, before = rng.poisson([0.2, 0.4, 0.8], (3000, 3)), rng.poisson(2.0, 3000)
    money = rng.gamma(1 + 9.0 * orders, 1.0) * (orders > 0)
    old = rng.gamma(1 + 9.0 * before, 1.0)
    rows = Rows(plan, arms, np.zeros(3000, int))
    (asked,) = questions(plan)
    assert asked.outcome.kind == "ratio"
    rows.give(asked, np.column_stack([money, orders, old, before]))
    found = take_look(plan, (asked,), rows.sums(), rows.entered(), seen=seen_at(plan, 7))
    table = {
        "arm": np.array(["control", "a"])[arms],
        "m": money.sum(axis=1),
        "o": orders.sum(axis=1),
        "bm": old,
        "bo": before,
    }
    wanted = analyse(table, arm="arm", control="control", metrics={"aov": "m/o"}, covariates={"aov": "bm/bo"})
    (got,), (same,) = found.analysis.effects, wanted.effects
    assert (got.difference, got.se, got.p) == pytest.approx((same.difference, same.se, same.p))
    # before the experiment the same ratio was the same in both arms
    (placebo,) = found.analysis.placebo
    ratio = [old[arms == a].sum() / before[arms == a].sum() for a in (0, 1)]
    assert (placebo.metric, placebo.difference) == ("average_order_value", pytest.approx(ratio[1] - ratio[0]))


# Staggered entry


def test_late_customers_are_used_and_the_interval_covers():
    # 500 runs at level .9: the true effect lies inside in a share within its binomial band (p = 1e-4)
    plan = plan_of(goals=(revenue(),), level=0.9, covariate_days=28)
    rng, inside, worth = np.random.default_rng(5), 0, []
    asked = questions(plan)
    for _ in range(500):
        rows, _, _ = simulated(plan, n=400, rng=rng, days=12, effect=3.0, asked=asked)
        found = take_look(plan, asked, rows.sums(), rows.entered(), seen=seen_at(plan, 13))
        (row,) = found.analysis.effects
        inside += row.low <= 3.0 <= row.high
        worth.append(found.n_effective)
        # days 0 … 6 have passed whole, of days 0 … 11
        assert 0.4 < row.mature_share < 0.75
    assert binom.ppf(1e-4, 500, 0.9) <= inside <= binom.ppf(1 - 1e-4, 500, 0.9)
    assert 400 * 7 / 12 < np.mean(worth) < 400


def test_while_no_window_has_passed_it_goes_on_and_nothing_is_worth_anything():
    plan = plan_of(goals=(revenue(),), planned_n=100, design="sequential", looks=4)
    rows, _, _ = simulated(plan, n=500, rng=np.random.default_rng(6), days=3)
    found = take_look(plan, questions(plan), rows.sums(), rows.entered(), seen=seen_at(plan, 5))
    (row,), (decision,) = found.analysis.effects, found.analysis.decisions
    assert (row.why_not, decision.state, decision.rule) == ("not-seen-yet", "continue", "not-seen-yet")
    assert math.isnan(row.difference)
    assert (found.n_effective, found.planned) == (0, None)


def test_before_anybody_has_entered_there_is_a_look_that_says_so():
    plan = plan_of()
    rows = Rows(plan, np.zeros(0, int), np.zeros(0, int))
    found = take_look(plan, questions(plan), rows.sums(), rows.entered(), seen=seen_at(plan, 0))
    assert [row.why_not for row in found.analysis.effects] == ["not-seen-yet"]
    assert found.analysis.verdict.state == "continue"
    assert found.analysis.line("ru").startswith("Продолжать")


def test_a_goal_that_cannot_be_had_says_why_and_the_others_stand():
    goals = (revenue(), Goal(metric="visits_per_customer", window_days=7))
    plan = plan_of(goals=goals)
    asked = questions(plan, why_not={"visits_per_customer": "not-mapped"})
    rows, _, _ = simulated(plan, n=300, rng=np.random.default_rng(7), asked=asked[:1])
    found = take_look(plan, asked, rows.sums(), rows.entered(), seen=seen_at(plan, 7))
    first, second = found.analysis.effects
    assert (first.why_not, second.why_not) == ("", "not-mapped")
    assert "not-mapped" in WORDS
    assert math.isnan(second.p_adjusted)
    assert found.document()["effects"][1]["why_not"] == "not-mapped"


# Designs


def test_a_fixed_plan_decides_at_its_end_and_not_before():
    plan = plan_of(goals=(revenue(),), design="fixed")
    rows, _, _ = simulated(plan, n=2000, rng=np.random.default_rng(8), days=28, effect=9.0)
    before = take_look(plan, questions(plan), rows.sums(), rows.entered(), seen=seen_at(plan, 33))
    assert [d.rule for d in before.analysis.decisions] == ["before-end"]
    assert before.analysis.verdict.state == "continue"
    # the last customers came on day 27: their seven days have passed on day 34
    after = take_look(plan, questions(plan), rows.sums(), rows.entered(), seen=seen_at(plan, 34))
    assert after.analysis.ended
    assert after.analysis.verdict.state == "scale"
    (row,) = after.analysis.effects
    assert (row.decision_low, row.decision_high) == pytest.approx((row.low, row.high))


def test_a_list_ends_when_its_windows_have_passed_and_a_stop_ends_the_entry():
    plan = plan_of(goals=(revenue(),), design="fixed", entry="list")
    rows, _, _ = simulated(plan, n=2000, rng=np.random.default_rng(9))
    assert take_look(plan, questions(plan), rows.sums(), rows.entered(), seen=seen_at(plan, 7)).analysis.ended
    plan = replace(plan, entry="arrival")
    assert not take_look(
        plan, questions(plan), rows.sums(), rows.entered(), seen=seen_at(plan, 7)
    ).analysis.ended
    stopped = take_look(
        plan, questions(plan), rows.sums(), rows.entered(), seen=seen_at(plan, 7), stopped=START
    )
    assert stopped.analysis.ended


def test_a_sequential_plan_decides_at_planned_looks_with_the_bounds_of_what_was_taken():
    plan = plan_of(goals=(revenue(),), design="sequential", looks=4, planned_n=2000, entry="arrival")
    rng = np.random.default_rng(10)
    rows, _, _ = simulated(plan, n=2000, rng=rng, days=28, effect=1.1)
    taken, states = [], []
    for day in range(7, 36):
        here = cut(rows, day)
        found = take_look(
            plan, questions(plan), here.sums(), here.entered(), seen=seen_at(plan, day), earlier=taken
        )
        states.append(found.analysis.decisions[0])
        if found.planned is None:
            assert states[-1].rule == "between-looks" or states[-1] in taken[-1].decisions.values()
            continue
        (row,) = found.analysis.effects
        fractions = [*(entry.information for entry in taken), found.planned.information]
        assert found.planned.number == math.floor(4 * found.planned.information + 1e-9)
        reach = (row.decision_high - row.difference) / row.se
        # the bound of this look by Lan & DeMets; with thousands of customers t is the normal
        assert reach == pytest.approx(bounds(fractions, alpha=0.05)[-1], rel=0.01)
        # what is stored brings the same planned look back
        assert planned_look_of(found.document()) == replace(
            found.planned, decisions={"a": nan_free(found.planned.decisions["a"])}
        )
        taken.append(found.planned)
    assert [entry.number for entry in taken] == [1, 2, 3, 4]
    # shown at some planned look, it stays shown in between
    first = next(place for place, entry in enumerate(states) if entry.state == "scale")
    assert {entry.state for entry in states[first:]} == {"scale"}
    told = RULES["between-looks"]["en"].format(look=2, looks=4, n=1000)
    assert "planned look 2 of 4 comes at 1000 customers" in told


def nan_free(decision):
    return replace(decision, figures=dict(decision.figures))


def cut(rows, day):
    """Who had entered before a day."""
    there = rows.day < day
    found = Rows(
        rows.plan, rows.arm[there], rows.day[there], {k: v[there] for k, v in rows.attributes.items()}
    )
    found.columns = {key: columns[there] for key, columns in rows.columns.items()}
    found.blocks = rows.blocks
    return found


def test_a_sequential_plan_that_ends_early_by_the_calendar_spends_what_is_left():
    plan = plan_of(goals=(revenue(),), design="sequential", looks=2, planned_n=10_000)
    rows, _, _ = simulated(plan, n=1000, rng=np.random.default_rng(11), days=28, effect=1.0)
    found = take_look(plan, questions(plan), rows.sums(), rows.entered(), seen=seen_at(plan, 34))
    assert (found.planned.number, found.planned.information) == (2, 1.0)
    (row,) = found.analysis.effects
    assert (row.decision_high - row.difference) / row.se == pytest.approx(norm.isf(0.025), rel=0.01)


def test_the_planned_number_ends_an_experiment():
    plan = plan_of(goals=(revenue(),), design="fixed", planned_n=900, entry="arrival")
    rows, _, _ = simulated(plan, n=1000, rng=np.random.default_rng(12))
    assert take_look(plan, questions(plan), rows.sums(), rows.entered(), seen=seen_at(plan, 7)).analysis.ended


# Checks


def test_arms_that_are_not_as_planned_make_it_invalid_at_every_look():
    plan = plan_of(goals=(revenue(),))
    rng = np.random.default_rng(13)
    rows, _, _ = simulated(plan, n=4000, rng=rng, days=10)
    rows.arm = (rng.random(4000) < 0.44).astype(int)
    found = take_look(plan, questions(plan), rows.sums(), rows.entered(), seen=seen_at(plan, 20))
    counts = rows.entered().counts
    # Lindon & Malek (2022): the inverse of the largest bet so far, day by day
    always = always_ratio_p(np.cumsum(counts, axis=1).T, [0.5, 0.5])[-1]
    assert found.analysis.ratio.always_p == pytest.approx(always)
    assert found.ratio_evidence == pytest.approx(-math.log(always))
    assert found.analysis.ratio.counts == {"control": int(counts[0].sum()), "a": int(counts[1].sum())}
    assert (found.analysis.verdict.state, found.analysis.verdict.rule) == ("invalid", "sample-ratio")


def test_segments_are_adjusted_together_and_do_not_decide():
    plan = plan_of(goals=(revenue(), Goal(metric="orders_per_customer", window_days=7)), segments=("region",))
    asked = questions(plan)
    rows, money, before = simulated(plan, n=3000, rng=np.random.default_rng(14), asked=asked)
    south = (rows.attributes["region"] == "s") & (rows.arm == 1)
    columns = np.column_stack([money + 2.0 * south[:, None], before])
    rows.give(asked[0], columns)
    found = take_look(plan, asked, rows.sums(views=(WHOLE, "region")), rows.entered(), seen=seen_at(plan, 7))
    assert [row.segment for row in found.analysis.segments] == ["region=n", "region=s"]
    n, s = found.analysis.segments
    assert (n.p_adjusted > 0.01, s.p_adjusted < 1e-6) == (True, True)
    assert found.analysis.segments_differ[asked[0].goal.name, "a"] < 1e-3
    there = rows.attributes["region"] == "s"
    table = {
        "arm": np.array(["control", "a"])[rows.arm[there]],
        "y": columns[there, :3].sum(axis=1),
        "x": before[there],
    }
    (same,) = analyse(table, arm="arm", control="control", metrics={"y": "y"}, covariates={"y": "x"}).effects
    assert (s.difference, s.se) == pytest.approx((same.difference, same.se))


def test_money_is_there_for_means_only():
    goal = Goal(metric="average_order_value", window_days=7, role="primary", value=2.0)
    plan = plan_of(goals=(goal,))
    rng = np.random.default_rng(15)
    rows = Rows(plan, rng.integers(0, 2, 500), np.zeros(500, int))
    orders = rng.poisson(1.0, (500, 3))
    rows.give(questions(plan)[0], np.column_stack([orders * 5.0 + 1, orders + 1.0, rng.random((500, 2))]))
    found = take_look(plan, questions(plan), rows.sums(), rows.entered(), seen=seen_at(plan, 7))
    assert found.analysis.decisions[0].basis == "value-of-ratio"
    assert {"value-of-ratio", "known-before", "not-mapped", "no-rows", "short-history"} <= WORDS.keys()


def test_three_arms_share_the_level_and_the_control_stands_first():
    arms = (Arm(name="a", share=0.3), Arm(name="control", share=0.4), Arm(name="b", share=0.3))
    plan = plan_of(goals=(revenue(),), arms=arms)
    rows, money, before = simulated(plan, n=3000, rng=np.random.default_rng(16), effect=0.0)
    rows.give(questions(plan)[0], np.column_stack([money + 2.0 * (rows.arm == 2)[:, None], before]))
    found = take_look(plan, questions(plan), rows.sums(), rows.entered(), seen=seen_at(plan, 7)).analysis
    assert found.arms == ("control", "a", "b")
    assert [row.arm for row in found.effects] == ["a", "b"]
    names = np.array(["a", "control", "b"])[rows.arm]
    table = {"arm": names, "y": money.sum(axis=1) + 6.0 * (rows.arm == 2), "x": before}
    wanted = analyse(
        table, arm="arm", control="control", metrics={"y": "y"}, covariates={"y": "x"},
        rules=Rules(shares={"a": 0.3, "control": 0.4, "b": 0.3}),
    )  # fmt: skip
    for got, same in zip(found.effects, wanted.effects, strict=True):
        assert (got.difference, got.decision_low) == pytest.approx((same.difference, same.decision_low))
    assert found.ratio.p == pytest.approx(wanted.ratio.p)


# Over time, and before it starts


def test_the_course_shows_each_day_what_a_look_would_have_shown():
    plan = plan_of(goals=(revenue(),))
    rows, _, _ = simulated(plan, n=1500, rng=np.random.default_rng(17), days=28, effect=1.0)
    (asked,) = questions(plan)
    days = [START + timedelta(days=day) for day in (3, 8, 15, 30)]
    found = course(plan, asked, rows.sums(), rows.entered(), days=days, seen=START + timedelta(days=20))
    assert [row.day for row in found] == days[:3]
    assert math.isnan(found[0].difference)
    for row in found[1:]:
        day = (row.day - START).days
        here = cut(rows, day)
        (same,) = take_look(
            plan, (asked,), here.sums(), here.entered(), seen=seen_at(plan, day)
        ).analysis.effects
        assert (row.difference, row.low, row.always_high) == pytest.approx(
            (same.difference, same.low, same.always_high)
        )


def test_a_baseline_is_the_mean_the_spread_and_what_the_covariate_leaves():
    plan = plan_of(goals=(revenue(),), arms=(Arm(name="all", share=1.0),), control="all")
    rows, money, before = simulated(plan, n=5000, rng=np.random.default_rng(18))
    (asked,) = questions(plan)
    found = baseline_of(asked, rows.sums(), seen=START + timedelta(days=7), n_per_week=12.0, n_now=5000)
    whole = money.sum(axis=1)
    assert (found.mean, found.sd) == pytest.approx((whole.mean(), whole.std(ddof=1)))
    # 1 − ρ², with one degree of freedom more spent
    assert found.variance_kept == pytest.approx(1 - np.corrcoef(whole, before)[0, 1] ** 2, rel=1e-3)
    third = ((whole - whole.mean()) ** 3).mean() / whole.std() ** 3
    assert found.skewness == pytest.approx(third)
    assert (found.n_per_week, found.n_now, found.customers, found.why_not) == (12.0, 5000, 5000, "")
    early = baseline_of(asked, rows.sums(), seen=START + timedelta(days=3), n_per_week=12.0, n_now=5000)
    assert (early.why_not, math.isnan(early.mean)) == ("short-history", True)
    nothing = replace(asked, outcome=None, why_not="not-mapped")
    assert baseline_of(nothing, rows.sums(), seen=START, n_per_week=0.0, n_now=1) == Baseline(
        metric=asked.goal.name, n_per_week=0.0, n_now=1, why_not="not-mapped", mean=pytest.approx(math.nan, nan_ok=True),
        sd=pytest.approx(math.nan, nan_ok=True), skewness=pytest.approx(math.nan, nan_ok=True),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "en", "ru"),
    [
        ("revenue_per_customer", "Revenue per customer (ARPU), 30\u00a0days", "Выручка на клиента (ARPU), 30\u00a0дней"),
        ("churn", "Churn: no order within 30\u00a0days", "Отток: нет заказа за 30\u00a0дней"),
        ("conversion", "Conversion: ordered within 30\u00a0days", "Конверсия: заказ за 30\u00a0дней"),
    ],
)  # fmt: skip
def test_a_goal_is_named_by_what_an_experiment_asks(metric, en, ru):
    assert goal_label(METRICS[metric], 30, "en") == en
    assert goal_label(METRICS[metric], 30, "ru") == ru


def test_the_amounts_say_which_way_is_good():
    margin = Goal(metric="discount_share", window_days=7, role="guardrail", margin=Amount(0.01))
    plan = plan_of(goals=(revenue(smallest=Amount(-1.0)), margin))
    assert [question.good for question in questions(plan)] == ["down", "down"]
