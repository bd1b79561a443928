"""Weighing: scenarios from their inputs, filters with their reasons, guesses with a name."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from primeta.config import FiltersConfig
from primeta.errors import BadInput
from primeta.stats.power import weeks_to_see
from primeta.trends.ground import FEEDS
from primeta.trends.weigh import Ground, KpiEffect, Need, guess, weigh

NOW = datetime(2026, 11, 16, tzinfo=UTC)
KNOWN = KpiEffect(metric="revenue_per_customer", relative=0.03, se=0.01, base=50.0, weeks=8)
UNKNOWN = KpiEffect(
    metric="conversion", relative=math.nan, se=math.nan, base=math.nan, weeks=0, why_not="not-measured"
)


def ground(**changes) -> Ground:
    values = {
        "reach_customers": 0.2,
        "reach_revenue": 0.25,
        "revenue_year": 1e6,
        "margin": 0.4,
        "kpis": {
            "arpu": KNOWN,
            "retention": KpiEffect(metric="retention_30", relative=-0.02, se=0.005, base=0.6, weeks=8),
            "conversion": UNKNOWN,
        },
        "touched": ("orders_per_customer",),
        "needs": (
            Need(name="messages", exists=True, full=0.9),
            Need(name="consents", exists=False, full=0.0),
        ),
        "weeks_to_answer": 7.0,
        "smallest_effect": 0.02,
        "consent_share": math.nan,
        "same_cause": FEEDS,
    }
    return Ground(**{**values, **changes})


def weighed(*, guesses=None, goals=None, **changes):
    return weigh(
        ground(**changes),
        goals={"revenue_per_customer": 2.0, "retention_30": 1.0} if goals is None else goals,
        guesses=guesses or {},
        thresholds=FiltersConfig(),
        now=NOW,
        rng=np.random.default_rng(7),
    )


def test_money_is_revenue_times_reach_times_effect_times_margin():
    # 1e6 × .25 × N(.03, .01) × .4 is normal with mean 3,000 and sd 1,000
    money = weighed(touched=("revenue_per_customer",)).scenario("money")
    expected = norm(3000, 1000).ppf([0.1, 0.5, 0.9])
    # 20,000 draws: a quantile's standard error is below 15
    assert [money.p10, money.p50, money.p90] == pytest.approx(expected, abs=60)
    assert money.basis == "measured"
    assert weighed().chance_of_loss == pytest.approx(norm(3000, 1000).cdf(0), abs=0.002)


def test_money_beside_another_metric_is_computed_and_said_to_be_no_proof():
    result = weighed(touched=("open_rate",))
    assert result.scenario("money").basis == "computed"
    assert result.filter("economic").reason[0] == "economic-beside"
    assert weighed(touched=("average_order_value",)).filter("economic").reason[0] == "economic-money"


def test_one_guess_makes_the_money_a_guess_and_names_who_guessed():
    adoption = guess("adoption", "35%", by="Anna Kim", now=NOW)
    result = weighed(guesses={"adoption": adoption})
    assert result.scenario("money").basis == "guess"
    assert result.scenario("money").p50 == pytest.approx(3000 * 0.35, abs=25)
    assert next(entry for entry in result.inputs if entry.name == "adoption").by == "Anna Kim"


def test_retention_is_in_points_of_everybody():
    # .2 of customers × .6 × N(−.02, .005): mean −.24 points
    scenario = weighed().scenario("retention")
    assert scenario.unit == "points"
    assert scenario.p50 == pytest.approx(-0.0024, abs=3e-5)


def test_what_is_not_measured_is_unknown_with_a_reason_and_never_zero():
    result = weighed(kpis={"arpu": UNKNOWN}, margin=None)
    money = result.scenario("money")
    assert math.isnan(money.p50)
    assert money.why_not == "inputs-missing"
    assert math.isnan(result.chance_of_loss)
    assert result.scenario("conversion").why_not == "not-measured"
    assert math.isnan(result.filter("economic").score)
    assert result.filter("economic").passes is None


def test_a_goal_that_is_only_fed_counts_by_half():
    # orders feed revenue (weight 2 of 3): half of 2/3
    assert weighed().filter("relevance").value == pytest.approx(1 / 3)
    assert weighed(touched=("revenue_per_customer",)).filter("relevance").value == pytest.approx(2 / 3)
    assert weighed(goals={}).filter("relevance").reason[0] == "relevance-no-goals"


def test_a_loss_at_stake_scores_as_much_as_a_gain():
    falling = KpiEffect(metric="revenue_per_customer", relative=-0.03, se=0.01, base=50.0, weeks=8)
    loss = weighed(kpis={"arpu": falling}).filter("economic")
    assert loss.value < 0
    assert loss.score == pytest.approx(weighed().filter("economic").score, rel=0.05)


def test_feasibility_counts_what_is_missing_as_empty():
    filter_score = weighed().filter("feasibility")
    assert filter_score.value == pytest.approx(0.45)
    assert filter_score.reason[1]["missing"] == ["consents"]


def test_horizon_scores_fifty_at_the_bound_of_a_quick_win():
    assert weighed(weeks_to_answer=12.0).filter("horizon").score == pytest.approx(50)
    assert weighed(weeks_to_answer=1.0).filter("horizon").score == 100
    assert weighed(weeks_to_answer=math.inf).filter("horizon").reason[0] == "horizon-never"


def test_compliance_without_consents_cannot_be_told_until_a_person_answers():
    assert math.isnan(weighed().filter("compliance").score)
    word = guess("compliance", "90", by="Vera Orlova", now=NOW)
    assert weighed(guesses={"compliance": word}).filter("compliance").score == 90
    assert weighed(consent_share=0.88).filter("compliance").score == pytest.approx(88)


@pytest.mark.parametrize(
    ("name", "text", "by"),
    [
        ("adoption", ".5:.2:.9", "A"),
        ("adoption", "120%", "A"),
        ("adoption", "many", "A"),
        ("adoption", ".3", " "),
        ("fame", ".3", "A"),
        ("cost", "-5", "A"),
        ("effect", "nan", "A"),
    ],
)
def test_a_guess_that_cannot_be_is_refused(name, text, by):
    with pytest.raises(BadInput):
        guess(name, text, by=by, now=NOW)


@given(effect=st.floats(-0.3, 0.3), se=st.floats(0.001, 0.1), margin=st.floats(0.05, 0.9))
def test_scenarios_are_ordered_and_scores_bounded(effect, se, margin):
    kpi = KpiEffect(metric="revenue_per_customer", relative=effect, se=se, base=50.0, weeks=8)
    result = weighed(kpis={"arpu": kpi}, margin=margin)
    money = result.scenario("money")
    assert money.p10 <= money.p50 <= money.p90
    assert all(0 <= entry.score <= 100 for entry in result.filters if entry.score == entry.score)


def test_weeks_to_see_follow_the_two_sample_formula():
    # se 1% a week in all, independent weeks: halves differ with 2%/√w; (1.959964 + .841621) × 2% / √w ≤ 2%
    weeks = math.ceil((2 * (norm.ppf(0.975) + norm.ppf(0.8)) * 0.01 / 0.02) ** 2)
    assert weeks_to_see(0.02, relative_se={1: 0.01}) == weeks == 8


def test_weeks_of_one_customer_that_resemble_each_other_take_longer():
    assert weeks_to_see(0.02, relative_se={1: 0.01, 13: 0.006}) > weeks_to_see(0.02, relative_se={1: 0.01})
    assert math.isinf(weeks_to_see(0.001, relative_se={1: 0.01, 13: 0.01}))
    assert math.isnan(weeks_to_see(0.02, relative_se={}))
