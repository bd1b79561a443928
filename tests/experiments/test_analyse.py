"""The verb `analyse` on tables and files: published values, Hillstrom, options, bad input."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from primeta.errors import BadInput, BadTable, NotFound, PrimetaError
from primeta.experiments.experiment import Experiment, margin, numbers, pairs
from primeta.experiments.records import Amount


def two_point(n: int, total: float, squares: float) -> np.ndarray:
    """n values with a given sum and sum of squares: half of them above the mean, half below."""
    mean = total / n
    variance = squares / n - mean**2
    ones = n // 2
    step = math.sqrt(variance * (n - ones) / ones)
    values = np.full(n, mean - step * ones / (n - ones))
    values[:ones] = mean + step
    return values


def table(**columns) -> pa.Table:
    return pa.table(columns)


def welch_table() -> pa.Table:
    # gbstats `test_tests.py`: A n 3407, sum 1396.87, sum of squares 52377.9767; B n 3461, 2422.7, 134698.29
    a, b = two_point(3407, 1396.87, 52377.9767), two_point(3461, 2422.7, 134698.29)
    return table(arm=["a"] * 3407 + ["b"] * 3461, spend=np.concatenate([a, b]))


def test_welch_and_the_lift_match_gbstats():
    effect = Experiment(control="a", metrics={"spend": "spend"}).analyse(welch_table()).effects[0]
    # gbstats: difference .29, 95% [.04538, .53462], p .02016
    assert effect.difference == pytest.approx(0.29, abs=5e-6)
    assert (effect.low, effect.high) == pytest.approx((0.04538, 0.53462), abs=5e-6)
    assert effect.p == pytest.approx(0.02016, abs=5e-6)
    # computed (REFERENCE): lift .70732; on the log scale [+10.5%, +163.8%]
    assert effect.lift == pytest.approx(0.70732, abs=5e-6)
    assert (effect.lift_low, effect.lift_high) == pytest.approx((0.105, 1.638), abs=5e-4)
    assert effect.lift_method == "log-ratio"


def test_the_lift_never_contradicts_the_difference():
    found = Experiment(control="a", metrics={"spend": "spend"}).analyse(welch_table())
    effect = found.effects[0]
    assert (effect.low > 0) == (effect.lift_low > 0)
    assert found.as_dict()["verdict_of"] == "difference"


def test_always_valid_interval_of_the_lift_matches_gbstats():
    from primeta.stats.effects import adjusted, influence, lift_se
    from primeta.stats.moments import Moments, stacked
    from primeta.stats.sequential import always_multiplier

    # gbstats: A n 3000 of the Welch data, N* 1000: relative effect within [−.55844, 1.56516]
    arms = [
        Moments.of_sums(3000, [1396.87], [[52377.9767]]),
        Moments.of_sums(3461, [2422.7], [[134698.29]]),
    ]
    estimates = adjusted(influence(stacked(arms)))
    lift = float(estimates.value[1] / estimates.value[0] - 1)
    reach = float(lift_se(estimates, 1, 0) * always_multiplier(6461, alpha=0.05, tuned=1000))
    assert (lift - reach, lift + reach) == pytest.approx((-0.55844, 1.56516), abs=5e-6)


def test_hillstrom_gives_the_published_effects(shared_data: Path):
    found = Experiment(
        arm="segment",
        control="No E-Mail",
        metrics={"spend": "spend", "visit": "visit:share", "conversion": "conversion:share"},
    ).analyse(shared_data / "hillstrom" / "hillstrom.csv.gz")
    spend = {effect.arm: effect for effect in found.effects if effect.metric == "spend"}
    # shared/data/README.md: spend 1.422617, 1.077202 and .652789; REFERENCE: +.7698 (se .1452), +.4244 (se .1303)
    assert spend["Mens E-Mail"].difference == pytest.approx(1.422617 - 0.652789, abs=1e-6)
    assert spend["Mens E-Mail"].se == pytest.approx(0.1452, abs=5e-5)
    assert spend["Womens E-Mail"].difference == pytest.approx(0.4244, abs=5e-5)
    assert spend["Womens E-Mail"].se == pytest.approx(0.1303, abs=5e-5)
    visits = {effect.arm: effect for effect in found.effects if effect.metric == "visit"}
    assert visits["Mens E-Mail"].arm_mean == pytest.approx(0.182757, abs=5e-7)
    assert visits["Womens E-Mail"].control_mean == pytest.approx(0.106167, abs=5e-7)
    assert found.ratio.ok
    assert found.ratio.counts == {"No E-Mail": 21306, "Mens E-Mail": 21307, "Womens E-Mail": 21387}
    assert (found.verdict.state, found.verdict.arm) == ("scale", "Mens E-Mail")


def simulated(seed: int = 1, *, n: int = 3000, effect: float = 0.0) -> pa.Table:
    rng = np.random.default_rng(seed)
    arm = np.where(rng.random(n) < 0.5, "control", "offer")
    before = rng.gamma(2, 10, n)
    revenue = before * rng.lognormal(0, 0.4, n) + effect * (arm == "offer")
    return table(
        customer=[f"{place:06d}" for place in range(n)],
        arm=arm,
        revenue=revenue,
        orders=rng.poisson(1.5, n),
        bought=rng.random(n) < 0.2,
        before=before,
        region=np.where(rng.random(n) < 0.5, "north", "south"),
    )


OFFER = Experiment(control="control", metrics={"revenue": "revenue"})


def test_a_path_a_table_and_a_mapping_give_the_same(tmp_path: Path):
    rows = simulated()
    pq.write_table(rows, tmp_path / "rows.parquet")
    expected = OFFER.analyse(rows).effects[0]
    for given in (tmp_path / "rows.parquet", rows.to_pydict()):
        got = OFFER.analyse(given).effects[0]
        assert got.difference == pytest.approx(expected.difference, rel=1e-12)
        assert got.se == pytest.approx(expected.se, rel=1e-12)


def test_a_covariate_takes_noise_away_and_leaves_the_effect():
    rows = simulated(effect=3.0)
    plain = OFFER.analyse(rows).effects[0]
    helped = Experiment(
        control="control", metrics={"revenue": "revenue"}, covariates={"revenue": "before"}
    ).analyse(rows)
    effect = helped.effects[0]
    assert effect.se < 0.75 * plain.se
    assert effect.low < 3.0 < effect.high
    assert effect.difference == pytest.approx(effect.arm_mean - effect.control_mean, rel=1e-9)
    assert [placebo.metric for placebo in helped.placebo] == ["before"]
    assert not helped.placebo_moved


def test_a_covariate_without_a_value_stands_at_the_mean_and_that_is_said():
    rows = simulated()
    before = [None if place % 10 == 0 else value for place, value in enumerate(rows["before"].to_pylist())]
    found = Experiment(
        control="control", metrics={"revenue": "revenue"}, covariates={"any": "before"}
    ).analyse(rows.set_column(rows.column_names.index("before"), "before", pa.array(before)))
    assert found.effects[0].variance_kept < 0.8
    assert any("300 rows" in remark for remark in found.remarks("en"))


def test_a_shift_of_a_billion_loses_no_digits():
    rows = simulated()
    moved = rows.set_column(
        rows.column_names.index("revenue"), "revenue", pa.array(rows["revenue"].to_numpy() + 1e9)
    )
    assert OFFER.analyse(moved).effects[0].se == pytest.approx(OFFER.analyse(rows).effects[0].se, rel=1e-6)


def test_segments_are_adjusted_together_and_do_not_decide():
    found = OFFER.analyse(simulated(), by="region")
    assert {effect.segment for effect in found.segments} == {"north", "south"}
    assert sum(effect.n_arm for effect in found.segments) == found.effects[0].n_arm
    assert 0 <= found.segments_differ["revenue", "offer"] <= 1
    p = sorted(effect.p for effect in found.segments)
    # Benjamini & Hochberg (1995) for two p-values: the larger stays, the smaller doubles up to it
    assert sorted(effect.p_adjusted for effect in found.segments) == pytest.approx(
        [min(2 * p[0], p[1]), p[1]]
    )


def test_money_is_value_times_difference_less_cost_with_the_deciding_interval():
    found = Experiment(
        control="control",
        metrics={"revenue": "revenue", "orders": "orders"},
        values={"revenue": 0.5, "orders": 2.0},
        costs={"offer": 1.25, "control": 0.25},
    ).analyse(simulated(effect=4.0))
    revenue, orders = found.effects
    decision = found.decisions[0]
    assert decision.money_per_customer == pytest.approx(0.5 * revenue.difference + 2 * orders.difference - 1)
    # The two metrics' noise is counted together, with their covariance: not the sum of their intervals.
    apart = math.hypot(0.5 * revenue.se, 2 * orders.se)
    joint = (decision.high - decision.low) / (revenue.decision_high - revenue.decision_low) * revenue.se
    assert joint == pytest.approx(apart, rel=0.1)


def test_shares_of_the_arms_are_checked_and_a_broken_lottery_is_invalid():
    rows = table(arm=["a"] * 1000 + ["b"] * 1200, y=np.arange(2200.0))
    found = Experiment(control="a", metrics={"y": "y"}).analyse(rows)
    # GrowthBook: [1000, 1200] at even shares, p .000020079
    assert found.ratio.p == pytest.approx(0.000020079, abs=5e-10)
    assert found.verdict.state == "invalid"
    assert "equal shares were assumed" in found.as_dict()["decision"]["why"]
    planned = Experiment(control="a", metrics={"y": "y"}, shares={"a": 5 / 11, "b": 6 / 11}).analyse(rows)
    assert planned.ratio.p == pytest.approx(1)


def test_a_metric_that_cannot_be_told_says_why_and_invents_nothing():
    rows = table(arm=["a"] * 50 + ["b"] * 50, same=np.ones(100), zero=np.zeros(100), y=np.arange(100.0))
    found = Experiment(control="a", metrics={"same": "same", "none": "y/zero"}).analyse(rows)
    assert [effect.why_not for effect in found.effects] == ["no-variance", "no-denominator"]
    document = found.as_dict()
    for row in document["effects"]:
        assert math.isnan(row["p"])
        assert math.isnan(row["difference"])
    assert document["decision"]["state"] == "invalid"
    assert "cannot tell" in found.table("en").text()


def test_a_cap_declared_beforehand_holds_a_giant_back():
    rows = simulated()
    revenue = rows["revenue"].to_numpy().copy()
    revenue[0] = 1e6
    giant = rows.set_column(rows.column_names.index("revenue"), "revenue", pa.array(revenue))
    capped = Experiment(control="control", metrics={"revenue": "revenue"}, caps={"revenue": 100}).analyse(
        giant
    )
    assert capped.effects[0].se < 2
    free = OFFER.analyse(giant)
    assert free.effects[0].se > 100
    assert "heavy-tail" in free.effects[0].cautions


def test_always_valid_intervals_are_wider_and_final_decides_on_the_fixed_one():
    rows = simulated(effect=1.5)
    running, ended = OFFER.analyse(rows), OFFER.analyse(rows, final=True)
    effect = running.effects[0]
    assert effect.always_low < effect.low < effect.high < effect.always_high
    assert (effect.decision_low, effect.decision_high) == (effect.always_low, effect.always_high)
    last = ended.effects[0]
    assert (last.decision_low, last.decision_high) == pytest.approx((last.low, last.high))
    assert ended.ended
    assert not running.ended


def test_three_arms_share_one_level():
    rng = np.random.default_rng(3)
    rows = table(arm=np.array(["control", "a", "b"])[rng.integers(0, 3, 6000)], y=rng.normal(size=6000))
    found = Experiment(control="control", metrics={"y": "y"}).analyse(rows, final=True)
    from scipy.stats import norm

    for effect in found.effects:
        reach = (effect.decision_high - effect.decision_low) / 2 / effect.se
        # Bonferroni: each of two arms at 97.5%
        assert reach == pytest.approx(norm.isf(0.0125), rel=2e-3)
        assert (effect.high - effect.low) / 2 / effect.se == pytest.approx(norm.isf(0.025), rel=2e-3)


def test_planned_looks_use_the_bound_of_this_look():
    rows = simulated(n=3000)
    test = Experiment(control="control", metrics={"revenue": "revenue"}, planned_n=6000, looks=2)
    early = test.analyse(rows).effects[0]
    # Lan & DeMets (1983), O'Brien–Fleming-like spending at half the information, 5% two-sided: z = 2.9626
    assert (early.decision_high - early.decision_low) / 2 / early.se == pytest.approx(2.9626, rel=5e-3)


def test_rows_without_an_arm_took_no_part():
    rows = simulated()
    arms = [None if place % 3 == 0 else arm for place, arm in enumerate(rows["arm"].to_pylist())]
    found = OFFER.analyse(rows.set_column(1, "arm", pa.array(arms)))
    assert sum(found.ratio.counts.values()) == 2000
    assert any("1,000 rows without an arm" in remark for remark in found.remarks("en"))


def test_bayesian_reading_is_added_on_request():
    share = [1] * 49 + [0] * 51 + [1] * 51 + [0] * 49
    rows = table(arm=["a"] * 100 + ["b"] * 100, y=share)
    effect = Experiment(control="a", metrics={"y": "y:share"}).analyse(rows, bayesian=True).effects[0]
    # gbstats, flat prior, 49 of 100 against 51 of 100: P(better) .60918, risk .0814 and .04058
    assert effect.better == pytest.approx(0.60918, abs=5e-6)
    assert (effect.risk_control, effect.risk_arm) == pytest.approx((0.0814, 0.04058), abs=5e-5)


def test_small_shares_show_fishers_exact_test():
    rows = table(arm=["a"] * 47 + ["b"] * 53, y=[1] * 13 + [0] * 34 + [1] * 19 + [0] * 34)
    effect = Experiment(control="a", metrics={"y": "y:share"}).analyse(rows).effects[0]
    # computed with scipy (REFERENCE): 19 of 53 against 13 of 47
    assert effect.p_exact == pytest.approx(0.39999489, abs=5e-9)
    assert "small-arm" in effect.cautions


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_surface_speaks_both_languages(language: str):
    found = Experiment(
        control="control",
        metrics={"revenue": "revenue", "bought": "bought:share"},
        guardrails={"bought": "1%"},
        values={"revenue": 0.3},
    ).analyse(simulated(), by="region")
    text = found.line(language) + found.table(language).text() + found.decision_table(language).text()
    text += found.segment_table(language).text() + found.picture(language).svg()
    assert "{" not in found.line(language) + "".join(found.remarks(language))
    assert ("клиентов" in text) == (language == "ru")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"control": "contrl"}, NotFound, "contrl"),
        ({"metrics": {"revenue": "revenu"}}, BadTable, "revenu"),
        ({"metrics": {}}, BadInput, "no metric"),
        ({"metrics": {"bad": "revenue:share"}}, BadTable, "neither 0 nor 1"),
        ({"metrics": {"bad": "region"}}, BadTable, "text"),
        ({"metrics": {"r": "revenue"}, "primary": "q"}, NotFound, "'q'"),
        ({"guardrails": {"revenue": 1}}, BadInput, "primary metric and a guardrail"),
        ({"guardrails": {"other": 1}}, NotFound, "other"),
        ({"covariates": {"revenue": "revenue"}}, BadInput, "known before"),
        ({"shares": {"control": 0.5}}, BadInput, "offer"),
        ({"shares": {"control": 0.5, "offer": 0.4}}, BadInput, "sum to 1"),
        ({"shares": {"control": 0.5, "ofer": 0.5}}, NotFound, "ofer"),
        ({"costs": {"ofer": 1}}, NotFound, "ofer"),
        ({"level": 95}, BadInput, "level"),
        ({"caps": {"revenue": -1}}, BadInput, "cap"),
        ({"looks": 3}, BadInput, "planned-n"),
        ({"arm": "group"}, BadTable, "group"),
        ({"metrics": {"o": "orders/bought"}, "values": {"o": 2}}, BadInput, "ratio"),
        ({"smallest": {"revenue": 0}}, BadInput, "always matters"),
    ],
)
def test_bad_input_is_one_clear_message(change, error, words):
    fields = {"control": "control", "metrics": {"revenue": "revenue"}, **change}
    with pytest.raises(error, match=words):
        Experiment(**fields).analyse(simulated(n=200))


def test_an_empty_outcome_is_not_taken_for_zero():
    rows = simulated(n=200)
    gaps = pa.array([None if place < 7 else value for place, value in enumerate(rows["revenue"].to_pylist())])
    with pytest.raises(BadTable, match=r"'revenue' is empty in 7 of 200 rows"):
        OFFER.analyse(rows.set_column(rows.column_names.index("revenue"), "revenue", gaps))


def test_a_customer_in_two_arms_is_named():
    rows = table(customer=["1", "2", "1", "3"], arm=["a", "a", "b", "b"], y=[1.0, 2, 3, 4])
    with pytest.raises(BadTable, match=r"'1' is in two arms, a and b"):
        Experiment(control="a", metrics={"y": "y"}).analyse(rows, unit="customer")
    twice = table(customer=["1", "1", "2", "3"], arm=["a", "a", "b", "b"], y=[1.0, 2, 3, 4])
    with pytest.raises(BadTable, match=r"'1' stands 2 times"):
        Experiment(control="a", metrics={"y": "y"}).analyse(twice, unit="customer")


@pytest.mark.parametrize("arms", [["a"] * 4, ["a", "a", "a", "b"], []])
def test_one_arm_an_arm_of_one_or_nobody(arms):
    rows = table(arm=pa.array(arms, pa.string()), y=pa.array(np.arange(float(len(arms)))))
    with pytest.raises(PrimetaError):
        Experiment(control="a", metrics={"y": "y"}).analyse(rows)


def test_margins_take_their_direction_from_the_sign_or_from_the_metric():
    assert margin("revenue", "2%") == Amount(-0.02, True)
    assert margin("unsubscribe_rate", "0.001") == Amount(0.001, False)
    assert margin("anything", "+0.5") == Amount(0.5, False)
    assert margin("churn", "-1%") == Amount(-0.01, True)
    with pytest.raises(BadInput, match="margin of 0"):
        margin("revenue", 0)


def test_entries_of_the_command_line():
    assert pairs(["a=1,b=2", "c=x/y"], "--metric") == {"a": "1", "b": "2", "c": "x/y"}
    assert numbers(["control=20%", "a=.8"], "--shares") == {"control": 0.2, "a": 0.8}
    for wrong in (["a"], ["=1"], ["a="], ["a=1", "a=2"]):
        with pytest.raises(BadInput):
            pairs(wrong, "--metric")
    with pytest.raises(BadInput, match="number"):
        numbers(["a=few"], "--shares")


def test_an_arm_without_any_event_is_no_proof():
    # 13 unsubscribed of 3,085, a tenth of the customers in the arm, none of them there: chance, e^-1.3 = 27% of tests
    rows = table(
        arm=["control"] * 2777 + ["offer"] * 308,
        off=[1] * 13 + [0] * (2777 - 13 + 308),
    )
    test = Experiment(
        control="control", metrics={"off": "off:share"}, smallest={"off": -0.001},
        shares={"control": 0.9, "offer": 0.1},
    )  # fmt: skip
    effect = test.analyse(rows, final=True).effects[0]
    assert effect.low < 0 < effect.high
    assert "few-events" in effect.cautions
    # Of a thousand each, none against a hundred is proof all the same.
    plain = table(arm=["control"] * 1000 + ["offer"] * 1000, on=[0] * 1000 + [1] * 100 + [0] * 900)
    shown = Experiment(control="control", metrics={"on": "on:share"}).analyse(plain)
    assert shown.verdict.state == "scale"


def test_a_segment_in_which_nothing_happens_has_no_variance():
    quiet = table(
        arm=["control", "offer"] * 1000, y=[0.0] * 1000 + [0.1, 0.3] * 500, region=["a"] * 1000 + ["b"] * 1000
    )
    found = Experiment(control="control", metrics={"y": "y"}).analyse(quiet, by="region")
    assert {effect.segment: effect.why_not for effect in found.segments} == {
        "a": "no-variance",
        "b": "no-variance",
    }


def test_one_declaration_plans_assigns_and_analyses():
    test = Experiment(
        control="control",
        metrics={"bought": "bought:share"},
        shares={"offer": 0.5, "control": 0.5},
        values={"bought": 30},
        costs={"offer": 0.4},
    )
    size = test.plan(kind="share", baseline=0.08, effect=0.02)
    assert list(size.n_by_arm) == ["control", "offer"]
    assert size.break_even == pytest.approx(0.4 / 30)
    rows = simulated().drop_columns(["arm"])
    assigned = test.assign(rows, unit="customer", salt="autumn")
    assert assigned.column_names == [*rows.column_names, "arm", "bucket"]
    assert test.analyse(assigned, unit="customer").ratio.ok
    with pytest.raises(BadInput, match="no shares"):
        OFFER.assign(rows, unit="customer", salt="autumn")
