"""From sums to effects: which interval decides, at which level, and how often it is wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.experiment_worlds import (
    Case,
    at_place,
    from_rows,
    gain_with_guardrail,
    gain_without_money,
    normal_looks,
    normal_mean,
    overlapping,
    share_of,
    tally,
)
from scipy import stats

from primeta.experiments.evaluate import (
    DEFAULT_TUNED,
    Looking,
    Measured,
    adjusted_p,
    differ_between,
    effects_of,
    money_of,
    sample_ratio,
)
from primeta.experiments.records import Amount, Effect
from primeta.stats.effects import adjusted, difference, influence
from primeta.stats.moments import Moments, stacked
from primeta.stats.sequential import always_multiplier
from primeta.stats.spending import bounds

# gbstats `test_tests.py`
WELCH = stacked(
    [
        Moments.of_sums(3407, [1396.87], [[52377.9767]]),
        Moments.of_sums(3461, [2422.7], [[134698.29]]),
    ]
)


def measured(moments: Moments, **what) -> Measured:
    how = {"denominator": what.pop("denominator", None), "covariates": what.pop("with_covariates", ())}
    return Measured(
        **{"name": "spend", "kind": "mean", "influence": influence(moments, **how), "role": "primary", **what}
    )


ONCE = Looking(how="fixed")


def read(*metrics: Measured, arms=("control", "a"), level=0.95, looking=ONCE, **more) -> tuple[Effect, ...]:
    return effects_of(metrics, arms=arms, control="control", level=level, looking=looking, **more)


def three_arms(seed: int = 1, n: int = 400) -> Moments:
    rng = np.random.default_rng(seed)
    return stacked([Moments.of_rows(rng.normal(10 + gain, 5, (n, 1))) for gain in (0.0, 0.3, 0.8)])


def width(effect: Effect) -> float:
    return effect.decision_high - effect.decision_low


# Which interval decides


def test_the_published_interval_is_the_one_for_one_look_gbstats():
    (effect,) = read(measured(WELCH))
    # gbstats: .29, 95% [.04538, .53462], p .02016; lift .70732
    assert effect.difference == pytest.approx(0.29, abs=5e-6)
    assert (effect.low, effect.high) == pytest.approx((0.04538, 0.53462), abs=5e-6)
    assert (effect.decision_low, effect.decision_high) == (effect.low, effect.high)
    assert effect.p == pytest.approx(0.02016, abs=5e-6)
    assert effect.lift == pytest.approx(0.70732, abs=5e-6)


def test_without_a_plan_the_interval_for_every_look_decides():
    (effect,) = read(measured(WELCH), looking=Looking())
    assert (effect.decision_low, effect.decision_high) == (effect.always_low, effect.always_high)
    assert effect.always_low < effect.low
    assert effect.high < effect.always_high
    # the brief's formula, ρ = 5,000 / (2 log 20 + log(1 + 2 log 20))
    rho = DEFAULT_TUNED / (2 * math.log(20) + math.log1p(2 * math.log(20)))
    n = 3407 + 3461
    m = math.sqrt((1 + rho / n) * (math.log1p(n / rho) + 2 * math.log(20)))
    # so many degrees of freedom leave the normal quantile nearly alone
    assert (effect.always_high - effect.difference) / effect.se == pytest.approx(m, rel=2e-3)


def test_a_planned_look_decides_by_its_own_bound():
    looks = bounds([0.5, 1.0], alpha=0.05)
    first, last = (
        read(measured(WELCH), looking=Looking(how="planned", bound=float(bound)))[0] for bound in looks
    )
    assert (first.decision_high - first.difference) / first.se == pytest.approx(looks[0], rel=3e-3)
    assert width(first) > width(last) > last.high - last.low


def test_the_level_is_shared_between_the_treated_arms():
    """Bonferroni: of two treated arms each decides at 97.5%; what is shown and `always` stay at 95%."""
    for how in ("fixed", "always"):
        looking = Looking(how=how)
        seen = {"n_effective": 1_000.0}
        two = read(measured(three_arms(), **seen), arms=("control", "a", "b"), looking=looking)
        pair = three_arms()[np.array([0, 1])]
        (alone,) = read(measured(pair, **seen), level=0.975, looking=looking)
        (shown,) = read(measured(pair, **seen), level=0.95, looking=looking)
        assert width(two[0]) == pytest.approx(width(alone), rel=1e-9)
        assert two[0].low == pytest.approx(shown.low)
        assert width(two[0]) > two[0].high - two[0].low


def test_p_values_are_adjusted_over_all_rows_tea_tasting():
    # tea-tasting's guide: p .118, .0211, .0213, .00218 → BH .118, .0284, .0284, .00872
    rows = read(*(measured(three_arms(), name=name) for name in "wx"), arms=("control", "a", "b"))
    given = [replace(row, p=p) for row, p in zip(rows, (0.118, 0.0211, 0.0213, 0.00218))]
    assert [row.p_adjusted for row in adjusted_p(given)] == pytest.approx(
        [0.118, 0.0284, 0.0284, 0.00872], abs=5e-5
    )
    unknown = adjusted_p([*given, replace(rows[0], p=math.nan)])
    assert math.isnan(unknown[-1].p_adjusted)
    assert unknown[0].p_adjusted == pytest.approx(0.118)


def test_customers_in_parts_count_towards_the_interval_for_every_look():
    (whole,) = read(measured(WELCH), looking=Looking(tuned=2_000))
    (parts,) = read(measured(WELCH, n_effective=500.0), looking=Looking(tuned=2_000))
    ratio = float(
        always_multiplier(500.0, alpha=0.05, tuned=2_000) / always_multiplier(6868.0, alpha=0.05, tuned=2_000)
    )
    assert width(parts) / width(whole) == pytest.approx(ratio, rel=1e-2)


# What matters


def test_an_absolute_amount_moves_the_interval_and_a_relative_one_moves_with_the_control():
    moments = three_arms()[np.array([0, 2])]
    (absolute,) = read(measured(moments, smallest=Amount(0.5)))
    assert absolute.beyond_low == pytest.approx(absolute.decision_low - 0.5)
    assert absolute.beyond_high == pytest.approx(absolute.decision_high - 0.5)
    (relative,) = read(measured(moments, smallest=Amount(0.05, relative=True)))
    rows = adjusted(influence(moments))
    middle = float(rows.value[1] - 1.05 * rows.value[0])
    assert (relative.beyond_low + relative.beyond_high) / 2 == pytest.approx(middle)
    # 1.05 times the control has 1.05² of its variance
    assert relative.beyond_high - relative.beyond_low > absolute.beyond_high - absolute.beyond_low
    (nothing,) = read(measured(moments))
    assert math.isnan(nothing.beyond_low)


def test_money_is_what_the_arm_brought_more_less_what_it_cost_more():
    moments = three_arms()
    rows = read(measured(moments), arms=("control", "a", "b"))
    found = money_of(
        measured(moments),
        arms=("control", "a", "b"),
        control="control",
        costs={"a": 0.5, "b": 2.0, "control": 0.25},
        level=0.95,
        looking=Looking(how="fixed"),
    )
    for row, cost in zip(rows, (0.25, 1.75)):
        worth = found[row.arm]
        assert worth.value == pytest.approx(row.difference - cost)
        assert (worth.low, worth.high) == pytest.approx((row.decision_low - cost, row.decision_high - cost))
    assert money_of(
        None, arms=("control", "a"), control="control", costs={}, level=0.95, looking=Looking()
    ) == {}  # fmt: skip


def test_the_bayesian_reading_is_given_where_it_is_asked_for_gbstats():
    # gbstats: 49 of 100 against 51 of 100, flat prior: P(better) .60918, risk .0814 and .04058
    counted = stacked([Moments.of_sums(100, [49], [[49]]), Moments.of_sums(100, [51], [[51]])])
    metric = measured(counted, kind="share", events=(49, 51))
    (asked,) = read(metric, bayesian=True)
    assert asked.better == pytest.approx(0.60918, abs=5e-6)
    assert (asked.risk_arm, asked.risk_control) == pytest.approx((0.04058, 0.0814), abs=5e-5)
    assert math.isnan(read(metric)[0].better)
    # Fisher's exact test comes with every share without covariates
    assert asked.p_exact == pytest.approx(stats.fisher_exact([[51, 49], [49, 51]])[1])


# What cannot be told


@pytest.mark.parametrize(
    ("moments", "how", "why"),
    [
        (stacked([Moments.of_rows([[1.0]]), Moments.of_rows([[1.0], [2.0]])]), {}, "too-few-customers"),
        (stacked([Moments.of_rows(np.ones((9, 1)))] * 2), {}, "no-variance"),
        (
            stacked([Moments.of_rows(np.column_stack([np.arange(9.0), np.zeros(9)]))] * 2),
            {"kind": "ratio", "denominator": 1},
            "no-denominator",
        ),
    ],
)
def test_what_cannot_be_told_says_why_and_is_never_zero(moments, how, why):
    """A peer returns effect 0, interval (0, 0) and p 1 for a failed analysis."""
    for looking in (Looking(), Looking(how="fixed"), Looking(how="planned", bound=2.0)):
        (effect,) = read(measured(moments, **how), looking=looking)
        assert effect.why_not == why
        for name in (
            "difference", "se", "low", "high", "p", "p_adjusted", "lift", "lift_low", "lift_high", "lift_p",
            "always_low", "always_high", "decision_low", "decision_high",
        ):  # fmt: skip
            assert math.isnan(getattr(effect, name)), name


def test_a_window_that_has_not_passed_says_so():
    of = influence(three_arms()[np.array([0, 1])])
    ahead = replace(of, value=np.full(2, np.nan), variance=np.full(2, np.nan))
    (effect,) = read(replace(measured(WELCH), influence=ahead, n_effective=0.0), looking=Looking())
    assert effect.why_not == "not-seen-yet"


def test_cautions_name_what_makes_an_interval_rough():
    rng = np.random.default_rng(2)
    small = stacked([Moments.of_rows(rng.standard_normal((60, 1))) for _ in range(2)])
    assert read(measured(small))[0].cautions == ("small-arm",)
    assert read(measured(WELCH, kind="share", events=(8, 300)))[0].cautions == ("few-events",)
    assert read(measured(WELCH, kind="share", events=(300, 3_455)))[0].cautions == ("few-events",)
    assert read(measured(WELCH, skewness=(1.0, 1.0)))[0].cautions == ()
    assert read(measured(WELCH, skewness=(30.0, 30.0)))[0].cautions == ("heavy-tail",)


# The arms' sizes, and segments


def test_one_look_at_the_arms_sizes_is_the_chi_square_and_many_the_bet():
    shares = {"control": 0.5, "a": 0.5}
    # GrowthBook: [1000, 1200] even, p .000020079
    once = sample_ratio({"control": 1000, "a": 1200}, shares)
    assert once.p == pytest.approx(0.000020079, abs=5e-10)
    assert not once.ok
    # srm.osc.garden: 44,000 / 45,000, p .0008
    assert not sample_ratio({"control": 44_000, "a": 45_000}, shares).ok
    assert sample_ratio({"control": 1000, "a": 1040}, shares).ok
    assert sample_ratio({"control": 1000, "a": 1200}, shares, always_p=0.02, repeated=True).ok
    assert not sample_ratio({"control": 1000, "a": 1040}, shares, always_p=0.009, repeated=True).ok


def test_segments_differ_by_cochrans_q():
    def row(difference: float, se: float) -> Effect:
        return replace(read(measured(WELCH))[0], difference=difference, se=se)

    # by hand: weights 1, 1, ¼; mean (1 + 3 + ½)/2.25 = 2; Q = 1 + 1 + 0 on 2 degrees of freedom
    assert differ_between([row(1, 1), row(3, 1), row(2, 2)]) == pytest.approx(math.exp(-1))
    assert math.isnan(differ_between([row(1, 1)]))
    assert math.isnan(differ_between([row(1, 1), row(math.nan, math.nan)]))


# How often it is wrong, through effects_of and decide; the full table is `benchmarks "experiment calibration"`


def within(hits: int, runs: int, aim: float) -> bool:
    """No more often than a binomial with the stated level allows once in a thousand."""
    return hits <= stats.binom.ppf(0.999, runs, aim)


RUNS = 400


@pytest.mark.parametrize(
    "case",
    [
        Case(what="mean", size="", draw=from_rows(normal_mean([1.0]), n=200, difference=[1.0], lift=[0.1])),
        Case(what="share", size="", kind="share", draw=share_of(p=0.1, effect=0.05, n=1_000)),
        Case(
            what="10% treated",
            size="",
            shares=(0.9, 0.1),
            draw=from_rows(normal_mean([2.0]), n=400, shares=(0.9, 0.1), difference=[2.0]),
        ),
        Case(
            what="three arms",
            size="",
            shares=(0.4, 0.3, 0.3),
            draw=from_rows(normal_mean([1.0, 0.0]), n=300, shares=(0.4, 0.3, 0.3), difference=[1.0, 0.0]),
        ),
    ],
    ids=lambda case: case.what,
)
def test_decisions_are_wrong_no_more_often_than_stated(case):
    with_effect = tally(case, runs=RUNS, seed=1, moved=True)
    assert within(RUNS - with_effect.covered, RUNS, 0.05)
    without = tally(case, runs=RUNS, seed=1, moved=False)
    assert within(without.scale, RUNS, 0.025)
    assert within(without.harm, RUNS, 0.025)
    assert within(without.ratio_alarms, RUNS, 0.001)


def test_a_guardrail_at_its_margin_lets_an_arm_pass_no_more_often_than_stated():
    for amount in (Amount(-0.02), Amount(-0.1, relative=True)):
        case = Case(
            what="guard",
            size="",
            draw=gain_with_guardrail(n=4_000, gain=1.0, p=0.2, fall=0.02),
            kinds={"guard": "share"},
            roles={"guard": "guardrail"},
            amounts={"guard": amount},
        )
        assert within(tally(case, runs=RUNS, seed=2, moved=True).scale, RUNS, 0.025)


def test_an_arm_that_costs_all_it_brings_is_scaled_no_more_often_than_stated():
    case = Case(
        what="money", size="", draw=gain_without_money(n=1_000, gain=0.5, worth=2.0), money="money", cost=2.0
    )
    assert within(tally(case, runs=RUNS, seed=3, moved=True).scale, RUNS, 0.025)


def test_another_test_on_the_same_people_does_no_harm():
    case = Case(
        what="overlap",
        size="",
        draw=overlapping(people=400, effect=1.0, other_effect=5.0, holdout=0.1),
    )
    found = tally(case, runs=150, seed=4, moved=True)
    assert within(150 - found.covered, 150, 0.05)
    assert within(found.ratio_alarms, 150, 0.001)


def test_at_every_look_the_interval_holds_where_the_one_for_one_look_is_soon_wrong():
    """Armitage, McPherson & Rowe (1969), table 2: fifty looks at 5% each find an effect in 32% where there is none."""
    looks, runs = 50, 2_000
    drawn = normal_looks(n=100_000, looks=looks, effect=0.0)(np.random.default_rng(5), runs, False)
    gap = difference(adjusted(at_place(drawn.metrics["primary"].influence, slice(None))), 1, 0)
    low, high = gap.t_bounds(0.95)
    peer = int(((low > 0) | (high < 0)).any(axis=1).sum())
    assert stats.binom.ppf(0.001, runs, 0.32) <= peer <= stats.binom.ppf(0.999, runs, 0.32)
    reach = always_multiplier(drawn.counts.sum(axis=-1), alpha=0.05, tuned=5_000)
    ours = int((np.abs(gap.difference) > reach * gap.se).any(axis=1).sum())
    assert within(ours, runs, 0.05)

    case = Case(what="", size="", design="always", draw=normal_looks(n=1_200, looks=20, effect=1.0))
    found = tally(case, runs=60, seed=6, moved=False)
    assert within(60 - found.covered, 60, 0.05)
    assert within(found.scale, 60, 0.025)
